"""Turns poll events that concern the device, not the note, into faults that begin and end.

Source: bill-acceptors sections 1.4 and 1.7.
"""

import logging
from collections import deque
from collections.abc import Callable

from kiosk.hardware.bill_acceptor.fault_book import FaultBook
from kiosk.hardware.bill_acceptor.ssp.frames import Happened, PollReply
from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import CashboxRemoved, CashboxReplaced, DeviceEvent

log = logging.getLogger(__name__)

FRAUDS_TO_STAY = 3
FRAUD_WINDOW_S = 600.0

# Said at every poll while true, so that silence about them is their end.
STEADY = {
    Happened.SAFE_JAM: "acceptor.jam_safe",
    Happened.UNSAFE_JAM: "acceptor.jam_unsafe",
    Happened.CASHBOX_REMOVED: "acceptor.cashbox_removed",
    Happened.PATH_OPEN: "acceptor.path_open",
}
FULL, FRAUD, PROTOCOL = "acceptor.stacker_full", "acceptor.fraud", "acceptor.protocol"


class FaultWatch:
    """Fed with every poll answer; ``now`` is in the device's own seconds."""

    def __init__(self, faults: FaultBook, emit: Callable[[DeviceEvent], int]) -> None:
        self._faults = faults
        self._emit = emit
        self._frauds: deque[float] = deque(maxlen=FRAUDS_TO_STAY)
        self._full_since_start = False

    def take(self, reply: PollReply, raw: bytes, contradiction: str, now: float) -> None:
        """``contradiction``: what the device said that can't be, from the note's cycle."""
        codes = {event.code for event in reply.events}
        self._protocol(reply, raw, contradiction)
        self._steady(codes, complete=not reply.unparsed)
        self._fraud(Happened.FRAUD in codes, now)
        if Happened.RESET in codes:
            self._full_since_start = False
        if Happened.STACKER_FULL in codes:
            self._full_since_start = True
            self._faults.raise_fault(Fault(FULL))
        elif Happened.CASHBOX_REPLACED in codes:
            self._faults.clear(FULL)

    def started(self) -> None:
        """The device began anew and has told everything: what it did not repeat is over."""
        self._frauds.clear()
        self._faults.clear(FRAUD)
        if not self._full_since_start:
            self._faults.clear(FULL)

    @property
    def can_enable(self) -> bool:
        return not any(code in self._faults for code in STEADY.values())

    def _protocol(self, reply: PollReply, raw: bytes, contradiction: str) -> None:
        if reply.unparsed:
            log.error("ssp.unknown_event raw=%s", raw.hex(" "))
            self._faults.raise_fault(Fault(PROTOCOL, f"unknown in poll answer {raw.hex(' ')}"))
        elif contradiction:
            log.error("ssp.contradiction detail=%s raw=%s", contradiction, raw.hex(" "))
            self._faults.raise_fault(Fault(PROTOCOL, f"{contradiction}, in poll answer {raw.hex(' ')}"))
        else:
            self._faults.clear(PROTOCOL)

    def _steady(self, codes: set[Happened], *, complete: bool) -> None:
        for code, fault in STEADY.items():
            if code in codes:
                if self._faults.raise_fault(Fault(fault)) and code is Happened.CASHBOX_REMOVED:
                    self._emit(CashboxRemoved())
            elif complete and fault in self._faults:
                self._faults.clear(fault)
                if code is Happened.CASHBOX_REMOVED:
                    self._emit(CashboxReplaced())

    def _fraud(self, seen: bool, now: float) -> None:
        """One trick is over when the device goes on; several in a short time stay until it is started anew."""
        if seen:
            self._frauds.append(now)
            self._faults.raise_fault(Fault(FRAUD))
        elif len(self._frauds) < FRAUDS_TO_STAY or self._frauds[-1] - self._frauds[0] > FRAUD_WINDOW_S:
            self._faults.clear(FRAUD)
