"""The simulated printer as the program an integrator starts: JSON lines, a terminal, pictures in a directory."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.hardware.receipt_printer.layout import encode, render
from kiosk.hardware.receipt_printer.mechanism import FULL_ROLL_MM
from tests.hardware.receipt_printer.printer_bench import Bench
from tests.hardware.receipt_printer.receipt_examples import USUAL

PATIENCE_S = 20


class Program:
    """``kiosk-sim receipt-printer`` in a process of its own."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kiosk.hardware.simulators", "receipt-printer", "--speed", "50"),
                *("--out", str(directory / "slips"), "--state", str(directory / "state.json"), *arguments),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self.next()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def next(self, event: str | None = None) -> dict[str, Any]:
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            if event is None or line.get("event") == event:
                return line

    def do(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        while "event" in (answer := self.next()):
            pass
        return answer

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    yield program
    if program.process.poll() is None:
        program.end()


def send(port: str, data: bytes, answer_size: int = 0) -> bytes:
    """Write to the terminal as any program would; read an answer of so many bytes."""
    line = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        while data:
            data = data[os.write(line, data[:256]) :]
        answer = b""
        while len(answer) < answer_size and select.select([line], [], [], PATIENCE_S)[0]:
            answer += os.read(line, answer_size - len(answer))
        return answer
    finally:
        os.close(line)


def test_a_slip_comes_out_as_a_picture_and_the_paper_gets_shorter(program: Program, tmp_path: Path) -> None:
    slip = render(USUAL, 80)
    assert send(program.ready["port"], encode(slip, "AB12"), 7) == b'7"AB12\0'
    printed = program.next("printed")
    assert Path(printed["png"]).parent == tmp_path / "slips"
    assert Image.open(printed["png"]).crop((0, 0, *slip.image.size)).tobytes() == slip.image.tobytes()
    assert (printed["qr"], printed["cut"], printed["text"]) == (USUAL.link, "partial", "")
    ledger = program.do(do="ledger")
    assert (ledger["printed"], ledger["hanging"], ledger["taken"]) == (1, 1, 0)
    assert ledger["paper_left_mm"] == pytest.approx(FULL_ROLL_MM - printed["height_mm"], abs=0.2)
    assert program.do(do="take") == {"ok": True, "slips": 1}
    assert program.do(do="ledger")["hanging"] == 0


def test_what_is_on_paper_outlives_the_power_and_what_is_buffered_does_not(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.do(do="paper", left_mm=20)
    send(first.ready["port"], encode(render(USUAL, 80), None))
    while first.next("status")["paper"] != "out":
        pass
    assert first.end() == 0
    second = Program(tmp_path)
    ledger = second.do(do="ledger")
    assert (ledger["uncut_mm"], ledger["paper_left_mm"], ledger["buffered"]) == (20.0, 0.0, 0)
    assert second.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    "command",
    [
        {"do": "paper"},
        {"do": "paper", "left_mm": -1},
        {"do": "cover", "is": "ajar"},
        {"do": "cutter", "is": 3},
        {"do": "power", "is": "maybe"},
        {"do": "clone", "silent": 1},
        {"do": "clone", "sulking": True},
        {"do": "line", "garbage": 2},
        {"do": "fly"},
    ],
)
def test_a_wrong_command_is_refused_with_a_reason(bench: Bench, command: dict[str, Any]) -> None:
    assert bench.simulator.ask(command)["error"]


def test_bytes_that_no_printer_knows_are_an_error_event(program: Program) -> None:
    send(program.ready["port"], b"\x1bz")
    error = program.next("error")
    assert (error["reason"], error["bytes"]) == ("unknown command", "1b 7a")


def test_a_printer_that_reports_by_itself_tells_of_the_cover(program: Program) -> None:
    assert send(program.ready["port"], b"\x1da\x0e", 4) == b"\x10\0\0\0"
    line = os.open(program.ready["port"], os.O_RDWR | os.O_NOCTTY)
    program.do(do="cover", **{"is": "open"})
    assert select.select([line], [], [], PATIENCE_S)[0]
    assert os.read(line, 4) == b"\x38\0\0\0"
    os.close(line)


def test_wrong_usage_says_what_is_wanted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kiosk.hardware.simulators", "receipt-printer", "--width-mm", "70", "--out", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "70" in done.stderr
