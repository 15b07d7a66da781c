"""Reading a journal beside its running writer: for the upload, and for people with questions."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kiosk.domain.events import JournalGenesis
from kiosk.offline_queue import database, projections, tables
from kiosk.offline_queue.records import Cursor, Entry, PaymentRecord

_BATCH = 500


class JournalReader:
    """A read-only view of a journal file. One object belongs to one thread."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            JournalUnusable: missing, damaged, not a journal, or newer than this program.
        """
        self.path = path
        self.db = database.open_reader(path)
        try:
            self.journal_id = tables.journal_id(self.db)
        except (sqlite3.Error, TypeError) as error:
            self.db.close()
            raise database.in_words(error, path) from error

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.db.close()

    def genesis(self) -> JournalGenesis:
        entry = tables.entry_at(self.db, 1)
        if entry is None or not isinstance(entry.event, JournalGenesis):
            raise database.JournalUnusable("journal.damaged", f"{self.path}: entry 1 is no journal.genesis")
        return entry.event

    def signing_key(self) -> str:
        """The public key, in base64, that the newest entries are signed for."""
        return tables.signing_key(self.db) or self.genesis().public_key

    def next_receipt_number(self) -> int:
        return projections.counter(self.db, projections.NEXT_RECEIPT)

    def head(self) -> tuple[int, bytes]:
        """Sequence number and hash of the newest entry."""
        return tables.head(self.db)

    def entries(self, after_seq: int, limit: int) -> tuple[Entry, ...]:
        """Entries in order, from the one after ``after_seq``."""
        return tables.entries(self.db, after_seq, limit)

    def all_entries(self, after_seq: int = 0) -> Iterator[Entry]:
        """The same, a few hundred at a time."""
        while batch := self.entries(after_seq, _BATCH):
            yield from batch
            after_seq = batch[-1].seq

    def entries_of(self, payment_id: str) -> tuple[Entry, ...]:
        """All entries of one payment, in order."""
        return tables.entries_of(self.db, payment_id)

    def payment(self, payment_id: str) -> PaymentRecord | None:
        found = tables.payments(self.db, "payment_id = ?", payment_id)
        return found[0] if found else None

    def hash_at(self, seq: int) -> bytes | None:
        return tables.hash_at(self.db, seq)

    def cursor(self) -> Cursor:
        return tables.cursor(self.db)
