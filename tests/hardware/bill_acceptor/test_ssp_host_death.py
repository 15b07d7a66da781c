"""The host process is killed outright, with a note anywhere in its life; the books and the box agree afterwards."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kiosk.hardware.ports import NoteCredited
from tests.hardware.bill_acceptor.acceptor_harness import ROOT, WAIT_S, box_by_face, is_ready


class Books:
    """What a killed host leaves behind: one JSON line per intent, credit, claim and return."""

    def __init__(self, path: Path) -> None:
        self._lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]

    def credited(self) -> Counter[int]:
        return Counter(line["face"] for line in self._lines if line["what"] == "credited")

    def open_intent(self) -> int | None:
        last = self._lines[-1] if self._lines else {"what": "none"}
        return int(last["face"]) if last["what"] == "intent" else None


def start_host(link: Path, tmp_path: Path, *, deaf: bool = False) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.hardware.bill_acceptor.host_process", str(link), str(tmp_path)]
    host = subprocess.Popen([*program, "deaf"] if deaf else program, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert host.stdout is not None
    assert host.stdout.readline().strip() == "ready"
    return host


def kill(host: subprocess.Popen[str]) -> None:
    os.kill(host.pid, signal.SIGKILL)
    assert host.wait(WAIT_S) == -signal.SIGKILL, "it had ended by itself"
    assert host.stdout is not None
    host.stdout.close()


def test_a_killed_hosts_credit_is_recovered_from_the_last_answer(plug_in, attach, link, tmp_path) -> None:
    acceptor = plug_in()
    host = start_host(link, tmp_path, deaf=True)  # it sees the credit and neither writes nor acknowledges it
    acceptor.insert(10000)
    assert host.stdout is not None
    assert host.stdout.readline().strip() == "credit seen"
    kill(host)
    acceptor.wait_for("stacked")
    assert Books(tmp_path / "books").open_intent() == 10000
    successor = attach().start(intent_open=True)
    assert successor.take(NoteCredited).face == 10000
    is_ready(successor)
    assert successor.credited == box_by_face(acceptor.ledger()) == {10000: 1}


@pytest.mark.parametrize("seed", range(8))
def test_a_host_killed_at_a_random_instant_loses_and_invents_nothing(plug_in, attach, link, tmp_path, seed) -> None:
    _kill_once(plug_in, attach, link, tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_host_killed_at_any_of_100_instants_loses_and_invents_nothing(plug_in, attach, link, tmp_path, seed) -> None:
    _kill_once(plug_in, attach, link, tmp_path, seed)


def _kill_once(plug_in: Any, attach: Any, link: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    acceptor = plug_in(seed=seed)
    host = start_host(link, tmp_path)
    acceptor.insert(chance.choice((100, 500, 1000, 2000, 5000, 10000)))
    die_at = time.monotonic() + chance.uniform(0.0, 0.2)  # a note lives 0.13 s at this speed
    while time.monotonic() < die_at:
        time.sleep(0.002)
    kill(host)

    books = Books(tmp_path / "books")
    open_face = books.open_intent()
    successor = attach().start(intent_open=open_face is not None)
    counters = is_ready(successor).counters
    assert counters is not None
    known = books.credited() + successor.credited
    outcome = successor.credited or successor.returned
    if open_face is not None and not outcome and counters.stacked > sum(known.values()):
        known[open_face] += 1  # the device has told all it will: its counter decides
    successor.until(lambda: acceptor.ledger()["path"] is None, "the note has gone somewhere")
    assert known == box_by_face(acceptor.ledger())
    assert not successor.unclear
