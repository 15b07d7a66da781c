"""`kiosk journal verify` names the entry for any change that a person with SQLite could make."""

import json
import shutil
import time
from contextlib import closing

import pytest

from kiosk.domain import chain, events
from kiosk.offline_queue import database, tables
from kiosk.offline_queue.database import PAGE_SIZE
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.journal_command import main
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from kiosk.offline_queue.writing import make_entry
from tests.offline_queue.journals import KIOSK_KEY, changed, genesis, pay, tamper

COLUMNS = {
    "payment_id": "'someone-else'",
    "kind": "'note.returned'",
    "v": "2",
    "boot_id": "'another'",
    "mono_ms": "mono_ms + 1",
    "wall_ms": "wall_ms - 86400000",
    "clock": "'synced'",
    "body": "replace(body, 'fen', 'FEN')",
    "hash": "zeroblob(32)",
}


@pytest.fixture
def written(journal, path):
    """A closed journal of some length, with checkpoints in it."""
    for number in range(30):
        pay(journal, f"p-{number}")
        if number % 10 == 9:
            journal.checkpoint(KIOSK_KEY.sign)
    last = journal.head_seq
    journal.close()
    return last


def asked(capsys, path, *more) -> tuple[int, dict]:
    code = main(["verify", "--journal", str(path), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_whole_journal_is_said_to_be_whole(written, path, capsys):
    assert asked(capsys, path) == (0, {"ok": True, "readable_to": written})
    assert main(["verify", "--journal", str(path)]) == 0
    assert f"{written} entries, all as written" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["first", "middle", "last"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_is_named_by_its_entry(written, path, capsys, column, where):
    seq = {"first": 1, "middle": 77, "last": written}[where]
    value = COLUMNS[column] if (column, where) != ("body", "first") else "body || ' '"
    if column == "body" and where == "last":
        value = "body || ' '"
    tamper(
        path,
        f"UPDATE event SET {column} = CAST({value} AS BLOB) WHERE seq = {seq}"
        if column == "body"
        else f"UPDATE event SET {column} = {value} WHERE seq = {seq}",
    )
    code, told = asked(capsys, path)
    assert (code, told["ok"], told["what"], told["first_bad_seq"], told["readable_to"]) == (
        1,
        False,
        "changed",
        seq,
        seq - 1,
    )


@pytest.mark.parametrize("seq", [1, 2, 77, "last"])
def test_a_deleted_entry_is_named(written, path, capsys, seq):
    seq = written if seq == "last" else seq
    tamper(path, f"DELETE FROM event WHERE seq = {seq}")
    code, told = asked(capsys, path)
    assert (code, told["what"], told["first_bad_seq"]) == (1, "missing", seq)


def test_a_renumbered_entry_is_named(written, path, capsys):
    tamper(path, "UPDATE event SET seq = 9999 WHERE seq = 50")
    assert asked(capsys, path)[1]["first_bad_seq"] == 50


def test_a_cut_off_tail_is_named_by_its_first_missing_entry(written, path, capsys):
    tamper(path, "DELETE FROM event WHERE seq > 60")
    _, told = asked(capsys, path)
    assert (told["what"], told["first_bad_seq"], told["readable_to"]) == ("missing", 61, 60)


@pytest.mark.parametrize("pair", [(2, 3), (50, 51), (50, 90)])
def test_a_swapped_pair_is_named_by_its_first(written, path, capsys, pair):
    low, high = pair
    tamper(
        path,
        f"UPDATE event SET seq = -1 WHERE seq = {low}",
        f"UPDATE event SET seq = {low} WHERE seq = {high}",
        f"UPDATE event SET seq = {high} WHERE seq = -1",
    )
    _, told = asked(capsys, path)
    assert (told["what"], told["first_bad_seq"]) == ("changed", low)


def test_another_journals_name_is_found_at_the_first_entry(written, path, capsys):
    tamper(path, "UPDATE journal SET journal_id = 'another'")
    assert asked(capsys, path)[1]["first_bad_seq"] == 1


def test_text_that_is_no_text_is_named_by_its_entry(written, path, capsys):
    tamper(path, "UPDATE event SET clock = CAST(x'ff72' AS TEXT) WHERE seq = 33")
    assert asked(capsys, path)[1]["first_bad_seq"] == 33


def test_a_chain_made_again_by_someone_without_the_key_fails_at_the_next_checkpoint(written, path, capsys, clock):
    """Whoever re-computes all hashes after a change still can't sign."""
    with JournalReader(path) as reader:
        entries, journal_id = reader.entries(0, 10_000), reader.journal_id
    victim = next(entry for entry in entries if entry.header.kind == "note.credited")
    statement, prev = [], chain.GENESIS_PREV
    for entry in entries:
        event = entry.event
        if entry.seq == victim.seq:
            event = changed(event, face_fen=100)
        if isinstance(event, events.Checkpoint):
            event = changed(event, up_to_hash=prev.hex())
        made = make_entry(journal_id, entry.seq, event, prev, clock)
        digest = chain.entry_hash(journal_id, entry.seq, entry.header, made.body, prev)
        statement.append(
            f"UPDATE event SET body = x'{made.body.hex()}', hash = x'{digest.hex()}' WHERE seq = {entry.seq}"
        )
        prev = digest
    tamper(path, *statement, f"UPDATE head SET hash = x'{prev.hex()}'")
    _, told = asked(capsys, path)
    first_checkpoint = next(entry.seq for entry in entries if entry.header.kind == "checkpoint")
    assert (told["first_bad_seq"], told["what"]) == (first_checkpoint, "changed")
    assert "signed" in told["detail"]


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_page_never_passes_and_what_is_readable_is_named(written, path, capsys, seed):
    """Overwrite one page; SQLite may or may not notice, and either way an entry is named."""
    size = path.stat().st_size // PAGE_SIZE
    with path.open("r+b") as file:
        leaf = _event_leaf(path, seed % 4)
        file.seek((leaf - 1) * PAGE_SIZE)
        file.write(bytes([seed]) * PAGE_SIZE if seed >= 4 else b"\x0d" + bytes(PAGE_SIZE - 1))
    code, told = asked(capsys, path)
    assert code == 1
    assert told["what"] in ("damaged", "missing", "changed")
    assert 0 <= told["readable_to"] < written
    assert size > leaf


def _event_leaf(path, number: int) -> int:
    """The page number of one leaf of the event table, where SQLite can say it; else a page of its middle."""
    with closing(database.open_reader(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'").fetchone()[0]
    raw, number_of_page = path.read_bytes(), root
    page = raw[(root - 1) * PAGE_SIZE : root * PAGE_SIZE]
    assert page[0] == 5, "the event table has grown beyond one page"
    while page[0] == 5:
        cells = int.from_bytes(page[3:5], "big")
        at = int.from_bytes(page[12 + 2 * (number % cells) : 14 + 2 * (number % cells)], "big")
        number_of_page = int.from_bytes(page[at : at + 4], "big")
        page = raw[(number_of_page - 1) * PAGE_SIZE : number_of_page * PAGE_SIZE]
    return number_of_page


def test_where_sqlite_cannot_go_on_the_command_says_how_far_it_came(written, path, capsys):
    leaf = _event_leaf(path, 2)
    with path.open("r+b") as file:
        file.seek((leaf - 1) * PAGE_SIZE)
        file.write(b"\xff" * PAGE_SIZE)
    assert main(["verify", "--journal", str(path)]) == 1
    words = capsys.readouterr().out
    assert words.startswith("file damaged, readable to ")
    assert int(words.split()[4]) > 2


def test_a_file_without_its_first_page_is_damaged_and_readable_to_nothing(written, path, capsys):
    with path.open("r+b") as file:
        file.write(bytes(PAGE_SIZE))
    assert main(["verify", "--journal", str(path)]) == 1
    assert "readable to 0" in capsys.readouterr().out


def test_a_missing_file_is_no_finding_but_a_sentence(tmp_path, capsys):
    assert main(["verify", "--journal", str(tmp_path / "none.db")]) == 1
    assert "there is no journal" in capsys.readouterr().err


def test_verify_works_beside_a_writing_kiosk(journal, path, capsys):
    pay(journal, "p-1")
    assert asked(capsys, path)[1] == {"ok": True, "readable_to": 6}
    pay(journal, "p-2")
    assert asked(capsys, path)[1] == {"ok": True, "readable_to": 11}


def test_a_hundred_thousand_entries_are_checked_within_two_seconds(path, clock):
    with closing(Journal.create(path, clock, genesis())) as journal:
        batch = [
            events.NoteReturned(
                payment_id="p-1", note_no=1, face_fen=10_000, acceptor_serial="SSP-1", reason="host" * 30
            )
        ]
        _append_quickly(journal, batch[0], 100_000)
        with JournalReader(path) as reader:
            quickest_s = 99.0
            for _ in range(3):  # other work on this machine must not decide
                started = time.perf_counter()
                assert verify(reader.db) is None
                quickest_s = min(quickest_s, time.perf_counter() - started)
        assert quickest_s <= 2.0


def _append_quickly(journal: Journal, event: events.Event, until_seq: int) -> None:
    """Many entries in one transaction, past the rules of money: only the chain matters here."""
    db, prev = journal._db, journal.head_hash
    db.execute("BEGIN IMMEDIATE")
    db.execute("DROP TRIGGER event_is_the_next")
    for seq in range(journal.head_seq + 1, until_seq + 1):
        entry = make_entry(journal.journal_id, seq, event, prev, journal._clock)
        db.execute(tables.INSERT_EVENT, tables.row_of(entry))
        prev = entry.hash
    db.execute(tables.SET_HEAD, (until_seq, prev))
    db.execute("COMMIT")


# --- show and export ------------------------------------------------------------------------------------------------


def test_export_prints_the_stored_bytes_and_the_chain_can_be_checked_from_it(written, path, capsys):
    assert main(["export", "--journal", str(path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, written + 1))
    prev = chain.GENESIS_PREV
    for line in lines:
        header = chain.Header(**{name: line[name] for name in chain.Header.__struct_fields__})
        prev = chain.entry_hash(line["journal_id"], line["seq"], header, line["body"].encode(), prev)
        assert line["hash"] == prev.hex()


def test_show_prints_one_payment_for_people_and_for_programs(written, path, capsys):
    assert main(["show", "--journal", str(path), "--payment", "p-3"]) == 0
    kinds = [line.split()[5] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["payment.opened", "note.escrow", "note.accept_intent", "note.credited", "payment.settled"]
    main(["show", "--journal", str(path), "--after", str(written - 2), "--json"])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_copy_without_its_wal_is_read_as_far_as_it_goes(journal, path, capsys):
    for number in range(10):
        pay(journal, f"p-{number}")
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    code, told = asked(capsys, copy)
    assert (code, told["ok"]) == (0, True)
    assert 1 <= told["readable_to"] <= journal.head_seq


def test_wrong_usage_is_two(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["verify"])
    assert caught.value.code == 2
