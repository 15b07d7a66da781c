"""The journal on real SQLite files: what it refuses, what it remembers, and what survives."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from kiosk.clock import Boot
from kiosk.domain import chain, events
from kiosk.offline_queue import database, migrations, projections, tables
from kiosk.offline_queue.database import MIB, JournalUnusable, Room
from kiosk.offline_queue.journal import AckMismatch, EventRefused, Journal, JournalUnwritable
from kiosk.offline_queue.reader import JournalReader
from tests.offline_queue import journals
from tests.offline_queue.journals import (
    KIOSK_KEY,
    SetClock,
    credited,
    escrow,
    genesis,
    intent,
    opened,
    partial,
    pay,
    returned,
    settled,
    tamper,
    unknown,
)


def test_a_new_journal_begins_with_its_genesis(journal, path):
    with JournalReader(path) as reader:
        (entry,) = reader.entries(0, 10)
        assert entry.event == reader.genesis() == genesis()
        assert entry.hash == chain.entry_hash(journal.journal_id, 1, entry.header, entry.body, chain.GENESIS_PREV)
        assert reader.head() == (1, entry.hash) == (journal.head_seq, journal.head_hash)
    assert journal.kiosk_code == "YG01"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_journal_is_never_replaced(journal, path, clock):
    with pytest.raises(JournalUnusable, match="never replaced"):
        Journal.create(path, clock, genesis())


def test_an_append_is_one_commit_and_readable_beside_the_writer_at_once(journal, path):
    with JournalReader(path) as reader:
        entries = journal.append(opened(), escrow(1))
        assert [entry.seq for entry in entries] == [2, 3]
        assert reader.entries(1, 10) == entries
        assert reader.head() == (3, entries[-1].hash)
        assert entries[1].header.payment_id == "p-1"
        assert entries[1].header.kind == "note.escrow"


def test_entries_carry_the_clock_they_were_written_with(journal, clock):
    clock.says = "unset"
    clock.advance(2.5)
    (entry,) = journal.append(opened())
    head = entry.header
    assert (head.boot_id, head.mono_ms, head.wall_ms, head.clock) == ("boot-1", 1_002_500, clock.wall_ms(), "unset")


def test_the_settings_that_make_a_commit_durable_hold(journal):
    said = {
        name: journal._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name, _, _ in database.WRITER_PRAGMAS
        if name != "mmap_size"
    }
    assert (said["journal_mode"], said["synchronous"], said["foreign_keys"], said["busy_timeout"]) == (
        "wal",
        2,
        1,
        5000,
    )


def test_a_setting_that_does_not_hold_stops_the_journal(path, journal, monkeypatch):
    journal.close()
    monkeypatch.setattr(database, "WRITER_PRAGMAS", (*database.WRITER_PRAGMAS, ("page_size", "8192", 8192)))
    with pytest.raises(JournalUnusable, match="would not set page_size to 8192"):
        Journal.open(path, SetClock())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = x'00' WHERE seq = 1",
        "DELETE FROM event WHERE seq = 1",
        "INSERT OR REPLACE INTO event SELECT 1, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, hash FROM event WHERE seq = 1",
        "INSERT INTO event SELECT 7, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, hash FROM event WHERE seq = 1",
    ],
)
def test_the_file_itself_refuses_to_change_drop_or_skip_an_event(journal, path, statement):
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match="event"):
        db.execute(statement)


# --- rules of money -----------------------------------------------------------------------------------------------


def test_a_payment_is_told_with_its_notes_until_it_ends(journal):
    journal.append(opened())
    journal.append(escrow(1))
    assert [note.state for note in journal.open_payments()[0].notes] == ["escrow"]
    journal.append(intent(1))
    (note,) = journal.open_intents()
    assert (note.note_no, note.face_fen, note.channel, note.acceptor_serial) == (1, 10_000, 6, journals.SERIAL)
    journal.append(credited(1))
    assert journal.open_intents() == ()
    journal.append(escrow(2, 5000), returned(2, 5000))
    assert journal.payment("p-1").credited_fen == 10_000
    journal.append(settled())
    assert journal.open_payments() == ()
    done = journal.payment("p-1")
    assert (done.state, done.settlement_seq, done.settlement.receipt_no) == ("settled", journal.head_seq, "YG01-000001")
    assert [note.state for note in done.notes] == ["credited", "returned"]
    assert journal.payment("p-2") is None


@pytest.mark.parametrize(
    ("arranged", "event", "reason"),
    [
        ([], escrow(2), "not the next, 1"),
        ([escrow(1)], escrow(1), "not the next, 2"),
        ([], credited(7), "can't become credited"),
        ([escrow(1), intent(1), credited(1)], credited(1), "can't become credited"),
        ([escrow(1), returned(1)], credited(1), "can't become credited"),
        ([escrow(1), intent(1), credited(1)], returned(1), "can't become returned"),
        ([], intent(1), "can't become intent"),
        ([], opened(), "opened before"),
        ([], settled(number=2), "not the next"),
        ([], settled(receipt_no="XX01-000001"), "not the next, YG01-000001"),
        ([settled()], settled(number=2), "not open"),
        ([settled()], events.PaymentCancelled(payment_id="p-1", reason="payer"), "not open"),
        ([], events.PaymentCancelled(payment_id="p-9", reason="payer"), "not open"),
        ([], escrow(1, face_fen=0), ">= 1"),
        ([], settled(received_fen=500), ">= 1"),
    ],
)
def test_an_event_that_contradicts_the_journal_is_refused_and_nothing_is_written(journal, arranged, event, reason):
    journal.append(opened())
    if arranged:
        journal.append(*arranged)
    before = journal.head_seq
    with pytest.raises(EventRefused, match=reason):
        journal.append(events.ScreenRestarted(reason="silent"), event)
    assert journal.head_seq == before
    journal.append(events.ScreenRestarted(reason="silent"))
    with JournalReader(journal.path) as reader:
        assert reader.head()[0] == before + 1


def test_a_note_found_at_power_up_takes_the_next_number(journal):
    journal.append(unknown(1, None, payment_id=None))
    assert journal.next_note_no() == 2


def test_an_unknown_note_may_still_turn_out_to_be_credited(journal):
    journal.append(opened(), escrow(1), intent(1), unknown(1))
    journal.append(credited(1))
    (note,) = journal.payment("p-1").notes
    assert (note.state, note.claim_no) == ("credited", "YG01-Q000001")


def test_receipt_numbers_are_taken_by_the_settling_commit_without_a_gap(path, clock):
    with closing(Journal.create(path, clock, genesis(first_receipt_number=41))) as journal:
        assert journal.next_receipt_number() == 41
        pay(journal, "p-1")
        journal.append(opened("p-2"), events.PaymentCancelled(payment_id="p-2", reason="payer"))
        journal.append(opened("p-3"), partial(payment_id="p-3", number=42))
        assert journal.next_receipt_number() == 43


def test_own_settlements_are_told_to_subtract_them_from_stale_bills(journal):
    pay(journal, "p-1")
    told_at = journal.head_seq
    pay(journal, "p-2", 5000)
    pay(journal, "p-3", 2000)
    assert [own.payment_id for own in journal.settlements_after(told_at)] == ["p-2", "p-3"], (
        "in order, each with its day"
    )
    assert journal.settlements_after(journal.head_seq) == []


def test_the_acceptors_counters_are_remembered(journal):
    assert journal.latest("acceptor.counted") is None
    journal.append(events.AcceptorCounted(acceptor_serial="S", stacked=7, rejected=1))
    journal.append(events.AcceptorCounted(acceptor_serial="S", stacked=8, rejected=1))
    assert journal.latest("acceptor.counted").event.stacked == 8


# --- cursor -------------------------------------------------------------------------------------------------------


def test_the_cursor_moves_only_to_hashes_that_are_ours(journal, clock):
    pay(journal, "p-1")
    hashes = {entry.seq: entry.hash for entry in tables.entries(journal._db, 0, 100)}
    journal.advance_cursor(3, hashes[3].hex(), 2)
    assert (journal.cursor().ack_seq, journal.cursor().posted_seq) == (3, 2)
    for seq, told in ((4, hashes[3]), (99, hashes[3]), (0, hashes[1])):
        with pytest.raises(AckMismatch):
            journal.advance_cursor(seq, told, 0)
    with pytest.raises(AckMismatch):
        journal.advance_cursor(4, hashes[4], 5)
    assert journal.cursor().ack_seq == 3
    clock.advance(90)
    assert journal.unsent() == (journal.head_seq - 3, 90_000)
    journal.advance_cursor(journal.head_seq, journal.head_hash, journal.head_seq)
    assert journal.unsent() == (0, None)


def test_the_age_of_what_is_unsent_is_what_clocks_say_or_else_what_the_machine_ran_since(journal, clock):
    journal.append(opened())
    clock.boot_id = "boot-2"
    clock.offset_ms += 3_600_000
    assert journal.unsent() == (2, 3_600_000)
    clock.says = "unset"
    assert journal.unsent() == (2, clock.since_boot_ms())


def test_boots_and_newest_entry_tell_a_new_agent_which_time_has_passed(journal, clock):
    clock.advance(5)
    journal.append(opened())
    clock.boot_id, clock.seconds, clock.says = "boot-2", 7.0, "unset"
    journal.append(escrow(1))
    assert journal.boots() == (Boot("boot-1", 1_005_000), Boot("boot-2", 7_000))
    newest = journal.newest()
    assert (newest.kind, newest.boot_id, newest.clock) == ("note.escrow", "boot-2", "unset")
    journal.advance_cursor(journal.head_seq, journal.head_hash, 0)
    assert journal.boots() == ()


# --- checkpoints and rebuilding -----------------------------------------------------------------------------------


def test_a_checkpoint_states_the_journal_so_far_and_is_signed_by_the_kiosk(journal):
    pay(journal, "p-1")
    pay(journal, "p-2", 5000)
    before = journal.head_seq, journal.head_hash
    stated = journal.checkpoint(KIOSK_KEY.sign).event
    assert (stated.up_to_seq, bytes.fromhex(stated.up_to_hash)) == before
    assert (stated.credited_fen, stated.notes) == (15_000, {"10000": 1, "5000": 1})
    covered = chain.checkpoint_bytes(journal.journal_id, *before, 15_000, stated.notes)
    KIOSK_KEY.public_key().verify(journals.signature_of(stated), covered)


def test_a_checkpoint_is_due_after_a_thousand_events(journal):
    journal.append(*[events.ScreenRestarted(reason="silent")] * 998)
    assert not journal.checkpoint_due()
    journal.append(events.ScreenRestarted(reason="silent"))
    assert journal.checkpoint_due()
    journal.checkpoint(KIOSK_KEY.sign)
    assert not journal.checkpoint_due()


def test_projections_come_out_the_same_when_they_are_made_again(journal):
    pay(journal, "p-1")
    journal.append(opened("p-2"), escrow(2, payment_id="p-2"), intent(2, payment_id="p-2"))
    before = projections.dump(journal._db)
    journal.rebuild_projections()
    assert projections.dump(journal._db) == before


# --- stopping, opening, breaking ------------------------------------------------------------------------------------


def test_a_clean_stop_leaves_one_file_and_is_known_as_clean(journal, path, clock):
    pay(journal, "p-1")
    assert not journal.stopped_cleanly()
    journal.append(events.AgentStopped())
    assert journal.stopped_cleanly()
    journal.close()
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]
    with closing(Journal.open(path, clock)) as again:
        assert (again.head_seq, again.next_note_no(), again.next_receipt_number()) == (7, 2, 2)
        assert again.stopped_cleanly()


def test_a_closed_journal_refuses(journal):
    journal.close()
    with pytest.raises(JournalUnwritable):
        journal.append(opened())


def test_another_thread_may_not_use_the_journal_unless_it_was_handed_over(journal):
    caught = []

    def use():
        try:
            journal.append(opened())
        except RuntimeError as error:
            caught.append(error)

    for handed in (False, True):
        if handed:
            journal.hand_over()
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(caught) == 1
    assert journal.head_seq == 2


def test_after_an_error_of_the_file_the_journal_refuses_everything(journal, path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE note")
    with pytest.raises(JournalUnwritable, match="no such table"):
        journal.append(opened(), escrow(1))
    for refused in (lambda: journal.append(opened()), journal.next_note_no, journal.open_payments, journal.cursor):
        with pytest.raises(JournalUnwritable):
            refused()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT max(seq) FROM event").fetchone() == (1,)


TECHNICIAN = """import sqlite3, sys
shell = sqlite3.connect(sys.argv[1])
assert shell.execute("SELECT count(*) FROM event").fetchone() == (6,)
shell.close()"""


def test_a_shell_that_is_quit_beside_the_writer_takes_no_wal_away_after_a_reader_came_and_went(journal, path):
    """POSIX drops a process's locks on a file with any descriptor of it: our own reader must not open it plainly."""
    pay(journal, "p-1")
    wal = path.with_name(path.name + "-wal")
    before = wal.stat().st_ino
    with JournalReader(path) as upload:
        upload.head()
    subprocess.run([sys.executable, "-c", TECHNICIAN, path], check=True)
    assert wal.exists()
    assert wal.stat().st_ino == before
    pay(journal, "p-2")
    subprocess.run([sys.executable, "-m", "kiosk", "journal", "verify", "--journal", path], check=True)
    copy = path.with_name("copy.db")  # what a power cut would leave: without the writer's last close
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    with JournalReader(copy) as left:
        assert left.head() == (journal.head_seq, journal.head_hash) == (11, journal.head_hash)


