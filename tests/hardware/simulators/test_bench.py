"""The bench over HTTP, before real simulator programs: commands go through, events come back, strangers are refused."""

import http.client
import json
import queue
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.simulators import bench as bench_package
from kiosk.hardware.simulators.scenario import load, play

KIOSK_SIM = str(Path(sys.executable).parent / "kiosk-sim")


class Program:
    """One kiosk-sim program; its ready line and its standard streams."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen([KIOSK_SIM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Its answer on the standard streams; events that come before are passed over."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**command, "id": 1}).encode() + b"\n")
        self.process.stdin.flush()
        while "id" not in (said := json.loads(self.process.stdout.readline())):
            pass
        answer: dict[str, Any] = said
        return answer

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        code = self.process.wait(5)
        self.process.stdin.close()
        self.process.stdout.close()
        return code


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[Program]:
    program = Program(
        "receipt-printer", "--width-mm", "80", "--out", str(tmp_path / "slips"), "--listen", "127.0.0.1:0"
    )
    yield program
    program.stop()


@pytest.fixture
def bench(printer: Program, tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    (scenarios / "no-paper.toml").write_text(
        'title = "缺纸"\n[[step]]\ndevice = "receipt-printer"\ndo = "paper"\nis = "out"\nwait_for = "status"\n'
    )
    (scenarios / "impossible.toml").write_text('title = "x"\n[[step]]\ndevice = "toaster"\ndo = "pop"\n')
    program = Program(
        "bench", "--listen", "127.0.0.1:0", "--device", f"receipt-printer={printer.ready['listen']}",
        "--slips", str(tmp_path / "slips"), "--scenarios", str(scenarios), "--office", "http://127.0.0.1:8000",
    )  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", program.ready["port"], timeout=20)
    yield connection
    connection.close()
    assert program.stop() == 0


def ask(bench: http.client.HTTPConnection, path: str, command: object, **headers: str) -> tuple[int, dict[str, Any]]:
    bench.request("POST", path, json.dumps(command), {"Content-Type": "application/json", **headers})
    answer = bench.getresponse()
    return answer.status, json.loads(answer.read())


def get(bench: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, bytes]:
    bench.request("GET", path, headers=headers)
    answer = bench.getresponse()
    return answer.status, answer.read()


def test_the_page_and_what_it_shows_are_served(bench: http.client.HTTPConnection) -> None:
    assert "试验台" in get(bench, "/")[1].decode()
    what = json.loads(get(bench, "/what")[1])
    assert what["devices"] == ["receipt-printer"]
    assert {"name": "no-paper", "title": "缺纸"} in what["scenarios"]
    assert get(bench, "/static/bench.js")[0] == 200


def test_a_command_reaches_the_device_and_a_wrong_one_is_answered_in_words(bench: http.client.HTTPConnection) -> None:
    assert ask(bench, "/do/receipt-printer", {"do": "paper", "is": "near_end"})[0] == 200
    status, answer = ask(bench, "/do/receipt-printer", {"do": "fly"})
    assert status == 200
    assert "fly" in answer["error"]
    assert ask(bench, "/do/toaster", {"do": "pop"})[0] == 404


def test_the_jam_on_the_bench_stays_long_enough_to_be_read() -> None:
    jam = load(Path(__file__).resolve().parents[3] / "config" / "scenarios" / "jam-and-clear.toml")
    jammed, cleared = jam.steps[-2:]
    assert (jammed.wait_for, cleared.command) == ("jammed", {"do": "clear"})
    assert jammed.stay_s >= 10


def test_a_scenario_stays_at_a_step_as_long_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "stay.toml"
    file.write_text('[[step]]\ndevice = "printer"\ndo = "a"\nstay_s = 0.2\n[[step]]\ndevice = "printer"\ndo = "b"\n')
    asked = []

    class Printer:
        def ask(self, command: dict[str, str]) -> dict[str, str]:
            asked.append((command["do"], time.monotonic()))
            return {}

    play(load(file), {"printer": Printer()}, queue.Queue, lambda _: None, lambda _name, _event: None)
    (first, began), (second, went_on) = asked
    assert (first, second) == ("a", "b")
    assert went_on - began >= 0.2


def test_a_scenario_plays_and_an_impossible_one_names_its_step(bench: http.client.HTTPConnection) -> None:
    assert ask(bench, "/play/no-paper", {}) == (200, {"ok": True})
    status, answer = ask(bench, "/play/impossible", {})
    assert status == 502
    assert "step 1" in answer["error"]
    assert "toaster" in answer["error"]


def test_other_sites_and_other_names_are_refused(bench: http.client.HTTPConnection) -> None:
    assert ask(bench, "/do/receipt-printer", {"do": "take"}, Origin="http://evil.example")[0] == 403
    assert get(bench, "/", Host="evil.example")[0] == 403


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/novnc/../../../etc/passwd", "/slips/..%2f..%2fetc/passwd", "/nothing"]
)
def test_no_path_leads_out_of_the_served_folders(bench: http.client.HTTPConnection, path: str) -> None:
    assert get(bench, path)[0] == 404


def test_events_are_streamed_as_they_happen(bench: http.client.HTTPConnection) -> None:
    ask(bench, "/play/no-paper", {})
    bench.request("GET", "/events")
    stream = bench.getresponse()
    lines = []
    while not any(b'"done"' in line for line in lines):
        lines.append(stream.readline())
    assert any(b'"device": "receipt-printer"' in line for line in lines)
    stream.close()


def test_the_bench_listens_on_this_machine_only() -> None:
    done = subprocess.run([KIOSK_SIM, "bench", "--listen", "0.0.0.0:8800"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "0.0.0.0" in done.stderr


def test_kiosk_sim_play_says_each_step_and_names_the_one_that_fails(printer: Program, tmp_path: Path) -> None:
    file = tmp_path / "roll.toml"
    file.write_text('title = "换纸"\n[[step]]\ndevice = "receipt-printer"\ndo = "paper"\nis = "out"\n'
                    '[[step]]\ndevice = "receipt-printer"\ndo = "paper"\nis = "no such thing"\n')  # fmt: skip
    done = subprocess.run(
        [KIOSK_SIM, "play", str(file), "--device", f"receipt-printer={printer.ready['listen']}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[0])["event"] == "step"
    assert "step 2" in done.stderr


PROGRAMS = {
    "bill-acceptor": (),
    "receipt-printer": ("--out", "{folder}/slips"),
    "network": ("--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_everything_a_simulator_can_do_has_a_button_on_the_bench(name: str, tmp_path: Path) -> None:
    """Each button sends what the simulator takes, and no command is left that only a terminal can give."""
    page = (Path(bench_package.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    section = re.findall(rf'<section id="{name}".*?</section>', page, re.DOTALL)[0]
    buttons = [json.loads(command) for command in re.findall(r"data-do='([^']+)'", section)]
    program = Program(name, *(argument.format(folder=tmp_path) for argument in PROGRAMS[name]))
    try:
        known = str(program.ask({"do": "?"})["error"]).partition("known: ")[2].split(", ")
        assert set(known) - {"ledger", "status" if name == "receipt-printer" else ""} == {one["do"] for one in buttons}
        for button in buttons:
            if button["do"] != "insert":  # nobody has opened the slot
                assert "error" not in program.ask(button), button
    finally:
        assert program.stop() == 0
