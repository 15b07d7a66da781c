"""What the flow relies on: one Protocol per device, and the events devices report.

Calls return at once and never block on a wire; everything a device says arrives as an event in one inbox.
Nothing outside a driver's folder knows which protocol it speaks.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from kiosk.domain.money import Fen
from kiosk.hardware.faults import Fault


class AcceptorIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers on the wire. ``faces`` maps each usable channel to its face value."""

    protocol: str
    maker: str
    model: str
    firmware: str
    serial: str
    currency: str
    faces: dict[int, Fen]


class AcceptorCounters(msgspec.Struct, frozen=True, kw_only=True):
    """The device's own lifetime counts; an independent witness of what went into the box."""

    stacked: int
    rejected: int


class CountBefore(msgspec.Struct, frozen=True):
    """What an acceptor's own counter said before a note whose outcome is open, as the journal remembers it."""

    serial: str
    stacked: int | None


class DeviceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Anything a device reports. ``event_no`` rises within one driver run and names the event in acknowledge()."""

    event_no: int = 0


# --- bill acceptor ---------------------------------------------------------------------------------------------


class AcceptorReady(DeviceEvent, frozen=True, kw_only=True):
    """Identified and drained of power-up events; inhibited until enabled. Sent again after every re-connection.

    An accepted note without an outcome by now gets none from the device any more. One more in ``counters.stacked``
    than before that note is a credit; none more is unknown (a claim), never "returned".
    """

    identity: AcceptorIdentity
    counters: AcceptorCounters | None  # None: the device does not keep any


class AcceptorLost(DeviceEvent, frozen=True, kw_only=True):
    """No valid reply. An open intent stays open: silence says nothing about a note."""

    fault: Fault


class NoteEscrowed(DeviceEvent, frozen=True, kw_only=True):
    """A note (纸币) is held in escrow (暂存); the driver keeps holding it until accept() or return_note()."""

    face: Fen
    channel: int


class NoteCredited(DeviceEvent, frozen=True, kw_only=True):
    """The protocol's credit event, and nothing else: this is money. Must be acknowledged once it is on disk.

    ``at_power_up`` marks a note that a restarting device found and moved into its box; its face may be unknown.
    """

    face: Fen | None
    channel: int
    at_power_up: bool = False


class NoteStacked(DeviceEvent, frozen=True, kw_only=True):
    """Mechanical end of stacking; says nothing about credit."""


class NoteReturned(DeviceEvent, frozen=True, kw_only=True):
    """An escrowed note went back to the person. ``at_power_up``: the device gave it back when it restarted.

    ``accepted``: it had been ordered to be kept. Then this must be acknowledged like a credit: a host that dies before it is on
    disk must be able to ask again, or the note would become a claim.
    """

    reason: str  # host, timeout, power_up, ...
    at_power_up: bool = False
    accepted: bool = False


class NoteRejected(DeviceEvent, frozen=True, kw_only=True):
    """A note never reached escrow and came back out."""

    reason: str


class NoteUnclear(DeviceEvent, frozen=True, kw_only=True):
    """The device took a note but will not say whether it counts (jam behind escrow, fraud): suspense.

    Must be acknowledged like a credit, so that the claim is on disk before the device may forget.
    """

    face: Fen | None
    fault: Fault


class AcceptorEnabled(DeviceEvent, frozen=True, kw_only=True):
    """The device confirmed that it takes notes now."""


class AcceptorDisabled(DeviceEvent, frozen=True, kw_only=True):
    """The device is inhibited; ``lease_lapsed`` when the driver did it because nobody renewed the lease."""

    lease_lapsed: bool = False


class CashboxRemoved(DeviceEvent, frozen=True, kw_only=True):
    """The cash box (钞箱) was taken out."""


class CashboxReplaced(DeviceEvent, frozen=True, kw_only=True):
    """A cash box is in place again."""


class CountersRead(DeviceEvent, frozen=True, kw_only=True):
    """Answer to read_counters()."""

    counters: AcceptorCounters


# --- any device ------------------------------------------------------------------------------------------------


class DeviceFault(DeviceEvent, frozen=True, kw_only=True):
    """A device is in trouble; stays true until FaultCleared names the same code."""

    device: str  # bill_acceptor, receipt_printer
    fault: Fault


class FaultCleared(DeviceEvent, frozen=True, kw_only=True):
    """A fault reported before is over."""

    device: str
    code: str


# --- receipt printer -------------------------------------------------------------------------------------------


class Paper(StrEnum):
    """What the roll sensor says; UNKNOWN is an answer of its own and never means OK."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


class PrinterStatus(DeviceEvent, frozen=True, kw_only=True):
    """A fresh, valid reading, or UNKNOWN when the printer did not answer in the known form."""

    paper: Paper
    fault: Fault | None = None  # cover open, cutter, offline, silent, ...

    @property
    def can_print(self) -> bool:
        return self.fault is None and self.paper in (Paper.OK, Paper.NEAR_END)


class ReceiptPrinted(DeviceEvent, frozen=True, kw_only=True):
    """The slip is out. ``confirmed`` False: the bytes went out but this printer can't prove printing."""

    job_id: str
    confirmed: bool


class ReceiptFailed(DeviceEvent, frozen=True, kw_only=True):
    """The slip is not (wholly) out. ``clean``: nothing reached the paper, so printing again can't make a second copy."""

    job_id: str
    clean: bool
    fault: Fault


# --- the Protocols ---------------------------------------------------------------------------------------------

Report = Callable[[DeviceEvent], None]  # puts an event into the payment thread's inbox; never blocks


class BillAcceptor(Protocol):
    """A note validator with escrow (暂存). Calls return at once; results arrive as events."""

    def start(self, *, intent_open: bool, before: CountBefore | None = None) -> None:
        """Begin to look for the device. ``intent_open``: an accept was ordered before the restart and has no
        outcome yet, so the driver must first ask for the device's last answer and must not return the note. ``before``
        is that note's, or the last one's with an outcome if the device may not be done with it: for a driver whose own
        memory a power cut took."""
        ...

    def enable(self, faces: frozenset[Fen]) -> None: ...  # a 2 s lease: renew it or the device shuts
    def disable(self) -> None: ...
    def accept(self) -> None: ...  # answered by NoteCredited, or by NoteUnclear, NoteReturned or a fault
    def return_note(self) -> None: ...  # answered by NoteReturned, or by a fault
    def acknowledge(self, event: DeviceEvent) -> None: ...  # "it is on disk; you may forget it"
    def read_counters(self) -> None: ...  # answered by CountersRead
    def keep_trace(self, fault: Fault) -> None: ...  # one that only the journal shows: freeze what was said until now
    def stop(self) -> None: ...  # inhibits, returns a held note, closes the port; joins the thread


LONGEST_PRINT_S = 180.0  # a dozen bills at 38400 baud, to a printer that proves nothing, take two thirds of it


class PrintJob(msgspec.Struct, frozen=True, kw_only=True):
    """One slip: the printer's bytes are made by the layout, the driver only carries them."""

    job_id: str
    data: bytes
    height_dots: int


class ReceiptPrinter(Protocol):
    """A thermal printer with an honest status. Calls return at once; results arrive as events."""

    def start(self) -> None: ...
    def ask_status(self) -> None: ...  # answered by PrinterStatus within 3 s, whatever the printer does
    def print(
        self, job: PrintJob
    ) -> None: ...  # ReceiptPrinted or ReceiptFailed, LONGEST_PRINT_S after it begins at the latest
    def stop(self) -> None: ...
