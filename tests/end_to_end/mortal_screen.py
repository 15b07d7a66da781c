"""A screen in a process of its own that can be killed and frozen, is started again, and counts its lives."""

import abc
import signal
import threading
import time

from kiosk.taps import AnyTap
from kiosk.views import AnyView
from tests.end_to_end.robot import Robot


class MortalScreen(Robot, abc.ABC):
    """What Robot is, in front of a process: ``shown_by`` is the life that showed the view."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._view: AnyView | None = None
        self.lives = 0
        self.shown_by = 0

    @abc.abstractmethod
    def tap(self, tap: AnyTap) -> AnyView: ...

    @abc.abstractmethod
    def stop(self) -> None: ...

    @abc.abstractmethod
    def hit(self, number: signal.Signals) -> int:
        """Send the screen a signal; the life that was hit."""

    def wait_next_life(self, after: int, timeout_s: float) -> AnyView | None:
        """The first view that a later life shows; None if there is none in time."""
        ends_at = time.monotonic() + timeout_s
        with self._changed:
            while self.shown_by <= after:
                if not self._changed.wait(max(0.0, ends_at - time.monotonic())):
                    return None
            return self._view

    def _shows(self, view: AnyView, life: int) -> None:
        with self._changed:
            self._view, self.shown_by = view, life
            self._changed.notify_all()
