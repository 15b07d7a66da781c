"""What the kiosk shows while there is no journal to take money with: why, until that is over."""

import queue
from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.payment.cashier import PART_DIED_AFTER_S, Ending, Inbox, PartDied, Screen, Stop
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
        self._part_died_at: float | None = None

    @property
    def lacks_a_part(self) -> bool:
        """A thread of this process ended by an error."""
        return self._part_died_at is not None

    def wait(self, code: str, detail: str) -> Ending | None:
        """Show the reason for a while; how the agent is to end, if it is to."""
        self._show(JournalFailed(code, detail))
        self._watch(code, detail)
        until = self._clock.monotonic() + RETRY_S
        while (left := until - self._clock.monotonic()) > 0:
            try:
                event = self._inbox.get(timeout=left)
            except queue.Empty:
                event = TimePassed()
            if isinstance(event, Stop):
                return Ending.STOPPED
            if isinstance(event, PartDied):
                self._part_died_at = self._clock.monotonic()
            else:
                self._show(event)
        return Ending.PART_DIED if self._is_to_be_replaced() else None

    def _is_to_be_replaced(self) -> bool:
        """As the cashier does: not so soon that a part which dies at every start ends the service."""
        died_at = self._part_died_at
        return died_at is not None and self._clock.monotonic() >= died_at + PART_DIED_AFTER_S

    def _show(self, event: object) -> None:
        moment = Moment(mono=self._clock.monotonic(), wall_ms=self._clock.reading().wall_ms)
        self._state, orders = advance(self._state, event, moment)  # type: ignore[arg-type]
        for order in orders:
            if isinstance(order, Show):
                self._screen.show(order.view)
