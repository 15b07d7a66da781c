"""A kiosk with 100,000 unsent entries: how soon it can be paid again after a restart, and how notes fare while the backlog drains."""

import os
import threading
import time

from bench import long_journal
from bench.figures import Figure, percentile
from bench.kiosk_at_work import KioskAtWork, a_lobby, at_work
from bench.money_path import SPEED, insert, tapped, times
from bench.payer import go_on_to, homes_of
from kiosk import views
from kiosk.clock import SystemClock
from kiosk.offline_queue.journal import Journal
from kiosk.views import InsertCashView
from tests.end_to_end.parts import Lobby
from tests.end_to_end.robot import Robot

ENTRIES = int(os.environ.get("MENTING_BENCH_ENTRIES", "100000"))
NOTES = 20  # as many as are in before the backlog has drained
DRAINS_WITHIN_S = 60.0
LOOK_S = 0.05


def measure() -> list[Figure]:
    with a_lobby(speed=SPEED) as lobby, tapped(lobby) as tap:
        _seconds_until_payable(lobby)  # pairs with the estate and fills the cache
        journal = Journal.open(lobby.journal, SystemClock())
        long_journal.fill(journal, long_journal.units_of(lobby.office), ENTRIES)
        journal.close()
        lobby.cable.do("unplug")
        restart_s = _seconds_until_payable(lobby)
        with at_work(lobby) as kiosk:
            quiet = len(tap.heard())
            painted = _notes_while_draining(kiosk)
            decided, late, shown = times(tap.heard()[quiet:], painted)
    how = f"p99 of {NOTES} notes while {ENTRIES:,} entries drain, device at {SPEED}x"
    return [
        Figure(name=f"restart to payable with {ENTRIES:,} unsent", value=restart_s, unit="s", goal=5),
        Figure(
            name="escrow to accept while draining",
            value=percentile(decided, 99) * 1000,
            unit="ms",
            goal=20,
            how=f"{how}; the intent's commit is in it",
        ),
        Figure(name="latest poll while draining", value=max(late) * 1000, unit="ms", goal=100),
        Figure(
            name="credit to amount painted while draining",
            value=percentile(shown, 99) * 1000,
            unit="ms",
            goal=100,
            how=how,
        ),
    ]


def _seconds_until_payable(lobby: Lobby) -> float:
    began = time.monotonic()
    agent, robot = lobby.start_agent(), Robot(lobby.socket)
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), timeout_s=60)
    took_s = time.monotonic() - began
    robot.stop()
    agent.stop()
    return took_s


def _notes_while_draining(kiosk: KioskAtWork) -> list[float]:
    go_on_to(kiosk.link, homes_of(kiosk.lobby)[0], lambda view: isinstance(view, InsertCashView))
    before = _held(kiosk.lobby)
    kiosk.lobby.cable.do("plug")
    pause, ends_at = threading.Event(), time.monotonic() + DRAINS_WITHIN_S
    while _held(kiosk.lobby) == before:
        assert time.monotonic() < ends_at, "the backlog does not drain"
        pause.wait(LOOK_S)
    painted = insert(kiosk, NOTES)
    assert _held(kiosk.lobby) < ENTRIES, "the backlog had drained before all notes were in; take more entries"
    return painted


def _held(lobby: Lobby) -> int:
    """How many of the kiosk's entries the office holds."""
    return int(lobby.office.rows("SELECT coalesce(max(high_seq), 0) FROM kiosks_journal")[0][0])
