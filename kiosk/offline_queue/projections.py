"""What the events so far amount to: open payments, notes, and the numbers that come next.

Nothing here is truth: the same rows come out when every event is applied again, and a test does just that.
The numbers are checked here as well, inside the commit, so that none is ever used twice or skipped.
"""

import sqlite3
from typing import Any

from kiosk.domain import events
from kiosk.domain.events import AnyEvent
from kiosk.domain.identifiers import receipt_no

NEXT_NOTE = "next_note_no"
NEXT_RECEIPT = "next_receipt_number"

PROJECTIONS = ("counter", "latest", "payment", "note")
_REMEMBERED = frozenset(
    {
        "journal.genesis",
        "key.rolled",
        "agent.started",
        "agent.stopped",
        "checkpoint",
        "acceptor.counted",
        "journal.checked",
        "config.applied",
    }
)

_SET_COUNTER = "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_SET_LATEST = "INSERT INTO latest VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET seq = excluded.seq"
_NEW_NOTE = "INSERT INTO note VALUES (?, ?, ?, ?, ?, ?, ?)"


class EventRefused(ValueError):
    """The event contradicts the journal: a number that is not the next, a note credited twice. Nothing was written."""


def apply(db: sqlite3.Connection, seq: int, event: AnyEvent, kiosk_code: str) -> None:
    """Carry one event into the projections, in its own transaction's company.

    Raises:
        EventRefused: the caller rolls back.
    """
    kind = events.kind_of(event)
    if kind in _REMEMBERED:
        db.execute(_SET_LATEST, (kind, seq))
    match event:
        case events.JournalGenesis():
            set_counter(db, NEXT_NOTE, 1)
            set_counter(db, NEXT_RECEIPT, event.first_receipt_number)
        case events.PaymentOpened():
            _open_payment(db, seq, event.payment_id)
        case events.PaymentSettled():
            _settle(db, seq, event, "settled", kiosk_code)
        case events.PaymentPartial():
            _settle(db, seq, event, "partial", kiosk_code)
        case events.PaymentCancelled():
            _end_payment(db, seq, event.payment_id, "cancelled")
        case events.NoteEscrow():
            _take_note_no(db, event.note_no)
            db.execute(
                _NEW_NOTE,
                (event.note_no, event.payment_id, event.face_fen, "escrow", event.acceptor_serial, None, None),
            )
        case events.NoteAcceptIntent():
            _move_note(db, event.note_no, "intent", ("escrow",), channel=event.channel)
        case events.NoteCredited():
            _credit(db, event)
        case events.NoteReturned():
            _move_note(db, event.note_no, "returned", ("escrow", "intent", "unknown"))
        case events.NoteUnknown():
            _unknown(db, event)
        case _:
            pass  # the other kinds are told to the office, and nothing here depends on them


def forget(db: sqlite3.Connection) -> None:
    """Empty all projections, to apply every event again."""
    for table in PROJECTIONS:
        db.execute(f"DELETE FROM {table}")


def dump(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All projections as values, to compare one making of them with another."""
    return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in PROJECTIONS}


def counter(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def set_counter(db: sqlite3.Connection, name: str, value: int) -> None:
    db.execute(_SET_COUNTER, (name, value))


def latest_seq(db: sqlite3.Connection, kind: str) -> int | None:
    """Where the newest event of one of the remembered kinds stands."""
    row = db.execute("SELECT seq FROM latest WHERE kind = ?", (kind,)).fetchone()
    return int(row[0]) if row else None


# --- payments ---------------------------------------------------------------------------------------------------


def _open_payment(db: sqlite3.Connection, seq: int, payment_id: str) -> None:
    if db.execute("SELECT 1 FROM payment WHERE payment_id = ?", (payment_id,)).fetchone():
        raise EventRefused(f"payment {payment_id} was opened before")
    db.execute("INSERT INTO payment VALUES (?, ?, 'open', NULL)", (payment_id, seq))


def _settle(
    db: sqlite3.Connection, seq: int, event: events.PaymentSettled | events.PaymentPartial, state: str, kiosk_code: str
) -> None:
    expected = counter(db, NEXT_RECEIPT)
    if event.receipt_number != expected or event.receipt_no != receipt_no(kiosk_code, expected):
        raise EventRefused(
            f"receipt {event.receipt_no} (number {event.receipt_number}) is not the next, {receipt_no(kiosk_code, expected)}"
        )
    set_counter(db, NEXT_RECEIPT, expected + 1)
    _end_payment(db, seq, event.payment_id, state)


def _end_payment(db: sqlite3.Connection, seq: int, payment_id: str, state: str) -> None:
    changed = db.execute(
        "UPDATE payment SET state = ?, ended_seq = ? WHERE payment_id = ? AND state = 'open'", (state, seq, payment_id)
    )
    if changed.rowcount != 1:
        raise EventRefused(f"payment {payment_id} is not open, so it can't become {state}")


# --- notes ------------------------------------------------------------------------------------------------------


def _take_note_no(db: sqlite3.Connection, note_no: int) -> None:
    expected = counter(db, NEXT_NOTE)
    if note_no != expected:
        raise EventRefused(f"note {note_no} is not the next, {expected}")
    set_counter(db, NEXT_NOTE, expected + 1)


def _move_note(
    db: sqlite3.Connection, note_no: int, state: str, origins: tuple[str, ...], channel: int | None = None
) -> None:
    marks = ", ".join("?" * len(origins))
    changed = db.execute(
        f"UPDATE note SET state = ?, channel = ifnull(?, channel) WHERE note_no = ? AND state IN ({marks})",
        (state, channel, note_no, *origins),
    )
    if changed.rowcount != 1:
        raise EventRefused(f"note {note_no} is not {' or '.join(origins)}, so it can't become {state}")


def _credit(db: sqlite3.Connection, event: events.NoteCredited) -> None:
    """A note is credited at most once; one that was never seen in escrow (found at power-up) takes the next number."""
    if event.note_no == counter(db, NEXT_NOTE):
        _take_note_no(db, event.note_no)
        db.execute(
            _NEW_NOTE, (event.note_no, event.payment_id, event.face_fen, "credited", event.acceptor_serial, None, None)
        )
        return
    _move_note(db, event.note_no, "credited", ("escrow", "intent", "unknown"))
    db.execute("UPDATE note SET face_fen = ? WHERE note_no = ?", (event.face_fen, event.note_no))


def _unknown(db: sqlite3.Connection, event: events.NoteUnknown) -> None:
    if event.note_no == counter(db, NEXT_NOTE):
        _take_note_no(db, event.note_no)
        db.execute(
            _NEW_NOTE,
            (event.note_no, event.payment_id, event.face_fen, "unknown", event.acceptor_serial, None, event.claim_no),
        )
        return
    _move_note(db, event.note_no, "unknown", ("escrow", "intent"))
    db.execute("UPDATE note SET claim_no = ? WHERE note_no = ?", (event.claim_no, event.note_no))
