"""The state directory's disk runs full: no cash is taken, the screen says so (E80), and it heals when there is room again."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk import taps, views
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import (
    cash_payment,
    finish,
    households,
    insert,
    offer,
    slot_open,
    to_cash,
    touch,
    wait_until_all_is_uploaded,
)
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot

DISK_MB, MARGIN_MB = 48, 16
MIB = 1024 * 1024
SEEN_WITHIN_S = 20.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Lobby]:
    """A lobby whose kiosk keeps its state on a small disk of its own."""
    disk = tmp_path / "kiosk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    try:
        with lobby(tmp_path, speed=20, pace=1, margin_mb=MARGIN_MB) as whole:
            whole.start_agent()
            yield whole
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def robot(running: Lobby) -> Iterator[Robot]:
    robot = Robot(running.socket)
    yield robot
    robot.stop()


def fill(running: Lobby, *, leave_bytes: int) -> None:
    """Somebody else's file takes the space."""
    space = os.statvfs(running.state)
    size = space.f_bavail * space.f_frsize - leave_bytes
    with contextlib.suppress(OSError), (running.state / "somebody's").open("ab", buffering=0) as file:
        for _ in range(size // 4096):  # the kiosk writes as well, so the last blocks may be gone already
            file.write(b"x" * 4096)
    assert os.statvfs(running.state).f_bavail * space.f_frsize <= leave_bytes + MIB


def free(running: Lobby) -> None:
    (running.state / "somebody's").unlink()


def test_below_the_margin_no_cash_is_taken_what_is_in_is_settled_and_it_heals(running: Lobby, robot: Robot) -> None:
    to_cash(robot, households(running)[0])
    insert(running, robot, 1000)
    mark = running.events.mark()
    fill(running, leave_bytes=MARGIN_MB * MIB // 2)
    stopped = robot.wait(
        lambda view: isinstance(view, views.InsertCashView) and view.state is views.CashState.STOPPED, SEEN_WITHIN_S
    )
    assert stopped.frame.code == "E80"
    assert running.events.comes("disabled", since=mark, timeout_s=SEEN_WITHIN_S)
    assert not running.insert(500)
    finish(robot)
    touch(robot, taps.ContinueTapped(), lambda view: isinstance(view, views.ReceiptView))
    touch(robot, taps.PrintAnswered(wanted=False), lambda view: isinstance(view, views.DoneView))
    touch(robot, taps.ContinueTapped(), lambda view: isinstance(view, views.OutOfServiceView))
    says_disk_full(robot)
    free(running)
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), SEEN_WITHIN_S)
    robot.stop()
    cash_payment(running, faces=(500,))
    wait_until_all_is_uploaded(running)
    truth.check_all(running)


def test_a_disk_without_a_byte_left_returns_the_held_note_and_the_next_start_settles(
    running: Lobby, robot: Robot
) -> None:
    hold_a_note(running, robot)
    fill(running, leave_bytes=0)
    robot.tap(taps.HeldNoteAnswered(keep=True))
    assert running.agent is not None
    code = running.agent.process.wait(SEEN_WITHIN_S)
    assert code == 3
    running.agent.stop()
    running.start_agent()  # as kiosk run and the box's service do
    trouble = robot.wait_for(views.TroubleView, timeout_s=SEEN_WITHIN_S)
    assert trouble.frame.code == "E60"  # the space kept aside was enough to settle what was in
    touch(robot, taps.ChoiceTapped(choice=trouble.choices[-1]), lambda view: isinstance(view, views.OutOfServiceView))
    says_disk_full(robot)
    assert not running.insert(500)
    free(running)
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), SEEN_WITHIN_S)
    wait_until_all_is_uploaded(running)
    records = truth.check_all(running)
    assert [one.ended for one in records.settled.values()] == ["restart"]


def hold_a_note(running: Lobby, robot: Robot) -> None:
    """Pay until a note of 100 yuan would be more than is due, and offer it: the kiosk asks."""
    for home in households(running):
        view = to_cash(robot, home)
        if view.due < 200_000:  # not more notes than a kiosk takes in one payment
            break
        touch(robot, taps.CancelTapped(), lambda view: isinstance(view, views.AttractView))
    while view.missing >= 10_000 or view.counted == 0:
        insert(running, robot, 10_000 if view.missing > 10_000 else 100)
        view = slot_open(robot)
    offer(running, 10_000)
    robot.wait_for(views.HeldNoteView)


def says_disk_full(robot: Robot) -> None:
    view = robot.wait_for(views.OutOfServiceView, timeout_s=SEEN_WITHIN_S)
    assert (view.frame.code, view.reason.key) == ("E80", "reason.disk")
