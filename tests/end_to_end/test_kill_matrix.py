"""SIGKILL of agent and office and power cuts of the acceptor, at every step, in every combination: no fen is lost or invented.

Agent and office halt at the step (halting.py), so that each cell of the matrix is really hit; after each kill every note has one
record and every payment one end that somebody was told, and at the end the office's books agree. A failure names seed and kill.
"""

import random
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end import truth
from tests.end_to_end.halts import Halts
from tests.end_to_end.kill_matrix import CELLS, STEPS, VICTIMS, Cell, KillMatrix, every_step_and_every_victim, table
from tests.end_to_end.lobby_runs import wait_until_all_is_uploaded
from tests.end_to_end.parts import lobby
from tests.end_to_end.side_by_side import SEED, Begins, run_side_by_side

SPEED = 20
SHARE = 14
TIMES_EACH = 6


def run(tmp_path: Path, cells: list[Cell], lobbies: int) -> Counter[str]:
    def share(folder: Path, seed: int, did: Counter[str], begins: Begins) -> None:
        with (
            closing(Halts(folder / "halts.sock")) as halts,
            lobby(folder, speed=SPEED, pace=1, seed=seed, launch=halts.launch) as running,
        ):
            running.start_agent()
            matrix = KillMatrix(running, halts, seed, did)
            try:
                for number, cell in enumerate(cells[seed - SEED :: lobbies], start=1):
                    begins(number)
                    matrix.hit(cell)
                wait_until_all_is_uploaded(running)
                records = truth.check_all(running)
            finally:
                halts.release()
                matrix.robot.stop()
            did.update(f"notes {note.fate} {note.lost_by}".rstrip() for note in records.notes)

    did = run_side_by_side(tmp_path, lobbies, share)
    print(table(did))
    return did


@pytest.mark.timeout(300)
def test_a_share_of_the_kill_matrix_with_every_step_and_every_victim_loses_and_invents_nothing(tmp_path: Path) -> None:
    cells = every_step_and_every_victim(random.Random(SEED), SHARE)
    did = run(tmp_path, cells, lobbies=2)
    assert all(did[str(cell)] for cell in cells)
    assert {cell.step for cell in cells} == set(STEPS)
    assert {cell.victims for cell in cells} == set(VICTIMS)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_whole_kill_matrix_loses_and_invents_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    cells = [cell for _ in range(TIMES_EACH) for cell in chance.sample(CELLS, len(CELLS))]
    did = run(tmp_path, cells, lobbies=4)
    never = [str(cell) for cell in CELLS if not did[str(cell)]]
    assert not never, f"never hit: {never}"
    assert did["kills"] >= 500
    assert did["between intent and outcome"] >= 50, did
