"""A way on for a kiosk: another key, another journal. Nothing queued is lost on the way, and no copy of the kiosk gets one."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import replace_journal
from kiosk.clock import SystemClock
from kiosk.domain.http_signature import public_text, raw_public
from kiosk.office_client import pairing
from kiosk.office_client.client import OfficeClient, Refused
from kiosk.office_client.identity import Identity
from kiosk.offline_queue import kept
from kiosk.offline_queue.cache import CachedUnit
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.journal_command import main as journal_command
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from kiosk.views import AttractView
from tests.office.running_office import RunningOffice, running_office
from tests.offline_queue.journals import genesis, tamper
from tests.offline_queue.paired_box import PairedBox, paired
from tests.offline_queue.test_histories import alarms, held, image_of, kiosk_code
from tests.payment.walker import Walker


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    with running_office(tmp_path_factory.mktemp("renewal")) as running:
        yield running


@pytest.fixture
def state(office: RunningOffice, tmp_path: Path) -> Path:
    """A paired kiosk with one uploaded payment and one that waits."""
    paired(office.url, office.pairing_code(), tmp_path / "kiosk")
    (tmp_path / "kiosk.toml").write_text(f'[kiosk]\nstate_dir = "kiosk"\n[office]\nurl = "{office.url}"\n')
    box = PairedBox(tmp_path / "kiosk", office.url)
    box.pay()
    box.drain()
    box.pay()
    box.journal.checkpoint(identity(tmp_path / "kiosk").key.sign)
    box.close()
    return tmp_path / "kiosk"


def identity(state: Path) -> Identity:
    return Identity.load(state / "identity.json")


def pair_again(office: RunningOffice, state: Path, code: str | None = None) -> int:
    return pairing.main(["--config", str(state.parent / "kiosk.toml"), "--code", code or office.pairing_code()])


def renewing_code(office: RunningOffice, state: Path) -> str:
    return code_for(office, kiosk_code(state))


def code_for(office: RunningOffice, name: str) -> str:
    told = office.run("pairing-code", "--project", "YG", "--kiosk", name, "--reason", "盘坏了")
    return str(told[0]["code"])


def replace(office: RunningOffice, state: Path, capsys, code: str | None = None) -> dict:
    arguments = ["--config", str(state.parent / "kiosk.toml"), "--code", code or renewing_code(office, state), "--json"]
    assert replace_journal.main(arguments) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def cached_units(office: RunningOffice, box: PairedBox) -> list[CachedUnit]:
    found = [box.cache.find(row["code"]) for row in office.rows("SELECT code FROM property_unit WHERE NOT gone")]
    assert any(found)
    return [unit for unit in found if unit]


def everything_is_at_the_office(office: RunningOffice, state: Path) -> None:
    with JournalReader(state / "journal.db") as reader:
        own = [(entry.seq, entry.hash) for entry in reader.entries(0, 10**6)]
        assert verify(reader.db) is None
    assert held(office, state)[-len(own) :] == own


# --- another key --------------------------------------------------------------------------------------------------


def test_a_kiosk_that_pairs_again_is_the_same_with_a_new_key_and_loses_nothing_queued(
    office: RunningOffice, state: Path
) -> None:
    before = identity(state)
    assert pair_again(office, state) == 0
    assert OfficeClient(office.url, before, SystemClock()).server_time(), "the old key holds until the new one is used"
    assert pair_again(office, state) == 0, "which its signature over the next one is"
    after = identity(state)
    assert (after.kiosk_id, after.kiosk_code) == (before.kiosk_id, before.kiosk_code)
    assert raw_public(after.key) != raw_public(before.key)
    box = PairedBox(state, office.url)
    box.pay()
    box.drain()
    box.journal.checkpoint(after.key.sign)
    box.drain()
    box.close()
    everything_is_at_the_office(office, state)
    with JournalReader(state / "journal.db") as reader:
        kinds = [entry.header.kind for entry in reader.entries(0, 1000)]
        assert reader.signing_key() == public_text(after.key)
    assert kinds.count("key.rolled") == 2
    with pytest.raises(Refused) as caught:
        OfficeClient(office.url, before, SystemClock()).server_time()
    assert caught.value.code == "key_unknown"
    assert alarms(office, state) == []
    office.verify()
    box = PairedBox(state, office.url)
    assert box.journal.latest("key.rolled").seq < box.journal.head_seq - 1, "told once"
    box.close()


def test_a_checkpoint_by_the_old_key_after_its_roll_is_named(office: RunningOffice, state: Path) -> None:
    before = identity(state)
    pair_again(office, state)
    box = PairedBox(state, office.url)
    forged = box.journal.checkpoint(before.key.sign)
    box.close()
    with JournalReader(state / "journal.db") as reader:
        finding = verify(reader.db)
    assert finding
    assert (finding.what, finding.seq) == ("changed", forged.seq)


def test_a_proof_by_somebody_else_rolls_nobodys_key(office: RunningOffice, state: Path, tmp_path: Path) -> None:
    """A code for the project and another kiosk's identity: who can't sign with the key, is not that kiosk."""
    rows = "SELECT public_key, next_public_key FROM kiosks_kiosk ORDER BY code"
    before = office.rows(rows)
    told = office.pairing_code()
    mine = identity(state)
    thief = Identity.load(state / "identity.json")
    body = {
        "token": told[:8],
        "public_key": public_text(thief.key),
        "software": "",
        "previous_key": public_text(mine.key),
    }
    transport = pairing.Transport(office.url)
    for proof in ("", "AAAA", "A" * 86 + "==", public_text(mine.key)):
        request = transport.prepare("POST", "/pairings", {}, json.dumps(body | {"proof": proof}).encode())
        request.headers["Content-Type"] = "application/json"
        assert transport.send(request)[0] == 422
    transport.close()
    assert office.rows(rows) == before


def test_a_code_made_for_another_kiosk_changes_neither(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    other = paired(office.url, office.pairing_code(), tmp_path / "other")
    mine = identity(state)
    code = renewing_code(office, tmp_path / "other")
    for command in (pairing.main, replace_journal.main):
        assert command(["--config", str(state.parent / "kiosk.toml"), "--code", code]) == 1
        assert "refuses" in capsys.readouterr().err
    for who in (mine, other):
        assert OfficeClient(office.url, who, SystemClock()).server_time()
    assert not (state / kept.FOLDER).exists()


@pytest.mark.parametrize("moment", ["before anything", "the office has promised", "the file is written"])
def test_a_cut_at_any_moment_of_a_roll_leaves_a_kiosk_that_can_speak(
    office: RunningOffice, state: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one file that changes does so by one rename; tests/power_cut cuts that at every operation."""
    kept = (state / "identity.json").read_bytes()
    if moment != "before anything":
        assert pair_again(office, state) == 0
    if moment == "the office has promised":
        (state / "identity.json").write_bytes(kept)
    box = PairedBox(state, office.url)
    box.drain()
    assert box.refusal == ""
    box.close()
    everything_is_at_the_office(office, state)
    assert pair_again(office, state) == 0, "and it can be done again"


