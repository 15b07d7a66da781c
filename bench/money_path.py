"""Notes with the cable unplugged: from escrow to the accept, from the credit to the painted amount, and how punctual polls are.

Everything is seen from outside: the frames between driver and device, and what the screen reports as painted.
"""

import contextlib
import itertools
from collections.abc import Iterator, Sequence

from bench.figures import Figure, percentile
from bench.kiosk_at_work import KioskAtWork, a_lobby, at_work
from bench.payer import Home, go_on_to, homes_of, leave
from bench.wire_tap import Heard, WireTap
from kiosk import taps, views
from kiosk.hardware.bill_acceptor.ssp.frames import Command, Happened
from kiosk.hardware.bill_acceptor.ssp.session import POLL_ENABLED_S
from kiosk.views import CashState, InsertCashView
from tests.end_to_end.parts import Lobby

SPEED = 5  # of the device; a note takes half a second then
PAYMENTS = 3
NOTES = 50  # a payment; a visit takes 60 at most
FACE_FEN = 100
INTERVAL_S = POLL_ENABLED_S / SPEED


def measure() -> list[Figure]:
    with a_lobby(speed=SPEED) as lobby, tapped(lobby) as tap, at_work(lobby) as kiosk:
        homes = _who_owe(kiosk)  # asked while the office is there, so the cache is filled too
        lobby.cable.do("unplug")
        painted = [at for home in homes for at in _one_payment(kiosk, home)]
        heard = tap.heard()
    how = f"p99 of {len(painted)} notes, device at {SPEED}x, cable unplugged; on the wire"
    decided, late, shown = times(heard, painted)
    return [
        Figure(
            name="escrow reported to accept ordered",
            value=percentile(decided, 99) * 1000,
            unit="ms",
            goal=50,
            how=f"{how}: the answer that reports it to the poll that accepts; the intent is committed in between",
        ),
        Figure(
            name="poll after its due time, latest",
            value=max(late) * 1000,
            unit="ms",
            goal=100,
            how=f"the latest of {len(late)} polls while notes are taken, {INTERVAL_S * 1000:.0f} ms after the last answer being due",
        ),
        Figure(
            name="credit reported to amount painted",
            value=percentile(shown, 99) * 1000,
            unit="ms",
            goal=100,
            how=f"{how} to the screen's Painted; the poll interval comes before it",
        ),
    ]


@contextlib.contextmanager
def tapped(lobby: Lobby) -> Iterator[WireTap]:
    """The acceptor's line runs through the bench from now on; the agent must be started after this."""
    end = lobby.folder / "tapped"
    tap = WireTap(lobby.folder / "acceptor", end)
    lobby.settings.write_text(lobby.settings.read_text().replace(f'"{lobby.folder}/acceptor"', f'"{end}"'))
    try:
        yield tap
    finally:
        tap.stop()


def _who_owe(kiosk: KioskAtWork) -> list[Home]:
    """Households that owe more than one payment's notes."""
    owing = []
    for home in homes_of(kiosk.lobby):
        bills = go_on_to(kiosk.link, home, lambda view: isinstance(view, views.BillListView))
        if isinstance(bills, views.BillListView) and bills.picked_total > NOTES * FACE_FEN:
            owing.append(home)
        leave(kiosk.link)
        if len(owing) == PAYMENTS:
            break
    return owing


def _one_payment(kiosk: KioskAtWork, home: Home) -> list[float]:
    """When each credited amount was on the glass."""
    go_on_to(kiosk.link, home, lambda view: isinstance(view, InsertCashView))
    painted = insert(kiosk, NOTES)
    kiosk.link.tap(taps.ContinueTapped())
    go_on_to(kiosk.link, home, lambda view: isinstance(view, views.AttractView))
    return painted


def insert(kiosk: KioskAtWork, notes: int) -> list[float]:
    """Notes one after the other into an open slot; when each amount was on the glass."""
    painted = []
    for number in range(1, notes + 1):
        kiosk.link.painted(_ready, since=kiosk.link.mark() - 1)
        mark, events = kiosk.link.mark(), kiosk.lobby.events.mark()
        answer = kiosk.lobby.acceptor.do("insert", face_fen=FACE_FEN)
        assert "error" not in answer, answer
        painted.append(kiosk.link.painted(lambda view, number=number: _counted(view, number), since=mark)[1])
        kiosk.lobby.events.wait("stacked", since=events)
    kiosk.link.painted(_ready, since=kiosk.link.mark() - 1)
    return painted


def _ready(view: views.AnyView) -> bool:
    return isinstance(view, InsertCashView) and view.state is CashState.READY


def _counted(view: views.AnyView, notes: int) -> bool:
    return isinstance(view, InsertCashView) and view.counted == notes * FACE_FEN


def times(heard: Sequence[Heard], painted: Sequence[float]) -> tuple[list[float], list[float], list[float]]:
    """In seconds: from each escrow to its accept, by how much each poll was late, from each credit to its amount on the glass."""
    decided = [_next_poll_after(heard, place) - heard[place].at for place in _places(heard, Happened.READ)]
    credited = [heard[place].at for place in _places(heard, Happened.CREDIT)]
    assert len(decided) == len(credited) == len(painted), (len(decided), len(credited), len(painted))
    shown = [after - before for before, after in zip(credited, painted, strict=True)]
    return decided, lateness(heard), shown


def _places(heard: Sequence[Heard], code: Happened) -> list[int]:
    """Where this event is told, once per run of answers that tell it."""
    places, told_before = [], False
    for place, frame in enumerate(heard):
        if not frame.from_host:
            told = frame.tells(code)
            if told and not told_before:
                places.append(place)
            told_before = told
    return places


def _next_poll_after(heard: Sequence[Heard], place: int) -> float:
    frame = heard[place + 1]
    assert frame.is_poll, f"escrow was answered with {frame.data.hex(' ')}"
    return frame.at


def lateness(heard: Sequence[Heard]) -> list[float]:
    """Seconds by which each poll came late, from ENABLE to DISABLE; an accept is a decision and no poll of the clock."""
    late, due, enabled, escrow = [], None, False, False
    for before, frame in itertools.pairwise(heard):
        if frame.from_host and frame.data[0] in (Command.ENABLE, Command.DISABLE):
            enabled, due = frame.data[0] == Command.ENABLE, None
        elif frame.is_poll:
            if enabled and due is not None and not escrow:
                late.append(max(0.0, frame.at - due))
        elif before.is_poll:
            due = frame.at + INTERVAL_S
            escrow = frame.tells(Happened.READ)
    return late
