"""Seeded random visits to whole lobbies: whatever people and devices do, every note has one record and all books agree.

Several lobbies run side by side, each with its own office, devices and kiosk; each failure names seed and visit. Chance
decides what happens, so a run goes on a little longer until everything that must happen has happened somewhere.
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, wait_until_all_is_uploaded
from tests.end_to_end.mischief import Odds
from tests.end_to_end.parts import lobby
from tests.end_to_end.robot import Robot
from tests.end_to_end.side_by_side import Begins, run_side_by_side
from tests.end_to_end.visits import Payer

LOBBIES = 5

# Each of these must have happened at least once in a run, or the run has shown nothing: after twice its visits it fails.
MUST_HAPPEN = (
    "note", "note given back", "surplus kept", "finish", "gives up", "cancel", "timeout", "held note times out",
    "jam entry", "jam path", "jam stacker", "cheat before_stack", "cheat after_stack", "cashbox removed", "bad line",
    "power cut at insert", "power cut at escrowed", "power cut at stacking", "power cut at credited", "power cut at stacked",
    "printer paper out", "printer cover open", "printer cutter jammed", "printer clone",
    "cable unplug", "cable unplug silently", "cable lose_answers", "cable reset", "cable delay_ms", "cable truncate",
    "cable status 500", "cable portal",
)  # fmt: skip


def run(tmp_path: Path, visits: int, odds: Odds = Odds()) -> Counter[str]:
    """At least so many visits in all; what happened in them. A lobby that is held up, by a dead cable say, has fewer of them."""
    tallies: list[Counter[str]] = []  # of each lobby; only that one writes into its own
    numbers = iter(range(1, 2 * visits + 1))

    def missing() -> list[str]:
        return [what for what in MUST_HAPPEN if not any(tally[what] for tally in tallies)]

    def share(folder: Path, seed: int, did: Counter[str], begins: Begins) -> None:
        with lobby(folder, speed=50, pace=200, seed=seed) as running:
            running.start_agent()
            robot = Robot(running.socket)
            payer = Payer(robot, running, random.Random(seed), households(running), odds)
            tallies.append(payer.did)
            try:
                for number in numbers:
                    if number > visits and not missing():
                        break
                    begins(payer.did["visits"] + 1)
                    payer.visit()
                payer.leave()
                wait_until_all_is_uploaded(running)
                records = truth.check_all(running)
                truth.check_told(records, robot.numbers)
            finally:
                robot.stop()
                did.update(payer.did)
            did.update(f"{note.fate} {note.lost_by}".rstrip() for note in records.notes)

    did = run_side_by_side(tmp_path, LOBBIES, share)
    assert not missing(), f"never happened: {missing()}"
    return did


@pytest.mark.timeout(900)
def test_a_hundred_and_fifty_random_visits_leave_every_book_true(tmp_path: Path) -> None:
    assert run(tmp_path, 150, Odds(cable=0.025))["visits"] >= 150


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_random_visits_leave_every_book_true(tmp_path: Path) -> None:
    assert run(tmp_path, 2000)["visits"] >= 2000


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_four_hundred_random_visits_with_the_agent_killed_among_everything_else(tmp_path: Path) -> None:
    did = run(tmp_path, 400, Odds(kill=0.06, cable=0.005))
    assert did["agent killed"] > 20
