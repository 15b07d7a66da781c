"""The link over a real Unix socket: newest view wins, taps come back, a silent screen is killed."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.domain.money import Fen
from kiosk.screen_link import agent_end
from kiosk.screen_link.agent_end import AgentEnd, ScreenConnected, ScreenEvent, ScreenGone, ScreenPainted, ScreenTapped
from kiosk.screen_link.screen_end import ScreenEnd
from kiosk.taps import CancelTapped
from kiosk.views import AnyView, CashPlace, Countdown, DoneView, Frame, MethodView

WAIT_S = 10


def done_view(number: int) -> DoneView:
    return DoneView(frame=Frame(view_no=number), took_receipt=True, countdown=Countdown(ends_at=1.5, total_s=5))


@pytest.fixture
def events() -> "queue.Queue[ScreenEvent]":
    return queue.Queue()


@pytest.fixture
def agent(tmp_path: Path, events: "queue.Queue[ScreenEvent]") -> Iterator[AgentEnd]:
    end = AgentEnd(tmp_path / "screen.sock", events.put)
    end.start()
    yield end
    end.stop()


def next_of(events: "queue.Queue[ScreenEvent]", kind: type[ScreenEvent]) -> ScreenEvent:
    while True:
        event = events.get(timeout=WAIT_S)
        if isinstance(event, kind):
            return event


def test_a_screen_that_connects_late_is_sent_the_newest_view_only(agent, events, tmp_path) -> None:
    for number in (1, 2, 3):
        agent.show(done_view(number))
    shown: queue.Queue[AnyView] = queue.Queue()
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.on_view = shown.put
    screen.start()
    assert shown.get(timeout=WAIT_S).frame.view_no == 3
    assert isinstance(next_of(events, ScreenConnected), ScreenConnected)
    screen.stop()
    assert next_of(events, ScreenGone) == ScreenGone("closed")


def test_taps_and_paint_reports_come_back_with_their_view_number(agent, events, tmp_path) -> None:
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.start()
    next_of(events, ScreenConnected)
    screen.send(CancelTapped(view_no=7))
    screen.painted(7)
    assert next_of(events, ScreenTapped) == ScreenTapped(CancelTapped(view_no=7))
    painted = next_of(events, ScreenPainted)
    assert isinstance(painted, ScreenPainted)
    assert painted.view_no == 7
    screen.stop()


def test_a_view_with_money_survives_the_wire_unchanged(agent, events, tmp_path) -> None:
    view = MethodView(
        frame=Frame(view_no=1), due=Fen(61628), bill_count=5, options=(), faces=(Fen(10000),), cash_place=CashPlace()
    )
    shown: queue.Queue[AnyView] = queue.Queue()
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.on_view = shown.put
    screen.start()
    agent.show(view)
    assert shown.get(timeout=WAIT_S) == view
    screen.stop()


SCREEN = """
import sys, threading
from pathlib import Path
from kiosk.screen_link.screen_end import ScreenEnd
end = ScreenEnd(Path(sys.argv[1]))
end.on_ping = end.pong
end.start()
threading.Event().wait()
"""
AGENT = """
import sys, threading
from pathlib import Path
from kiosk.screen_link import agent_end
agent_end.SILENT_AFTER_S, agent_end.PING_EVERY_S = 0.6, 0.1
end = agent_end.AgentEnd(Path(sys.argv[1]), lambda event: print(type(event).__name__, flush=True))
end.start()
threading.Event().wait()
"""


def started(program: str, path: Path, **streams: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", program, str(path)], text=True, **streams)  # type: ignore[call-overload,no-any-return]


def test_a_screen_is_not_taken_for_dead_because_the_whole_machine_stood_still(tmp_path) -> None:
    agent = started(AGENT, tmp_path / "screen.sock", stdout=subprocess.PIPE)
    screen = started(SCREEN, tmp_path / "screen.sock")
    assert agent.stdout is not None
    assert agent.stdout.readline() == "ScreenConnected\n"
    for process in (screen, agent):
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    threading.Event().wait(2)  # the pause itself: three times as long as a screen may be silent
    for process in (agent, screen):
        os.kill(process.pid, signal.SIGCONT)
    threading.Event().wait(0.5)
    assert screen.poll() is None
    os.kill(screen.pid, signal.SIGSTOP)
    assert agent.stdout.readline() == "ScreenGone\n"
    assert screen.wait(timeout=WAIT_S) == -signal.SIGKILL
    agent.kill()
    agent.wait()
    agent.stdout.close()


def test_a_screen_that_no_longer_answers_is_killed_and_reported_as_silent(agent, events, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(agent_end, "SILENT_AFTER_S", 0.6)
    monkeypatch.setattr(agent_end, "PING_EVERY_S", 0.1)
    screen = started(SCREEN, tmp_path / "screen.sock")
    connected = next_of(events, ScreenConnected)
    assert connected == ScreenConnected(screen.pid)
    os.kill(screen.pid, signal.SIGSTOP)
    assert next_of(events, ScreenGone) == ScreenGone("silent")
    assert screen.wait(timeout=WAIT_S) == -signal.SIGKILL


def test_showing_never_blocks_on_a_screen_that_does_not_read(agent, events, tmp_path) -> None:
    blocked = threading.Event()
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.on_view = lambda view: blocked.wait(WAIT_S)  # type: ignore[assignment,func-returns-value]
    screen.start()
    next_of(events, ScreenConnected)
    shower = threading.Thread(target=lambda: [agent.show(done_view(number)) for number in range(20_000)])
    shower.start()
    shower.join(timeout=WAIT_S)
    assert not shower.is_alive()
    blocked.set()
    screen.stop()


def test_nonsense_on_the_socket_ends_that_connection_only(agent, events, tmp_path) -> None:
    import socket

    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stranger.connect(str(tmp_path / "screen.sock"))
    stranger.sendall(b"\xff\xff\xff\xffGET / HTTP/1.1")
    assert next_of(events, ScreenGone) == ScreenGone("nonsense")
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.start()
    assert isinstance(next_of(events, ScreenConnected), ScreenConnected)
    screen.stop()


def test_a_screen_stopped_while_it_connects_ends_at_once(agent, tmp_path, monkeypatch) -> None:
    link = ScreenEnd(tmp_path / "screen.sock")
    link.on_ping = link.pong  # or the agent would kill this process
    connect, connecting = link._connect, threading.Event()

    def slowly():
        connected = connect()
        connecting.set()
        assert link._stopping.wait(5)
        return connected

    monkeypatch.setattr(link, "_connect", slowly)
    link.start()
    assert connecting.wait(5)
    began = time.monotonic()
    link.stop()
    assert time.monotonic() - began < 1
    assert not link._thread.is_alive()


FULL = """
import os, resource, socket, sys, threading, time
from pathlib import Path
from kiosk.screen_link.agent_end import AgentEnd, ScreenGone
from kiosk.screen_link.frames import Hello, encode_frame
path, told = Path(sys.argv[1]), []
end = AgentEnd(path, told.append)
end.start()
def connect():
    screen = socket.socket(socket.AF_UNIX)
    screen.connect(str(path))
    screen.sendall(encode_frame(Hello(pid=999_999)))
    return screen
