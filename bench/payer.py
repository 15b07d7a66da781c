"""Somebody who knows the way: from attract to any screen of a cash payment, as fast as the kiosk lets them."""

from collections.abc import Callable
from typing import NamedTuple

from bench.overhearing import Overhearing
from kiosk import taps, views
from tests.end_to_end.parts import Lobby

MOST_STEPS = 60
PREPAYMENT = "500"  # yuan


class Home(NamedTuple):
    """A dwelling of the demo estate."""

    building: str
    entrance: str
    room: str


def homes_of(lobby: Lobby) -> list[Home]:
    """Those of the project the kiosk was paired for."""
    codes = lobby.office.rows(
        "SELECT u.code FROM property_unit u JOIN property_project p ON p.id = u.project_id WHERE p.code = 'YG' ORDER BY u.code"
    )
    return [Home(*code.split("-")) for (code,) in codes if code.count("-") == 2]


def next_tap(view: views.AnyView, home: Home) -> taps.AnyTap | None:
    """What to touch to come one screen nearer to paying in cash, or from the result on to the end."""
    match view:
        case views.AttractView():
            return taps.StartTapped()
        case views.HomeView():
            return taps.TileChosen(tile="pay")
        case views.BuildingView(buildings=buildings):
            return taps.BuildingChosen(building=home.building) if home.building in buildings else taps.PageTurned(by=1)
        case views.EntranceView():
            return taps.EntranceChosen(entrance=home.entrance)
        case views.RoomView(digits=digits) if digits != home.room:
            return taps.KeyTapped(key=home.room[len(digits)])
        case views.VerifyView():
            return taps.HouseholdAnswered(right=True)
        case views.AmountView(typing=True, typed=typed) if typed != PREPAYMENT:  # nothing is owed
            return taps.KeyTapped(key=PREPAYMENT[len(typed)])
        case views.MethodView():
            return taps.TileChosen(tile="cash")
        case views.ReceiptView(state=views.ReceiptState.ASK):
            return taps.PrintAnswered(wanted=False)
        case views.RoomView() | views.BillListView() | views.AmountView() | views.ResultView() | views.ReceiptView():
            return taps.ContinueTapped()
        case _:
            return None  # waiting, inserting, saying goodbye: it goes on by itself or by notes


def go_on_to(kiosk: Overhearing, home: Home, wanted: Callable[[views.AnyView], bool]) -> views.AnyView:
    """Touch one's way to a wanted view, each touch on what is painted."""
    view, _ = kiosk.painted(lambda _view: True, since=kiosk.mark() - 1)
    for _ in range(MOST_STEPS):
        if wanted(view):
            return view
        mark, tap = kiosk.mark(), next_tap(view, home)
        if tap is not None:
            kiosk.tap(tap)
        view, _ = kiosk.painted(lambda _view: True, since=mark)
    raise AssertionError(f"the wanted view was not reached; on show: {view}")


def touch(kiosk: Overhearing, tap: taps.AnyTap, next_screen: type[views.View]) -> float:
    """Seconds from this tap until the next screen is painted."""
    mark = kiosk.mark()
    sent_at = kiosk.tap(tap)
    return kiosk.painted(lambda view: isinstance(view, next_screen), since=mark)[1] - sent_at


def leave(kiosk: Overhearing) -> None:
    """Cancel, back to attract."""
    touch(kiosk, taps.CancelTapped(), views.AttractView)
