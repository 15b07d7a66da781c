"""Screens hit by SIGKILL and SIGSTOP at random instants of random visits, in several lobbies side by side.

A hit is counted as gone on when a new screen shows the same view within five seconds. A failure names seed and hit.
"""

import os
import random
import signal
import statistics
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kiosk import views
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, wait_until_all_is_uploaded
from tests.end_to_end.mischief import Deck, Odds
from tests.end_to_end.mortal_screen import MortalScreen
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.visits import Payer

SEED = int(os.environ.get("MENTING_SEED", "20261125"))
ON_WITHIN_S = 5.0
BACK_WITHIN_S = 20.0
MOST_STEPS = 24
ALL_WELL = Odds(jam=0, cheat=0, box_out=0, power=0, line=0, printer=0, cable=0, timeout=0, cancel=0, held_timeout=0)

# Views that change by themselves: after them any other is the same visit going on.
PASSING = {"waiting": None, "done": {"done", "attract"}}


def kind_of(view: views.AnyView) -> str:
    return str(view.__struct_config__.tag)


class Tally:
    """What all lobbies of a run did; each adds to it from its own thread."""

    def __init__(self) -> None:
        self.did: Counter[str] = Counter()
        self.took_s: dict[str, list[float]] = {}
        self.odd: list[str] = []
        self.failures: list[str] = []
        self._lock = threading.Lock()

    def count(
        self, number: signal.Signals, before: views.AnyView, after: views.AnyView, *, held: bool, took_s: float
    ) -> None:
        """One hit: ``before`` and ``after`` are what the old and the new screen showed."""
        was, now = kind_of(before), kind_of(after)
        allowed = PASSING.get(was, {was})
        went_on = took_s <= ON_WITHIN_S and (allowed is None or now in allowed)
        with self._lock:
            self.did[number.name] += 1
            self.took_s.setdefault(number.name, []).append(took_s)
            self.did["with a note held" if held else "no note held"] += 1
            if held:
                return
            if went_on:
                self.did["went on"] += 1
            else:
                self.odd.append(f"{number.name} on {was}: {now} after {took_s:.1f} s")

    def __str__(self) -> str:
        counts = ", ".join(f"{what}: {count}" for what, count in sorted(self.did.items()))
        times = ", ".join(
            f"{name} {statistics.median(took):.1f} s, at most {max(took):.1f} s"
            for name, took in sorted(self.took_s.items())
        )
        return f"{counts}; painted again after a median of: {times}; otherwise: {self.odd}"


class Hitter:
    """One lobby whose screen is hit again and again."""

    def __init__(self, running: Lobby, screen: MortalScreen, seed: int, tally: Tally) -> None:
        self.lobby, self.screen, self.tally, self.chance = running, screen, tally, random.Random(seed)
        self.signals = Deck(self.chance, (signal.SIGKILL, signal.SIGSTOP))
        self.steps = Deck(self.chance, range(MOST_STEPS))
        self.payer = Payer(screen, running, random.Random(seed), households(running), ALL_WELL)

    def hit_once(self) -> None:
        """Some steps into a visit, hit the screen; then take the visit to its end."""
        view = self.payer.start()
        for _ in range(self.steps.deal()):
            view = self.payer.step(view)
            if isinstance(view, views.AttractView):
                view = self.payer.start()
        threading.Event().wait(self.chance.uniform(0.0, 0.05))  # any instant will do: nothing is being waited for
        before = self.screen.view
        assert before is not None
        number = self.signals.deal()
        held = self.lobby.acceptor.do("ledger")["path"] is not None
        at = time.monotonic()
        life = self.screen.hit(number)
        after = self.screen.wait_next_life(life, BACK_WITHIN_S)
        took_s = time.monotonic() - at
        assert after is not None, f"no screen within {BACK_WITHIN_S} s after {number.name} on {before}"
        self.tally.count(number, before, after, held=held, took_s=took_s)
        self.payer.go_on(after)


# Starts agent and screen in a lobby; the screen.
Start = Callable[[Lobby], MortalScreen]


def run(tmp_path: Path, start: Start, *, lobbies: int, hits: int) -> Counter[str]:
    """Hit screens ``hits`` times in all; fails unless the truth holds and 95 % of the visits without a held note went on."""
    tally = Tally()
    began = time.monotonic()
    threads = [
        threading.Thread(target=_run_lobby, args=(tmp_path / str(number), start, SEED + number, hits // lobbies, tally))
        for number in range(lobbies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"seeds {SEED}..{SEED + lobbies - 1}, {time.monotonic() - began:.0f} s: {tally}")
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.did["went on"] >= 0.95 * tally.did["no note held"], tally.odd
    return tally.did


def _run_lobby(folder: Path, start: Start, seed: int, hits: int, tally: Tally) -> None:
    number = 0
    try:
        folder.mkdir()
        with lobby(folder, speed=20, pace=1, seed=seed) as running:
            screen = start(running)
            try:
                hitter = Hitter(running, screen, seed, tally)
                for number in range(1, hits + 1):  # noqa: B007 - named in a failure
                    hitter.hit_once()
                    truth.check_kiosk(running)
                wait_until_all_is_uploaded(running)
                truth.check_all(running)
            finally:
                screen.stop()
    except Exception as error:  # noqa: BLE001 - reported with its seed by the test itself
        where = "".join(traceback.format_exception(error)[-3:])
        tally.failures.append(f"MENTING_SEED={SEED} lobby seed {seed}, hit {number} of {hits}, in {folder}: {where}")
