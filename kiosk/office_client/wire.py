"""What travels between kiosk and office beside signatures: docs/office-api.md as values.

Unknown fields in answers are ignored, so that an older kiosk can live with a newer office.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec

from kiosk.domain.billing import Bill, Unit
from kiosk.office_client.events import PaymentOutcome, RecentPayment

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # beyond that SQLite and JSON lose their ways


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a kiosk's settlements the bills in an answer count: those up to ``applied_seq`` of the journal ``journal_id``.

    Until a replaced journal's successor has been uploaded, that is the one before it. An older office names none.
    """

    applied_seq: int = 0
    journal_id: str | msgspec.UnsetType | None = msgspec.UNSET

    def applied_of(self, journal_id: str) -> int:
        """Up to which entry of this journal they are counted."""
        return self.applied_seq if self.journal_id in (journal_id, msgspec.UNSET) else 0


class BillsAnswer(Applied, frozen=True, kw_only=True):
    """GET /units/{unit_id}/bills."""

    unit: Unit
    bills: tuple[Bill, ...]
    as_of: date
    server_time: str
    recent_payment: RecentPayment | None = None


class UnitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /units?code=…"""

    unit: Unit


class ChangedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the offline cache; ``gone`` is a tombstone."""

    unit: Unit
    bills: tuple[Bill, ...] = ()
    gone: bool = False


class ChangedUnits(Applied, frozen=True, kw_only=True):
    """GET /sync/units: one page. ``next_cursor`` None: complete, go on with ``cursor`` next time."""

    units: tuple[ChangedUnit, ...]
    cursor: str
    as_of: date
    server_time: str
    next_cursor: str | None = None


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """One entrance (单元) of a building."""

    entrance: str


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """One building (楼栋) with its entrances."""

    building: str
    entrances: tuple[Entrance, ...]


class Buildings(msgspec.Struct, frozen=True, kw_only=True):
    """GET /buildings."""

    buildings: tuple[Building, ...]

    def as_pairs(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((each.building, tuple(way.entrance for way in each.entrances)) for each in self.buildings)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The kiosk's clocks at sending, from which the office corrects the times of this boot."""

    boot_id: str
    mono_ms: int
    wall_ms: int


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent tells the office about itself: ``ready`` or a fault code for each device, and for the journal."""

    state: str = "attract"  # attract, busy, out_of_service
    acceptor: str = "ready"
    printer: str = "ready"
    paper: str = "unknown"
    journal: str = "ready"


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """POST /kiosk/heartbeats."""

    journal_id: str
    last_seq: int
    last_hash: str
    unsent: int
    oldest_unsent_s: int
    state: str
    acceptor: str
    printer: str
    paper: str
    journal: str
    disk_free_mb: int
    clock: str
    software: str
    posted_seq: int  # the last one we were told; the answer names the payments folded since
    sent: Sent


class HeartbeatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a heartbeat is answered with."""

    server_time: str
    interval_s: int = 60
    config_version: int = 0
    ack_seq: Seq | None = None
    posted_seq: Seq = 0
    outcomes: tuple[PaymentOutcome, ...] = ()


class SentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One journal entry on the wire; ``body`` is the stored text, whose bytes are hashed."""

    seq: int
    payment_id: str
    kind: str
    v: int
    boot_id: str
    mono_ms: int
    wall_ms: int
    clock: str
    body: str
    hash: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """POST /kiosks/{kiosk_id}/journals/{journal_id}/events, before gzip."""

    first_seq: int
    last_seq: int
    prev_hash: str
    events: tuple[SentEvent, ...]
    posted_seq: int  # as in a heartbeat
    sent: Sent


class RejectedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event the office keeps in quarantine; it is delivered all the same."""

    seq: int
    code: str


class UploadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Durable up to ``ack_seq``, in the books up to ``posted_seq``."""

    ack_seq: Seq
    ack_hash: str
    posted_seq: Seq
    server_time: str
    outcomes: tuple[PaymentOutcome, ...] = ()
    rejected: tuple[RejectedEvent, ...] = ()
    config_version: int = 0
    hold_ms: int = 0

    def __post_init__(self) -> None:
        if self.posted_seq > self.ack_seq:
            raise ValueError("posted_seq is beyond ack_seq: folded before it was stored")


class PairingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """POST /pairings; the code's second half never travels."""

    token: str
    public_key: str
    software: str
    previous_key: str = ""  # a kiosk that was paired before signs with its old key for the new one
    proof: str = ""


class JournalHeld(msgspec.Struct, frozen=True, kw_only=True):
    """This kiosk's newest journal at the office, and the last entry held there: what a new journal's genesis names."""

    journal_id: str
    seq: Seq
    hash: str


class PairingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who the office says this kiosk is."""

    kiosk_id: str
    kiosk_code: str
    project_code: str
    office_public_key: str
    next_receipt_number: int = 1
    replaces: JournalHeld | None = None


class TimeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GET /time."""

    server_time: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457 problem document with the fields of ours."""

    code: str
    retry: str = "later"  # never, later, after_fix
    title: str = ""
    detail: str = ""
    trace_id: str = ""
    server_time: str | None = None
    expected_seq: int | None = None
    seq: int | None = None
    stored_hash: str | None = None


def instant_ms(text: str) -> int:
    """An RFC 3339 instant as UTC milliseconds.

    Raises:
        ValueError: no instant, or one without its offset.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC")
    try:
        return round(instant.timestamp() * 1000)
    except OverflowError as error:
        raise ValueError(f"{text!r} is before all time") from error
