"""``kiosk run`` starts agent and screen, starts again what ends, and stops both within five seconds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import views
from tests.end_to_end.robot import Robot
from tests.payment.kiosk_at_work import provision

PATIENCE_S = 20.0


class Supervised:
    """A ``kiosk run`` on a machine without a display: its screen ends at once, and is tried again and again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "run.log"
        settings = provision(directory, bills=())
        environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kiosk", "run", "--config", str(settings)], stderr=log, env=environment
            )

    def pids_of(self, what: str) -> list[int]:
        started = [line for line in self.log.read_text().splitlines() if f"supervisor.started what={what}" in line]
        return [int(line.rpartition("pid=")[2]) for line in started]

    def wait_started(self, what: str, times: int) -> int:
        until = time.monotonic() + PATIENCE_S
        while len(pids := self.pids_of(what)) < times:
            assert time.monotonic() < until, self.log.read_text()[-2000:]
            time.sleep(0.02)
        return pids[-1]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(PATIENCE_S)


def test_an_agent_that_dies_is_started_again_and_shows_its_screen(supervised: Supervised) -> None:
    os.kill(supervised.wait_started("agent", 1), signal.SIGKILL)
    supervised.wait_started("agent", 2)
    robot = Robot(supervised.directory / "state" / "screen.sock")
    robot.wait_for(views.AttractView)
    robot.stop()


def test_a_screen_that_keeps_ending_is_started_again_less_and_less_often(supervised: Supervised) -> None:
    supervised.wait_started("screen", 6)
    pauses = [
        float(line.rpartition("again_in_s=")[2])
        for line in supervised.log.read_text().splitlines()
        if "supervisor.ended what=screen" in line
    ]
    assert pauses[:5] == [0.2, 0.2, 0.2, 0.4, 0.8]


def test_sigterm_stops_both_within_five_seconds_and_leaves_nobody_behind(supervised: Supervised) -> None:
    agent = supervised.wait_started("agent", 1)
    robot = Robot(supervised.directory / "state" / "screen.sock")
    robot.wait_for(views.AttractView)
    robot.stop()
    began = time.monotonic()
    supervised.process.terminate()
    assert supervised.process.wait(PATIENCE_S) == 0
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(agent, 0)
