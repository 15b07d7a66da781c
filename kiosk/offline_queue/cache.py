"""Units, bills and the estate's texts as the office last told them, for the hours when it does not answer.

Disposable: a file that is damaged or of another shape is deleted and filled again, and where no file can be made the cache
lives in memory. One connection under one lock, so no two connections ever write (journal-and-upload section 1.1).
Ages: decisions section 22.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import peewee

from kiosk.clock import OFFICE_MS, Clock, age_ms
from kiosk.domain.billing import Bill, Unit
from kiosk.domain.estate import Estate
from kiosk.office_client.wire import ChangedUnits, instant_ms

log = logging.getLogger(__name__)

SHAPE = 1  # of the tables and of what is stored in them
BUSY_S = 0.2  # nobody else has business in this file: a person in front of the kiosk does not wait for whoever holds it
DAY_MS = 24 * 3600 * 1000
BILLS_FOR_MS = 7 * DAY_MS
PREPAID_FOR_MS = 30 * DAY_MS

Read = TypeVar("Read")

# peewee gives its own names to what goes wrong when a statement is begun, and lets through what happens when its rows are
# fetched: a damaged page often shows only then.
_BUSY_OR_FULL = (peewee.OperationalError, peewee.InterfaceError, sqlite3.OperationalError, sqlite3.InterfaceError)
_DAMAGED = (peewee.DatabaseError, sqlite3.DatabaseError)

_BILLS = msgspec.json.Decoder(tuple[Bill, ...])
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, tuple[str, ...]], ...])


class Age(StrEnum):
    """What cached bills are still good for."""

    BILLS = "bills"  # may be paid
    PREPAID = "prepaid"  # too old to be paid; cash goes to the unit's prepaid balance
    NOTHING = "nothing"  # none, or too old for money


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """When the cache was last complete: the office's time and date, and our own clocks then."""

    server_ms: int
    as_of: date
    boot_id: str
    mono_ms: int
    wall_ms: int
    clock: str


class CachedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit with its open bills, and how far the office had folded our journal when it told them."""

    unit: Unit
    bills: tuple[Bill, ...]
    applied_seq: int


class Cache:
    """Safe to use from any thread. Never raises for a file it can't read or write."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._journal_id = ""
        self._db, self._unit, self._meta = self._open()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def keep_only_for(self, journal_id: str, head_seq: int) -> None:
        """Say whose settlements will be subtracted from these bills, before anyone reads or writes them.

        ``applied_seq`` numbers the entries of one journal. Units that were read for another one, or for a state of it that this
        file has not reached (an older image), are forgotten: nothing would be subtracted, and what is paid would be owed again.
        """
        self._journal_id = journal_id
        newest = self._guarded(lambda: self._unit.select(peewee.fn.MAX(self._unit.applied_seq)).scalar(), None)
        if self._told("journal") != journal_id or (newest or 0) > head_seq:
            self.forget_units()

    # --- what the sync thread writes ---------------------------------------------------------------------------

    def cursor(self) -> str:
        """Where GET /sync/units goes on; empty for all units."""
        return self._told("cursor") or ""

    def take(self, page: ChangedUnits) -> None:
        """Store one page of changes; the last one makes the whole cache as new as its answer."""

        def write() -> None:
            with self._db.atomic():
                for row in page.units:
                    self._unit.delete().where(
                        (self._unit.unit_id == row.unit.unit_id) | (self._unit.code == row.unit.code)
                    ).execute()
                    if not row.gone:
                        self._unit.insert(
                            unit_id=row.unit.unit_id,
                            code=row.unit.code,
                            unit=msgspec.json.encode(row.unit),
                            bills=msgspec.json.encode(row.bills),
                            applied_seq=page.applied_of(self._journal_id),
                        ).execute()
                self._tell("journal", self._journal_id)
                self._tell("cursor", page.next_cursor or page.cursor)
                if page.next_cursor is None:
                    self._tell("refreshed", msgspec.json.encode(self._now(page)).decode())

        self._guarded(write, None)

    def take_estate(self, estate: Estate, etag: str | None, buildings: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Store the estate's texts and what the pickers offer."""

        def write() -> None:
            with self._db.atomic():
                self._tell("estate", msgspec.json.encode(estate).decode())
                self._tell("etag", etag or "")
                self._tell("buildings", msgspec.json.encode(tuple(buildings)).decode())

        self._guarded(write, None)

    def take_refusal(self, reason: str) -> None:
        """Store why the office will not have this kiosk; empty when it will."""
        self._guarded(lambda: self._tell("refusal", reason), None)

    def forget_units(self) -> None:
        """Start over with the bills; what the office said of the estate, and why it will not have this kiosk, stays."""

        def write() -> bool:
            with self._db.atomic():
                self._unit.delete().execute()
                self._meta.delete().where(self._meta.name.in_(("cursor", "refreshed"))).execute()
            return True

        if not self._guarded(write, False):
            with self._lock:
                self._start_over()  # rather nothing at all than bills of which nobody knows what is paid

    # --- what anyone reads -------------------------------------------------------------------------------------

    def find(self, code: str) -> CachedUnit | None:
        return self._guarded(lambda: self._read(self._unit.code == code), None)

    def unit(self, unit_id: str) -> CachedUnit | None:
        return self._guarded(lambda: self._read(self._unit.unit_id == unit_id), None)

    def estate(self) -> tuple[Estate, str | None, tuple[tuple[str, tuple[str, ...]], ...]] | None:
        """Estate, its ETag, and buildings with entrances."""
        estate, etag, buildings = self._told("estate"), self._told("etag"), self._told("buildings")
        if estate is None or buildings is None:
            return None
        try:
            return msgspec.json.decode(estate, type=Estate), etag or None, _PAIRS.decode(buildings)
        except msgspec.MsgspecError:
            return None  # stored by another version of this program; the office will tell it again

    def refusal(self) -> str:
        """Why the office would not have this kiosk when it was last asked; empty if it would."""
        return self._told("refusal") or ""

    def refreshed(self) -> Refreshed | None:
        """When the cache was last complete; None: never."""
        text = self._told("refreshed")
        try:
            return msgspec.json.decode(text, type=Refreshed) if text else None
        except msgspec.MsgspecError:
            return None

    def good_for(self) -> Age:
        """What its age allows. An unset clock does not stop cash: then only the hours count that this box has run since."""
        last = self.refreshed()
        if last is None:
            return Age.NOTHING
        age = age_ms(self._clock, last.boot_id, last.mono_ms, last.server_ms)
        if age <= BILLS_FOR_MS:
            return Age.BILLS
        return Age.PREPAID if age <= PREPAID_FOR_MS else Age.NOTHING

    # --- inside ------------------------------------------------------------------------------------------------

    def _open(self) -> tuple[peewee.SqliteDatabase, type[Any], type[Any]]:
        try:
            return self._open_file()
        except (*_DAMAGED, OSError) as error:
            log.warning("cache.start_over reason=%s", error)
        try:
            self._remove()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return self._open_file()
        except (*_DAMAGED, OSError) as error:
            log.warning("cache.in_memory reason=%s", error)
            return _open_at(":memory:")

    def _open_file(self) -> tuple[peewee.SqliteDatabase, type[Any], type[Any]]:
        self._path.touch(mode=0o600)  # masked names and debts are nobody else's business
        return _open_at(str(self._path))

    def _remove(self) -> None:
        """Its rollback journal first: one left behind would be applied to the next file of that name."""
        self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _start_over(self) -> None:
        self._db.close()
        try:
            self._remove()
        except OSError as error:
            log.warning("cache.not_removed reason=%s", error)
        self._db, self._unit, self._meta = self._open()

    def _guarded(self, work: Callable[[], Read], otherwise: Read) -> Read:
        """Do something with the file; a full or busy one keeps its contents, a damaged one starts over."""
        with self._lock:
            try:
                return work()
            except _BUSY_OR_FULL as error:
                log.warning("cache.failed reason=%s", error)
            except (*_DAMAGED, msgspec.MsgspecError) as error:
                log.warning("cache.start_over reason=%s", error)
                self._start_over()
            return otherwise

    def _read(self, condition: Any) -> CachedUnit | None:
        row = self._unit.get_or_none(condition)
        if row is None:
            return None
        return CachedUnit(
            unit=msgspec.json.decode(row.unit, type=Unit), bills=_BILLS.decode(row.bills), applied_seq=row.applied_seq
        )

    def _told(self, name: str) -> str | None:
        def read() -> str | None:
            row = self._meta.get_or_none(self._meta.name == name)
            return str(row.value) if row else None

        return self._guarded(read, None)

    def _tell(self, name: str, value: str) -> None:
        self._meta.replace(name=name, value=value).execute()

    def _now(self, page: ChangedUnits) -> Refreshed:
        now, server_ms = self._clock.reading(), instant_ms(page.server_time)
        if server_ms not in OFFICE_MS:  # the slip says as of when its bills were
            raise ValueError(f"server_time {page.server_time} can't be true")
        return Refreshed(
            server_ms=server_ms,
            as_of=page.as_of,
            boot_id=self._clock.boot_id,
            mono_ms=self._clock.since_boot_ms(),
            wall_ms=now.wall_ms,
            clock=now.state,
        )


def _open_at(name: str) -> tuple[peewee.SqliteDatabase, type[Any], type[Any]]:
    # FULL, not NORMAL: without a sync after the truncation a power cut can leave a mixture of two rollback journals, and
    # with it a file that is half of yesterday.
    db = peewee.SqliteDatabase(
        name,
        pragmas={"journal_mode": "truncate", "synchronous": "full"},
        timeout=BUSY_S,
        check_same_thread=False,
        thread_safe=False,
    )

    class StoredUnit(peewee.Model):
        """A unit and its bills as the office sent them."""

        unit_id = peewee.TextField(primary_key=True)
        code = peewee.TextField(unique=True)
        unit = peewee.BlobField()
        bills = peewee.BlobField()
        applied_seq = peewee.IntegerField()

        class Meta:
            database = db
            table_name = "unit"

    class StoredMeta(peewee.Model):
        """Everything there is one of."""

        name = peewee.TextField(primary_key=True)
        value = peewee.TextField()

        class Meta:
            database = db
            table_name = "meta"

    try:
        db.connect()
        report, shape = db.pragma("quick_check"), db.pragma("user_version")
        if report != "ok" or shape not in (0, SHAPE):
            raise peewee.DatabaseError(f"{name}: {report}, shape {shape}")
        db.create_tables([StoredUnit, StoredMeta])
        db.pragma("user_version", SHAPE, permanent=False)
    except _DAMAGED:
        db.close()
        raise
    return db, StoredUnit, StoredMeta
