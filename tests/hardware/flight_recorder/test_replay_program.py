"""``kiosk-sim replay`` as a program: its lines, its position over restarts, the port that vanishes; and ``kiosk trace``."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from kiosk.clock import SystemClock
from kiosk.hardware.bill_acceptor.ssp.frames import encode_frame
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import command, trace
from kiosk.hardware.flight_recorder.recorder import FlightRecorder
from kiosk.hardware.flight_recorder.tape import Tape
from kiosk.hardware.ports import DeviceFault
from tests.end_to_end.parts import program

WAIT_S = 20.0
POLLS = [encode_frame(b"\x07", bit) for bit in (1, 0)]
NEWS = [encode_frame(bytes((0xF0, 0xEF, 0)), 1), encode_frame(bytes((0xF0, 0xEF, 6)), 0)]


def recording(*lines: trace.AnyLine) -> bytes:
    header = trace.Header(
        device="bill_acceptor", protocol="ssp", speed=1, software="0.1.0", fault="acceptor.jam_safe", detail="",
        at=9.0, wall_ms=1_795_000_000_000, clock="rtc", boot_id="boot")  # fmt: skip
    return trace.encode(trace.Trace(header, lines))


def exchange(at: float, number: int) -> tuple[trace.Sent, trace.Heard]:
    return trace.Sent(at=at, hex=POLLS[number].hex(" ")), trace.Heard(at=at + 0.01, hex=NEWS[number].hex(" "))


class Program:
    """The process, and a host that opens its port anew for each question."""

    def __init__(self, file: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            program("kiosk-sim", "replay", str(file), *arguments),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.ready = self.line()

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, frame: bytes) -> bytes:
        port = os.open(self.ready["port"], os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(port, frame)
            return os.read(port, 100)
        finally:
            os.close(port)

    def stop(self) -> tuple[int, str]:
        self.process.terminate()
        _, error = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, error


def test_it_says_ready_answers_and_says_done_and_ends_well_only_then(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_bytes(recording(*exchange(1.0, 0), *exchange(2.0, 1)))
    playing = Program(file, "--link", str(tmp_path / "port"))
    assert playing.ready == {"ready": True, "port": str(tmp_path / "port"), "device": "bill_acceptor", "steps": 2}
    assert playing.ask(POLLS[0]) == NEWS[0]
    assert playing.process.stdin is not None
    playing.process.stdin.write('{"do": "position"}\n')
    playing.process.stdin.flush()
    assert playing.line() == {"steps": 1, "done": False}
    assert playing.ask(POLLS[1]) == NEWS[1]
    assert playing.line() == {"event": "done", "steps": 2, "diverged": False}
    assert playing.stop() == (0, "")


def test_killed_in_the_middle_it_goes_on_where_its_state_file_says(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_bytes(recording(*exchange(1.0, 0), *exchange(2.0, 1)))
    first = Program(file, "--state", str(tmp_path / "state"))
    assert first.ask(POLLS[0]) == NEWS[0]
    first.process.kill()
    first.process.communicate(timeout=WAIT_S)
    second = Program(file, "--state", str(tmp_path / "state"))
    assert second.ask(POLLS[1]) == NEWS[1]
    assert second.line()["event"] == "done"
    assert second.stop()[0] == 0


def test_stopped_before_the_end_it_does_not_claim_success(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_bytes(recording(*exchange(1.0, 0)))
    code, error = Program(file).stop()
    assert code == 1
    assert "before the recording's end" in error


def test_where_the_port_vanished_it_vanishes_and_comes_back_under_its_link(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_bytes(recording(*exchange(1.0, 0), trace.Failed(at=1.2, detail="gone"), *exchange(2.0, 1)))
    playing = Program(file, "--link", str(tmp_path / "port"))
    port = os.open(playing.ready["port"], os.O_RDWR | os.O_NOCTTY)
    os.write(port, POLLS[0])
    assert os.read(port, 100) == NEWS[0]
    assert playing.line()["event"] == "hung_up"
    with pytest.raises(OSError, match="Input/output error"):
        os.write(port, POLLS[1])
    os.close(port)
    assert playing.ask(POLLS[1]) == NEWS[1]
    assert playing.line()["event"] == "done"
    assert playing.stop()[0] == 0


# --- kiosk trace --------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text('[kiosk]\nstate_dir = "state"\n')
    (tmp_path / "state").mkdir()
    return path


def freeze(tmp_path: Path, *codes: str) -> None:
    recorder = FlightRecorder(tmp_path / "state" / "traces", SystemClock(), lambda: 10**12, software="0.1.0")
    recorder.start()
    tape = Tape("bill_acceptor", "ssp", SystemClock(), freeze=recorder.freeze)
    tape.opened("/dev/bill-acceptor")
    for number, code in enumerate(codes):
        tape.sent(POLLS[number % 2])
        tape.heard(NEWS[number % 2])
        tape.reported(DeviceFault(device="bill_acceptor", fault=Fault(code)))
    recorder.stop()


def test_without_a_fault_there_is_nothing_and_it_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["list", "--config", str(config)]) == 0
    assert "no fault" in capsys.readouterr().out
    assert command.main(["show", "--config", str(config)]) == 1
    assert "no fault has frozen a trace yet" in capsys.readouterr().err


def test_a_technician_lists_reads_and_exports_what_was_frozen(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    freeze(tmp_path, "acceptor.fraud", "acceptor.jam_safe")
    assert command.main(["list", "--config", str(config), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["number"], row["fault"], row["device"]) for row in rows] == [
        (1, "acceptor.fraud", "bill_acceptor"),
        (2, "acceptor.jam_safe", "bill_acceptor"),
    ]
    assert command.main(["show", "--config", str(config)]) == 0
    words = capsys.readouterr().out
    assert "acceptor.jam_safe" in words
    assert "READ channel 6" in words
    assert command.main(["export", "1", "--config", str(config), "--out", str(tmp_path / "out.jsonl")]) == 0
    capsys.readouterr()
    assert (tmp_path / "out.jsonl").read_bytes() == Path(rows[0]["file"]).read_bytes()
    assert command.main(["export", "1", "--config", str(config)]) == 0
    assert capsys.readouterr().out.encode() == (tmp_path / "out.jsonl").read_bytes()
    assert command.main(["export", "7", "--config", str(config)]) == 1
    assert "there is no trace 7; there are 1, 2" in capsys.readouterr().err


def test_recording_costs_a_driver_next_to_nothing(tmp_path: Path) -> None:
    """Two lines for each poll, at most five polls a second: the bound is a hundredth of that time, for a slow machine."""
    tape = Tape("bill_acceptor", "ssp", SystemClock())
    began = time.process_time()
    for number in range(20_000):
        tape.sent(number.to_bytes(4, "big"))
    assert (time.process_time() - began) / 20_000 < 0.001
