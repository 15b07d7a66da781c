"""One device's tape: a ring of what went over its wire, what was ordered and what was reported, in memory only.

Fixed budget: the first lines since the program started (the device's identity, what it told at its start) are kept, then the
newest ones; idle polling is counted instead of stored. Recording costs some microseconds and never waits for a disk.
"""

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from kiosk.clock import Clock
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.trace import AnyLine
from kiosk.hardware.ports import DeviceEvent, DeviceFault, NoteUnclear, ReceiptFailed

BUDGET_BYTES = 512 * 1024
LINE_OVERHEAD_BYTES = 200  # what Python keeps around a line's text
FIRST_LINES = 96
DIGEST_BYTES = 8

_DIGEST_KEY = secrets.token_bytes(32)  # never stored: without it nobody can find a slip's text by trying names

NOTES_ORDERS = ("enable", "disable")


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of a tape at one moment; ``fault`` is why it was taken."""

    device: str
    protocol: str
    speed: int
    fault: Fault
    at: float
    lines: tuple[AnyLine, ...]


Freeze = Callable[[Snapshot], None]  # must return at once: the driver's own thread calls it


def not_kept(_snapshot: Snapshot) -> None:
    """For drivers that work without a flight recorder: a check, a test."""


class Tape:
    """Written by the driver's thread and by whoever gives it orders. ``period`` is how many lines an idle round has."""

    def __init__(
        self,
        device: str,
        protocol: str,
        clock: Clock,
        *,
        speed: int = 1,
        period: int = 4,
        freeze: Freeze = not_kept,
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._device, self._protocol, self._speed = device, protocol, speed
        self._clock, self._freeze, self._budget = clock, freeze, budget_bytes
        self._lock = threading.Lock()
        self._first: list[AnyLine] = []
        self._newest: deque[AnyLine] = deque()
        self._weight = 0
        self._dropped = 0
        self._standing: dict[str, Any] = {}  # the order about notes at the end of the gap
        self._idle = _IdleRounds(period)

    # --- the wire

    def opened(self, port: str) -> None:
        self._add(trace.Opened(at=self._now(), port=port))

    def closed(self) -> None:
        self._add(trace.Closed(at=self._now()))

    def failed(self, detail: str) -> None:
        self._add(trace.Failed(at=self._now(), detail=detail))

    def sent(self, data: bytes) -> None:
        self._add(trace.Sent(at=self._now(), hex=trace.as_hex(data)))

    def heard(self, data: bytes) -> None:
        if data:
            self._add(trace.Heard(at=self._now(), hex=trace.as_hex(data)))

    def printed(self, data: bytes) -> None:
        """A slip's bytes went out; they themselves are not kept."""
        digest = hashlib.blake2b(data, digest_size=DIGEST_BYTES, key=_DIGEST_KEY).hexdigest()
        self._add(trace.Printed(at=self._now(), size=len(data), digest=digest))

    # --- the driver's two sides

    def ordered(self, order: str, **facts: Any) -> None:
        self._add(trace.Ordered(at=self._now(), order=order, facts=facts))

    def reported(self, event: DeviceEvent) -> None:
        """Write the event down; one that carries a fault freezes the tape as it is now."""
        facts = trace.facts_of(event, "event_no")
        self._add(trace.Reported(at=self._now(), event=type(event).__name__, facts=facts))
        match event:
            case DeviceFault(fault=fault) | NoteUnclear(fault=fault) | ReceiptFailed(fault=fault):
                self.freeze(fault)

    def freeze(self, fault: Fault) -> None:
        """Have the tape kept as it is now; any thread may call this."""
        self._freeze(self.snapshot(fault))

    def snapshot(self, fault: Fault) -> Snapshot:
        with self._lock:
            newest = (*self._newest, *self._idle.pending())
            dropped, standing, first = self._dropped, self._standing, tuple(self._first)
        if dropped:
            gap = trace.Gap(at=newest[0].at if newest else self._now(), lines=dropped, standing=standing)
            newest = (gap, *newest)
        return Snapshot(
            device=self._device,
            protocol=self._protocol,
            speed=self._speed,
            fault=fault,
            at=self._now(),
            lines=(*first, *newest),
        )

    # --- the ring

    def _now(self) -> float:
        return round(self._clock.monotonic(), 6)

    def _add(self, line: AnyLine) -> None:
        with self._lock:
            for kept in self._idle.take(line):
                self._keep(kept)

    def _keep(self, line: AnyLine) -> None:
        if len(self._first) < FIRST_LINES and not self._newest:
            self._first.append(line)
            return
        self._newest.append(line)
        self._weight += _weight(line)
        while self._weight > self._budget:
            oldest = self._newest.popleft()
            self._weight -= _weight(oldest)
            self._dropped += 1
            if isinstance(oldest, trace.Ordered) and oldest.order in NOTES_ORDERS:
                self._standing = {"order": oldest.order, **oldest.facts}


class _IdleRounds:
    """Holds back lines that only repeat the last round of ``period`` wire lines, and counts such rounds."""

    def __init__(self, period: int) -> None:
        self._round: deque[AnyLine] = deque(maxlen=period)
        self._held: list[AnyLine] = []
        self._times = 0
        self._until = 0.0

    def take(self, line: AnyLine) -> list[AnyLine]:
        """What is to be kept now that this line has come."""
        repeats = len(self._round) == self._round.maxlen and _same(line, self._round[len(self._held)])
        if not repeats:
            kept = [*self.pending(), line]
            for one in kept:
                self._last_round(one)
            self._held, self._times = [], 0
            return kept
        self._held.append(line)
        if len(self._held) == len(self._round):
            self._held, self._times, self._until = [], self._times + 1, line.at
        return []

    def pending(self) -> list[AnyLine]:
        """What would have to be kept if nothing more came."""
        if not self._times:
            return list(self._held)
        counted = trace.Repeated(at=self._until, lines=len(self._round), times=self._times)
        return [counted, *self._held]

    def _last_round(self, line: AnyLine) -> None:
        if isinstance(line, trace.Sent | trace.Heard):
            self._round.append(line)
        else:
            self._round.clear()  # a round is a row of lines without anything between


def _same(one: AnyLine, other: AnyLine) -> bool:
    alike = (trace.Sent, trace.Heard)
    return type(one) is type(other) and isinstance(one, alike) and isinstance(other, alike) and one.hex == other.hex


def _weight(line: AnyLine) -> int:
    match line:
        case trace.Sent(hex=text) | trace.Heard(hex=text) | trace.Failed(detail=text):
            return LINE_OVERHEAD_BYTES + len(text)
        case trace.Ordered() | trace.Reported():
            return 4 * LINE_OVERHEAD_BYTES
        case _:
            return LINE_OVERHEAD_BYTES
