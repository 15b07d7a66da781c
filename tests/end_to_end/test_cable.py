"""The cable between kiosk and office is pulled, lossy or cut off in the middle of a payment: accepted first, booked after, once."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kiosk import taps, views
from kiosk.domain.receipt import Outcome
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import finish, households, insert, leave, to_cash, touch, wait_until_all_is_uploaded
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot
from tests.end_to_end.visits import Household

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lobby]:
    with lobby(tmp_path_factory.mktemp("cable"), speed=50, pace=1) as whole:
        whole.start_agent()
        yield whole


@pytest.fixture
def robot(running: Lobby) -> Iterator[Robot]:
    robot = Robot(running.socket)
    yield robot
    robot.stop()


@pytest.fixture(scope="module")
def homes(running: Lobby) -> Iterator[Household]:
    return iter(households(running))


def test_a_payment_with_the_cable_pulled_is_accepted_first_and_booked_after_once(
    running: Lobby, robot: Robot, homes: Iterator[Household]
) -> None:
    to_cash(robot, next(homes))
    insert(running, robot, 1000)
    running.cable.do("unplug")
    insert(running, robot, 500)
    result = finish(robot)
    assert result.outcome is Outcome.ACCEPTED
    assert receipts(running, result.receipt_no) == []
    running.cable.do("plug")
    robot.wait(lambda view: isinstance(view, views.ResultView) and view.outcome is Outcome.BOOKED, PATIENCE_S)
    leave(robot)
    booked_once(running, result.receipt_no, 1500)


def test_a_whole_visit_without_the_office_pays_cached_bills_and_is_booked_after(
    running: Lobby, robot: Robot, homes: Iterator[Household]
) -> None:
    running.cable.do("unplug")
    running.cable.do("reset")  # so that no call first waits out its time on a line that stands still
    robot.wait(lambda view: view.frame.offline, PATIENCE_S)
    to_cash(robot, next(homes))
    insert(running, robot, 2000)
    result = finish(robot)
    assert result.outcome is Outcome.ACCEPTED
    leave(robot)
    running.cable.do("plug")
    booked_once(running, result.receipt_no, 2000)


def test_lost_answers_make_uploads_come_twice_and_bookings_once(
    running: Lobby, robot: Robot, homes: Iterator[Household]
) -> None:
    to_cash(robot, next(homes))
    insert(running, robot, 1000)
    mark = running.events.mark()
    running.cable.do("lose_answers", count=1000)  # until it is plugged in anew
    insert(running, robot, 100)
    result = finish(robot)
    assert result.outcome is Outcome.ACCEPTED
    leave(robot)
    until(lambda: lost_answers(running, mark) >= 4, "four answers were lost")
    running.cable.do("plug")
    booked_once(running, result.receipt_no, 1100)


def test_an_office_killed_between_its_commit_and_its_answer_books_once(
    running: Lobby, robot: Robot, homes: Iterator[Household]
) -> None:
    to_cash(robot, next(homes))
    insert(running, robot, 2000)
    wait_until_all_is_uploaded(running)
    running.cable.do("delay_ms", ms=3000)  # whatever the office answers from now on is still under way when it dies
    result = finish(robot)
    until(lambda: receipts(running, result.receipt_no) != [], "the office has committed the payment")
    running.office.kill()
    running.cable.do("reset")
    running.cable.do("delay_ms", ms=0)
    assert result.outcome is Outcome.ACCEPTED
    leave(robot)
    running.office.start()
    booked_once(running, result.receipt_no, 2000)


def test_an_agent_killed_before_it_hears_the_answer_sends_again_and_is_booked_once(
    running: Lobby, robot: Robot, homes: Iterator[Household]
) -> None:
    to_cash(robot, next(homes))
    insert(running, robot, 500)
    wait_until_all_is_uploaded(running)
    running.cable.do("delay_ms", ms=3000)
    result = finish(robot)
    until(lambda: receipts(running, result.receipt_no) != [], "the office has committed the payment")
    running.kill_agent()
    running.cable.do("plug")
    with JournalReader(running.journal) as reader:
        assert reader.cursor().ack_seq < reader.head()[0]
    running.start_agent()
    told = robot.wait_for(views.TroubleView)
    assert told.saying.values["receipt_no"] == result.receipt_no
    touch(robot, taps.ChoiceTapped(choice="trouble.ok"), lambda view: isinstance(view, views.AttractView))
    booked_once(running, result.receipt_no, 500)


def receipts(running: Lobby, receipt_no: str) -> list[tuple[Any, ...]]:
    return running.office.rows("SELECT state, amount_fen FROM payments_payment WHERE receipt_no = ?", receipt_no)


def lost_answers(running: Lobby, mark: int) -> int:
    return sum(event.get("why") == "answer_lost" for _, event in running.events.since(mark))


def booked_once(running: Lobby, receipt_no: str, amount_fen: int) -> None:
    """The office has it once, and the kiosk has heard so."""
    wait_until_all_is_uploaded(running)
    until(lambda: all_acknowledged(running), "the kiosk has heard that the office holds everything")
    assert receipts(running, receipt_no) == [("booked", amount_fen)]
    truth.check_all(running)
    with JournalReader(running.journal) as reader:
        held = running.office.rows("SELECT count(*), count(DISTINCT seq) FROM kiosks_rawevent WHERE journal_id = "
                                   "(SELECT id FROM kiosks_journal WHERE journal_id = ?)", reader.journal_id)  # fmt: skip
        assert held == [(reader.head()[0], reader.head()[0])]


def all_acknowledged(running: Lobby) -> bool:
    with JournalReader(running.journal) as reader:
        return reader.cursor().ack_seq == reader.head()[0]


def until(true: Callable[[], bool], what: str) -> None:
    ends_at, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not true():
        assert time.monotonic() < ends_at, f"never came true: {what}"
        pause.wait(0.02)
