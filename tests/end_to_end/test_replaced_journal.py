"""A kiosk's journal is replaced, and the office does not take the new one yet: what is paid meanwhile is not owed again."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kiosk import taps, views
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end.lobby_runs import (
    finish,
    households,
    insert,
    leave,
    to_cash,
    to_cash_of_a_debtor,
    touch,
    wait_until_all_is_uploaded,
)
from tests.end_to_end.parts import Lobby, lobby, program
from tests.end_to_end.robot import Robot
from tests.end_to_end.visits import Household

HUNDRED = 10_000


@contextmanager
def guest(running: Lobby) -> Iterator[Robot]:
    """Somebody at the kiosk, whose agent runs for as long."""
    agent = running.start_agent()
    robot = Robot(running.socket)
    try:
        yield robot
    finally:
        robot.stop()
        agent.stop()


def pay(running: Lobby, robot: Robot, notes: int) -> None:
    """From the open slot."""
    for _ in range(notes):
        insert(running, robot, HUNDRED)
    finish(robot)
    leave(robot)


def owed(robot: Robot, home: Household) -> int:
    due = to_cash(robot, home).due
    touch(robot, taps.CancelTapped(), lambda view: isinstance(view, views.AttractView))
    return due


def replace_journal(running: Lobby) -> None:
    with JournalReader(running.journal) as reader:
        code = reader.genesis().kiosk_code
    told = running.office._command("pairing-code", "--project", "YG", "--kiosk", code, "--reason", "盘坏了", "--json")
    subprocess.run(
        program("kiosk", "journal", "replace", "--config", str(running.settings), "--code", json.loads(told)["code"]),
        check=True,
        capture_output=True,
    )


@contextmanager
def no_journal_is_taken(running: Lobby) -> Iterator[None]:
    """The office fails whenever it is to begin one, and answers all else."""
    with closing(sqlite3.connect(running.office.file, timeout=20)) as db:
        db.execute("CREATE TRIGGER refuse BEFORE INSERT ON kiosks_journal BEGIN SELECT RAISE(ABORT, 'not now'); END")
    yield
    with closing(sqlite3.connect(running.office.file, timeout=20)) as db:
        db.execute("DROP TRIGGER refuse")


def test_what_is_paid_before_the_office_has_the_new_journal_is_not_owed_again(tmp_path: Path) -> None:
    """The office's answers still count up to an entry of the old journal, which has more of them."""
    with lobby(tmp_path) as running:
        with guest(running) as robot:
            home = next(one for one in households(running) if to_cash_of_a_debtor(robot, one, more_than=5 * HUNDRED))
            pay(running, robot, notes=3)
            wait_until_all_is_uploaded(running)
        replace_journal(running)
        with no_journal_is_taken(running), guest(running) as robot:
            before = to_cash(robot, home).due
            pay(running, robot, notes=1)
            assert owed(robot, home) == before - HUNDRED
        with guest(running) as robot:
            wait_until_all_is_uploaded(running)
            assert owed(robot, home) == before - HUNDRED, "nor is it taken off twice"
        running.office.verify()