@pytest.mark.parametrize("spoil", [b"", b"not a database at all" * 500])
def test_a_reader_says_of_another_file_that_it_is_no_journal(path, spoil):
    path.write_bytes(spoil)
    with pytest.raises(JournalUnusable, match="not a") as caught:
        JournalReader(path)
    assert caught.value.code == "journal.damaged"
    assert list(path.parent.iterdir()) == [path], "nothing was written beside it"


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda path: path.unlink(), "journal.damaged", "pair this kiosk"),
        (lambda path: path.write_bytes(b"not a database at all" * 500), "journal.damaged", "not a database"),
        (lambda path: path.write_bytes(b""), "journal.damaged", "not a journal"),
        (lambda path: tamper(path, "PRAGMA user_version = 99"), "journal.unwritable", "newer program"),
        (lambda path: tamper(path, "PRAGMA application_id = 7"), "journal.damaged", "not a journal"),
        (
            lambda path: tamper(path, "UPDATE event SET wall_ms = wall_ms + 1 WHERE seq = 7"),
            "journal.damaged",
            "entry 7",
        ),
        (lambda path: tamper(path, "DELETE FROM event WHERE seq = 7"), "journal.damaged", "entry 7"),
        (lambda path: tamper(path, "DELETE FROM event"), "journal.damaged", "entry 1"),
        (lambda path: tamper(path, "DELETE FROM head"), "journal.damaged", "once reached"),
    ],
)
def test_a_journal_that_cannot_be_trusted_is_not_opened(journal, path, clock, spoil, code, words):
    pay(journal, "p-1")
    journal.append(events.ScreenRestarted(reason="silent"))
    journal.close()
    spoil(path)
    with pytest.raises(JournalUnusable, match=words) as caught:
        Journal.open(path, clock)
    assert caught.value.code == code


