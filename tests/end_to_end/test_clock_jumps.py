"""The wall clock of a whole agent jumps while somebody pays: nothing ends sooner or later for it, and nothing is lost."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk import views
from kiosk.domain.chain import Header
from kiosk.domain.receipt import Outcome
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.lobby_runs import finish, households, insert, leave, to_cash
from tests.end_to_end.parts import Lobby, lobby, program
from tests.end_to_end.robot import Robot
from tests.end_to_end.wrong_clocks import ShiftedClock

DAY_MS = 86_400_000


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    return ShiftedClock(tmp_path / "machine", has_rtc=True)


@pytest.fixture
def running(tmp_path: Path, clock: ShiftedClock) -> Iterator[Lobby]:
    def launch(name: str, *arguments: str) -> list[str]:
        return clock.launch(name, *arguments) if name == "kiosk" else program(name, *arguments)

    (tmp_path / "lobby").mkdir()
    with lobby(tmp_path / "lobby", speed=50, pace=1, launch=launch) as whole:
        whole.start_agent()
        yield whole


@pytest.mark.parametrize("plugged", [True, False], ids=["with the office", "after its last word"])
def test_jumps_a_year_ahead_and_to_1970_in_a_payment_change_neither_it_nor_its_slip(
    running: Lobby, clock: ShiftedClock, plugged: bool
) -> None:
    robot = Robot(running.socket)
    try:
        home = next(iter(households(running)))
        robot.wait(lambda view: bool(view.frame.local_time) and not view.frame.offline)
        to_cash(robot, home)
        insert(running, robot, 1000)
        if not plugged:
            running.cable.do("unplug")
        for shift_ms in (400 * DAY_MS, -56 * 365 * DAY_MS, 3 * DAY_MS):
            clock.shift_ms = shift_ms
            insert(running, robot, 500)
            assert isinstance(robot.view, views.InsertCashView)
        result = finish(robot)
        assert result.received == 2500
        if plugged:  # on a busy machine it may be accepted first
            robot.wait(lambda view: isinstance(view, views.ResultView) and view.outcome is Outcome.BOOKED)
        else:
            assert result.outcome is Outcome.ACCEPTED
        leave(robot)
    finally:
        robot.stop()
    until(lambda: "clock.step" in {head.kind for head in headers(running)}, "the jump is written down")
    heads = headers(running)
    steady = [head.wall_ms - head.mono_ms for head in heads if head.clock == "synced"]
    assert max(steady) - min(steady) < 2_000, "the office's time is counted on, whatever the machine's wall clock does"
    settled = next(head for head in heads if head.kind.startswith("payment.") and head.kind != "payment.opened")
    assert settled.clock == "synced"


def headers(running: Lobby) -> list[Header]:
    with JournalReader(running.journal) as reader:
        return [entry.header for entry in reader.entries(0, 10_000)]


def until(true: Callable[[], bool], what: str) -> None:
    ends_at = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends_at, what
        time.sleep(0.05)
