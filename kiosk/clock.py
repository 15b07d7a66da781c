"""Time as an argument: what the agent knows about clocks, and how far each of them can be trusted.

Order comes from the journal's sequence and durations from the monotonic clock; the wall clock is only ever written down and
shown. Source: journal-and-upload section 8; docs/reliability.md, "Time".
"""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from kiosk.domain.chain import Header

log = logging.getLogger(__name__)

BUILT_MS = 1_764_000_000_000  # 2025-11-24: no box can honestly be earlier than its own program
OFFICE_MS = range(1_735_689_600_000, 4_102_444_800_000)  # 2025 to 2099: what a signed answer says beyond is no time
TRUSTED = ("synced", "rtc")  # the others are told to people as not verified
BACK_MS = 1_000  # a step back of more than this, or
FORWARD_MS = 86_400_000  # forward of more than this, while the machine runs, is a clock that somebody moved
DRIFT_PPM = 100  # of a cheap quartz; how fast the office's word grows old


class Reading(msgspec.Struct, frozen=True):
    """The best that is known of the time, and what it rests on.

    ``synced``: the office said so in this boot, or NTP holds the clock. ``rtc``: a battery kept it, and nothing contradicts it.
    ``held``: counted on from an earlier moment, so it may lag by an outage. ``unset``: no more than a time that has passed.
    """

    wall_ms: int  # UTC
    state: str

    @property
    def trusted(self) -> bool:
        return self.state in TRUSTED


class Clock(Protocol):
    """What anything that needs time is given."""

    @property
    def boot_id(self) -> str: ...  # random for each boot of the machine

    def monotonic(self) -> float: ...  # seconds; for time limits, and the same in both processes
    def since_boot_ms(self) -> int: ...  # monotonic too, and counts a sleeping machine's hours
    def reading(self) -> Reading: ...
    def wall_ms(self) -> int: ...  # of reading()
    def state(self) -> str: ...
    def machine_ms(self) -> int: ...  # the machine's own wall clock, whatever it says
    def learn(self, office_ms: int, asked_ms: int, heard_ms: int) -> None: ...
    def ran_since(self, boot_id: str, mono_ms: int) -> int: ...  # ms that have passed for certain


class Boot(msgspec.Struct, frozen=True):
    """An earlier boot of this machine and the last moment that is known of it."""

    boot_id: str
    last_ms: int


class Machine:
    """The clocks of the machine this runs on."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Whether the kernel set the wall clock from a battery-backed one; a box without gets back what it had at its last stop.
        self.has_rtc = any(path.read_text().strip() == "1" for path in Path("/sys/class/rtc").glob("rtc*/hctosys"))

    def monotonic(self) -> float:
        return time.monotonic()

    def since_boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def ntp_holds(self) -> bool:
        """What systemd-timesyncd says; the agent's service may not ask the kernel (ProtectClock)."""
        return Path("/run/systemd/timesync/synchronized").exists()


class _Mark(msgspec.Struct, frozen=True):
    """It was ``wall_ms`` at ``at_ms`` of this boot, give or take ``error_ms``."""

    wall_ms: int
    at_ms: int
    error_ms: int = 0

    def then(self, at_ms: int) -> int:
        return self.wall_ms + at_ms - self.at_ms

    def error_then(self, at_ms: int) -> int:
        return self.error_ms + (at_ms - self.at_ms) * DRIFT_PPM // 1_000_000


