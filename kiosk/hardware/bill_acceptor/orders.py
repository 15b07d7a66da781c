"""What the payment thread wants from an acceptor's thread; the only thing the two share."""

import threading
from collections.abc import Callable
from enum import StrEnum

from kiosk.clock import Clock
from kiosk.domain.money import Fen

LEASE_S = 2.0  # the host's own promise, not a device time: --speed does not shorten it
NO_FACES: frozenset[Fen] = frozenset()


class Decision(StrEnum):
    """What is to become of the note in escrow."""

    ACCEPT = "accept"
    RETURN = "return"


class Orders:
    """A mailbox of wishes, newest wins. The upper half is called by anyone, the lower half by the driver's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._news = False
        self._faces = NO_FACES
        self._lease_until = 0.0
        self._lapsed = False
        self._decision: Decision | None = None
        self._acknowledged: set[int] = set()
        self._counters_asked = False
        self._answer_owed = False
        self.stopping = False

    def enable(self, faces: frozenset[Fen]) -> None:
        def change() -> None:
            self._answer_owed |= faces != self._faces
            self._faces, self._lease_until, self._lapsed = faces, self._clock.monotonic() + LEASE_S, False

        self._change(change)

    def disable(self) -> None:
        def change() -> None:
            self._faces, self._lapsed, self._answer_owed = NO_FACES, False, True

        self._change(change)

    def decide(self, decision: Decision) -> None:
        def change() -> None:
            self._decision = decision

        self._change(change)

    def acknowledge(self, event_no: int) -> None:
        self._change(lambda: self._acknowledged.add(event_no))

    def ask_counters(self) -> None:
        def change() -> None:
            self._counters_asked = True

        self._change(change)

    def stop(self) -> None:
        def change() -> None:
            self.stopping = True

        self._change(change)

    # --- the driver's side

    def wanted_faces(self) -> frozenset[Fen]:
        """The faces to take now; empty without a valid lease."""
        with self._changed:
            if self._faces and self._clock.monotonic() >= self._lease_until:
                self._faces, self._lapsed, self._answer_owed = NO_FACES, True, True
            return self._faces

    @property
    def lease_lapsed(self) -> bool:
        """Whether nothing is wanted because nobody renewed the lease."""
        with self._changed:
            return self._lapsed

    def owes_answer(self) -> bool:
        """Whether enable() or disable() still waits for its event, even if the device needs no change."""
        with self._changed:
            return self._answer_owed

    def answered(self) -> None:
        with self._changed:
            self._answer_owed = False

    def decision(self) -> Decision | None:
        with self._changed:
            return self._decision

    def forget_decision(self) -> None:
        """A decision is about one note: it ends with it."""
        with self._changed:
            self._decision = None

    def take_counters_asked(self) -> bool:
        with self._changed:
            asked, self._counters_asked = self._counters_asked, False
            return asked

    def wait(self, until: float) -> None:
        """Sleep until the clock says ``until``, the lease ends, or something is ordered."""
        with self._changed:
            now = self._clock.monotonic()
            if self._faces and self._lease_until > now:
                until = min(until, self._lease_until)
            self._changed.wait_for(lambda: self._news, timeout=max(0.0, until - now))
            self._news = False

    def wait_acknowledged(self, event_no: int) -> bool:
        """Sleep until the event is on disk, however long that takes; False if the driver is to stop instead."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopping or event_no in self._acknowledged)
            if event_no not in self._acknowledged:
                return False
            self._acknowledged.discard(event_no)
            return True

    def _change(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._news = True
            self._changed.notify_all()