def test_after_an_unclean_stop_the_whole_tail_is_checked(journal, path, clock):
    for number in range(20):
        pay(journal, f"p-{number}")
    journal.append(events.AgentStopped())
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    tamper(copy, "UPDATE event SET clock = 'synced' WHERE seq = 50")
    Journal.open(copy, clock).close()  # stopped cleanly by the tampering: only the newest entries are looked at
    copy.with_name("copy.db-wal").touch()
    with pytest.raises(JournalUnusable, match="entry 50"):
        Journal.open(copy, clock)


def test_without_a_journal_one_is_told_to_pair_and_nothing_is_made(tmp_path, clock):
    with pytest.raises(JournalUnusable, match="pair this kiosk first"):
        Journal.open(tmp_path / "nowhere" / "journal.db", clock, Room.of_margin_mb(8))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_said_in_words(journal, path, clock, tmp_path):
    journal.close()
    with pytest.raises(JournalUnusable) as caught:
        Journal.create(tmp_path / "journal.db" / "inside" / "journal.db", clock, genesis())
    assert caught.value.code == "journal.unwritable"


# --- migrations -----------------------------------------------------------------------------------------------------


def test_the_newest_table_version_is_the_number_of_migrations():
    assert len(migrations.scripts()) == database.VERSION


def test_an_old_journal_is_migrated_beside_itself_and_kept(journal, path):
    pay(journal, "p-1")
    journal.close()
    before = path.read_bytes()
    steps = [*migrations.scripts(), "CREATE TABLE more (x TEXT) STRICT;"]
    assert migrations.migrate(path, steps)
    assert path.with_name("journal.db.v1").read_bytes() == before
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT count(*) FROM event").fetchone() == (6,)
        assert db.execute("SELECT count(*) FROM more").fetchone() == (0,)
    assert not migrations.migrate(path, steps)


