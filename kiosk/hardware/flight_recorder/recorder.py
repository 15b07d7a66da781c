"""Keeps the tapes of faults as files: durable, few, small, written by a thread of its own that no device waits for."""

import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.clock import Clock
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.tape import Snapshot

log = logging.getLogger(__name__)

MOST_FILES = 32
MOST_OF_ONE_FAULT = 4  # so that a printer without paper does not push out the one jam
MOST_BYTES = 8 * 1024 * 1024
SPARE_BYTES = 2 * 1024 * 1024  # left above the disk margin after a trace is written: evidence must not close the slot
SAME_FAULT_AGAIN_S = 60.0
WAITING = 8  # tapes that a slow disk may keep in memory
STOP_S = 0.5  # a disk that hangs must not keep the agent from stopping

PATTERN = "trace-*.jsonl"
FRESH = ".new"


class Stored(msgspec.Struct, frozen=True, order=True):
    """One file, by its name alone: numbers rise, whatever the clock says."""

    number: int
    device: str
    fault: str
    path: Path

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0  # dropped meanwhile


def stored(directory: Path) -> list[Stored]:
    """All frozen traces, oldest first; none where there is no directory."""
    return sorted(one for path in directory.glob(PATTERN) if (one := _read_name(path)) is not None)


class FlightRecorder:
    """``freeze`` is what drivers are given. ``spare_bytes``: free space above the margin that money needs."""

    def __init__(self, directory: Path, clock: Clock, spare_bytes: Callable[[], int], *, software: str) -> None:
        self._directory, self._clock, self._spare_bytes, self._software = directory, clock, spare_bytes, software
        self._waiting: queue.Queue[Snapshot | None] = queue.Queue(WAITING)
        self._last: dict[tuple[str, str], float] = {}
        self._thread = threading.Thread(target=self._run, name="flight-recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def freeze(self, snapshot: Snapshot) -> None:
        """Have it written; returns at once. A fault that comes and goes is kept once a minute."""
        fault = (snapshot.device, snapshot.fault.code)
        if snapshot.at < self._last.get(fault, -SAME_FAULT_AGAIN_S) + SAME_FAULT_AGAIN_S:
            return
        self._last[fault] = snapshot.at
        try:
            self._waiting.put_nowait(snapshot)
        except queue.Full:
            log.warning("trace.lost device=%s code=%s reason=the disk is too slow", *fault)

    def stop(self) -> None:
        """Write what waits, unless the disk is too slow even for that."""
        try:
            self._waiting.put(None, timeout=STOP_S)
        except queue.Full:
            return
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while (snapshot := self._waiting.get()) is not None:
            try:
                self._store(snapshot)
            except OSError as error:
                log.warning("trace.not_kept code=%s reason=%s", snapshot.fault.code, error)

    def _store(self, snapshot: Snapshot) -> None:
        data = trace.encode(trace.Trace(self._header(snapshot), snapshot.lines))
        if self._spare_bytes() < len(data) + SPARE_BYTES:
            log.warning("trace.not_kept code=%s reason=no room above the disk margin", snapshot.fault.code)
            return
        self._directory.mkdir(mode=0o700, exist_ok=True)
        for left_over in self._directory.glob(f"*{FRESH}"):
            left_over.unlink()
        kept = stored(self._directory)
        for surplus in surplus_of(kept, device=snapshot.device, fault=snapshot.fault.code, size=len(data)):
            surplus.path.unlink()
        number = kept[-1].number + 1 if kept else 1
        name = f"trace-{number:06}-{snapshot.device}-{snapshot.fault.code}.jsonl"
        write_durably(self._directory / name, data)
        log.info("trace.kept file=%s bytes=%d", name, len(data))

    def _header(self, snapshot: Snapshot) -> trace.Header:
        now = self._clock.monotonic()
        return trace.Header(
            device=snapshot.device,
            protocol=snapshot.protocol,
            speed=snapshot.speed,
            software=self._software,
            fault=snapshot.fault.code,
            detail=snapshot.fault.detail,
            at=snapshot.at,
            wall_ms=self._clock.wall_ms() - int((now - snapshot.at) * 1000),
            clock=self._clock.state(),
            boot_id=self._clock.boot_id,
        )


def surplus_of(kept: list[Stored], *, device: str, fault: str, size: int) -> list[Stored]:
    """What has to go, oldest first, so that one more of this size fits."""
    alike = [one for one in kept if (one.device, one.fault) == (device, fault)]
    gone = alike[: max(0, len(alike) - MOST_OF_ONE_FAULT + 1)]
    left = [one for one in kept if one not in gone]
    total = size + sum(one.size for one in left)
    while left and (len(left) >= MOST_FILES or total > MOST_BYTES):
        total -= left[0].size
        gone.append(left.pop(0))
    return gone


def write_durably(path: Path, data: bytes) -> None:
    """Whole or not at all, and still there after a power cut."""
    fresh = path.with_name(path.name + FRESH)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read_name(path: Path) -> Stored | None:
    parts = path.name.removesuffix(".jsonl").split("-", 3)
    if len(parts) != 4 or not parts[1].isdecimal():
        return None
    return Stored(int(parts[1]), parts[2], parts[3], path)
