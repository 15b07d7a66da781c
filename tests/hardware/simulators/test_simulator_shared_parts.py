"""The shared parts of all simulators: terminal pair, control line, arguments, state file, dispatch."""

import argparse
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import serial

from kiosk.hardware.simulators import arguments, truth
from kiosk.hardware.simulators.__main__ import PROGRAMS, main
from kiosk.hardware.simulators.control import CommandRefused, ControlLine, Message
from kiosk.hardware.simulators.loop import Loop
from kiosk.hardware.simulators.terminal import TerminalPair

WAIT_S = 10


def refuse(_message: Message) -> Message:
    raise CommandRefused("no paper to cut")


@pytest.fixture
def control() -> Iterator[ControlLine]:
    loop = Loop()
    line = ControlLine(
        loop,
        {"greet": lambda message: {"hello": message["name"]}, "nod": lambda _: None, "cut": refuse},
        listen=("127.0.0.1", 0),
        standard_streams=False,
    )
    thread = threading.Thread(target=loop.run, args=(lambda: None,))
    thread.start()
    yield line
    loop.stop()
    thread.join(WAIT_S)
    line.close()
    loop.close()


def connect(line: ControlLine) -> socket.socket:
    host, _, port = (line.address or "").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=WAIT_S)


def ask(connection: socket.socket, text: str) -> Message:
    connection.sendall(text.encode() + b"\n")
    answer: Message = json.loads(connection.makefile().readline())
    return answer


def test_every_command_is_answered_where_it_came_from(control) -> None:
    with connect(control) as connection:
        assert ask(connection, '{"do": "greet", "name": "阿明", "id": 7}') == {"hello": "阿明", "id": 7}
        assert ask(connection, '{"do": "nod"}') == {"ok": True}
        assert ask(connection, '{"do": "cut"}') == {"error": "no paper to cut"}
        assert ask(connection, '{"do": "fly"}') == {"error": "unknown command 'fly'; known: cut, greet, nod"}
        assert ask(connection, "what?")["error"].startswith("not JSON")
        assert ask(connection, "[1]")["error"].startswith("a command is an object")


def test_a_peer_that_goes_away_leaves_the_others_served(control) -> None:
    first, second = connect(control), connect(control)
    first.sendall(b'{"do": "gr')
    first.close()
    assert ask(second, '{"do": "nod"}') == {"ok": True}
    second.close()


def test_a_driver_may_open_close_and_open_the_port_again(tmp_path: Path) -> None:
    pair = TerminalPair(tmp_path / "acceptor")
    for word in (b"\x7f\x80\x11", b"\x00\r\n\x03"):
        with serial.Serial(pair.port, 9600, stopbits=2, timeout=WAIT_S, exclusive=True) as port:
            port.write(word)
            received = b""
            while len(received) < len(word):
                received += pair.read()
            assert received == word
            pair.write(word)
            assert port.read(len(word)) == word
    pair.close()
    assert not (tmp_path / "acceptor").is_symlink()


def test_a_reader_that_never_reads_stops_nothing() -> None:
    pair = TerminalPair()
    while pair.write(b"x" * 1000) == 1000:
        pass
    assert pair.read() == b""
    pair.close()


def test_a_link_of_a_newer_simulator_is_left_alone(tmp_path: Path) -> None:
    old, new = TerminalPair(tmp_path / "port"), TerminalPair(tmp_path / "port")
    old.close()
    assert str((tmp_path / "port").readlink()) == new.device
    new.close()


class Box(msgspec.Struct):
    notes: dict[str, int]


def test_state_survives_and_foreign_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.json"
    assert truth.load(path, Box) is None
    truth.save(path, Box({"10000": 2}))
    assert truth.load(path, Box) == Box({"10000": 2})
    path.write_text("{}")
    with pytest.raises(truth.TruthUnreadable, match="delete it"):
        truth.load(path, Box)


@pytest.mark.parametrize("text", ["0.0.0.0:80", "192.168.1.5:1", "nowhere", ":1", "127.0.0.1:99999", "example.org:1"])
def test_commands_are_taken_from_this_machine_only(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        arguments.loopback(text)


def test_usual_addresses_and_speeds_are_read() -> None:
    assert arguments.loopback("localhost:0") == ("127.0.0.1", 0)
    assert arguments.loopback("[::1]:81") == ("::1", 81)
    assert arguments.speed("1000") == 1000
    with pytest.raises(argparse.ArgumentTypeError):
        arguments.speed("0")


@pytest.mark.parametrize("argv", [[], ["toaster"], ["--frobnicate"]])
def test_wrong_usage_exits_2_and_lists_the_programs(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "usage: kiosk-sim PROGRAM" in capsys.readouterr().err


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_help(program: str) -> None:
    command = [sys.executable, "-m", "kiosk.hardware.simulators", program, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S * 3, check=False)
    assert result.returncode == 0
    assert program in result.stdout