def test_a_migration_that_would_lose_entries_changes_nothing(journal, path):
    pay(journal, "p-1")
    journal.close()
    steps = [*migrations.scripts(), "DROP TRIGGER event_is_never_deleted; DELETE FROM event WHERE seq = 6;"]
    before = path.read_bytes()
    with pytest.raises(JournalUnusable, match="lost entries"):
        migrations.migrate(path, steps)
    assert path.read_bytes() == before


# --- room -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 4 MiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mount], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small file system: {mounted.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def fill(directory):
    """Write until the file system takes no more."""
    with (directory / "filler").open("ab", buffering=0) as file:
        for size in (65536, 4096, 512):
            while True:
                try:
                    if file.write(bytes(size)) < size:
                        break
                except OSError:
                    break


def write_for_ever(journal):
    while True:
        journal.append(events.ScreenRestarted(reason="silent" * 100))


def test_a_full_disk_loses_no_acknowledged_entry_and_the_ballast_reopens_it(small_disk, clock):
    path, room = small_disk / "journal.db", Room(margin_bytes=MIB, ballast_bytes=MIB // 2)
    journal = Journal.create(path, clock, genesis(), room)
    assert (small_disk / "ballast").stat().st_blocks * 512 >= MIB // 2
    assert journal.has_room()
    fill(small_disk)
    assert not journal.has_room()
    with pytest.raises(JournalUnwritable, match=r"full|I/O"):
        write_for_ever(journal)
    kept = journal.head_seq
    journal.close()
    reopened = Journal.open(path, clock, room)  # gives up the ballast first
    assert not (small_disk / "ballast").exists()
    assert reopened.head_seq >= kept
    assert not reopened.has_room()
    (small_disk / "filler").unlink()
    assert reopened.has_room()
    reopened.close()
    Journal.open(path, clock, room).close()
    assert (small_disk / "ballast").exists()


def test_a_full_disk_without_ballast_is_named_as_such(small_disk, clock):
    path = small_disk / "journal.db"
    Journal.create(path, clock, genesis()).close()
    fill(small_disk)
    with pytest.raises(JournalUnusable) as caught:
        Journal.open(path, clock)
    assert caught.value.code == "disk.margin"
