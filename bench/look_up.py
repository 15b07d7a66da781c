"""From the touch that confirms a room to the household on the glass, and from 是 to the bills on the glass."""

from bench.figures import Figure, percentile
from bench.kiosk_at_work import a_lobby, at_work
from bench.payer import go_on_to, homes_of, leave, touch
from kiosk import taps, views

VISITS = 60


def measure() -> list[Figure]:
    """A real agent, screen and office; the office is reached through the simulated cable on loopback."""
    with a_lobby() as lobby, at_work(lobby) as kiosk:
        homes = homes_of(lobby)
        households, bills = [], []
        for number in range(1 + VISITS):
            home = homes[number % len(homes)]
            go_on_to(
                kiosk.link, home, lambda view, home=home: isinstance(view, views.RoomView) and view.digits == home.room
            )
            households.append(touch(kiosk.link, taps.ContinueTapped(), views.VerifyView))
            bills.append(touch(kiosk.link, taps.HouseholdAnswered(right=True), views.BillListView))
            leave(kiosk.link)
    how = f"p95 of {VISITS} visits, by the screen's Painted (1080 × 1920, at most 60 frames a second)"
    return [
        Figure(name="room confirmed to household painted", value=_p95_ms(households), unit="ms", goal=300, how=how),
        Figure(name="household confirmed to bills painted", value=_p95_ms(bills), unit="ms", goal=300),
    ]


def _p95_ms(times: list[float]) -> float:
    """Without the first visit, in which connections are made."""
    return percentile(times[1:], 95) * 1000
