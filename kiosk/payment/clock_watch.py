"""Tells when the wall clock jumped. A jump is written down; order and durations never depend on it."""

from kiosk.clock import BACK_MS, FORWARD_MS, Clock
from kiosk.domain.events import ClockStepped


class ClockWatch:
    """Measures the wall clock against the time since boot, from its making on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms = self._measure()

    def look(self) -> ClockStepped | None:
        """The jump since the last look, to be written down. A clock set forward a little is harmless, and is believed."""
        ahead_ms = self._measure()
        by_ms = ahead_ms - self._ahead_ms
        if -BACK_MS <= by_ms <= BACK_MS:
            return None
        self._ahead_ms = ahead_ms
        return ClockStepped(by_ms=by_ms) if by_ms < 0 or by_ms > FORWARD_MS else None

    def _measure(self) -> int:
        return self._clock.machine_ms() - self._clock.since_boot_ms()
