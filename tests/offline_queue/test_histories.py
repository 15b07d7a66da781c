"""Two histories of one kiosk: whatever was done to its disk is named, by the kiosk or by the office, and honest restarts never are.

The office is the real process; alarms are read from its database.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests

from kiosk.domain import chain
from kiosk.office_client.identity import Identity
from kiosk.offline_queue import database, tables
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.journal_command import main as journal_command
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.office.running_office import ROOT, RunningOffice, running_office
from tests.offline_queue.journals import tamper
from tests.offline_queue.paired_box import PairedBox, paired

SEED = int(os.environ.get("MENTING_SEED", "20261125"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    with running_office(tmp_path_factory.mktemp("histories")) as running:
        yield running


@pytest.fixture
def state(office: RunningOffice, tmp_path: Path) -> Path:
    """A paired kiosk that has uploaded two payments, stopped."""
    paired(office.url, office.pairing_code(), tmp_path / "kiosk")
    box = PairedBox(tmp_path / "kiosk", office.url)
    for _ in range(2):
        box.pay()
    box.drain()
    box.close()
    return tmp_path / "kiosk"


def kiosk_code(state: Path) -> str:
    return Identity.load(state / "identity.json").kiosk_code


def alarms(office: RunningOffice, state: Path) -> list[str]:
    found = office.rows(
        "SELECT a.code, a.severity FROM kiosks_alarm a JOIN kiosks_kiosk k ON k.id = a.kiosk_id "
        "WHERE k.code = ? AND a.source = 'office' AND a.cleared_at IS NULL",
        kiosk_code(state),
    )
    assert {row["severity"] for row in found} <= {"security"}
    return [row["code"] for row in found]


def held(office: RunningOffice, state: Path) -> list[tuple[int, bytes]]:
    rows = office.rows(
        "SELECT e.seq, e.hash FROM kiosks_rawevent e JOIN kiosks_kiosk k ON k.id = e.kiosk_id WHERE k.code = ? "
        "ORDER BY e.ingest_no",
        kiosk_code(state),
    )
    return [(row["seq"], row["hash"]) for row in rows]


def image_of(state: Path, to: Path) -> Path:
    shutil.copytree(state, to, ignore=shutil.ignore_patterns("*.sock"))
    return to


def test_a_restored_old_image_that_writes_on_is_a_fork(office: RunningOffice, state: Path, tmp_path: Path) -> None:
    image = image_of(state, tmp_path / "image")
    box = PairedBox(state, office.url)
    box.pay()
    box.step()
    box.close()
    known = held(office, state)
    old = PairedBox(image, office.url)
    old.step()
    assert old.refusal == "fork"
    assert alarms(office, state) == ["journal.fork"]
    assert held(office, state) == known
    old.pay()
    old.step()
    assert old.journal.head_seq > old.journal.cursor().ack_seq, "kept, whatever the office says"
    old.close()


def cut(path: Path, last: int) -> None:
    """All that comes after an entry away, from the file's own accounts as well: nothing in the file can show it."""
    with closing(database.open_reader(path)) as db:
        digest = tables.hash_at(db, last)
    assert digest is not None
    where = f"seq = {last}, hash = x'{digest.hex()}'"
    acked = f"ack_seq = {last}, ack_hash = x'{digest.hex()}', posted_seq = {last}"
    tamper(path, f"DELETE FROM event WHERE seq > {last}", f"UPDATE head SET {where}", f"UPDATE cursor SET {acked}")
    with closing(Journal.open(path, None)) as journal:  # type: ignore[arg-type]
        journal.rebuild_projections()


def test_a_tail_cut_without_a_trace_is_told_by_the_office(office: RunningOffice, state: Path) -> None:
    with JournalReader(state / "journal.db") as reader:
        last = reader.head()[0]
    cut(state / "journal.db", last - 3)
    with JournalReader(state / "journal.db") as reader:
        assert verify(reader.db) is None, "the file alone can't know"
    box = PairedBox(state, office.url, writes=False)
    box.step()
    assert (box.refusal, alarms(office, state)) == ("ahead", ["journal.ahead"])
    box.close()
    box = PairedBox(state, office.url)
    box.step()
    assert box.refusal == "fork", "what it writes instead is another history"
    box.close()


