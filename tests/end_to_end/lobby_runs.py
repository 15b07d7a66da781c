"""Steps that several end-to-end tests take in a lobby: from the first touch to the open slot, a payment, its end."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from kiosk import taps, views
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.parts import Lobby
from tests.end_to_end.robot import Robot
from tests.end_to_end.visits import Household

UPLOADED_WITHIN_S = 120.0
PATIENCE_S = 20.0
HEARD_WITHIN_S = 1.0
MOST_OFFERS = 5


def households(running: Lobby, project: str = "YG") -> list[Household]:
    """Every dwelling of the demo estate that is found by building, entrance and room."""
    codes = running.office.rows(
        "SELECT u.code FROM property_unit u JOIN property_project p ON p.id = u.project_id WHERE p.code = ? ORDER BY 1",
        project,
    )
    return [Household(*code.split("-")) for (code,) in codes if code.count("-") == 2]


def wait_until_all_is_uploaded(running: Lobby) -> None:
    ends_at = time.monotonic() + UPLOADED_WITHIN_S
    pause = threading.Event()
    while True:
        with JournalReader(running.journal) as reader:
            head = reader.head()[0]
            held = running.office.rows("SELECT posted_seq FROM kiosks_journal WHERE journal_id = ?", reader.journal_id)
        posted = held[0][0] if held else 0
        if posted == head:
            return
        assert time.monotonic() < ends_at, f"the office has folded {posted} of {head}"
        pause.wait(0.1)


def touch(robot: Any, tap: taps.AnyTap, wanted: Callable[[Any], bool]) -> Any:
    """Tap until it is heard: the view may change (a clock, a cable) just while the finger comes down."""
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        touched = robot.tap(tap)
        try:
            return robot.wait(_moved_on(type(touched), wanted), HEARD_WITHIN_S)
        except AssertionError:
            assert time.monotonic() < ends_at, f"{tap} is not heard on {touched}"


def _moved_on(kind: type[Any], wanted: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda view: not isinstance(view, kind) or wanted(view)


def _shows(kind: type[Any]) -> Callable[[Any], bool]:
    return lambda view: isinstance(view, kind)


def _typed(count: int) -> Callable[[Any], bool]:
    return lambda view: len(view.digits if isinstance(view, views.RoomView) else view.typed) == count


def to_cash(robot: Any, home: Household) -> views.InsertCashView:
    """From attract to the open slot, all bills picked."""
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods))
    touch(robot, taps.StartTapped(), _shows(views.HomeView))
    view = touch(robot, taps.TileChosen(tile="pay"), _shows(views.BuildingView))
    text = home.room
    if isinstance(view, views.TypedAddressView):  # just paired: the buildings are still on their way from the office
        text = f"{home.building}-{home.entrance}-{home.room}"
    else:
        touch(robot, taps.BuildingChosen(building=home.building), _shows(views.EntranceView))
        touch(robot, taps.EntranceChosen(entrance=home.entrance), _shows(views.RoomView))
    for count, key in enumerate(text, start=1):
        touch(robot, taps.KeyTapped(key=key), _typed(count))
    touch(robot, taps.ContinueTapped(), _shows(views.VerifyView))
    robot.wait_for(views.VerifyView)
    touch(robot, taps.HouseholdAnswered(right=True), _shows(views.WaitingView))
    view = robot.wait_for(views.BillListView, views.TroubleView)
    if isinstance(view, views.TroubleView):  # E23: somebody paid for this household a moment ago
        touch(robot, taps.ChoiceTapped(choice="trouble.pay_again"), _shows(views.BillListView))
    while not _from_the_bills_to_cash(robot):  # E22: what was paid a moment ago has been booked only now
        touch(robot, taps.ChoiceTapped(choice="trouble.see_bills"), _shows(views.BillListView))
    return slot_open(robot)


def _from_the_bills_to_cash(robot: Any) -> bool:
    """All bills, in cash; False when they have changed meanwhile."""
    view = touch(robot, taps.ContinueTapped(), _shows(views.AmountView))
    if view.typing:  # nothing is owed: a prepayment of 500 yuan
        for count, key in enumerate("500", start=1):
            view = touch(robot, taps.KeyTapped(key=key), _typed(count))
    touch(robot, taps.ContinueTapped(), _shows(views.MethodView))
    robot.wait(lambda view: isinstance(view, views.MethodView) and view.options[0].reason is None)
    touch(robot, taps.TileChosen(tile="cash"), lambda view: isinstance(view, views.InsertCashView | views.TroubleView))
    return not isinstance(robot.wait_for(views.InsertCashView, views.TroubleView), views.TroubleView)


def slot_open(robot: Any) -> views.InsertCashView:
    view = robot.wait(lambda view: isinstance(view, views.InsertCashView) and view.state is views.CashState.READY)
    assert isinstance(view, views.InsertCashView)
    return view


def insert(running: Lobby, robot: Any, face_fen: int) -> None:
    """Offer a note until it is counted; one that comes back, because the machine was too busy to decide in time, once more."""
    counted = slot_open(robot).counted
    for _ in range(MOST_OFFERS):
        mark = running.events.mark()
        offer(running, face_fen)
        ended = running.events.wait("stacked", "returned", since=mark)
        if ended["event"] == "stacked":
            robot.wait(lambda view: isinstance(view, views.InsertCashView) and view.counted == counted + face_fen)
            return
        assert ended["reason"] == "timeout", f"the kiosk gave a note back that it should have kept: {ended}"
    raise AssertionError(f"the note came back {MOST_OFFERS} times")


def offer(running: Lobby, face_fen: int) -> None:
    """Hold a note to the slot until the motor pulls it in, as a person does."""
    pause, ends_at = threading.Event(), time.monotonic() + 10
    while not running.insert(face_fen):
        assert time.monotonic() < ends_at, "the note is not pulled in"
        pause.wait(0.01)


def offer_until(running: Lobby, face_fen: int, stage: str) -> None:
    """Offer a note until its way has come to a stage; again, if it comes back because the machine was too busy to decide in time."""
    for _ in range(MOST_OFFERS):
        mark = running.events.mark()
        offer(running, face_fen)
        if running.events.wait(stage, "returned", since=mark)["event"] == stage:
            return
    raise AssertionError(f"the note came back {MOST_OFFERS} times")


def finish(robot: Any) -> views.ResultView:
    """完成, and the result; whoever shall have a slip goes on from there."""
    robot.wait(lambda view: isinstance(view, views.InsertCashView) and view.can_finish)
    touch(robot, taps.ContinueTapped(), _shows(views.ResultView))
    result = robot.wait_for(views.ResultView)
    assert isinstance(result, views.ResultView)
    return result


def leave(robot: Any) -> None:
    """From the result without a slip to attract."""
    touch(robot, taps.ContinueTapped(), _shows(views.ReceiptView))
    touch(robot, taps.PrintAnswered(wanted=False), _shows(views.DoneView))
    touch(robot, taps.ContinueTapped(), _shows(views.AttractView))


def cash_payment(running: Lobby, faces: Sequence[int]) -> None:
    """One whole payment by the first household that owes more than these notes."""
    robot = Robot(running.socket)
    try:
        for home in households(running):
            if to_cash_of_a_debtor(robot, home, more_than=sum(faces)):
                break
        for face in faces:
            insert(running, robot, face)
        finish(robot)
        leave(robot)
    finally:
        robot.stop()


def to_cash_of_a_debtor(robot: Any, home: Household, more_than: int) -> bool:
    """At the open slot with enough to pay; False, and back at attract, if the household owes less."""
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods))
    if to_cash(robot, home).due > more_than:
        return True
    touch(robot, taps.CancelTapped(), _shows(views.AttractView))
    return False
