"""The real agent with a journal it can't use: no money, a screen that says so, and service again when the cause is gone.

As `kiosk run` and the box's service do, the test starts a new process when one ends because of its journal.
"""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kiosk import taps, views
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import households, insert, offer, to_cash, touch, wait_until_all_is_uploaded
from tests.end_to_end.parts import Lobby, lobby
from tests.end_to_end.robot import Robot
from tests.end_to_end.test_disk_full import hold_a_note
from tests.power_cut.ext4_disk import ext4_disk

JOURNAL_FAILED = 3
SEEN_WITHIN_S = 60.0
REASON = views.Saying("reason.journal")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Lobby]:
    with as_on_a_box(tmp_path, pace=10) as whole:
        yield whole


@contextmanager
def as_on_a_box(folder: Path, pace: int) -> Iterator[Lobby]:
    """A lobby whose screen is spoken to beside the state."""
    with lobby(folder, speed=20, pace=pace, margin_mb=8) as whole:
        text = whole.settings.read_text()
        whole.settings.write_text(text.replace("[kiosk]\n", '[kiosk]\nrun_dir = "run"\n', 1))
        yield whole


@pytest.fixture
def robot(running: Lobby) -> Iterator[Robot]:
    with looking_at(running) as robot:
        yield robot


@contextmanager
def looking_at(running: Lobby) -> Iterator[Robot]:
    robot = Robot(running.folder / "run" / "screen.sock")
    try:
        yield robot
    finally:
        robot.stop()


def serves(robot: Robot) -> None:
    robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), SEEN_WITHIN_S)


def out_of_service(running: Lobby, robot: Robot, code: str) -> None:
    """No note goes in, the payer reads why, and `kiosk check` says what to do."""
    view = robot.wait(lambda view: isinstance(view, views.OutOfServiceView) and view.reason == REASON, SEEN_WITHIN_S)
    assert view.frame.code == "E80"
    assert code in running.agent.log.read_text().rsplit("agent.stands_by", 1)[1]
    assert not running.insert(500)


def ends(running: Lobby) -> None:
    assert running.agent.process.wait(SEEN_WITHIN_S) == JOURNAL_FAILED
    running.agent.stop()


def heals(running: Lobby, robot: Robot) -> None:
    """The process that found the file well again leaves it to a new one."""
    ends(running)
    running.start_agent()
    serves(robot)


def first_page_gone(journal: Path) -> None:
    with journal.open("r+b") as file:
        file.write(bytes(1024))


