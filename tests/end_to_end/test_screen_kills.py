"""SIGKILL and SIGSTOP of the screen at random instants: the visit goes on, and a note that was held went back.

The screens are robots in processes of their own, watched and started again as ``kiosk run`` does it; a real Kivy screen under the
same treatment is in test_real_screen_kills.py. A failure names seed and hit.
"""

import os
import random
import signal
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from kiosk import views
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, wait_until_all_is_uploaded
from tests.end_to_end.mischief import Deck, Odds
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot_process import RobotScreen
from tests.end_to_end.visits import Payer

SEED = int(os.environ.get("MENTING_SEED", "20261125"))
LOBBIES = 4
ON_WITHIN_S = 5.0
BACK_WITHIN_S = 20.0
MOST_STEPS = 24
ALL_WELL = Odds(jam=0, cheat=0, box_out=0, power=0, line=0, printer=0, cable=0, timeout=0, cancel=0, held_timeout=0)

# Views that change by themselves: after them any other is the same visit going on.
PASSING = {"waiting": None, "done": {"done", "attract"}}


class Hitter:
    """One lobby whose screen is hit again and again."""

    def __init__(self, running: Lobby, seed: int) -> None:
        self.lobby, self.chance = running, random.Random(seed)
        self.signals = Deck(self.chance, (signal.SIGKILL, signal.SIGSTOP))
        self.steps = Deck(self.chance, range(MOST_STEPS))
        self.did: Counter[str] = Counter()
        self.odd: list[str] = []
        self.robot = RobotScreen(running.socket)
        self.payer = Payer(self.robot, running, random.Random(seed), households(running), ALL_WELL)

    def hit_once(self) -> None:
        """Some steps into a visit, hit the screen; then take the visit to its end."""
        view = self.payer.start()
        for _ in range(self.steps.deal()):
            view = self.payer.step(view)
            if isinstance(view, views.AttractView):
                view = self.payer.start()
        threading.Event().wait(self.chance.uniform(0.0, 0.05))  # any instant will do: nothing is being waited for
        before = self.robot.view
        assert before is not None
        number = self.signals.deal()
        held = self.lobby.acceptor.do("ledger")["path"] is not None
        at = time.monotonic()
        life = self.robot.hit(number)
        after = self.robot.wait_next_life(life, BACK_WITHIN_S)
        took_s = time.monotonic() - at
        assert after is not None, f"no screen within {BACK_WITHIN_S} s after {number.name} on {before}"
        self._count(number, before, after, held=held, took_s=took_s)
        self.payer.go_on(after)

    def _count(
        self, number: signal.Signals, before: views.AnyView, after: views.AnyView, *, held: bool, took_s: float
    ) -> None:
        self.did[number.name] += 1
        if held:
            self.did["with a note held"] += 1
            return
        self.did["no note held"] += 1
        was, now = kind_of(before), kind_of(after)
        allowed = PASSING.get(was, {was})
        if took_s <= ON_WITHIN_S and (allowed is None or now in allowed):
            self.did["went on"] += 1
        else:
            self.odd.append(f"{number.name} on {was}: {now} after {took_s:.1f} s")


def kind_of(view: views.AnyView) -> str:
    return str(view.__struct_config__.tag)


def run_lobby(folder: Path, seed: int, hits: int, did: Counter[str], odd: list[str], failures: list[str]) -> None:
    number = 0
    try:
        with lobby(folder, speed=20, pace=1, seed=seed) as running:
            running.start_agent()
            hitter = Hitter(running, seed)
            try:
                for number in range(1, hits + 1):  # noqa: B007 - named in a failure
                    hitter.hit_once()
                    truth.check_kiosk(running)
                wait_until_all_is_uploaded(running)
                truth.check_all(running)
            finally:
                hitter.robot.stop()
                did.update(hitter.did)
                odd += hitter.odd
    except Exception as error:  # noqa: BLE001 - reported with its seed by the test itself
        where = "".join(traceback.format_exception(error)[-3:])
        failures.append(f"MENTING_SEED={SEED} lobby seed {seed}, hit {number} of {hits}, in {folder}: {where}")


def run(tmp_path: Path, hits: int) -> Counter[str]:
    did: Counter[str] = Counter()
    odd: list[str] = []
    failures: list[str] = []
    threads = []
    began = time.monotonic()
    for number in range(LOBBIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments = (folder, SEED + number, hits // LOBBIES, did, odd, failures)
        threads.append(threading.Thread(target=run_lobby, args=arguments))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ", ".join(f"{what}: {count}" for what, count in sorted(did.items()))
    print(f"seeds {SEED}..{SEED + LOBBIES - 1}, {time.monotonic() - began:.0f} s: {counts}; otherwise: {odd}")
    assert not failures, "\n".join(failures)
    assert did["went on"] >= 0.95 * did["no note held"], odd
    return did


@pytest.mark.timeout(300)
def test_the_visit_goes_on_after_a_dozen_kills_and_a_dozen_freezes_of_the_screen(tmp_path: Path) -> None:
    did = run(tmp_path, 24)
    assert did["SIGKILL"] == did["SIGSTOP"] == 12


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_visit_goes_on_after_a_hundred_kills_and_a_hundred_freezes_of_the_screen(tmp_path: Path) -> None:
    did = run(tmp_path, 200)
    assert did["SIGKILL"] == did["SIGSTOP"] == 100
