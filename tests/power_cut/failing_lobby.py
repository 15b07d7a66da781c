"""A lobby whose agent's disk fails at a chosen write or sync, what it said from then on, and the next process on what is left.

Each agent is forked off a process that has the program loaded, and each failure has a record of its own, which begins with the disk as it is.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk import taps, views
from kiosk.hardware.simulators.device_link import DeviceLink
from tests.end_to_end.lobby_runs import finish, insert
from tests.end_to_end.parts import STOPPED_WITHIN_S, Lobby
from tests.end_to_end.robot import Robot
from tests.power_cut.forks import Forks, Start
from tests.power_cut.operations import Failure, mark, standing
from tests.power_cut.recorded_lobby import print_and_leave, to_the_slot

SPEED, PACE = 20, 5
OUT_OF_SERVICE = ("E61", "E80")


class Process:
    """An agent that was forked off: as much of subprocess.Popen as a lobby uses."""

    def __init__(self, forks: Forks, start: Start) -> None:
        self.pid = forks.start(start)
        self.code: int | None = None
        self._ended = threading.Thread(target=self._wait, args=(forks,), daemon=True)
        self._ended.start()

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout_s: float) -> int:
        self._ended.join(timeout_s)
        assert self.code is not None, f"the agent does not end within {timeout_s} s"
        return self.code

    def _wait(self, forks: Forks) -> None:
        self.code = forks.exit_code()


class Agent:
    """In a Running's stead."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def stop(self) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(STOPPED_WITHIN_S)


class FailingLobby(Lobby):
    """Everything but the glass; the office is the real one, so that uploads are promises as well."""

    def __init__(self, forks: Forks, folder: Path, seed: int, pace: int = PACE) -> None:
        folder.mkdir()
        super().__init__(folder, speed=SPEED, pace=pace, seed=seed, margin_mb=8)
        self._forks = forks
        self.record = folder / "record"
        self.agents: list[int] = []
        self.claims = 0
        self.lines = {name: str((folder / name).resolve()) for name in ("acceptor", "printer")}
        host, _, port = str(self.acceptor.running.ready["listen"]).rpartition(":")
        self._beside = DeviceLink("bill-acceptor", host, int(port), self._mark)

    def begin_record(self, file: Path) -> None:
        """No agent runs now."""
        self.record = file
        self.agents.clear()
        file.write_bytes(standing(self.state))

    def start_failing(self, failure: Failure | None) -> Agent:
        start = Start(
            program="agent",
            arguments=(str(self.settings),),
            record=str(self.record),
            places=str(self.state),
            log=str(self.folder / "agent.log"),
            hears=True,
            failure=failure,
        )
        agent = Agent(Process(self._forks, start))
        self.agent = agent  # type: ignore[assignment]
        self.agents.append(agent.process.pid)
        return agent

    def kill_agent(self) -> None:
        assert self.agent is not None
        os.kill(self.agent.process.pid, signal.SIGKILL)
        self.agent.process.wait(STOPPED_WITHIN_S)

    def stop(self) -> None:
        super().stop()
        self._beside.close()

    def _mark(self, device: str, event: dict[str, Any]) -> None:
        if self.record.exists():
            with self.record.open("ab", buffering=0) as record:
                record.write(mark(f"{device} {event['event']}"))


class OutOfService(Exception):
    """The agent has ended, or says that nothing goes on."""


class Guest(Robot):
    """A person who leaves when the kiosk says that it is out of service, and remembers with which code."""

    def __init__(self, lobby: FailingLobby, process: Process) -> None:
        super().__init__(lobby.socket)
        self._process = process
        self.codes: set[str] = set()
        self.seen: list[str] = []

    @property
    def is_turned_away(self) -> bool:
        return bool(self.codes & set(OUT_OF_SERVICE))

    def wait(self, wanted: Callable[[views.AnyView], bool], timeout_s: float = 60.0) -> views.AnyView:
        ends_at = time.monotonic() + timeout_s
        with self._changed:
            while self._view is None or not wanted(self._view):
                if self._process.poll() is not None or self.is_turned_away:
                    raise OutOfService
                assert time.monotonic() < ends_at, f"still on show: {self._view}"
                self._changed.wait(0.05)
            return self._view

    def _show(self, view: views.AnyView) -> None:
        self.codes.add(view.frame.code)
        self.seen.append(type(view).__name__)
        super()._show(view)


def visit_until_it_fails(lobby: FailingLobby, agent: Agent, faces: tuple[int, ...]) -> tuple[int, Guest]:
    """Visits with these notes, one a visit but for the first two, and a stop; the exit code, and who was there."""
    guest = Guest(lobby, agent.process)
    stopped = False
    try:
        pay(lobby, guest, faces[:2])
        for face in faces[2:]:
            pay(lobby, guest, (face,))
        os.kill(agent.process.pid, signal.SIGTERM)
        stopped = True
        return agent.process.wait(STOPPED_WITHIN_S), guest
    except (OutOfService, AssertionError, AttributeError):
        if agent.process.poll() is None and not guest.is_turned_away:  # a view that nobody waited for may come anywhere
            raise
        return agent.process.wait(60.0), guest
    finally:
        guest.stop()
        if not stopped and agent.process.poll() is None:
            agent.stop()


def pay(lobby: FailingLobby, guest: Guest, faces: tuple[int, ...]) -> None:
    to_the_slot(lobby, guest, more_than=sum(faces))
    for face in faces:
        insert(lobby, guest, face)
    finish(guest)
    print_and_leave(guest)


def come_to_rest(lobby: FailingLobby, agent: Agent) -> None:
    """The next process brings what was interrupted to its end, tells it, and serves again; then a clean stop."""
    robot = Robot(lobby.socket)
    try:
        view = robot.wait(
            lambda view: (
                isinstance(view, views.TroubleView) or (isinstance(view, views.AttractView) and bool(view.methods))
            ),
            60.0,
        )
        if isinstance(view, views.TroubleView):
            robot.tap(taps.ChoiceTapped(choice=view.choices[-1]))
            robot.wait(lambda view: isinstance(view, views.AttractView), 60.0)
        robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), 60.0)
    finally:
        robot.stop()
    code = agent.stop()
    assert code == 0, f"the stop of the next agent: exit code {code}"
