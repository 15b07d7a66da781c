"""SIGKILL and SIGSTOP of the real Kivy screen under ``kiosk run``: the same view is painted again, and the visit goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.kivy_screen import KivyScreen, start_kiosk
from tests.end_to_end.mortal_screen import MortalScreen
from tests.end_to_end.parts import Lobby
from tests.end_to_end.screen_hits import Start, run
from tests.screens.x_server import x_server

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb: apt install xvfb")


@pytest.fixture
def start() -> Iterator[Start]:
    """Every lobby's window on one virtual screen, one above the other: none of them is touched there."""
    with x_server() as display:

        def start_on_display(running: Lobby) -> MortalScreen:
            start_kiosk(running, display)
            return KivyScreen(running.socket)

        yield start_on_display


@pytest.mark.timeout(300)
def test_the_visit_goes_on_after_a_kill_and_a_freeze_of_the_kivy_screen(tmp_path: Path, start: Start) -> None:
    did = run(tmp_path, start, lobbies=1, hits=2)
    assert did["SIGKILL"] == did["SIGSTOP"] == 1


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_visit_goes_on_after_a_hundred_kills_and_a_hundred_freezes_of_the_kivy_screen(
    tmp_path: Path, start: Start
) -> None:
    did = run(tmp_path, start, lobbies=2, hits=200)
    assert did["SIGKILL"] == did["SIGSTOP"] == 100
