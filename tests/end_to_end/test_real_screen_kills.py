"""The real Kivy screen, killed and frozen in the middle of a visit: started again, it paints the same view of the same visit.

The product's own supervisor watches it. Between screen and agent stands an ear that passes every byte on and hears who says hello
and what was painted. A robot leads the visit to the view; it and the screen never hold the link at the same time.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kiosk import views
from kiosk.screen_link.frames import FrameReader, Hello, Painted, Show, ToAgent, ToScreen
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import finish, households, insert, leave, to_cash, wait_until_all_is_uploaded
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot

FIRST_PAINTED_WITHIN_S = 60.0
PAINTED_AGAIN_WITHIN_S = 30.0
ROOT = Path(__file__).parents[2]

# What `kiosk run` does with its screen, without its agent.
WATCH = """
import sys
from kiosk.supervisor import Child, Supervisor
sys.exit(Supervisor([Child("screen", (sys.executable, "-m", "kiosk", "screen", "--config", sys.argv[1]))]).run())
"""


class Ear:
    """A Unix socket for the screen that leads to the agent's; remembers who painted which view, and when."""

    def __init__(self, here: Path, agent: Path) -> None:
        self._agent = agent
        self.pid = 0
        self.painted: list[tuple[int, str, float]] = []  # pid, the view's tag, monotonic seconds
        self._tags: dict[int, str] = {}
        self._changed = threading.Condition()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(here))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_painted(self, *, not_by: int, timeout_s: float) -> tuple[int, str, float]:
        """The first view painted by a screen that is not the process ``not_by``."""
        ends_at = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for pid, tag, at in self.painted:
                    if pid != not_by:
                        return pid, tag, at
                assert self._changed.wait(max(0.0, ends_at - time.monotonic())), f"nothing painted in {timeout_s} s"

    def forget(self) -> None:
        with self._changed:
            self.painted.clear()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                screen, _ = self._listener.accept()
                agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                agent.connect(str(self._agent))
                threading.Thread(target=self._carry_down, args=(agent, screen), daemon=True).start()
                threading.Thread(target=self._carry_up, args=(screen, agent), daemon=True).start()

    def _carry_down(self, agent: socket.socket, screen: socket.socket) -> None:
        reader: FrameReader[ToScreen] = FrameReader(msgspec.json.Decoder(ToScreen))
        with contextlib.suppress(OSError), agent, screen:
            while data := agent.recv(65536):
                for message in reader.feed(data):
                    if isinstance(message, Show):
                        self._tags[message.view.frame.view_no] = str(message.view.__struct_config__.tag)
                screen.sendall(data)

    def _carry_up(self, screen: socket.socket, agent: socket.socket) -> None:
        reader: FrameReader[ToAgent] = FrameReader(msgspec.json.Decoder(ToAgent))
        pid = 0
        with contextlib.suppress(OSError), agent, screen:
            while data := screen.recv(65536):
                for message in reader.feed(data):
                    if isinstance(message, Hello):
                        pid = message.pid
                    elif isinstance(message, Painted):
                        with self._changed:
                            self.painted.append((pid, self._tags[message.view_no], time.monotonic()))
                            self._changed.notify_all()
                agent.sendall(data)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Lobby]:
    with lobby(tmp_path, speed=20, pace=1) as whole:
        whole.start_agent()
        yield whole


@pytest.fixture
def ear(running: Lobby) -> Iterator[Ear]:
    (running.folder / "glass").mkdir()
    ear = Ear(running.folder / "glass" / "screen.sock", running.socket)
    yield ear
    ear.close()


@contextlib.contextmanager
def watched_screen(running: Lobby) -> Iterator[None]:
    """The real screen under the product's supervisor, on the ear's socket."""
    settings = running.folder / "screen.toml"
    settings.write_text('[kiosk]\nstate_dir = "glass"\n[screen]\nwidth_px = 540\nheight_px = 960\nfullscreen = false\n')
    with (running.folder / "screen.log").open("ab") as log:
        watcher = subprocess.Popen(
            [sys.executable, "-c", WATCH, str(settings)],
            env={**os.environ, "SDL_VIDEODRIVER": "offscreen"}, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        watcher.terminate()
        watcher.wait(20)


def test_a_killed_and_a_frozen_kivy_screen_come_back_to_the_same_payment(running: Lobby, ear: Ear) -> None:
    home = households(running)[0]
    robot = Robot(running.socket)
    to_cash(robot, home)
    insert(running, robot, 1000)
    robot.stop()
    with watched_screen(running):
        for number in (signal.SIGKILL, signal.SIGSTOP):
            pid, tag, _ = ear.wait_painted(not_by=0, timeout_s=FIRST_PAINTED_WITHIN_S)
            assert tag == "insert_cash"
            ear.forget()
            hit_at = time.monotonic()
            os.kill(pid, number)
            _, again, painted_at = ear.wait_painted(not_by=pid, timeout_s=PAINTED_AGAIN_WITHIN_S)
            print(f"{number.name} on {tag}: {again} painted again after {painted_at - hit_at:.1f} s")
            assert again == tag
    robot = Robot(running.socket)
    view = robot.wait(lambda view: isinstance(view, views.InsertCashView) and view.can_finish)
    assert isinstance(view, views.InsertCashView)
    assert view.counted == 1000
    finish(robot)
    leave(robot)
    robot.stop()
    wait_until_all_is_uploaded(running)
    truth.check_all(running)
