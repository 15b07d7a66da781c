"""A whole lobby (office, devices, cable, agent) and a real screen, with the bench listening between screen and agent."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.overhearing import Overhearing
from bench.screens import display, running, screen_command
from kiosk import views
from tests.end_to_end.parts import Lobby, lobby


class KioskAtWork(NamedTuple):
    """What a measurement needs of it."""

    lobby: Lobby
    link: Overhearing
    agent_pid: int
    display: str


@contextlib.contextmanager
def a_lobby(*, speed: int = 1) -> Iterator[Lobby]:
    """Its state lies on the file system of the working directory, as a kiosk's does: /tmp may be memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, lobby(Path(folder), speed=speed, pace=speed) as opened:
        yield opened


@contextlib.contextmanager
def at_work(opened: Lobby) -> Iterator[KioskAtWork]:
    """Agent and screen on a lobby whose settings are final; ready for the first touch when this returns."""
    agent = opened.start_agent()
    settings = opened.folder / "screen.toml"
    settings.write_text('[kiosk]\nstate_dir = "screen"\n[screen]\nfullscreen = false\n')
    _wait_for(opened.socket)
    link = Overhearing(opened.folder / "screen" / "screen.sock", opened.socket)
    try:
        with display() as glass, running(screen_command(settings), glass):
            link.painted(lambda view: isinstance(view, views.AttractView) and bool(view.methods))
            yield KioskAtWork(opened, link, agent.process.pid, glass["DISPLAY"])
    finally:
        agent.stop()
        link.stop()


def _wait_for(socket: Path) -> None:
    ends_at, pause = time.monotonic() + 30, threading.Event()
    while not socket.exists():
        assert time.monotonic() < ends_at, "the agent did not start"
        pause.wait(0.05)
