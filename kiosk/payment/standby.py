"""What the kiosk shows while there is no journal to take money with: why, until that is over."""

import queue
from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.payment.cashier import Inbox, PartDied, Screen, Stop
from kiosk.payment.commands import Show
from kiosk.payment.events import JournalFailed, Moment, TimePassed
from kiosk.payment.flow import advance
from kiosk.payment.state import State

RETRY_S = 2.0


class Standby:
    """The flow without cashier: only screens, and always out of service."""

    def __init__(
        self, state: State, inbox: Inbox, screen: Screen, clock: Clock, watch: Callable[[str, str], None]
    ) -> None:
        """``watch`` is told code and detail every time they are shown."""
        self._state, self._inbox, self._screen, self._clock, self._watch = state, inbox, screen, clock, watch

    def wait(self, code: str, detail: str) -> bool:
        """Show the reason for a while; False when the agent is to stop."""
        self._show(JournalFailed(code, detail))
        self._watch(code, detail)
        until = self._clock.monotonic() + RETRY_S
        while (left := until - self._clock.monotonic()) > 0:
            try:
                event = self._inbox.get(timeout=left)
            except queue.Empty:
                event = TimePassed()
            if isinstance(event, Stop | PartDied):
                return False
            self._show(event)
        return True

    def _show(self, event: object) -> None:
        moment = Moment(mono=self._clock.monotonic(), wall_ms=self._clock.reading().wall_ms)
        self._state, orders = advance(self._state, event, moment)  # type: ignore[arg-type]
        for order in orders:
            if isinstance(order, Show):
                self._screen.show(order.view)
