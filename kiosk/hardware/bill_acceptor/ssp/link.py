"""The host's end of an SSP line: one request, one answer, the same frame again until there is one."""

import errno
import logging
import os
import select
import termios
import time
from collections.abc import Callable

import serial

from kiosk.hardware.bill_acceptor.ssp.frames import NOTE_VALIDATOR, Command, Frame, FrameReceiver, Garbled, encode_frame
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder.tape import Tape

log = logging.getLogger(__name__)

BAUD = 9600
REPLY_TIMEOUT_S = 1.0  # GA138: no valid reply in 1 s, same bytes again
SEND_LIMIT = 20  # after so many the device counts as crashed
SILENT_AFTER_S = 5.0
# A simulator at high speed still needs the machine's own scheduler to get its turn.
SHORTEST_TIMEOUT_S = 0.05
SHORTEST_SILENCE_S = 1.0

WIRE_ERRORS = (serial.SerialException, termios.error, OSError)


class LinkLost(Exception):
    """Nobody answers, or there is no port; carries the fault. Nothing is known about a note that was under way."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.detail}")
        self.fault = fault


class SspLink:
    """Owns the port and the sequence bit. One thread uses it.

    ``on_silent`` is told once per exchange that is unanswered for 5 s; ``gap`` then stays true until sync().
    """

    def __init__(
        self,
        port: str,
        tape: Tape,
        *,
        speed: int = 1,
        sendings: int = SEND_LIMIT,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._port_name = port
        self._tape = tape
        self._sendings = sendings
        self._stopping = stopping
        self._reply_timeout_s = max(REPLY_TIMEOUT_S / speed, SHORTEST_TIMEOUT_S)
        self._silent_after_s = max(SILENT_AFTER_S / speed, SHORTEST_SILENCE_S)
        self._port: serial.Serial | None = None
        self._receiver = FrameReceiver()
        self._arrived: list[Frame | Garbled] = []
        self.sequence = 1  # of the next new frame
        self.on_silent: Callable[[Fault], None] = lambda _fault: None
        self.gap = False

    def open(self) -> None:
        """Open the port if it is not open.

        Raises:
            LinkLost: missing or held by another program; try again later.
        """
        if self._port is not None:
            return
        try:
            self._port = serial.Serial(
                self._port_name, BAUD, stopbits=serial.STOPBITS_TWO, timeout=0, write_timeout=1.0, exclusive=True
            )
        except WIRE_ERRORS as error:
            self._tape.failed(f"{error}")
            raise LinkLost(_open_fault(self._port_name, error)) from error
        self._tape.opened(self._port_name)
        self._receiver = FrameReceiver()
        self._arrived.clear()

    def close(self) -> None:
        if self._port is not None:
            port, self._port = self._port, None
            self._tape.closed()
            try:
                port.close()
            except WIRE_ERRORS as error:
                log.info("ssp.close_failed port=%s error=%s", self._port_name, error)

    def sync(self) -> None:
        """Begin the sequence anew; what the device answered last is gone after this.

        Raises:
            LinkLost: no answer.
        """
        self.exchange(bytes((Command.SYNC,)), sequence=1)
        self.sequence, self.gap = 0, False

    def exchange(self, data: bytes, *, sequence: int | None = None) -> bytes:
        """Send one command and return the data of its answer; ``sequence`` forces the bit instead of a fresh one.

        Raises:
            LinkLost: no valid answer to any sending, or the port is gone. The sequence bit has not moved.
        """
        bit = self.sequence if sequence is None else sequence
        frame = encode_frame(data, bit)
        began = time.monotonic()
        told = False
        for attempt in range(1, self._sendings + 1):
            if self._stopping() and attempt > 1:
                break
            answer = self._attempt(frame, bit)
            if answer is not None:
                self.sequence = 1 - bit
                return answer
            log.debug("ssp.resend attempt=%d frame=%s", attempt, frame.hex(" "))
            if not told and time.monotonic() - began >= self._silent_after_s:
                told = self.gap = True
                self.on_silent(Fault("acceptor.silent", f"no valid reply on {self._port_name}"))
        self.gap = True
        raise LinkLost(Fault("acceptor.silent", f"no valid reply to {frame.hex(' ')} on {self._port_name}"))

    def _attempt(self, frame: bytes, bit: int) -> bytes | None:
        try:
            self._write(frame)
            deadline = time.monotonic() + self._reply_timeout_s
            while (received := self._next_frame(deadline)) is not None:
                if isinstance(received, Garbled):
                    log.debug("ssp.garbled raw=%s", received.raw.hex(" "))
                    return None
                if received.sequence == bit and received.address == NOTE_VALIDATOR and received.data:
                    return received.data
                # Otherwise an answer to an earlier sending of an earlier frame: long since handled.
            return None
        except WIRE_ERRORS as error:
            self._tape.failed(f"{error}")
            self.close()
            self.gap = True
            raise LinkLost(Fault("acceptor.port_missing", f"{self._port_name}: {error}")) from error

    def _write(self, frame: bytes) -> None:
        if self._port is None:
            raise serial.PortNotOpenError
        self._port.write(frame)
        self._tape.sent(frame)

    def _next_frame(self, deadline: float) -> Frame | Garbled | None:
        assert self._port is not None
        while not self._arrived:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if select.select([self._port], [], [], left)[0]:
                # Readable without data is a hang-up; read() raises for it.
                arrived = self._port.read(max(1, self._port.in_waiting))
                self._tape.heard(arrived)
                self._arrived = self._receiver.feed(arrived)
        return self._arrived.pop(0)


def _open_fault(port: str, error: Exception) -> Fault:
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return Fault("acceptor.port_busy", f"{port} is held by another program")
    return Fault("acceptor.port_missing", f"{port}: {os.strerror(number) if number else error}")