def test_a_second_pairing_whose_answer_is_lost_leaves_a_kiosk_that_can_speak(
    office: RunningOffice, state: Path
) -> None:
    """The first one's key is on disk, and the agent has not been restarted to use it."""
    code = kiosk_code(state)
    assert pair_again(office, state) == 0
    kept = (state / "identity.json").read_bytes()
    assert pair_again(office, state) == 0
    (state / "identity.json").write_bytes(kept)
    box = PairedBox(state, office.url)
    box.drain()
    assert box.refusal == ""
    box.close()
    everything_is_at_the_office(office, state)
    assert pair_again(office, state) == 0
    assert kiosk_code(state) == code


# --- another journal ----------------------------------------------------------------------------------------------


def test_after_a_fork_the_kiosk_goes_on_with_a_new_journal_that_names_the_old_ones_end(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    image = image_of(state, tmp_path / "image")
    box = PairedBox(state, office.url)
    box.drain()
    box.close()
    shutil.rmtree(state)
    image_of(image, state)
    box = PairedBox(state, office.url)
    box.pay()
    box.drain()
    assert (box.refusal, alarms(office, state)) == ("fork", ["journal.fork"])
    journal, head = box.journal.journal_id, box.journal.head_seq
    box.close()
    last_seq, last_hash = held(office, state)[-1]
    with JournalReader(state / "journal.db") as reader:
        strange = {(entry.seq, entry.hash) for entry in reader.entries(0, 1000)} - set(held(office, state))
    done = replace(office, state, capsys)
    assert done["unsent"] == len(strange) > 1, "also those whose numbers the office has in another history"
    with JournalReader(state / "journal.db") as reader:
        first = reader.genesis()
        assert (first.replaces_journal_id, first.replaces_seq, first.replaces_hash) == (
            journal,
            last_seq,
            last_hash.hex(),
        )
        assert first.first_receipt_number == 4, "after the second branch's own receipts as well"
    box = PairedBox(state, office.url)
    box.pay()
    box.drain()
    assert (box.refusal, alarms(office, state)) == ("", [])
    box.close()
    everything_is_at_the_office(office, state)
    assert journal_command(["export", "--journal", done["kept"]]) == 0
    assert len(capsys.readouterr().out.splitlines()) == head
    audit = office.rows("SELECT verb, reason FROM staff_auditentry WHERE verb = 'kiosk.pairing_code' AND reason <> ''")
    assert {"verb": "kiosk.pairing_code", "reason": "盘坏了"} in audit


def test_both_journals_exported_make_the_books_of_an_empty_office(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    done = replace(office, state, capsys)
    box = PairedBox(state, office.url)
    box.pay()
    box.drain()
    box.close()
    empty = RunningOffice(tmp_path / "empty.db")
    for name, path in (("old", done["kept"]), ("new", state / "journal.db")):
        journal_command(["export", "--journal", str(path)])
        (tmp_path / name).write_text(capsys.readouterr().out)
        told = empty.run("replay", str(tmp_path / name), "--project", "YG")
        assert told[-1]["quarantined"] == 0
    numbers = (
        "SELECT receipt_no FROM payments_payment p JOIN kiosks_kiosk k ON k.id = p.kiosk_id WHERE k.code = ? ORDER BY 1"
    )
    assert empty.rows(numbers, kiosk_code(state)) == office.rows(numbers, kiosk_code(state))
    assert len(empty.rows(numbers, kiosk_code(state))) == 3


def test_what_a_damaged_journal_still_tells_is_sent_before_it_is_replaced(
    office: RunningOffice, state: Path, capsys
) -> None:
    with JournalReader(state / "journal.db") as reader:
        last = reader.head()[0]
    before = held(office, state)[-1][0]
    tamper(state / "journal.db", f"UPDATE event SET clock = 'rtc!' WHERE seq = {last}")
    with pytest.raises(JournalUnusable):
        PairedBox(state, office.url)
    done = replace(office, state, capsys)
    assert held(office, state)[-1][0] == last - 1 > before
    assert done["unsent"] == 1
    box = PairedBox(state, office.url)
    box.drain()
    assert box.refusal == ""
    box.close()


def test_what_is_paid_after_a_replacement_is_not_owed_again_when_the_office_is_away(
    office: RunningOffice, state: Path, capsys
) -> None:
    """The cache knew how far the office had folded the old journal, and the new one is shorter."""
    replace(office, state, capsys)
    box = PairedBox(state, office.url)
    box.drain()
    head_seq = box.journal.head_seq
    box.pay()
    (kept,) = {unit.applied_seq for unit in cached_units(office, box)}
    assert kept <= head_seq, "the office told it of this journal"
    (own,) = box.journal.settlements_after(kept)
    assert [line.bill_id for line in own.lines] == ["b-1"], "taken off before the bills are shown"
    box.close()


def test_bills_told_before_the_first_upload_of_a_new_journal_count_nothing_of_it(
    office: RunningOffice, state: Path, capsys
) -> None:
    """As when a suspended kiosk's first entry can't be read: the cache is filled, and the office still has the old journal."""
    replace(office, state, capsys)
    box = PairedBox(state, office.url)
    assert held(office, state)[-1][0] > box.journal.head_seq
    box.sync._refresh.if_due()
    assert {unit.applied_seq for unit in cached_units(office, box)} == {0}
    told = box.client.bills(cached_units(office, box)[0].unit.unit_id)
    assert (told.applied_of(box.journal.journal_id), told.journal_id) == (0, box.journal.genesis.replaces_journal_id)
    assert told.applied_seq == held(office, state)[-1][0]
    box.close()


def test_a_file_that_is_no_journal_any_more_is_kept_and_replaced(office: RunningOffice, state: Path, capsys) -> None:
    (state / "journal.db").write_bytes(b"\0" * 8192)
    done = replace(office, state, capsys)
    assert done["unsent"] is None
    assert Path(done["kept"]).read_bytes() == b"\0" * 8192
    box = PairedBox(state, office.url)
    assert box.journal.next_receipt_number() == 2
    box.drain()
    box.close()
    everything_is_at_the_office(office, state)


def test_a_new_disk_gets_its_kiosk_back_with_a_code_made_for_it(
    office: RunningOffice, state: Path, tmp_path: Path
) -> None:
    code, old = renewing_code(office, state), identity(state)
    name = kiosk_code(state)
    shutil.rmtree(state)
    assert pair_again(office, state, code) == 0
    assert kiosk_code(state) == name
    box = PairedBox(state, office.url)
    assert box.journal.genesis.replaces_seq
    box.drain()
    assert box.refusal == ""
    box.close()
    with pytest.raises(Refused) as caught:
        OfficeClient(office.url, old, SystemClock()).server_time()
    assert caught.value.code == "key_unknown", "whoever has the old disk has nothing"


def test_a_copy_of_a_kiosk_that_has_another_key_since_takes_no_cash_once_the_office_has_said_so(
    office: RunningOffice, state: Path, tmp_path: Path
) -> None:
    """Nor after a restart without a network, and all that it wrote is kept."""
    copy = image_of(state, tmp_path / "copy")
    assert pair_again(office, state, renewing_code(office, state)) == 0
    box = PairedBox(state, office.url)
    box.drain()
    box.close()
    left = PairedBox(copy, office.url)
    left.pay()
    left.step()
    assert (left.refusal, serves(left)) == ("key_unknown", False)
    assert left.journal.unsent()[0] == left.journal.head_seq - left.journal.cursor().ack_seq > 0
    left.close()
    alone = PairedBox(copy, "http://127.0.0.1:1")
    alone.sync.start()
    until = time.monotonic() + 20
    while not alone.reports and time.monotonic() < until:
        time.sleep(0.01)
    alone.sync.stop()
    assert not serves(alone)
    alone.close()


def test_a_suspended_kiosk_hands_over_its_journal_and_takes_no_money_with_or_without_the_cable(
    office: RunningOffice, state: Path
) -> None:
    box = PairedBox(state, office.url)
    box.drain()
    assert serves(box)
    suspend(office, state, "suspended")
    for _ in range(2):
        box.pay()
        box.sync._try_at = 0.0  # the next refresh
        box.sync._refresh.want()
        box.step()
        assert (box.refusal, serves(box)) == ("kiosk_suspended", False)
        assert box.journal.cursor().ack_seq == box.journal.head_seq
    assert [one.reason for one in box.reports].count("kiosk_suspended") == 1, (
        "and it does not come and go with each upload"
    )
    suspend(office, state, "paired")
    box.sync._try_at = 0.0
    box.step()
    assert serves(box)
    box.close()


def suspend(office: RunningOffice, state: Path, to: str) -> None:
    with closing(sqlite3.connect(office.path, timeout=30)) as db, db:
        db.execute("UPDATE kiosks_kiosk SET state = ? WHERE code = ?", (to, kiosk_code(state)))


def serves(box: PairedBox) -> bool:
    """Whether the flow, told what the upload found, would let anybody begin."""
    walker = Walker()
    for told in box.reports:
        walker.tell(told)
    return isinstance(walker.view, AttractView)


def test_a_copy_with_an_empty_journal_of_its_own_is_refused_and_named(
    office: RunningOffice, state: Path, tmp_path: Path
) -> None:
    """An identity alone must not be enough for a second kiosk under one name."""
    who, copy = identity(state), tmp_path / "copy"
    copy.mkdir()
    who.save(copy / "identity.json")
    first = genesis(kiosk_id=who.kiosk_id, kiosk_code=who.kiosk_code, public_key=public_text(who.key))
    Journal.create(copy / "journal.db", SystemClock(), first).close()
    known = held(office, state)
    clone = PairedBox(copy, office.url)
    clone.pay()
    clone.drain()
    assert (clone.refusal, alarms(office, state)) == ("journal_not_expected", ["journal.unexpected"])
    assert held(office, state) == known
    clone.close()
    box = PairedBox(state, office.url)
    box.drain()
    assert box.refusal == "", "the real one goes on"
    box.close()


def test_who_goes_on_with_a_replaced_journal_is_a_fork_at_every_start(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    copy = image_of(state, tmp_path / "copy")
    replace(office, state, capsys)
    box = PairedBox(state, office.url)
    box.drain()
    box.close()
    known = held(office, state)
    identity(state).save(copy / "identity.json")
    for _ in range(3):
        left = PairedBox(copy, office.url)
        left.drain()
        left.pay()
        left.step()
        assert (left.refusal, serves(left)) == ("fork", False)
        assert alarms(office, state) == ["journal.fork"]
        assert held(office, state) == known
        left.close()
    journal_command(["export", "--journal", str(copy / "journal.db")])
    (tmp_path / "copy.jsonl").write_text(capsys.readouterr().out)
    with pytest.raises(AssertionError, match=r"office replay --branch takes a branch in"):
        office.run("replay", str(tmp_path / "copy.jsonl"))
    assert held(office, state) == known


def test_a_fork_that_was_replaced_and_comes_back_is_an_alarm_again(
    office: RunningOffice, state: Path, tmp_path: Path, capsys
) -> None:
    """Its first alarm was over with the old journal, and it is about the same number of the same journal."""
    image = image_of(state, tmp_path / "image")
    box = PairedBox(state, office.url)
    for _ in range(5):
        box.pay()
    box.drain()
    box.close()
    shutil.rmtree(state)
    image_of(image, state)
    for _ in range(2):
        box = PairedBox(state, office.url)
        box.drain()
        box.close()
        assert alarms(office, state) == ["journal.fork"]
    done = replace(office, state, capsys)
    box = PairedBox(state, office.url)
    box.drain()
    box.close()
    assert alarms(office, state) == []
    shutil.rmtree(image)
    image_of(Path(done["kept"]).parent, image)
    identity(state).save(image / "identity.json")
    for _ in range(2):
        left = PairedBox(image, office.url)
        left.drain()
        assert (left.refusal, alarms(office, state)) == ("fork", ["journal.fork"])
        left.close()


def test_a_running_kiosk_or_a_wrong_code_changes_nothing(office: RunningOffice, state: Path, capsys) -> None:
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file() and "cache" not in path.name}
    arguments = ["--config", str(state.parent / "kiosk.toml"), "--code", "WRNG2345" + office.pairing_code()[8:]]
    assert replace_journal.main(arguments) == 1
    assert "does not take this code" in capsys.readouterr().err
    holder = (
        "import sys; from contextlib import ExitStack; from pathlib import Path; from kiosk.payment.status import *\n"
    )
    holder += "held = ExitStack(); assert is_first_agent(Path(sys.argv[1]), held); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as agent:
        agent.stdout.readline()
        assert replace_journal.main(arguments) == 1
        assert "stop it first" in capsys.readouterr().err
        agent.stdin.close()
    after = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file() and "cache" not in path.name}
    after.pop("agent.lock", None)
    assert after["identity.json"] == before["identity.json"]
    assert not (state / kept.FOLDER).exists()


def test_without_its_identity_a_journal_still_says_whose_it_is_and_no_other_kiosk_s_code_replaces_it(
    office: RunningOffice, state: Path, capsys
) -> None:
    name = kiosk_code(state)
    (state / "identity.json").unlink()
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file() and "cache" not in path.name}
    arguments = ["--config", str(state.parent / "kiosk.toml"), "--code", office.pairing_code()]
    assert replace_journal.main(arguments) == 1
    assert f"this is {name}; nothing was changed here. On the office's machine: office pairing-code --kiosk {name}" in (
        capsys.readouterr().err
    )
    assert before.items() <= {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}.items()
    assert not (state / kept.FOLDER).exists()
    assert replace(office, state, capsys, code_for(office, name))["kiosk_code"] == name


def test_a_journal_that_can_not_say_whose_it_is_is_replaced_all_the_same(
    office: RunningOffice, state: Path, capsys
) -> None:
    name = kiosk_code(state)
    (state / "identity.json").unlink()
    damage = "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'kiosk_id', 'kiosk_jd') AS BLOB) WHERE seq = 1"
    tamper(state / "journal.db", damage)
    assert replace(office, state, capsys, code_for(office, name))["kiosk_code"] == name
