"""SIGKILL and SIGSTOP of robot screens: the visit goes on, and a note that was held went back.

Robots are processes started again as ``kiosk run`` does it; real Kivy screens fare the same in test_real_screen_kills.py.
"""

from pathlib import Path

import pytest

from tests.end_to_end.mortal_screen import MortalScreen
from tests.end_to_end.parts import Lobby
from tests.end_to_end.robot_process import RobotScreen
from tests.end_to_end.screen_hits import run

LOBBIES = 4


def start(running: Lobby) -> MortalScreen:
    running.start_agent()
    return RobotScreen(running.socket)


@pytest.mark.timeout(300)
def test_the_visit_goes_on_after_four_kills_and_four_freezes_of_the_screen(tmp_path: Path) -> None:
    did = run(tmp_path, start, lobbies=LOBBIES, hits=8)
    assert did["SIGKILL"] == did["SIGSTOP"] == 4


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_visit_goes_on_after_a_hundred_kills_and_a_hundred_freezes_of_the_screen(tmp_path: Path) -> None:
    did = run(tmp_path, start, lobbies=LOBBIES, hits=200)
    assert did["SIGKILL"] == did["SIGSTOP"] == 100
