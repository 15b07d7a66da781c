"""A real ``kiosk screen`` with the bench in the agent's place, and the bare window it is measured against."""

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk.screen_link.agent_end import AgentEnd, ScreenEvent, ScreenPainted
from kiosk.screens.fonts import simplified_fonts
from kiosk.views import AnyView
from tests.screens.x_server import x_server

BESIDE_PYTHON = Path(sys.executable).parent
PANEL = (1080, 1920)  # the 21.5 inch panel at its true size
PAINTED_WITHIN_S = 60.0
# Screen and peer alike draw under an X server of the bench. Not SDL's offscreen driver: it never ends a frame, so Mesa keeps
# what every single one drew (0.05 MB for the bare window, 1 to 2 MB for the screen).


class Stage:
    """The agent's end of the link, with nothing behind it: shows views and waits until they are painted."""

    def __init__(self, folder: Path, size: tuple[int, int] = PANEL) -> None:
        self.settings = folder / "screen.toml"
        width, height = size
        self.settings.write_text(
            f'[kiosk]\nstate_dir = "screen"\n[screen]\nfullscreen = false\nwidth_px = {width}\nheight_px = {height}\n'
        )
        self._painted: queue.SimpleQueue[ScreenPainted] = queue.SimpleQueue()
        self._end = AgentEnd(folder / "screen" / "screen.sock", self._heard)
        self._end.start()

    def show(self, view: AnyView) -> float:
        """When this view was on the glass, in monotonic seconds."""
        self._end.show(view)
        while True:
            painted = self._painted.get(timeout=PAINTED_WITHIN_S)
            if painted.view_no == view.frame.view_no:
                return painted.at

    def stop(self) -> None:
        self._end.stop()

    def _heard(self, event: ScreenEvent) -> None:
        if isinstance(event, ScreenPainted):
            self._painted.put(event)


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """The environment of programs that draw on a virtual panel of the true size."""
    with x_server(PANEL) as name:
        yield {"DISPLAY": name, "SDL_VIDEODRIVER": "x11", "KIOSK_LOG": "WARNING"}


@contextlib.contextmanager
def stage(size: tuple[int, int] = PANEL) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Stage(Path(folder), size)
        try:
            yield opened
        finally:
            opened.stop()


@contextlib.contextmanager
def running(command: Sequence[str | Path], glass: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in a pipe and its log thrown away; stopped at the end."""
    environment = {**os.environ, **glass}
    environment.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # the peer's packages are compiled; so are ours from the second start on
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PAINTED_WITHIN_S)
        assert process.stdout is not None
        process.stdout.close()


def screen_command(settings: Path) -> list[str | Path]:
    return [BESIDE_PYTHON / "kiosk", "screen", "--config", settings]


def bare_command(size: tuple[int, int] = PANEL) -> list[str | Path]:
    width, height = size
    script = Path(__file__).with_name("bare_window.py")
    return [sys.executable, script, simplified_fonts().regular, str(width), str(height)]


def wait_painted(bare: subprocess.Popen[bytes]) -> float:
    """When the bare window's first frame had left, in monotonic seconds."""
    assert bare.stdout is not None
    assert bare.stdout.readline() == b"painted\n"
    return time.monotonic()
