"""The nightly self-check: what it counts, what it finds, when it runs, and what a kiosk does about it."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from kiosk.offline_queue import database
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.journal_command import main
from kiosk.offline_queue.night_check import AGAIN_AFTER_S, DAY_S, NightCheck
from kiosk.offline_queue.self_check import Report, self_check
from tests.offline_queue.journals import KIOSK_KEY, pay, tamper

EVENING, NIGHT = datetime(2026, 11, 24, 22, 0), datetime(2026, 11, 25, 3, 1)
PATIENCE_S = 60.0


@pytest.fixture
def paid(journal):
    for number in range(7):
        pay(journal, f"p-{number}", 10_000 if number % 2 else 1000)
    journal.checkpoint(KIOSK_KEY.sign)
    entry = journal.latest("checkpoint")
    journal.advance_cursor(entry.seq, entry.hash, entry.seq)
    pay(journal, "p-7")
    return journal


def test_everything_is_exported_read_back_and_counted_beside_the_writer(paid, path):
    assert self_check(path) == Report(entries=paid.head_seq, credited_fen=44_000, notes={"1000": 4, "10000": 4})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("UPDATE event SET wall_ms = wall_ms + 1 WHERE seq = 7", "entry 7 changed"),
        ("DELETE FROM event WHERE seq = 7", "entry 7 missing"),
        ("UPDATE note SET state = 'returned' WHERE note_no = 3", "table note"),
        ("UPDATE counter SET value = value + 1 WHERE name = 'next_receipt_number'", "table counter"),
        ("DELETE FROM payment WHERE payment_id = 'p-3'", "table payment"),
        ("UPDATE cursor SET ack_hash = zeroblob(32)", "the office holds another entry 37"),
        ("UPDATE cursor SET ack_seq = 9999", "once acknowledged 9999"),
    ],
)
def test_what_is_not_as_written_is_named(paid, path, capsys, spoil, words):
    paid.close()
    tamper(path, spoil)
    assert words in self_check(path).wrong
    assert main(["self-check", "--journal", str(path)]) == 1
    assert words in capsys.readouterr().out


def test_what_could_not_be_checked_is_not_called_damaged(paid, path):
    paid.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalUnusable, match="newer program"):
        self_check(path)


def test_the_command_speaks_to_people_and_to_programs(paid, path, capsys):
    assert main(["self-check", "--journal", str(path)]) == 0
    assert (
        capsys.readouterr().out
        == f"{paid.head_seq} entries exported, read back and counted: 440.00 yuan, all as written\n"
    )
    assert main(["self-check", "--journal", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == paid.head_seq


def test_a_journal_found_wrong_refuses_and_is_checked_wholly_and_counted_anew_by_the_next_opening(paid, path, clock):
    paid.condemn("table note is not what the entries make")
    with pytest.raises(Exception, match="table note"):
        paid.next_note_no()
    paid.close()
    tamper(path, "UPDATE note SET state = 'returned' WHERE note_no = 3")
    assert database.is_doubted(path)
    Journal.open(path, clock).close()
    assert not database.is_doubted(path)
    assert self_check(path).wrong == ""


def test_an_old_entry_found_wrong_keeps_the_kiosk_out_of_service_until_the_file_is_whole_again(paid, path, clock):
    paid.condemn("entry 3 changed")
    paid.close()
    whole = path.read_bytes()
    tamper(path, "UPDATE event SET wall_ms = wall_ms + 1 WHERE seq = 3")
    for _ in range(2):
        with pytest.raises(JournalUnusable, match="entry 3"):
            Journal.open(path, clock)
    path.write_bytes(whole)
    Journal.open(path, clock).close()


# --- when ---------------------------------------------------------------------------------------------------------


def found(check: NightCheck, local: datetime | None, now: float) -> Report | None:
    """Wait for the process that was begun."""
    ends_at = time.monotonic() + PATIENCE_S
    while (report := check.look(idle=False, local=local, now=now)) is None:
        assert time.monotonic() < ends_at, "the check does not end"
        time.sleep(0.02)
    return report


def test_it_runs_once_a_night_and_only_while_nobody_is_there(paid, path):
    check = NightCheck(path, EVENING, now=0)
    assert check.look(idle=True, local=EVENING + timedelta(hours=4, minutes=59), now=10) is None
    assert check._process is None, "before three"
    assert check.look(idle=False, local=NIGHT, now=20) is None
    assert check._process is None, "somebody is served"
    assert check.look(idle=True, local=NIGHT, now=30) is None
    assert found(check, NIGHT, 31).entries == paid.head_seq
    for later in (timedelta(minutes=1), timedelta(hours=20), timedelta(hours=23, minutes=58)):
        assert check.look(idle=True, local=NIGHT + later, now=40) is None
        assert check._process is None, "once a night"
    check.look(idle=True, local=NIGHT + timedelta(days=1), now=50)
    assert check._process is not None
    check.stop()


def test_a_kiosk_that_is_off_at_night_checks_itself_when_it_is_on(paid, path):
    check = NightCheck(path, EVENING, now=0)
    check.look(idle=True, local=NIGHT + timedelta(hours=6), now=10)
    assert check._process is not None
    check.stop()


def test_without_a_clock_a_day_is_counted(paid, path):
    check = NightCheck(path, None, now=0)
    check.look(idle=True, local=None, now=DAY_S - 1)
    assert check._process is None
    check.look(idle=True, local=None, now=DAY_S)
    assert found(check, None, DAY_S + 1).wrong == ""


def test_a_check_that_could_not_be_done_is_tried_again_later(paid, path):
    paid.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    check = NightCheck(path, EVENING, now=0)
    check.look(idle=True, local=NIGHT, now=10)
    ends_at = time.monotonic() + PATIENCE_S
    while check._process is not None:
        assert check.look(idle=False, local=NIGHT, now=11) is None
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    check.look(idle=True, local=NIGHT, now=11 + AGAIN_AFTER_S - 1)
    assert check._process is None
    check.look(idle=True, local=NIGHT, now=11 + AGAIN_AFTER_S)
    assert check._process is not None
    check.stop()
