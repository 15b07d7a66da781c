"""``kiosk-sim bill-acceptor`` as the program users start: its lines, its state file, and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.ports import NoteCredited, NoteStacked
from kiosk.hardware.simulators.line import FaultyLine, LineFaults
from tests.hardware.bill_acceptor.acceptor_harness import ROOT, SPEED, WAIT_S, is_ready

COMMAND = [sys.executable, "-m", "kiosk.hardware.simulators", "bill-acceptor"]


class Program:
    """The running simulator: JSON lines in and out."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.ready = self.read()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line

    def wait_for(self, key: str, value: Any = None) -> dict[str, Any]:
        while True:
            line = self.read()
            if key in line and value in (None, line[key]):
                return line

    def do(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({**command, "id": 1}) + "\n")
        self.process.stdin.flush()
        return self.wait_for("id", 1)

    def end(self, number: int) -> int:
        os.kill(self.process.pid, number)
        status = self.process.wait(5)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        return status


@pytest.fixture
def run(link: Path, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*arguments: str) -> Program:
        usual = ("--link", str(link), "--state", str(tmp_path / "box.json"), "--speed", str(SPEED))
        programs.append(Program(*usual, *arguments))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.returncode is None:
            program.end(signal.SIGKILL)


def insert(program: Program, face_fen: int) -> None:
    while "error" in program.do(do="insert", face_fen=face_fen):
        pass


def test_the_first_line_says_where_it_is(run, link) -> None:
    program = run("--listen", "127.0.0.1:0")
    assert program.ready == {"ready": True, "port": str(link), "listen": program.ready["listen"]}
    host, port = program.ready["listen"].split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
        connection.sendall(b'{"do": "ledger"}\n')
        lines = connection.makefile()
        while (answer := json.loads(lines.readline()))["event"] != "ledger":
            pass
    assert (answer["stacker"], answer["path"], answer["returned"]) == ({}, None, {})


def test_a_driver_takes_a_note_from_it(run, attach) -> None:
    program, host = run(), attach().start()
    is_ready(host)
    insert(program, 2000)
    host.take(NoteStacked)
    assert host.credited == {2000: 1}
    assert program.do(do="ledger")["stacker"] == {"2000": 1}


@pytest.mark.parametrize(("moment", "fate"), [("escrowed", "returned"), ("credited", "stacked")])
def test_killing_it_is_cutting_the_power(run, attach, moment: str, fate: str) -> None:
    program, host = run(), attach(accept=moment == "credited").start()
    is_ready(host)
    insert(program, 10000)
    program.wait_for("event", moment)
    program.end(signal.SIGKILL)
    again = run()
    told = again.wait_for("event", fate)
    assert (told["face_fen"], told["reason"]) == (10000, "power_up")
    is_ready(host)
    assert host.credited == ({10000: 1} if fate == "stacked" else {})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_takes_its_link_with_it(run, link, number: int) -> None:
    program = run()
    assert program.end(number) == 0
    assert not link.is_symlink()


def test_it_goes_on_without_standard_input(run, attach) -> None:
    program = run()
    program.process.stdin.close()
    host = attach().start()
    is_ready(host)
    assert program.process.poll() is None
    program.process.stdin = open(os.devnull)  # noqa: SIM115,PTH123 - end() closes it


COMMANDS = [
    ({"do": "insert"}, "face in fen"),
    ({"do": "insert", "face_fen": "100"}, "face in fen"),
    ({"do": "insert", "face_fen": True}, "face in fen"),
    ({"do": "jam", "where": "attic"}, '"where" is one of entry, path, stacker'),
    ({"do": "cheat"}, '"when" is one of before_stack, after_stack'),
    ({"do": "cashbox", "is": 7}, '"is" is one of removed, back, full, emptied'),
    ({"do": "power"}, '"is" is one of off, on'),
    ({"do": "hold_at_mouth", "is": "maybe"}, "lets go"),
    ({"do": "line", "drop": 1.5}, "from 0 to 1"),
    ({"do": "line", "noise": 1}, "a line has drop"),
    ({"do": "line", "drop": "much"}, "drop"),
    ({"do": "dance"}, "unknown command"),
]


def test_a_wrong_command_is_answered_with_what_would_be_right(run) -> None:
    program = run()
    for command, reason in COMMANDS:
        assert reason in program.do(**command)["error"], command
    assert program.do(do="line", drop=0.25)["drop"] == 0.25


@pytest.mark.parametrize(
    "arguments",
    [
        ("--faces", "5"),
        ("--faces", "100,100"),
        ("--speed", "0"),
        ("--serial", "-1"),
        ("--protocol", "x"),
        ("--listen", "0.0.0.0:1"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(arguments: tuple[str, str]) -> None:
    result = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=ROOT
    )
    assert result.returncode == 2
    assert arguments[0] in result.stderr.splitlines()[-1]


def test_a_foreign_state_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("[]")
    result = subprocess.run(
        [*COMMAND, "--state", str(tmp_path / "x")],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 1
    assert "delete it" in result.stderr


def test_the_same_seed_spoils_the_same_frames() -> None:
    def outcome(seed: int) -> list[bytes]:
        line = FaultyLine(seed)
        line.faults = LineFaults(drop=0.2, flip=0.2, truncate=0.2, duplicate=0.2)
        return [line.carry(b"\x7f\x80\x01\x07\x12\x02") for _ in range(50)]

    assert outcome(5) == outcome(5) != outcome(6)


def test_channels_are_numbered_in_the_order_of_the_faces(run, attach) -> None:
    program, host = run("--faces", "500,10000"), attach().start()
    assert is_ready(host).identity.faces == {1: 500, 2: 10000}
    insert(program, 10000)
    assert host.take(NoteCredited).channel == 2