def halved(journal: Path) -> None:
    with journal.open("r+b") as file:
        file.truncate(journal.stat().st_size // 2)


def a_page_of_noise(journal: Path) -> None:
    size = journal.stat().st_size
    with journal.open("r+b") as file:
        file.seek(size // 2048 * 1024)
        file.write(b"\xa5" * 1024 * 4)


SPOILED: tuple[tuple[str, Callable[[Path], object]], ...] = (
    ("journal.damaged", first_page_gone),
    ("journal.damaged", halved),
    ("journal.damaged", a_page_of_noise),
    ("journal.damaged", lambda journal: journal.write_bytes(b"")),
    ("journal.damaged", lambda journal: journal.write_bytes(b"somebody's letter\n" * 200)),
    ("journal.unwritable", lambda journal: newer(journal)),
)


def newer(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA user_version = 99")


def test_a_spoiled_journal_takes_no_money_and_a_whole_one_in_its_place_is_served_again(
    running: Lobby, robot: Robot
) -> None:
    spoil_and_mend(running, robot, SPOILED[2:3])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_kind_of_a_spoiled_journal_is_noticed(running: Lobby, robot: Robot) -> None:
    spoil_and_mend(running, robot, SPOILED)


def spoil_and_mend(running: Lobby, robot: Robot, kinds: tuple[tuple[str, Callable[[Path], object]], ...]) -> None:
    running.start_agent()
    serves(robot)
    for code, spoil in kinds:
        running.agent.kill()
        with closing(sqlite3.connect(running.journal)) as db:  # fold what the kill left
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = running.journal.read_bytes()
        spoil(running.journal)
        spoiled = running.journal.read_bytes()
        running.start_agent()
        out_of_service(running, robot, code)
        assert running.journal.read_bytes() == spoiled, "what may be evidence is left as it is"
        running.journal.write_bytes(whole)
        heals(running, robot)


def test_a_read_only_disk_is_told_on_the_screen_and_heals(running: Lobby, robot: Robot) -> None:
    mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(running.folder / "other"))
    try:
        subprocess.run(["cp", "-a", f"{running.state}/.", str(running.folder / "other")], check=True)
        running.settings.write_text(running.settings.read_text().replace('state_dir = "kiosk"', 'state_dir = "other"'))
        running.state = running.folder / "other"
        running.start_agent()
        serves(robot)
        running.agent.kill()
        mount("-o", "remount,ro", str(running.state))
        running.start_agent()
        out_of_service(running, robot, "journal.unwritable")
        mount("-o", "remount,rw", str(running.state))
        heals(running, robot)
    finally:
        running.agent.stop()
        subprocess.run(["umount", "--lazy", str(running.folder / "other")], check=True)


def mount(*arguments: str) -> None:
    if "remount" not in arguments[1]:
        Path(arguments[-1]).mkdir()
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a disk can't be mounted here: {done.stderr.strip()}")


def test_a_disk_that_turns_read_only_in_a_payment_returns_the_held_note_and_settles_what_is_in_when_it_is_repaired(
    tmp_path: Path,
) -> None:
    """The kernel finds an error in the file system of the running agent's open journal, while a payer is asked about a note."""
    with (
        ext4_disk(tmp_path / "disk.img", tmp_path / "kiosk") as disk,
        as_on_a_box(tmp_path, pace=3) as running,
        looking_at(running) as robot,
    ):
        running.start_agent()
        hold_a_note(running, robot)
        counted = robot.wait_for(views.HeldNoteView).counted
        shown, mark = robot.numbers, running.events.mark()
        disk.fail()
        robot.tap(taps.HeldNoteAnswered(keep=True))
        went = running.events.wait("returned", "stacked", since=mark, timeout_s=SEEN_WITHIN_S)
        assert went["event"] == "returned", "kept without an intent on the disk"
        running.events.wait("disabled", since=mark, timeout_s=SEEN_WITHIN_S)
        assert not running.insert(500)
        ends(running)
        last = robot.view
        assert isinstance(last, views.InsertCashView)
        assert (last.frame.code, last.notice) == ("E61", views.Saying("error.e61.line"))
        assert (last.counted, last.state, last.can_finish) == (counted, views.CashState.RETURNING, False)
        running.start_agent()  # as kiosk run and the box's service do
        out_of_service(running, robot, "journal.unwritable")
        assert robot.numbers == shown
        running.agent.stop()
        disk.repair()
        running.start_agent()
        told_and_booked(running, robot, counted)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_journal_that_somebody_locks_returns_the_held_note_and_settles_what_is_in_when_it_is_free(
    running: Lobby, robot: Robot
) -> None:
    running.start_agent()
    serves(robot)
    to_cash(robot, households(running)[0])
    insert(running, robot, 1000)
    with closing(sqlite3.connect(running.journal, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        mark = running.events.mark()
        offer(running, 500)
        running.events.wait("returned", since=mark, timeout_s=SEEN_WITHIN_S)
        ends(running)
        running.start_agent()
        out_of_service(running, robot, "journal.unwritable")
        somebody.execute("ROLLBACK")
    ends(running)
    running.start_agent()
    told_and_booked(running, robot, 1000)


def told_and_booked(running: Lobby, robot: Robot, counted: int) -> None:
    """What was in is settled and told; the kiosk serves, and journal, box and books agree to the note."""
    trouble = robot.wait_for(views.TroubleView, timeout_s=SEEN_WITHIN_S)
    assert trouble.frame.code == "E60"
    touch(robot, taps.ChoiceTapped(choice=trouble.choices[-1]), lambda view: isinstance(view, views.AttractView))
    serves(robot)
    wait_until_all_is_uploaded(running)
    records = truth.check_all(running)
    assert [(one.ended, one.received_fen) for one in records.settled.values()] == [("restart", counted)]