def test_an_old_image_that_has_written_nothing_yet_is_ahead(office: RunningOffice, state: Path, tmp_path: Path) -> None:
    image = image_of(state, tmp_path / "image")
    box = PairedBox(state, office.url)
    box.step()
    box.close()
    known = held(office, state)
    old = PairedBox(image, office.url, writes=False)
    old.step()
    assert (old.refusal, alarms(office, state)) == ("ahead", ["journal.ahead"])
    assert held(office, state) == known
    old.close()


def test_an_old_image_with_a_late_cursor_is_ahead_as_well(office: RunningOffice, state: Path, tmp_path: Path) -> None:
    """It sends what the office holds already, and the answer names an entry that was never written here."""
    box = PairedBox(state, office.url)
    box.step(keeps_acks=False)
    image = image_of(state, tmp_path / "image")
    box.pay()
    box.step()
    box.close()
    old = PairedBox(image, office.url, writes=False)
    old.step()
    assert (old.refusal, alarms(office, state)) == ("ahead", ["journal.ahead"])
    old.close()


def test_two_boxes_with_one_identity_are_found_and_the_first_goes_on(
    office: RunningOffice, state: Path, tmp_path: Path
) -> None:
    clone = PairedBox(image_of(state, tmp_path / "clone"), office.url)
    box = PairedBox(state, office.url)
    box.pay()
    box.step()
    clone.pay()
    clone.step()
    assert (box.refusal, clone.refusal) == ("", "fork")
    box.pay()
    box.drain()
    assert (box.refusal, box.journal.cursor().ack_seq) == ("", box.journal.head_seq)
    assert alarms(office, state) == ["journal.fork"]
    assert held(office, state)[-1] == (box.journal.head_seq, box.journal.head_hash)
    for each in (box, clone):
        each.close()


