"""A pseudo-terminal that stands for a serial port: the simulator holds one end, the driver opens the other."""

import contextlib
import os
import termios
import tty
from pathlib import Path


class TerminalPair:
    """A raw terminal pair. The driver may open, close and open ``port`` again; the simulator notices nothing.

    ``link`` is a stable name for ``port``; it replaces an older link and is removed on close().
    """

    def __init__(self, link: Path | None = None) -> None:
        # The simulator keeps the driver's end open too: otherwise each close by the driver would hang up the pair.
        self._end, self._driver_end = os.openpty()
        tty.setraw(self._driver_end, termios.TCSANOW)
        os.set_blocking(self._end, False)
        self.device = os.ttyname(self._driver_end)
        self._link = link
        if link is not None:
            _point(link, self.device)

    @property
    def port(self) -> str:
        """What a driver is to open: the link if there is one, else the terminal."""
        return str(self._link) if self._link is not None else self.device

    def fileno(self) -> int:
        return self._end

    def read(self) -> bytes:
        """What the driver has sent so far; empty if nothing. Never blocks."""
        try:
            return os.read(self._end, 65536)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> int:
        """Send to the driver; how many bytes went. The rest is lost, as on a line that nobody reads."""
        try:
            return os.write(self._end, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Pull the plug: a driver that has the port open reads a hang-up, and the port is gone."""
        if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == self.device:
            with contextlib.suppress(FileNotFoundError):
                self._link.unlink()
        os.close(self._driver_end)
        os.close(self._end)


def _point(link: Path, device: str) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(device)
    fresh.replace(link)  # a driver that opens meanwhile finds the old or the new terminal, never nothing
