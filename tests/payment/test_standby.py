"""What ends the wait for a journal: a stop, a part that died, and nothing else."""

import queue
from typing import Any

import pytest

from kiosk.clock import SystemClock
from kiosk.payment import standby
from kiosk.payment.cashier import Ending, PartDied, Stop
from kiosk.payment.standby import Standby
from kiosk.payment.state import Numbers, State


class Glass:
    """A screen that keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def show(self, view: Any) -> None:
        self.shown.append(view)


def waiting(*events: Any) -> tuple[Standby, Glass]:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for event in events:
        inbox.put(event)
    glass = Glass()
    state = State(numbers=Numbers(kiosk_code=""))
    return Standby(state, inbox, glass, SystemClock(), lambda code, detail: None), glass  # type: ignore[arg-type]


def test_a_stop_ends_it_at_once_and_on_purpose() -> None:
    waits, glass = waiting(Stop())
    assert waits.wait("journal.damaged", "a page") is Ending.STOPPED
    assert glass.shown[-1].frame.code == "E80"


def test_a_part_that_died_makes_way_for_a_new_process_but_not_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd gives up a service that ends many times in a few minutes."""
    monkeypatch.setattr(standby, "RETRY_S", 0.05)
    waits, _ = waiting(PartDied())
    assert waits.wait("journal.damaged", "a page") is None
    assert waits.lacks_a_part
    monkeypatch.setattr(standby, "PART_DIED_AFTER_S", 0.0)
    assert waits.wait("journal.damaged", "a page") is Ending.PART_DIED