def exported(state: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a person types beside the box, into a file."""
    assert journal_command(["export", "--journal", str(state / "journal.db")]) == 0
    (state / "journal.jsonl").write_text(capsys.readouterr().out, encoding="utf-8")
    return str(state / "journal.jsonl")


def told_notes(*states: Path) -> int:
    """The notes that these boxes' journals credit, each entry once however many of them have it."""
    entries = {entry.hash: entry.header.kind for state in states for entry in _all(state)}
    return list(entries.values()).count("note.credited")


def test_what_the_second_box_took_is_in_the_books_once_its_journal_is_taken_in(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    """Both took notes under one identity and printed the same receipt number; the office heard one of them."""
    clone_state = image_of(state, tmp_path / "clone")
    clone, box = PairedBox(clone_state, office.url), PairedBox(state, office.url)
    box.pay()
    box.drain()
    for _ in range(2):
        clone.pay()
    clone.step()
    assert clone.refusal == "fork"
    clone.journal.checkpoint(Identity.load(clone_state / "identity.json").key.sign)
    clone.close()
    slip = next(entry for entry in reversed(_all(clone_state)) if entry.header.kind == "payment.settled")
    address = f"{office.url}/m/{slip.event.receipt_no}/{chain.check_code(slip.seq, slip.hash)}"
    assert requests.get(address, timeout=30).status_code == 404
    file, code = exported(clone_state, capsys), kiosk_code(state)
    with pytest.raises(AssertionError, match=r"office replay --branch takes a branch in"):
        office.run("replay", file)
    assert office.box(code) == {10000: (told_notes(state), 0)}
    taken = office.run("replay", "--branch", file)[-1]
    assert (taken["credited"], taken["new"]) == ({"10000": 2}, taken["events"])
    assert office.box(code) == {10000: (told_notes(state, clone_state), 0)} == {10000: (5, 0)}
    assert requests.get(address, timeout=30, headers={"Accept-Language": "en"}).text.count(
        "the office is looking into it"
    )
    assert office.run("replay", "--branch", file)[-1]["new"] == 0
    assert office.run("rebuild", "--project", "YG")[0]["equal"]
    office.verify()
    box.pay()
    box.drain()
    assert (box.refusal, alarms(office, state)) == ("", ["journal.fork"])
    assert office.box(code) == {10000: (6, 0)}
    box.close()


def remade(path: Path, seq: int) -> None:
    """One entry's amount changed and every hash after it made again: what somebody does who knows the chain and has no key."""
    with closing(database.open_reader(path)) as db:
        entries, journal_id = tables.entries(db, seq - 1, 10_000), tables.journal_id(db)
        prev = tables.hash_at(db, seq - 1) or chain.GENESIS_PREV
    statements = []
    for entry in entries:
        body = entry.body.replace(b'"face_fen":10000', b'"face_fen":100') if entry.seq == seq else entry.body
        prev = chain.entry_hash(journal_id, entry.seq, entry.header, body, prev)
        statements.append(f"UPDATE event SET body = x'{body.hex()}', hash = x'{prev.hex()}' WHERE seq = {entry.seq}")
    tamper(
        path, *statements, f"UPDATE head SET hash = x'{prev.hex()}'", f"UPDATE cursor SET ack_hash = x'{prev.hex()}'"
    )


def test_an_uploaded_amount_changed_with_all_hashes_made_again_is_a_fork(office: RunningOffice, state: Path) -> None:
    with JournalReader(state / "journal.db") as reader:
        seq = next(entry.seq for entry in reader.entries(0, 100) if entry.header.kind == "note.credited")
    remade(state / "journal.db", seq)
    box = PairedBox(state, office.url)
    box.step()
    assert box.refusal == "fork"
    assert alarms(office, state) == ["journal.fork"]
    box.close()


def test_a_remade_history_with_a_checkpoint_in_it_is_not_taken_in(office: RunningOffice, state: Path, capsys) -> None:
    """It would be money that nobody put in: what was signed is another sum."""
    box = PairedBox(state, office.url)
    box.journal.checkpoint(Identity.load(state / "identity.json").key.sign)
    box.close()
    seq = next(entry.seq for entry in _all(state) if entry.header.kind == "note.credited")
    remade(state / "journal.db", seq)
    before = office.box(kiosk_code(state))
    with pytest.raises(AssertionError, match=r"entry \d+: the checkpoint does not state the entry before it"):
        office.run("replay", "--branch", exported(state, capsys))
    assert office.box(kiosk_code(state)) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = CAST(replace(body, '10000', '100') AS BLOB) WHERE seq = {last}",
        "DELETE FROM event WHERE seq = {last}",
        "DELETE FROM event WHERE seq > 3",
        "UPDATE event SET seq = {last} + 1 WHERE seq = {last}",
        "INSERT INTO event SELECT seq + 1, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, hash "
        "FROM event WHERE seq = {last}",
    ],
    ids=["changed", "deleted", "cut", "moved", "inserted"],
)
def test_what_touches_the_newest_entry_keeps_the_kiosk_from_starting(
    office: RunningOffice, state: Path, statement: str
) -> None:
    with JournalReader(state / "journal.db") as reader:
        last = reader.head()[0]
    tamper(state / "journal.db", statement.replace("{last}", str(last)))
    with pytest.raises(JournalUnusable) as caught:
        PairedBox(state, office.url)
    assert caught.value.code == "journal.damaged"


def honest_restarts(office: RunningOffice, state: Path, times: int) -> None:
    program = [sys.executable, "-m", "tests.offline_queue.paired_box", str(state), office.url, str(times), str(SEED)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120 + times, check=False)
    assert done.returncode == 0, done.stderr
    box = PairedBox(state, office.url)
    box.drain()
    assert (box.refusal, alarms(office, state)) == ("", [])
    with JournalReader(state / "journal.db") as reader:
        own = [(entry.seq, entry.hash) for entry in reader.entries(0, 10**6)]
        assert verify(reader.db) is None
    assert held(office, state) == own
    starts = sum(entry.header.kind == "agent.started" for entry in _all(state))
    kills = json.loads(done.stdout.splitlines()[-1])["kills"]
    print(f"seed {SEED}: {kills} kills, {starts} starts that came to write, {len(own)} entries, no alarm")
    assert starts >= times, "a start that was told is not in the journal"
    box.close()


def _all(state: Path):
    with JournalReader(state / "journal.db") as reader:
        return reader.entries(0, 10**6)


def test_30_honest_restarts_raise_no_alarm(office: RunningOffice, state: Path) -> None:
    honest_restarts(office, state, 30)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_1000_honest_restarts_raise_no_alarm(office: RunningOffice, state: Path) -> None:
    honest_restarts(office, state, 1000)
