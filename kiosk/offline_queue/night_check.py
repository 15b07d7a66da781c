"""When the journal checks itself, and the process that does it: once a night, while nobody is there, out of the money's way.

A process of its own, and a nice one: no lock of the interpreter and no memory is shared with the thread that polls the acceptor.
"""

import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from kiosk.offline_queue.self_check import Report

log = logging.getLogger(__name__)

HOUR = 3  # local time; a kiosk that is off then checks itself at its next idle moment
DAY_S = 86_400.0  # where nobody knows the local time
AGAIN_AFTER_S = 3600.0  # when the check itself failed, which says nothing about the journal
LONGEST_S = 1800.0
NICENESS = 19


class NightCheck:
    """Asked often, by the payment thread; never waits."""

    def __init__(self, journal: Path, last: datetime | None, now: float) -> None:
        """``last`` is the local time of the last check, or of the journal's first entry; None: not known. ``now`` is monotonic."""
        self._command = [sys.executable, "-m", "kiosk", "journal", "self-check", "--json", "--journal", str(journal)]
        self._last = last
        self._day_is_over = now + DAY_S
        self._not_before = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._give_up_at = 0.0

    def look(self, *, idle: bool, local: datetime | None, now: float) -> Report | None:
        """Begin a check that is due, or return what one has found, once."""
        if self._process is None:
            if idle and now >= self._not_before and self._is_due(local, now):
                self._begin(local, now)
            return None
        if self._process.poll() is None and now < self._give_up_at:
            return None
        return self._end(now)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _is_due(self, local: datetime | None, now: float) -> bool:
        if local is None:
            return now >= self._day_is_over
        if self._last is None:
            self._last = local  # from here on the nights can be counted
        night = local.replace(hour=HOUR, minute=0, second=0, microsecond=0)
        return self._last < (night if local >= night else night - timedelta(days=1))

    def _begin(self, local: datetime | None, now: float) -> None:
        self._last, self._day_is_over, self._give_up_at = local, now + DAY_S, now + LONGEST_S
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)
        except OSError as error:
            self._failed(str(error), now)

    def _end(self, now: float) -> Report | None:
        assert self._process is not None
        process, self._process = self._process, None
        process.kill()  # does nothing to one that has ended
        said, _ = process.communicate()
        try:
            return msgspec.json.decode(said, type=Report)
        except msgspec.MsgspecError:
            self._failed(f"exit code {process.returncode}", now)
            return None

    def _failed(self, reason: str, now: float) -> None:
        log.warning("night_check.not_done reason=%s", reason)
        self._last, self._not_before = datetime.min, now + AGAIN_AFTER_S
        self._day_is_over = self._not_before
