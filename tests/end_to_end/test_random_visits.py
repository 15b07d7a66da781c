"""Seeded random visits to whole lobbies: whatever people and devices do, every note has one record and all books agree.

Several lobbies run side by side, each with its own office, devices and kiosk; each failure names seed and visit.
"""

import os
import random
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, wait_until_all_is_uploaded
from tests.end_to_end.mischief import Odds
from tests.end_to_end.parts import lobby
from tests.end_to_end.robot import Robot
from tests.end_to_end.visits import Payer

LOBBIES = 4
SEED = int(os.environ.get("MENTING_SEED", "20261125"))

# Each of these must have happened at least once in a run, or the run has shown nothing.
MUST_HAPPEN = (
    "note", "note given back", "surplus kept", "finish", "gives up", "cancel", "timeout", "held note times out",
    "jam entry", "jam path", "jam stacker", "cheat before_stack", "cheat after_stack", "cashbox removed", "bad line",
    "power cut at insert", "power cut at escrowed", "power cut at stacking", "power cut at credited", "power cut at stacked",
    "printer paper out", "printer cover open", "printer cutter jammed", "printer clone",
    "cable unplug", "cable unplug silently", "cable lose_answers", "cable reset", "cable delay_ms", "cable truncate",
    "cable status 500", "cable portal",
)  # fmt: skip


def run_lobby(folder: Path, seed: int, visits: int, odds: Odds, did: Counter[str], failures: list[str]) -> None:
    """One lobby's share; what went wrong goes into ``failures``, for a thread can't fail a test."""
    number = 0  # of the visit that failed
    try:
        with lobby(folder, speed=50, pace=200, seed=seed) as running:
            running.start_agent()
            robot = Robot(running.socket)
            payer = Payer(robot, running, random.Random(seed), households(running), odds)
            try:
                for number in range(1, visits + 1):  # noqa: B007
                    payer.visit()
                payer.leave()
                wait_until_all_is_uploaded(running)
                records = truth.check_all(running)
            finally:
                robot.stop()
                did.update(payer.did)
            for note in records.notes:
                did[f"{note.fate} {note.lost_by}".rstrip()] += 1
    except Exception as error:  # noqa: BLE001 - reported with its seed by the test itself
        where = traceback.format_exception(error)[-3:]
        failures.append(
            f"MENTING_SEED={SEED} lobby seed {seed}, visit {number} of {visits}, in {folder}: {''.join(where)}"
        )


def run(tmp_path: Path, visits: int, odds: Odds = Odds()) -> Counter[str]:
    did: Counter[str] = Counter()
    failures: list[str] = []
    threads = []
    began = time.monotonic()
    for number in range(LOBBIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        share = visits // LOBBIES
        threads.append(threading.Thread(target=run_lobby, args=(folder, SEED + number, share, odds, did, failures)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ", ".join(f"{what}: {count}" for what, count in sorted(did.items()))
    print(f"seeds {SEED}..{SEED + LOBBIES - 1}, {time.monotonic() - began:.0f} s: {counts}")
    assert not failures, "\n".join(failures)
    missing = [what for what in MUST_HAPPEN if not did[what]]
    assert not missing, f"never happened: {missing}"
    return did


@pytest.mark.timeout(900)
def test_five_hundred_random_visits_leave_every_book_true(tmp_path: Path) -> None:
    assert run(tmp_path, 500)["visits"] == 500


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_random_visits_leave_every_book_true(tmp_path: Path) -> None:
    assert run(tmp_path, 2000)["visits"] == 2000


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_four_hundred_random_visits_with_the_agent_killed_among_everything_else(tmp_path: Path) -> None:
    did = run(tmp_path, 400, Odds(kill=0.06, cable=0.005))
    assert did["agent killed"] > 20
