"""Time as an argument: what the agent knows about clocks, and the machine's own."""

import time
from pathlib import Path
from typing import Protocol

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What anything that needs time is given."""

    @property
    def boot_id(self) -> str: ...  # random for each boot of the machine

    def monotonic(self) -> float: ...  # seconds since boot; both processes share it
    def wall_ms(self) -> int: ...  # UTC milliseconds; may be wrong by decades
    def state(self) -> str: ...  # synced, rtc, held or unset: how far wall_ms can be trusted


class SystemClock:
    """The machine's clocks. ``earliest_ms`` is a time that has certainly passed, e.g. the newest journal entry's."""

    def __init__(self, earliest_ms: int = 0) -> None:
        self.earliest_ms = earliest_ms
        self._boot_id = BOOT_ID_FILE.read_text().strip()

    @property
    def boot_id(self) -> str:
        return self._boot_id

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def state(self) -> str:
        """``unset`` before the newest known time; ``rtc`` otherwise, until the office has confirmed it.

        Source: journal-and-upload section 8. Whether NTP holds the clock is the sync thread's finding, not ours.
        """
        return "unset" if self.wall_ms() < max(self.earliest_ms, BUILT_MS) else "rtc"


BUILT_MS = 1_764_000_000_000  # 2025-11-24: no box can honestly be earlier than its own program


def mono_ms(clock: Clock) -> int:
    """Milliseconds since boot, as journal events carry them."""
    return int(clock.monotonic() * 1000)
