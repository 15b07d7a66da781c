"""Between the real driver and the simulated acceptor: passes on every byte, and notes each frame with its time."""

import os
import select
import threading
import time
import tty
from pathlib import Path

import msgspec

from kiosk.hardware.bill_acceptor.ssp.frames import Command, Frame, FrameReceiver, Generic, Happened, parse_poll
from kiosk.hardware.simulators.terminal import TerminalPair

IDLE_S = 0.2


class Heard(msgspec.Struct, frozen=True):
    """One frame on the wire, when its last byte was passed on."""

    at: float
    from_host: bool
    data: bytes

    @property
    def is_poll(self) -> bool:
        return self.from_host and self.data[:1] == bytes((Command.POLL,))

    def tells(self, code: Happened) -> bool:
        """Whether this answer holds such an event; of a note read, only with its channel: then it is in escrow."""
        if self.from_host or self.data[:1] != bytes((Generic.OK,)):
            return False
        events = parse_poll(self.data[1:]).events
        return any(event.code is code and (event.channel or code is not Happened.READ) for event in events)


class WireTap:
    """Listens on a serial line. The driver opens ``link``; ``device`` is the simulator's own port."""

    def __init__(self, device: Path, link: Path) -> None:
        self._near = TerminalPair(link)
        self._far = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._far)
        self._lock = threading.Lock()
        self._heard: list[Heard] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def heard(self) -> list[Heard]:
        """All frames so far, in order."""
        with self._lock:
            return list(self._heard)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        os.close(self._far)
        self._near.close()

    def _run(self) -> None:
        host, device = FrameReceiver(), FrameReceiver()
        while not self._stopping.is_set():
            readable, _, _ = select.select([self._near, self._far], [], [], IDLE_S)
            if self._near in readable:
                data = self._near.read()
                os.write(self._far, data)
                self._note(host, data, from_host=True)
            if self._far in readable:
                data = os.read(self._far, 65536)
                self._near.write(data)
                self._note(device, data, from_host=False)

    def _note(self, receiver: FrameReceiver, data: bytes, *, from_host: bool) -> None:
        at = time.monotonic()
        frames = [Heard(at, from_host, frame.data) for frame in receiver.feed(data) if isinstance(frame, Frame)]
        with self._lock:
            self._heard += frames
