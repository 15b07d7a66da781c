"""What may reach the flow, and the moment at which it does."""

from datetime import date

import msgspec

from kiosk.hardware.ports import DeviceEvent
from kiosk.office_client.events import OfficeEvent
from kiosk.screen_link.agent_end import ScreenEvent


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When an event is handled, in every sense of when; the flow has no clock of its own.

    ``spare_id`` is a random id that nobody has used yet: a payment that opens takes it.
    """

    mono: float
    wall_ms: int = 0
    local: str = ""  # 2026-11-24 16:20, or empty while the clock is unset
    business_date: date | None = None  # None: clock unset
    spare_id: str = ""


class TimePassed(msgspec.Struct, frozen=True):
    """Nothing happened until now; deadlines may be due."""


class JournalFailed(msgspec.Struct, frozen=True):
    """A commit did not reach the disk: what it would have recorded must not be acted on."""

    code: str
    detail: str = ""


class SettlementWritten(msgspec.Struct, frozen=True):
    """A settlement is on disk; ``check_code`` names its entry (``domain.chain.check_code``)."""

    payment_id: str
    check_code: str


class SelfChecked(msgspec.Struct, frozen=True):
    """The nightly self-check found the journal as it was written; ``at`` is local text."""

    entries: int
    at: str


class DiskMeasured(msgspec.Struct, frozen=True):
    """Free space on the state partition, and whether that is enough to take money."""

    free_mb: int
    enough: bool


class QueueMeasured(msgspec.Struct, frozen=True):
    """How many events wait for the office, and for how long the oldest has."""

    unsent: int
    oldest_age_ms: int | None


Event = (
    DeviceEvent | OfficeEvent | ScreenEvent | TimePassed | JournalFailed | SettlementWritten | SelfChecked | DiskMeasured
    | QueueMeasured
)  # fmt: skip
