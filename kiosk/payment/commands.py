"""What the flow can order; the cashier performs them in the order given, the journal first."""

import msgspec

from kiosk.domain.events import Event
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Outcome
from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import DeviceEvent
from kiosk.views import AnyView


class Record(msgspec.Struct, frozen=True):
    """Write these events in one durable commit. If that fails, nothing after it in the same list may be done."""

    events: tuple[Event, ...]


class EnableCash(msgspec.Struct, frozen=True):
    """Keep the acceptor open for these faces, renewing its lease, until DisableCash."""

    faces: frozenset[Fen]


class DisableCash(msgspec.Struct, frozen=True):
    """Stop renewing and inhibit the acceptor."""


class AcceptNote(msgspec.Struct, frozen=True):
    """Keep the note in escrow; its intent is on disk."""


class ReturnNote(msgspec.Struct, frozen=True):
    """Give the note in escrow back."""


class Acknowledge(msgspec.Struct, frozen=True):
    """The event is on disk: the device may forget it."""

    event: DeviceEvent


class ReadCounters(msgspec.Struct, frozen=True):
    """Ask the acceptor for its own counts."""


class KeepTrace(msgspec.Struct, frozen=True):
    """Keep what the acceptor said until now: the journal shows a fault that its driver can't see."""

    fault: Fault


class FindUnit(msgspec.Struct, frozen=True):
    """Look a unit up by its code."""

    request_no: int
    code: str


class FetchBills(msgspec.Struct, frozen=True):
    """Ask for a unit's open bills."""

    request_no: int
    unit_id: str


class AskPaper(msgspec.Struct, frozen=True):
    """Ask the printer how it is."""


class PrintSlip(msgspec.Struct, frozen=True):
    """Print a payment's slip; copy 0 is the original, any other is marked 补打."""

    payment_id: str
    copy_no: int
    outcome: Outcome
    job_id: str


class Show(msgspec.Struct, frozen=True):
    """Put this view on the screen."""

    view: AnyView


class LogUnexpected(msgspec.Struct, frozen=True):
    """Say in the log that something came that this phase has no use for; nothing is ever ignored in silence."""

    what: str
    phase: str


Command = (
    Record | EnableCash | DisableCash | AcceptNote | ReturnNote | Acknowledge | ReadCounters | KeepTrace | FindUnit | FetchBills
    | AskPaper | PrintSlip | Show | LogUnexpected
)  # fmt: skip
