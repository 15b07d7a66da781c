"""Checks a journal entry by entry and names the first sequence number that is not as it was written.

Reads text as bytes, so that a damaged character is a finding and not a crash. Source: journal-and-upload section 2.
"""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from kiosk.domain import chain
from kiosk.domain.signed_chain import NotSigned, Signer
from kiosk.offline_queue import tables
from kiosk.offline_queue.database import JournalUnusable

TAIL = 20_000  # entries checked after an unclean stop of a longer journal; `kiosk journal verify` checks all


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong first. ``what`` is changed, missing or damaged; everything up to ``readable_to`` is as written."""

    what: str
    seq: int
    readable_to: int
    detail: str


class _Wrong(Exception):
    def __init__(self, what: str, detail: str) -> None:
        super().__init__(detail)
        self.what = what
        self.detail = detail


def verify(db: sqlite3.Connection, after_seq: int = 0) -> Finding | None:
    """Walk the chain from the entry after ``after_seq``; None when everything is as it was written."""
    walk = _Walk(after_seq)
    factory, db.text_factory = db.text_factory, bytes
    try:
        db.execute("BEGIN")  # one snapshot: the kiosk may be writing meanwhile
        walk.over(db)
    except sqlite3.DatabaseError as error:
        return Finding(what="damaged", seq=walk.seq + 1, readable_to=walk.seq, detail=str(error))
    except _Wrong as wrong:
        return Finding(what=wrong.what, seq=walk.seq + 1, readable_to=walk.seq, detail=wrong.detail)
    finally:
        db.text_factory = factory
        if db.in_transaction:
            db.execute("ROLLBACK")
    return None


def is_as_written(db: sqlite3.Connection, seq: int) -> bool:
    """Whether one entry's hash fits it and the one before it, whatever its kind."""
    prev = tables.hash_at(db, seq - 1) or chain.GENESIS_PREV
    factory, db.text_factory = db.text_factory, bytes
    try:
        row = db.execute(f"SELECT {tables.ENTRY_COLUMNS} FROM event WHERE seq = ?", (seq,)).fetchone()
        journal_id = db.execute("SELECT journal_id FROM journal").fetchone()[0]
        _header_of(row, _text(journal_id, "journal_id"), prev)
    except _Wrong:
        return False
    finally:
        db.text_factory = factory
    return True


def ends_cleanly(db: sqlite3.Connection) -> bool:
    """Whether the newest entry is one that a deliberate stop leaves, or the journal is new."""
    row = db.execute("SELECT kind FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return row is not None and row[0] in ("agent.stopped", "journal.genesis")


def check_file(db: sqlite3.Connection, path: Path, *, newest: int | None = None) -> None:
    """Check ``newest`` entries, and beyond one of them the file's own structure as well; None: everything.

    Raises:
        JournalUnusable: with code journal.damaged.
    """
    if newest != 1:
        report = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if report != "ok":
            raise JournalUnusable("journal.damaged", f"{path}: {report}")
    row = db.execute("SELECT max(seq) FROM event").fetchone()
    finding = verify(db, after_seq=max(0, (row[0] or 0) - newest) if newest else 0)
    if finding:
        raise JournalUnusable("journal.damaged", f"{path}: entry {finding.seq}: {finding.what}: {finding.detail}")


class _Walk:
    """The state of one walk: how far everything was right, and the hash there."""

    def __init__(self, after_seq: int) -> None:
        self.seq = after_seq
        self.prev = chain.GENESIS_PREV

    def over(self, db: sqlite3.Connection) -> None:
        row = db.execute("SELECT journal_id FROM journal").fetchone()
        signer = Signer(_text(row[0], "journal_id") if row else "")
        if self.seq:
            self._begin_at(db)
        for row in db.execute(f"SELECT {tables.ENTRY_COLUMNS} FROM event WHERE seq > ? ORDER BY seq", (self.seq,)):
            self._step(signer, row)
        self._check_ends(db)

    def _begin_at(self, db: sqlite3.Connection) -> None:
        row = db.execute("SELECT hash FROM event WHERE seq = ?", (self.seq,)).fetchone()
        if row is None:
            self.seq -= 1
            raise _Wrong("missing", "the entry is not there")
        self.prev = row[0]

    def _step(self, signer: Signer, row: tuple[Any, ...]) -> None:
        seq, *_, body, digest = row
        if seq != self.seq + 1:
            raise _Wrong("missing", "the entry is not there")
        header = _header_of(row, signer.journal_id, self.prev)
        try:
            signer.check(header.kind, body, self.seq, self.prev)
        except NotSigned as error:
            raise _Wrong("changed", str(error)) from error
        self.seq, self.prev = seq, digest

    def _check_ends(self, db: sqlite3.Connection) -> None:
        if self.seq == 0:
            raise _Wrong("missing", "the journal is empty")
        head = db.execute("SELECT seq, hash FROM head").fetchone()
        if head is None or head[0] > self.seq:
            raise _Wrong("missing", f"the journal once reached {head[0] if head else 'further'}")
        acked = db.execute("SELECT ack_seq FROM cursor").fetchone()
        if acked and acked[0] > self.seq:
            raise _Wrong("missing", f"the office once acknowledged {acked[0]}")
        if tuple(head) != (self.seq, self.prev):
            self.seq -= 1
            raise _Wrong("changed", "the last entry is not the one that was written last")


def _header_of(row: tuple[Any, ...], journal_id: str, prev: bytes) -> chain.Header:
    """What stands beside a body, once the entry's hash has been found to fit."""
    seq, payment_id, kind, v, boot_id, mono_ms, wall_ms, clock, body, digest = row
    header = chain.Header(
        payment_id=_text(payment_id, "payment_id"),
        kind=_text(kind, "kind"),
        v=v,
        boot_id=_text(boot_id, "boot_id"),
        mono_ms=mono_ms,
        wall_ms=wall_ms,
        clock=_text(clock, "clock"),
    )
    if not isinstance(body, bytes) or chain.entry_hash(journal_id, seq, header, body, prev) != digest:
        raise _Wrong("changed", "its hash does not fit")
    return header


def _text(value: Any, column: str) -> str:
    try:
        return str(bytes(value).decode())
    except (UnicodeDecodeError, TypeError) as error:
        raise _Wrong("changed", f"{column} is not text") from error
