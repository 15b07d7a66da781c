"""The append-only record of every event that touches money: one call to append() is one durable commit.

Events, projections and counters are one transaction. After any error of the file the object refuses everything: a failed
sync may have thrown pages away, so only a new process that checks the file may go on. Source: journal-and-upload sections
1 to 3; decisions 4, 10, 16.
"""

import base64
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kiosk.clock import TRUSTED, Boot, Clock, age_ms
from kiosk.domain import chain, events
from kiosk.domain.events import Event, JournalGenesis, KeyRolled, PaymentPartial, PaymentSettled
from kiosk.offline_queue import database, kept, migrations, projections, tables
from kiosk.offline_queue.database import JournalUnusable, Room
from kiosk.offline_queue.newer import check_known
from kiosk.offline_queue.projections import EventRefused
from kiosk.offline_queue.records import Cursor, Entry, NoteRecord, PaymentRecord
from kiosk.offline_queue.verify import TAIL, check_file, ends_cleanly
from kiosk.offline_queue.writing import make_entry, write_genesis

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = 1000
CHECKPOINT_AFTER_MS = 24 * 3600 * 1000
COMMITS_PER_FOLD = 128  # a fold costs two syncs, and somebody's note waits for them
_REBUILD_BATCH = 500


class JournalUnwritable(Exception):
    """The file failed; nothing may be promised any more. Shut the acceptor, leave the process, check the file.

    ``code`` is a row of kiosk/hardware/faults.py.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class AckMismatch(Exception):
    """The office acknowledges something that is not in this journal: a fork, or the wrong office."""


class Journal:
    """The only writer of one journal file. It belongs to the thread that opened it until hand_over()."""

    def __init__(self, path: Path, db: sqlite3.Connection, clock: Clock, room: Room | None) -> None:
        """Use create() or open()."""
        self.path = path
        self._db = db
        self._clock = clock
        self._room = room
        self._owner: int | None = threading.get_ident()
        self._broken: JournalUnusable | None = None
        self._unfolded = 0  # commits in the WAL
        self.journal_id = tables.journal_id(db)
        self.head_seq, self.head_hash = tables.head(db)
        genesis = tables.entry_at(db, 1)
        if genesis is None or not isinstance(genesis.event, JournalGenesis):
            raise JournalUnusable("journal.damaged", f"{path}: entry 1 is no journal.genesis")
        self.genesis = genesis.event
        self.kiosk_code = self.genesis.kiosk_code

    # --- opening and closing -----------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, clock: Clock, genesis: JournalGenesis, room: Room | None = None) -> "Journal":
        """Make a new journal whose first entry is ``genesis``; the file appears whole or not at all.

        Raises:
            JournalUnusable: there is one already, or it can't be written.
        """
        new = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            migrations.build(new)
            with closing(database.open_writer(new)) as db:
                write_genesis(db, clock, genesis)
                database.fold_wal(db)  # close() would do it as well, and keep silent about a disk that fails in it
            if not path.exists() and (alone := kept.keep_aside(path)):
                log.warning("journal.wal_alone %s-wal is of a journal that is gone; kept in %s", path, alone)
                kept.clear(path)  # SQLite would mix its pages into the new file
            os.link(new, path)  # refuses to replace a journal that is there
            new.unlink()
            database.sync_directory(path.parent)
        except FileExistsError as error:
            raise JournalUnusable(
                "journal.unwritable", f"{path}: there is a journal already; it is never replaced"
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise database.in_words(error, path) from error
        return cls.open(path, clock, room)

    @classmethod
    def open(cls, path: Path, clock: Clock, room: Room | None = None, software: str = "") -> "Journal":
        """Open and check: the newest entry; the file and the chain's tail after any but a clean stop; all of it after a failure.

        ``room`` is the disk margin of the settings; without it no space is reserved and has_room() is always true.
        ``software`` is the version that the caller writes into agent.started: what stands before that is known to it.

        Raises:
            JournalUnusable: no money may be taken; the code says why.
        """
        unclean = database.stopped_uncleanly(path)
        try:
            database.check_ours(path)
            if room:
                room.prepare(path)
            migrations.migrate(path)
            db = database.open_writer(path)
        except (OSError, sqlite3.Error, JournalUnusable) as error:
            raise database.in_words(error, path) from error
        try:
            doubted = database.is_doubted(path)
            check_known(db, path, "" if doubted else software)
            tail = TAIL if unclean or not ends_cleanly(db) else 1
            check_file(db, path, newest=None if doubted else tail)
            log.info("journal.checked entries=%s", "all" if doubted else tail)
            journal = cls(path, db, clock, room)
            if doubted:
                journal.rebuild_projections()
                database.doubt_no_more(path)
            return journal
        except (OSError, sqlite3.Error, JournalUnusable, TypeError, events.UnknownEvent) as error:
            db.close()
            raise database.in_words(error, path) from error
        except (JournalUnwritable, EventRefused) as error:  # in making the projections again
            db.close()
            raise JournalUnusable(getattr(error, "code", "journal.damaged"), str(error)) from error

    def hand_over(self) -> None:
        """Let the next thread that calls be the owner: the composition root opens, the payment thread works."""
        self._owner = None

    def close(self) -> None:
        """The last close folds the WAL and removes it: that is what a clean stop looks like.

        After a failure as well: what a failed commit wrote is not part of it, so nobody takes that for durable later.
        """
        if self._broken:
            database.doubt(self.path, self._broken.detail)
        self._broken = self._broken or JournalUnusable("journal.unwritable", f"{self.path}: it is closed")
        self._db.close()

    # --- writing -----------------------------------------------------------------------------------------------

    def append(self, *new: Event) -> tuple[Entry, ...]:
        """Write events as one durable commit; when it returns they survive any power cut.

        Raises:
            EventRefused: an event breaks its schema or contradicts the journal; nothing was written.
            JournalUnwritable: the file failed; this object is of no more use.
        """
        with self._guarded():
            with self._transaction():
                entries = tuple(self._entries(new))
                for entry in entries:
                    self._db.execute(tables.INSERT_EVENT, tables.row_of(entry))
                    projections.apply(self._db, entry.seq, entry.event, self.kiosk_code)
                if entries:
                    self._db.execute(tables.SET_HEAD, (entries[-1].seq, entries[-1].hash))
            self._fold_if_due()
        if entries:
            self.head_seq, self.head_hash = entries[-1].seq, entries[-1].hash
        return entries

    def follow(self, rolls: Sequence[KeyRolled]) -> None:
        """Write down the rolls of the kiosk's key that happened since the newest entries were signed."""
        with self._guarded():
            key = tables.signing_key(self._db) or self.genesis.public_key
        known = [each.old_public_key for each in rolls]
        if key in known:
            self.append(*rolls[known.index(key) :])

    def checkpoint(self, sign: Callable[[bytes], bytes]) -> Entry:
        """Append a statement over the journal so far, signed with the kiosk's key (``key.sign``)."""
        counted = self._rows(
            "SELECT face_fen, count(*) FROM note WHERE state = 'credited' GROUP BY face_fen ORDER BY 1"
        )
        notes = {str(face): count for face, count in counted}
        credited = sum(face * count for face, count in counted)
        stated = chain.checkpoint_bytes(self.journal_id, self.head_seq, self.head_hash, credited, notes)
        (entry,) = self.append(
            events.Checkpoint(
                up_to_seq=self.head_seq,
                up_to_hash=self.head_hash.hex(),
                credited_fen=credited,
                notes=notes,
                signature=base64.b64encode(sign(stated)).decode(),
            )
        )
        return entry

    def checkpoint_due(self) -> bool:
        """Whether so much stands since the last checkpoint, or it is so old, that the next idle moment should sign one."""
        with self._guarded():
            seq = projections.latest_seq(self._db, "checkpoint") or 0
            last = tables.entry_at(self._db, max(1, seq))
        assert last is not None
        return self.head_seq - seq >= CHECKPOINT_EVERY or (
            self.head_seq > seq and self._age_ms(last) >= CHECKPOINT_AFTER_MS
        )

    def advance_cursor(self, ack_seq: int, ack_hash: str | bytes, posted_seq: int) -> None:
        """Remember what the office holds, after comparing its hash with our own.

        Raises:
            AckMismatch: the office holds something else; nothing was changed.
        """
        told = bytes.fromhex(ack_hash) if isinstance(ack_hash, str) else ack_hash
        with self._guarded():
            if tables.cursor(self._db) == Cursor(ack_seq=ack_seq, ack_hash=told, posted_seq=posted_seq):
                return
            own = chain.GENESIS_PREV if ack_seq == 0 else tables.hash_at(self._db, ack_seq)
            if own != told or not 0 <= posted_seq <= ack_seq:
                raise AckMismatch(
                    f"the office says {told.hex()[:8]} at {ack_seq}, posted {posted_seq}; that is not ours"
                )
            with self._transaction():
                self._db.execute(tables.SET_CURSOR, (ack_seq, told, posted_seq))
            self._fold_if_due()

    def rebuild_projections(self) -> None:
        """Make payments, notes and counters again from the events, in one commit."""
        with self._guarded(), self._transaction():
            projections.forget(self._db)
            after = 0
            while batch := tables.entries(self._db, after, _REBUILD_BATCH):
                for entry in batch:
                    projections.apply(self._db, entry.seq, entry.event, self.kiosk_code)
                after = batch[-1].seq

    def condemn(self, why: str) -> None:
        """Somebody found the file wrong: this object refuses everything from now on, and the next opening checks every entry."""
        self._broken = JournalUnusable("journal.damaged", f"{self.path}: {why}")

    # --- reading -----------------------------------------------------------------------------------------------

    def next_note_no(self) -> int:
        """The number for the next note.escrow; it is taken when that event is written."""
        with self._guarded():
            return projections.counter(self._db, projections.NEXT_NOTE)

    def next_receipt_number(self) -> int:
        """The number for the next payment.settled or payment.partial; it is taken when that event is written."""
        with self._guarded():
            return projections.counter(self._db, projections.NEXT_RECEIPT)

    def open_payments(self) -> tuple[PaymentRecord, ...]:
        """Payments without an end, oldest first: what recovery must finish."""
        with self._guarded():
            return tables.payments(self._db, "state = 'open'")

    def last_ended(self) -> PaymentRecord | None:
        """The payment that came to its end last, however it ended."""
        newest = "ended_seq = (SELECT max(ended_seq) FROM payment WHERE ended_seq IS NOT NULL)"
        with self._guarded():
            found = tables.payments(self._db, newest)
        return found[0] if found else None

    def payment(self, payment_id: str) -> PaymentRecord | None:
        with self._guarded():
            found = tables.payments(self._db, "payment_id = ?", payment_id)
        return found[0] if found else None

    def open_intents(self) -> tuple[NoteRecord, ...]:
        """Notes we decided to keep and whose outcome is not written yet."""
        with self._guarded():
            return tables.notes(self._db, "state = 'intent'")

    def cursor(self) -> Cursor:
        with self._guarded():
            return tables.cursor(self._db)

    def unsent(self) -> tuple[int, int | None]:
        """How many events the office does not hold, and the age of the oldest in ms; None when clocks can't say."""
        with self._guarded():
            acked = tables.cursor(self._db).ack_seq
            oldest = tables.entry_at(self._db, acked + 1)
        return self.head_seq - acked, self._age_ms(oldest) if oldest else None

    def settlements_after(self, seq: int) -> list[PaymentSettled | PaymentPartial]:
        """What we settled after ``seq`` (the ``applied_seq`` of a bills answer), in order. Source: decisions 16."""
        with self._guarded():
            return tables.settlements(self._db, seq)

    def latest(self, kind: str) -> Entry | None:
        """The newest entry of a remembered kind: agent.started, agent.stopped, checkpoint, acceptor.counted, config.applied."""
        with self._guarded():
            seq = projections.latest_seq(self._db, kind)
            return tables.entry_at(self._db, seq) if seq else None

    def newest(self) -> chain.Header:
        """The clocks of the newest entry: a time that has certainly passed."""
        with self._guarded():
            entry = tables.entry_at(self._db, self.head_seq)
        assert entry is not None  # entry 1 is there since the file is
        return entry.header

    def boots(self) -> tuple[Boot, ...]:
        """The boots that wrote what the office does not hold yet, in order, each with its last entry's time since boot."""
        unsent = f"FROM event WHERE seq > {self.cursor().ack_seq}"
        rows = self._rows(f"SELECT boot_id, max(mono_ms) {unsent} GROUP BY boot_id ORDER BY min(seq)")
        return tuple(Boot(*row) for row in rows)

    def entries_of(self, payment_id: str) -> tuple[Entry, ...]:
        """All entries of one payment, in order."""
        with self._guarded():
            return tables.entries_of(self._db, payment_id)

    def entries_of_kinds(self, *kinds: str) -> tuple[Entry, ...]:
        """All entries of these kinds, in order, from the whole journal: for a start, not while somebody waits."""
        with self._guarded():
            return tables.entries_of_kinds(self._db, kinds)

    def stopped_cleanly(self) -> bool:
        """Whether the newest entry is the end that a deliberate stop writes."""
        stopped = self.latest("agent.stopped")
        return self.head_seq == 1 or (stopped is not None and stopped.seq == self.head_seq)

    def has_room(self) -> bool:
        """Whether the disk margin allows cash; ask before every payment."""
        return self._room is None or self._room.is_left(self.path)

    # --- inside ------------------------------------------------------------------------------------------------

    def _entries(self, new: tuple[Event, ...]) -> Iterator[Entry]:
        seq, prev = self.head_seq, self.head_hash
        for event in new:
            seq += 1
            entry = make_entry(self.journal_id, seq, event, prev, self._clock)
            prev = entry.hash
            yield entry

    def _rows(self, sql: str) -> list[Any]:
        with self._guarded():
            return self._db.execute(sql).fetchall()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Refuse a broken file and a foreign thread; let any error of SQLite be the last thing this object saw."""
        if self._broken:
            raise JournalUnwritable(self._broken.code, self._broken.detail)
        self._owner = self._owner or threading.get_ident()
        if self._owner != threading.get_ident():
            raise RuntimeError("the journal belongs to another thread; only that one may call it")
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._broken = database.in_words(error, self.path)
            raise JournalUnwritable(self._broken.code, self._broken.detail) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk rolls back by itself, and a second ROLLBACK would be an error
                self._db.execute("ROLLBACK")
            raise

    def _fold_if_due(self) -> None:
        self._unfolded += 1
        if self._unfolded >= COMMITS_PER_FOLD:
            self._unfolded = 0
            database.fold_wal(self._db)

    def _age_ms(self, entry: Entry) -> int:
        head = entry.header
        return age_ms(self._clock, head.boot_id, head.mono_ms, head.wall_ms if head.clock in TRUSTED else None)
