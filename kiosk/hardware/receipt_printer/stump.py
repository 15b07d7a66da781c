"""Whether part of a slip may hang uncut in the printer, also for the next process: this one may be killed half-way through.

No printer can be asked that. So the name of a small file stands from before the first byte of a slip until it was cut off; the
paper hangs there through a power cut as well, so the name is synced. A disk that can't be written costs this knowledge
only, never a slip.
"""

import logging
from pathlib import Path

from kiosk.hardware.flight_recorder.recorder import write_durably

log = logging.getLogger(__name__)


class Stump:
    """``path`` None: remembered by this process alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.may_hang = _is_there(path)

    def begins(self) -> None:
        """Before the first byte of a slip leaves."""
        self._keep(True)

    def is_off(self) -> None:
        """The knife has been ordered after all that was sent."""
        self._keep(False)

    def _keep(self, may_hang: bool) -> None:
        self.may_hang = may_hang
        if self._path is None:
            return
        try:
            if may_hang:
                write_durably(self._path, b"")
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.error("receipt_printer.stump_not_kept path=%s error=%s", self._path, error.strerror)


def _is_there(path: Path | None) -> bool:
    if path is None:
        return False
    try:
        return path.exists()
    except OSError as error:  # `kiosk check` may be run by somebody whom the state directory is closed to
        log.error("receipt_printer.stump_unknown path=%s error=%s", path, error.strerror)
        return True
