"""The screen process against a real agent's end of a real socket, with SDL's offscreen driver."""

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.screen_link.agent_end import (
    SILENT_AFTER_S,
    AgentEnd,
    ScreenConnected,
    ScreenEvent,
    ScreenGone,
    ScreenPainted,
    ScreenTapped,
)
from kiosk.taps import KeyTapped
from kiosk.views import AttractView, Frame, RoomView

WAIT_S = 30
ROOT = Path(__file__).parents[2]
RUN = "import sys; from pathlib import Path; from kiosk import screen, settings; sys.exit(screen.main(settings.load(Path(sys.argv[1]))))"

# The same program with a finger in it: once the key 5 is on the glass, it is pressed for a moment.
RUN_WITH_A_FINGER = """
import sys
from pathlib import Path
from kiosk import screen, settings
from kiosk.screens import environment
loaded = settings.load(Path(sys.argv[1]))
environment.prepare(loaded.screen, loaded.state_dir / "screen")
environment.prepare = lambda *_: None
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.tests.common import UnitTestTouch
def look(_dt):
    for widget in Window.children[0].walk() if Window.children else []:
        if getattr(widget, "key", "") == "5" and widget.height > 0:
            touch = UnitTestTouch(*widget.center)
            touch.touch_down()
            Clock.schedule_once(lambda _dt: touch.touch_up(), 0.1)
Clock.schedule_interval(look, 0.6)
sys.exit(screen.main(loaded))
"""

Events = queue.Queue[ScreenEvent]


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text('[screen]\nfullscreen = false\n[kiosk]\nstate_dir = "state"\n', encoding="utf-8")
    return path


@pytest.fixture
def events() -> Events:
    return queue.Queue()


@pytest.fixture
def agent(tmp_path: Path, events: Events) -> Iterator[AgentEnd]:
    end = AgentEnd(tmp_path / "state" / "screen.sock", events.put)
    end.start()
    yield end
    end.stop()


@contextmanager
def run(settings_file: Path, program: str, driver: str = "offscreen") -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(settings_file)],
        cwd=ROOT,
        env={**os.environ, "SDL_VIDEODRIVER": driver},
        stderr=subprocess.DEVNULL,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(WAIT_S)


@pytest.fixture
def screen(settings_file: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with run(settings_file, RUN) as process:
        yield process


def next_of(events: Events, kind: type[Any]) -> Any:
    while True:
        event = events.get(timeout=WAIT_S)
        if isinstance(event, kind):
            return event


def test_a_view_is_painted_and_its_number_comes_back(agent, events, screen) -> None:
    agent.show(AttractView(frame=Frame(view_no=41)))
    assert next_of(events, ScreenConnected).pid == screen.pid
    assert next_of(events, ScreenPainted).view_no == 41


def test_later_views_are_painted_in_order_also_when_they_look_the_same(agent, events, screen) -> None:
    agent.show(AttractView(frame=Frame(view_no=1)))
    next_of(events, ScreenPainted)
    for number in (2, 3):
        agent.show(AttractView(frame=Frame(view_no=number)))
        assert next_of(events, ScreenPainted).view_no == number
    shown_at = time.monotonic()
    agent.show(RoomView(frame=Frame(view_no=4, language="en"), building="3", entrance="1"))
    painted = next_of(events, ScreenPainted)
    assert painted.view_no == 4
    assert painted.at >= shown_at


def test_kivy_answers_pings_so_that_the_agent_keeps_it(agent, events, screen) -> None:
    agent.show(AttractView(frame=Frame(view_no=1)))
    next_of(events, ScreenPainted)
    with pytest.raises(queue.Empty):
        events.get(timeout=SILENT_AFTER_S + 1)  # a screen that is gone would be an event
    assert screen.poll() is None


def test_a_frozen_screen_is_given_up(agent, events, screen) -> None:
    agent.show(AttractView(frame=Frame(view_no=1)))
    next_of(events, ScreenPainted)
    screen.send_signal(signal.SIGSTOP)
    assert next_of(events, ScreenGone) == ScreenGone("silent")
    assert screen.wait(WAIT_S) == -signal.SIGKILL


def test_sigterm_stops_it_cleanly_within_five_seconds(agent, events, screen) -> None:
    agent.show(AttractView(frame=Frame(view_no=1)))
    next_of(events, ScreenPainted)
    screen.send_signal(signal.SIGTERM)
    assert screen.wait(5) == 0


def test_it_waits_for_an_agent_and_connects_again_when_one_is_back(tmp_path, events, screen) -> None:
    for number in (1, 2):
        agent = AgentEnd(tmp_path / "state" / "screen.sock", events.put)
        agent.start()
        agent.show(AttractView(frame=Frame(view_no=number)))
        assert next_of(events, ScreenPainted).view_no == number
        agent.stop()
    assert screen.poll() is None


def test_a_finger_on_a_key_comes_back_as_a_tap_on_the_view_it_was_made_on(agent, events, settings_file) -> None:
    with run(settings_file, RUN_WITH_A_FINGER) as screen:
        agent.show(RoomView(frame=Frame(view_no=12), building="3", entrance="1"))
        assert next_of(events, ScreenTapped).tap == KeyTapped(key="5", view_no=12)
        screen.terminate()
        assert screen.wait(WAIT_S) == 0


def test_a_view_with_an_endless_name_is_no_trouble(agent, events, screen) -> None:
    agent.show(RoomView(frame=Frame(view_no=9, estate="和" * 2000), building="3", entrance="1"))
    assert next_of(events, ScreenPainted).view_no == 9