def until(true):
    ends_at = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends_at, told
        time.sleep(0.01)
first = connect()
until(lambda: end.has_screen)
waiting = socket.socket(socket.AF_UNIX)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
used_before = time.process_time()
waiting.connect(str(path))
waiting.sendall(encode_frame(Hello(pid=999_998)))
time.sleep(1.5)  # two or three tries
used_s = time.process_time() - used_before
there = end.has_screen
for one in held:
    os.close(one)
until(lambda: end._thread.is_alive() and [getattr(one, "pid", None) for one in told][-1] == 999_998)
print(there, used_s < 0.5, end.has_screen, sep=" ")
end.stop()
"""


def test_a_screen_that_knocks_while_no_descriptor_is_free_is_let_in_later(tmp_path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "screen.sock")], capture_output=True, text=True, timeout=60
    )
    assert process.stdout == "True True True\n", process.stderr


def test_a_link_that_ends_by_an_error_says_that_the_screen_is_gone(tmp_path, monkeypatch) -> None:
    events: queue.Queue[ScreenEvent] = queue.Queue()
    died: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.put(arguments.thread.name))

    def report(event: ScreenEvent) -> None:
        events.put(event)
        if isinstance(event, ScreenTapped):
            raise RuntimeError("an error that nobody thought of")

    end = AgentEnd(tmp_path / "screen.sock", report)
    end.start()
    screen = ScreenEnd(tmp_path / "screen.sock")
    screen.on_ping = screen.pong  # or the agent would kill this process
    screen.start()
    next_of(events, ScreenConnected)
    screen.send(CancelTapped(view_no=1))
    assert next_of(events, ScreenGone) == ScreenGone("failed")
    assert died.get(timeout=WAIT_S) == "screen-link"
    assert not end.has_screen
    screen.stop()
    end.stop()
