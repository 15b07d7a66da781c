"""What must hold when the program starts on the disk that a power cut left."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from kiosk.clock import Clock
from kiosk.domain import events
from kiosk.offline_queue import projections
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.database import Room
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from kiosk.offline_queue.verify import verify
from kiosk.payment import recovery
from tests.end_to_end import truth

ALL = 10**9


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The journal that a start found, as values."""

    entries: tuple[Entry, ...]
    records: truth.Records
    ack_seq: int


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """The recording's own journal at its end: no cut may find anything but a beginning of it."""

    journal_id: str
    hashes: tuple[bytes, ...]


def stated(journal: Path) -> Stated:
    with JournalReader(journal) as reader:
        return Stated(journal_id=reader.journal_id, hashes=tuple(entry.hash for entry in reader.entries(0, ALL)))


def start(path: Path, clock: Clock, room: Room, whole: Stated) -> Found:
    """Open as the agent does, demand what must always hold, read what recovery reads, and write on.

    Raises:
        AssertionError, JournalUnusable: the cut did damage.
    """
    with closing(Journal.open(path, clock, room)) as journal:
        db = journal._db
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert verify(db) is None
        with JournalReader(path) as reader:
            entries = reader.entries(0, ALL)
            known = recovery.read(journal, reader.entries)
        assert [entry.seq for entry in entries] == list(range(1, journal.head_seq + 1)), "a gap"
        hashes = tuple(entry.hash for entry in entries)
        assert journal.journal_id == whole.journal_id
        assert hashes == whole.hashes[: len(hashes)], "an entry that the program never wrote"
        before = projections.dump(db)
        journal.rebuild_projections()
        assert projections.dump(db) == before, "projections differ from those made again"
        found = Found(
            entries=entries,
            records=truth.fold(entry.event for entry in entries),
            ack_seq=journal.cursor().ack_seq,
        )
        _check_recovery(found, known)
        (written,) = journal.append(events.AgentStarted(software="after the cut", sqlite="", clean=False))
        assert written.seq == len(entries) + 1
    with JournalReader(path) as reader:
        assert reader.head() == (written.seq, written.hash)
    return found


def check_cache(path: Path, clock: Clock) -> None:
    """The cache may be missing or a little old, but what it has is whole; a damaged one costs the payer a look-up."""
    if path.exists():
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the cache is damaged"
    Cache(path, clock).close()


def _check_recovery(found: Found, known: recovery.Known) -> None:
    """Recovery knows every payment and note without an end, and the next numbers."""
    records = found.records
    unfinished = set(records.opened) - records.settled.keys() - records.cancelled
    assert {payment.opened.payment_id for payment in known.interrupted} == unfinished
    for payment in known.interrupted:
        notes = [note for note in records.notes if note.payment_id == payment.opened.payment_id]
        assert list(payment.notes) == [note.face_fen for note in notes if note.fate == truth.CREDITED]
        assert len(payment.claims) == len([note for note in notes if note.fate == truth.UNKNOWN])
        open_notes = [note.note_no for note in notes if note.fate == truth.OPEN]
        assert open_notes == ([payment.in_hand.note_no] if payment.in_hand else [])
    owed = None if unfinished else _owed_a_word(found.entries)  # whose visit was cut in the middle stands there now
    assert (known.untold.settlement if known.untold else None) == owed
    assert known.numbers.note == len(records.notes) + 1
    assert known.numbers.receipt == len(records.settled) + 1


def _owed_a_word(entries: Sequence[Entry]) -> events.Settlement | None:
    """The settlement after which nothing shows that its person was told, or has gone."""
    owed = None
    for entry in entries:
        event = entry.event
        if isinstance(event, events.Settlement):
            owed = event
        elif isinstance(event, events.PaymentOpened | events.AgentStopped | events.ReceiptDeclined) or (
            isinstance(event, events.ReceiptPrinted) and event.confirmed
        ):
            owed = None
    return owed
