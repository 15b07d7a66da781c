"""Does not trust what was acknowledged: exports the whole journal, reads the export back, verifies it, counts it, compares.

A vendor's security modules acknowledged every booking and had nothing when it was asked for. Source: journal-and-upload section 2.1.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from kiosk.domain import chain
from kiosk.offline_queue import database, export, migrations, projections
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.newer import check_known
from kiosk.offline_queue.projections import EventRefused
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``wrong`` is empty when everything is as it was written; ``notes`` is face in fen to count."""

    entries: int = 0
    credited_fen: int = 0
    notes: dict[str, int] = {}
    wrong: str = ""


class _Wrong(Exception):
    """The message says what."""


def self_check(path: Path) -> Report:
    """Check a journal wholly, beside its running writer.

    Raises:
        JournalUnusable: it could not be checked, which says nothing about what is in it.
    """
    try:
        with JournalReader(path) as reader, closing(_counting_room()) as counted:
            check_known(reader.db, path)
            _check_stored(reader.db)
            reader.db.execute("BEGIN")  # one snapshot: the kiosk may be writing meanwhile
            return _check_exported(reader, counted)
    except _Wrong as wrong:
        return Report(wrong=str(wrong))
    except (sqlite3.Error, JournalUnusable) as error:
        unusable = database.in_words(error, path)
        if unusable.code == "journal.damaged":
            return Report(wrong=unusable.detail)
        raise unusable from error


def _counting_room() -> sqlite3.Connection:
    """Empty tables in memory, to make the projections in from nothing but the export."""
    room = sqlite3.connect(":memory:", isolation_level=None)
    for script in migrations.scripts():
        room.executescript(script)
    return room


def _check_stored(db: sqlite3.Connection) -> None:
    report = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if report != "ok":
        raise _Wrong(report)
    if finding := verify(db):
        raise _Wrong(f"entry {finding.seq} {finding.what}: {finding.detail}")


def _check_exported(reader: JournalReader, counted: sqlite3.Connection) -> Report:
    kiosk_code, prev, acked = reader.genesis().kiosk_code, chain.GENESIS_PREV, reader.cursor()
    acked_hash = chain.GENESIS_PREV
    for entry in reader.all_entries():
        journal_id, back = export.read_line(export.line_of(reader.journal_id, entry))
        if chain.entry_hash(journal_id, back.seq, back.header, back.body, prev) != back.hash:
            raise _Wrong(f"entry {entry.seq} is exported as something else")
        try:
            projections.apply(counted, back.seq, back.event, kiosk_code)
        except EventRefused as error:
            raise _Wrong(f"entry {entry.seq} contradicts those before it: {error}") from error
        prev = back.hash
        if back.seq == acked.ack_seq:
            acked_hash = back.hash
    if acked_hash != acked.ack_hash:
        raise _Wrong(f"the office holds another entry {acked.ack_seq}")
    made, stored = projections.dump(counted), projections.dump(reader.db)
    if differ := [table for table in made if made[table] != stored[table]]:
        raise _Wrong(f"table {differ[0]} is not what the entries make")
    notes = counted.execute("SELECT face_fen, count(*) FROM note WHERE state = 'credited' GROUP BY face_fen ORDER BY 1")
    by_face: dict[int, int] = dict(notes.fetchall())
    return Report(
        entries=reader.head()[0],
        credited_fen=sum(face * count for face, count in by_face.items()),
        notes={str(face): count for face, count in by_face.items()},
    )
