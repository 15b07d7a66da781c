"""A note jams in a lobby: the kiosk keeps what was said on the wire, and that alone makes the driver meet the same fault again."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.flight_recorder import trace
from tests.end_to_end.lobby_runs import households, insert, offer_until, to_cash_of_a_debtor
from tests.end_to_end.parts import Lobby, lobby, program
from tests.end_to_end.robot import Robot
from tests.hardware.flight_recorder.replay_host import Replayed

WAIT_S = 30.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lobby]:
    with lobby(tmp_path_factory.mktemp("trace"), speed=20, pace=1) as whole:
        whole.start_agent()
        yield whole


def kiosk(running: Lobby, *arguments: str) -> str:
    command = program("kiosk", *arguments, "--config", str(running.settings))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def traces(running: Lobby, fault: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in kiosk(running, "trace", "list", "--json").splitlines()]
    return [row for row in rows if row["fault"] == fault]


def wait_frozen(running: Lobby, fault: str) -> dict[str, Any]:
    ends_at = time.monotonic() + WAIT_S
    while not (found := traces(running, fault)):
        assert time.monotonic() < ends_at, "nothing was frozen"
        threading.Event().wait(0.1)
    return found[-1]


def test_a_jam_in_the_lobby_is_frozen_and_replayed_it_is_the_same_jam(running: Lobby, tmp_path: Path) -> None:
    robot = Robot(running.socket)
    try:
        assert any(to_cash_of_a_debtor(robot, home, more_than=2100) for home in households(running))
        insert(running, robot, 100)
        running.acceptor.do("jam", where="stacker")
        offer_until(running, 2000, "jammed")
        row = wait_frozen(running, "acceptor.jam_safe")
    finally:
        robot.stop()

    exported = tmp_path / "jam.jsonl"
    kiosk(running, "trace", "export", str(row["number"]), "--out", str(exported))
    assert exported.read_bytes() == Path(row["file"]).read_bytes()
    words = kiosk(running, "trace", "show", str(row["number"]))
    assert "READ channel 4" in words
    assert "SAFE_JAM" in words

    replayed = Replayed(exported, tmp_path)
    said = replayed.run()
    code = replayed.close()
    assert replayed.differs() == ""
    assert replayed.divergence is None
    assert [one.event for one in said][-1] == "NoteUnclear"
    assert said[-1].facts == {"face": 2000, "fault": {"code": "acceptor.jam_safe", "detail": ""}}
    assert code == 0


def test_the_trace_of_a_printer_fault_holds_no_word_of_the_slip(running: Lobby) -> None:
    running.printer.do("cover", **{"is": "open"})
    row = wait_frozen(running, "printer.cover_open")
    recorded = trace.decode(Path(row["file"]).read_bytes())
    assert recorded.header.device == "receipt_printer"
    questions = [trace.bytes_of(line) for line in recorded.lines if isinstance(line, trace.Sent)]
    assert questions
    assert all(len(question) <= 11 for question in questions)
    running.printer.do("cover", **{"is": "closed"})


def test_check_says_that_there_is_something_to_send(running: Lobby) -> None:
    running.printer.do("cover", **{"is": "open"})
    wait_frozen(running, "printer.cover_open")
    running.printer.do("cover", **{"is": "closed"})
    done = subprocess.run(
        program("kiosk", "check", "--config", str(running.settings), "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    rows = {row["part"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["traces"]["ready"]
    assert "frozen" in rows["traces"]["detail"]
