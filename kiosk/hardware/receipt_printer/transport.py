"""The bytes' way to the printer: a serial line or pseudo-terminal, or a character device such as /dev/usb/lp0.

Nothing here waits without a limit: a line whose printer has stopped listening blocks a plain write for ever.
"""

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import termios
import tty

from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder.tape import Tape
from kiosk.hardware.receipt_printer import commands

CHUNK = 256  # what can't be taken back once a status says stop
READ_SIZE = 4096

_HUNG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL


class TransportGone(Exception):
    """The port is missing, taken or unplugged: close it and try again later."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.detail}")
        self.fault = fault


class Stalled(Exception):
    """The printer takes no more bytes; what was begun is half sent."""


class Transport:
    """One open port, for this program alone."""

    def __init__(self, port: str, baud: int, tape: Tape) -> None:
        """Open the port.

        Raises:
            TransportGone: it does not exist, is no device, or another program holds it.
        """
        self._port, self._tape = port, tape
        try:
            self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise self._gone(error) from error
        self._terminal = os.isatty(self._fd)
        try:
            self._claim(baud)
        except OSError as error:
            os.close(self._fd)
            raise self._gone(error) from error
        tape.opened(port)

    def _claim(self, baud: int) -> None:
        if not stat.S_ISCHR(os.fstat(self._fd).st_mode):
            raise OSError(errno.ENODEV, "not a device")
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._terminal:
            try:
                _set_line(self._fd, baud)
            except termios.error as error:
                raise OSError(*error.args) from error

    def fileno(self) -> int:
        return self._fd

    def read(self, timeout_s: float) -> bytes:
        """What has come, waiting at most ``timeout_s`` for the first byte; empty when nothing did.

        Raises:
            TransportGone: unplugged.
        """
        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        events = poller.poll(max(0.0, timeout_s) * 1000)
        if not events:
            return b""
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            data = b""
        except OSError as error:
            raise self._gone(error) from error
        self._tape.heard(data)
        # A terminal that hung up reads as empty for ever; a printer node without news does so once.
        if not data and (self._terminal or events[0][1] & _HUNG_UP):
            raise self._gone(OSError(errno.ENODEV, "unplugged"))
        return data

    def write(self, data: bytes, stall_s: float) -> None:
        """Send everything, in chunks.

        Raises:
            Stalled: not a byte went for ``stall_s``.
            TransportGone: unplugged.
        """
        view = memoryview(data)
        poller = select.poll()
        poller.register(self._fd, select.POLLOUT)
        try:
            while view:
                events = poller.poll(stall_s * 1000)
                if not events:
                    raise Stalled
                try:
                    sent = os.write(self._fd, view[:CHUNK])
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise self._gone(error) from error
                view = view[sent:]
        finally:
            self._remember(data[: len(data) - len(view)])

    def _remember(self, data: bytes) -> None:
        if commands.is_question(data):
            self._tape.sent(data)
        elif data:
            self._tape.printed(data)  # a slip says who lives where

    def unsent(self) -> int:
        """Bytes that wait in this machine for the line; a real-time question has to queue behind them."""
        if not self._terminal:
            return 0
        try:
            answer = fcntl.ioctl(self._fd, termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError as error:
            raise self._gone(error) from error
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        self._tape.closed()
        with contextlib.suppress(OSError):  # what is unplugged may refuse even this
            os.close(self._fd)

    def _gone(self, error: OSError) -> TransportGone:
        self._tape.failed(f"{error.strerror}")
        busy = error.errno in (errno.EBUSY, errno.EWOULDBLOCK)
        code = "printer.port_busy" if busy else "printer.port_missing"
        return TransportGone(Fault(code, f"{self._port}: {error.strerror}"))


def _set_line(fd: int, baud: int) -> None:
    """Raw, 8N1, no modem lines. Bytes of an earlier conversation are dropped."""
    tty.setraw(fd, termios.TCSANOW)
    attributes = termios.tcgetattr(fd)
    attributes[2] = (attributes[2] | termios.CLOCAL | termios.CREAD) & ~(termios.CRTSCTS | termios.CSTOPB)
    attributes[4] = attributes[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    termios.tcflush(fd, termios.TCIOFLUSH)