class SystemClock:
    """The machine's clocks and what is known about them. Safe to use from any thread."""

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine or Machine()
        self._lock = threading.Lock()
        self._passed = _Mark(BUILT_MS, 0)  # a time that has certainly passed, counted on
        self._runs = False  # the wall clock has been plausible in this boot, so a jump of it shows
        self._was_wrong = False  # at some moment of this boot: then no battery set it
        self._office: _Mark | None = None
        self._ntp: _Mark | None = None  # from when on NTP has held the clock and mended no more than its drift
        self._earlier: tuple[Boot, ...] = ()

    def go_on_from(self, newest: Header, earlier: Sequence[Boot]) -> None:
        """Begin with the journal's newest entry, whose time has passed, and with the boots that wrote it.

        The newest by sequence, not the latest by its clock: once the office has told the time, a clock that was ahead of it
        must not count any more.
        """
        with self._lock:
            self._earlier = tuple(boot for boot in earlier if boot.boot_id != self.boot_id)
            if newest.boot_id != self.boot_id:
                self._passed = _Mark(max(newest.wall_ms, BUILT_MS), 0)
                return
            mark = _Mark(max(newest.wall_ms, BUILT_MS), newest.mono_ms)
            self._passed, self._runs = mark, newest.clock != "unset"
            self._was_wrong = newest.clock == "unset"
            self._office = mark if newest.clock == "synced" else None

    @property
    def boot_id(self) -> str:
        return self._machine.boot_id

    def monotonic(self) -> float:
        return self._machine.monotonic()

    def since_boot_ms(self) -> int:
        return self._machine.since_boot_ms()

    def machine_ms(self) -> int:
        return self._machine.wall_ms()

    def wall_ms(self) -> int:
        return self.reading().wall_ms

    def state(self) -> str:
        return self.reading().state

    def reading(self) -> Reading:
        with self._lock:
            now, wall_ms = self._machine.since_boot_ms(), self._machine.wall_ms()
            if self._office:
                return Reading(self._office.then(now), "synced")
            if (self._ntp or wall_ms >= BUILT_MS) and self._machine.ntp_holds():
                return Reading(self._with_ntp(now, wall_ms), "synced")
            self._ntp = None
            return self._without_help(now, wall_ms)

    def _with_ntp(self, now: int, wall_ms: int) -> int:
        """The wall clock while it goes on from where NTP had it; what a hand made of it is counted past.

        Nothing says that a hand set it: systemd-timesyncd leaves its file in place, so only the size of the jump tells them apart.
        """
        self._ntp = self._ntp or _Mark(wall_ms, now, BACK_MS)
        if abs(wall_ms - self._ntp.then(now)) <= self._ntp.error_then(now):
            self._passed, self._runs = _Mark(wall_ms, now), True
        return self._passed.then(now)

    def _without_help(self, now: int, wall_ms: int) -> Reading:
        """Neither office nor NTP: the wall clock as far as it agrees with what has passed, else what has passed."""
        passed_ms = self._passed.then(now)
        is_kept = self._machine.has_rtc and not self._was_wrong
        # A box without a battery starts again at its last stop's time, some seconds after the boot began.
        least_ms = passed_ms if is_kept or self._runs else self._passed.wall_ms
        if wall_ms < least_ms - BACK_MS or (self._runs and wall_ms > passed_ms + FORWARD_MS):
            self._was_wrong = True
            return Reading(passed_ms, "held" if self._runs else "unset")
        self._runs = True
        if wall_ms > passed_ms:
            self._passed = _Mark(wall_ms, now)
        return Reading(max(wall_ms, passed_ms), "rtc" if is_kept else "held")

    def learn(self, office_ms: int, asked_ms: int, heard_ms: int) -> None:
        """Take the time that the office's signed answer told between two moments of this boot, if it is the better knowledge.

        It may lie before all we believed to have passed: a clock that ran ahead is corrected by nothing else.
        """
        if office_ms not in OFFICE_MS:
            log.warning("clock.office_not_believed office_ms=%d", office_ms)
            return
        error_ms = (heard_ms - asked_ms) // 2
        told = _Mark(office_ms, asked_ms + error_ms, error_ms)
        with self._lock:
            known = self._office
            if known:
                apart_ms = abs(told.wall_ms - known.then(told.at_ms))
                if apart_ms <= error_ms or (
                    known.error_then(told.at_ms) <= error_ms and apart_ms <= error_ms + known.error_then(told.at_ms)
                ):
                    return  # it says nothing that we do not know as well
            self._office = told

    def ran_since(self, boot_id: str, mono_ms: int) -> int:
        """Milliseconds that have passed for certain since a moment of this boot or an earlier one, whatever any wall clock says:
        the machine was running for them."""
        now = self.since_boot_ms()
        if boot_id == self.boot_id:
            return max(0, now - mono_ms)
        with self._lock:
            for boot in reversed(self._earlier):
                if boot.boot_id == boot_id:
                    return now + max(0, boot.last_ms - mono_ms)
                now += boot.last_ms
        return now


def age_ms(clock: Clock, boot_id: str, mono_ms: int, wall_ms: int | None) -> int:
    """How long ago a moment was; the least it can be where no clock can say. ``wall_ms`` None: its clock was not trusted."""
    ran_ms = clock.ran_since(boot_id, mono_ms)
    reading = clock.reading()
    if boot_id == clock.boot_id or wall_ms is None or not reading.trusted:
        return ran_ms
    return max(ran_ms, reading.wall_ms - wall_ms)
