"""What the threads that talk to the office put into the payment thread's inbox."""

from datetime import date

import msgspec

from kiosk.domain.billing import Bill, Unit
from kiosk.domain.estate import Estate
from kiosk.domain.money import Fen


class UnitFound(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a look-up; ``offline`` when it came from the cache."""

    request_no: int
    unit: Unit
    offline: bool = False


class UnitNotFound(msgspec.Struct, frozen=True, kw_only=True):
    """No such unit, or none that may be paid here: one answer for every cause (E10)."""

    request_no: int


class RecentPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment for this unit within the last ten minutes, from any source (E23)."""

    amount_fen: Fen
    paid_at: str  # RFC 3339, UTC


class BillsFound(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's open bills, with what the office has folded of our journal up to ``applied_seq``. From the cache when ``offline``:
    then ``cached_at_ms`` is the office's time of them.

    ``prepay_only``: the cached bills are too old to be shown or paid, so what is owed is not known; it is not nothing.
    """

    request_no: int
    unit: Unit
    bills: tuple[Bill, ...]
    as_of: date
    applied_seq: int
    offline: bool = False
    cached_at_ms: int | None = None
    prepay_only: bool = False
    recent_payment: RecentPayment | None = None


class EnquiryFailed(msgspec.Struct, frozen=True, kw_only=True):
    """Neither the office nor the cache could answer."""

    request_no: int
    reason: str


# What the office can say that ends the service; any other refusal is an alarm, and cash goes on as offline.
# ``key_unknown`` is a copy of a renewed kiosk: what it takes, nobody but itself would ever know.
OUT_OF_SERVICE = frozenset({"revoked", "key_unknown", "kiosk_suspended", "fork", "ahead", "journal_not_expected"})


class LinkChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The office began or stopped answering. ``refused`` when it answers but will not have this kiosk."""

    up: bool
    refused: bool = False
    reason: str = ""


class PaymentOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the office folded one payment: booked, or exception (kept, with a case for staff)."""

    payment_id: str
    state: str
    receipt_no: str = ""


class Acked(msgspec.Struct, frozen=True, kw_only=True):
    """The office holds the journal durably up to ``ack_seq`` and has folded it up to ``posted_seq``."""

    ack_seq: int
    ack_hash: str
    posted_seq: int
    outcomes: tuple[PaymentOutcome, ...] = ()


class EstateTold(msgspec.Struct, frozen=True, kw_only=True):
    """The office's texts, limits and the buildings a person may pick, as last told (or as cached at start)."""

    estate: Estate
    buildings: tuple[tuple[str, tuple[str, ...]], ...]  # building, its entrances


class EstateRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The office told something that this kiosk can't work with; what it had before stays in use."""

    config_version: int
    why: str


class JournalUnreadable(msgspec.Struct, frozen=True, kw_only=True):
    """What was to be sent can't be read, because the journal's file or its disk failed. ``code`` is a row of faults.py."""

    code: str
    detail: str


OfficeEvent = UnitFound | UnitNotFound | BillsFound | EnquiryFailed | LinkChanged | Acked | EstateTold | EstateRefused
