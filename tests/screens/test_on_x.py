"""The screen under a real X server with a real pointer: one press per tap, and no key opens anything."""

import ctypes.util
import queue
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.screen_link.agent_end import AgentEnd, ScreenEvent, ScreenPainted, ScreenTapped
from kiosk.taps import KeyTapped
from kiosk.views import Frame, RoomView
from tests.screens.test_screen_process import RUN, next_of, run
from tests.screens.x_server import Pointer, x_server

F1, ESCAPE = 0xFFBE, 0xFF1B
KEY_2, KEY_0 = (540, 940), (540, 1530)  # pixels of the 21.5 inch panel

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None or ctypes.util.find_library("Xtst") is None,
    reason="needs Xvfb and libXtst: apt install xvfb libxtst6",
)


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with x_server() as name:
        monkeypatch.setenv("DISPLAY", name)
        yield name


def answered(try_once: Callable[[], None], events: "queue.Queue[ScreenEvent]") -> Any:
    """A window needs a moment before it is sent events; so press again until it answers."""
    while True:
        try_once()
        try:
            event = events.get(timeout=0.5)
        except queue.Empty:
            continue
        if isinstance(event, ScreenTapped):
            return event.tap


def test_a_click_counts_once_and_no_key_opens_or_closes_anything(tmp_path: Path, display: str) -> None:
    settings_file = tmp_path / "kiosk.toml"
    settings_file.write_text('[kiosk]\nstate_dir = "state"\n', encoding="utf-8")
    events: queue.Queue[ScreenEvent] = queue.Queue()
    agent = AgentEnd(tmp_path / "state" / "screen.sock", events.put)
    agent.start()
    pointer = Pointer(display)
    with run(settings_file, RUN, driver="x11") as screen:
        agent.show(RoomView(frame=Frame(view_no=3), building="3", entrance="1"))
        next_of(events, ScreenPainted)
        assert answered(lambda: pointer.click(*KEY_2), events) == KeyTapped(key="2", view_no=3)
        pointer.press_key(F1)
        pointer.press_key(ESCAPE)
        pointer.click(*KEY_0)
        assert next_of(events, ScreenTapped).tap == KeyTapped(key="0", view_no=3)
        with pytest.raises(queue.Empty):
            events.get(timeout=0.5)  # a second provider would press twice
        assert screen.poll() is None
    pointer.close()
    agent.stop()
