"""The statements of the hot path in plain SQL, and rows to records and back.

An ORM costs about three times the statement itself here, and a note waits for it. Source: journal-and-upload section 15.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from kiosk.domain.chain import Header
from kiosk.domain.events import KeyRolled, PaymentOpened, PaymentPartial, PaymentSettled, decode
from kiosk.offline_queue.records import Cursor, Entry, NoteRecord, PaymentRecord

ENTRY_COLUMNS = "seq, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, hash"
INSERT_EVENT = f"INSERT INTO event ({ENTRY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SET_HEAD = "UPDATE head SET seq = ?, hash = ?"
SET_CURSOR = "UPDATE cursor SET ack_seq = ?, ack_hash = ?, posted_seq = ?"

_NOTE_COLUMNS = "note_no, payment_id, face_fen, state, acceptor_serial, channel, claim_no"


def row_of(entry: Entry) -> tuple[Any, ...]:
    """In the order of ENTRY_COLUMNS."""
    head = entry.header
    stamps = (head.boot_id, head.mono_ms, head.wall_ms, head.clock)
    return (entry.seq, head.payment_id, head.kind, head.v, *stamps, entry.body, entry.hash)


def entry_of(row: tuple[Any, ...]) -> Entry:
    """From the order of ENTRY_COLUMNS."""
    seq, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, digest = row
    header = Header(
        payment_id=payment_id, kind=kind, v=v, boot_id=boot_id, mono_ms=mono_ms, wall_ms=wall_ms, clock=clock
    )
    return Entry(seq=seq, header=header, body=body, hash=digest)


def entries(db: sqlite3.Connection, after_seq: int, limit: int) -> tuple[Entry, ...]:
    sql = f"SELECT {ENTRY_COLUMNS} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
    return tuple(entry_of(row) for row in db.execute(sql, (after_seq, limit)))


def entries_of(db: sqlite3.Connection, payment_id: str) -> tuple[Entry, ...]:
    if not payment_id:
        return ()
    sql = f"SELECT {ENTRY_COLUMNS} FROM event WHERE payment_id = ? AND payment_id <> '' ORDER BY seq"
    return tuple(entry_of(row) for row in db.execute(sql, (payment_id,)))


def entries_of_kinds(db: sqlite3.Connection, kinds: Sequence[str]) -> tuple[Entry, ...]:
    """By a look at each entry there is: 25 ms for 100,000."""
    marks = ", ".join("?" * len(kinds))
    sql = f"SELECT {ENTRY_COLUMNS} FROM event WHERE kind IN ({marks}) ORDER BY seq"
    return tuple(entry_of(row) for row in db.execute(sql, tuple(kinds)))


def entry_at(db: sqlite3.Connection, seq: int) -> Entry | None:
    row = db.execute(f"SELECT {ENTRY_COLUMNS} FROM event WHERE seq = ?", (seq,)).fetchone()
    return entry_of(row) if row else None


def head(db: sqlite3.Connection) -> tuple[int, bytes]:
    """Sequence number and hash of the newest event."""
    seq, digest = db.execute("SELECT seq, hash FROM head").fetchone()
    return seq, digest


def signing_key(db: sqlite3.Connection) -> str | None:
    """The newest key in base64, if the one of the genesis was rolled."""
    row = db.execute("SELECT event.body FROM latest JOIN event USING (seq) WHERE latest.kind = 'key.rolled'").fetchone()
    rolled = decode(row[0]) if row else None
    return rolled.new_public_key if isinstance(rolled, KeyRolled) else None


def hash_at(db: sqlite3.Connection, seq: int) -> bytes | None:
    row = db.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else None


def cursor(db: sqlite3.Connection) -> Cursor:
    ack_seq, ack_hash, posted_seq = db.execute("SELECT ack_seq, ack_hash, posted_seq FROM cursor").fetchone()
    return Cursor(ack_seq=ack_seq, ack_hash=ack_hash, posted_seq=posted_seq)


def journal_id(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT journal_id FROM journal").fetchone()[0])


def notes(db: sqlite3.Connection, where: str, *values: Any) -> tuple[NoteRecord, ...]:
    found = db.execute(f"SELECT {_NOTE_COLUMNS} FROM note WHERE {where} ORDER BY note_no", values)
    return tuple(
        NoteRecord(
            note_no=no,
            payment_id=payment,
            face_fen=face,
            state=state,
            acceptor_serial=serial,
            channel=channel,
            claim_no=claim,
        )
        for no, payment, face, state, serial, channel, claim in found
    )


def payments(db: sqlite3.Connection, where: str, *values: Any) -> tuple[PaymentRecord, ...]:
    sql = f"SELECT payment_id, opened_seq, state, ended_seq FROM payment WHERE {where} ORDER BY opened_seq"
    return tuple(_payment(db, *row) for row in db.execute(sql, values).fetchall())


def settlements(db: sqlite3.Connection, after_seq: int) -> list[PaymentSettled | PaymentPartial]:
    """How payments ended after ``after_seq``, in order, cancelled ones left out."""
    ends = "SELECT event.body FROM payment JOIN event ON event.seq = payment.ended_seq"
    sql = f"{ends} WHERE payment.ended_seq > ? ORDER BY payment.ended_seq"
    ended = [decode(body) for (body,) in db.execute(sql, (after_seq,))]
    return [event for event in ended if isinstance(event, PaymentSettled | PaymentPartial)]


def _payment(
    db: sqlite3.Connection, payment_id: str, opened_seq: int, state: str, ended_seq: int | None
) -> PaymentRecord:
    opened = _event(db, opened_seq)
    assert isinstance(opened, PaymentOpened)
    ended = _event(db, ended_seq) if ended_seq else None
    return PaymentRecord(
        opened=opened,
        opened_seq=opened_seq,
        state=state,
        notes=notes(db, "payment_id = ?", payment_id),
        settlement=ended if isinstance(ended, PaymentSettled | PaymentPartial) else None,
        settlement_seq=ended_seq if isinstance(ended, PaymentSettled | PaymentPartial) else None,
    )


def _event(db: sqlite3.Connection, seq: int) -> Any:
    return decode(db.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()[0])
