"""A host for a replayed device: gives the recorded orders at the recorded events, and keeps what the driver reports.

Orders follow events, not times: what the kiosk asked between its n-th and its next event is asked here after the n-th.
"""

import json
import queue
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from kiosk.clock import SystemClock
from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from kiosk.hardware.bill_acceptor.ssp.recall import Recall, RecallFile
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.ports import CountBefore, DeviceEvent
from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter
from kiosk.hardware.receipt_printer.layout import make_job
from tests.end_to_end.parts import program
from tests.hardware.receipt_printer.receipt_examples import USUAL

PATIENCE_S = 30.0
RENEW_S = 0.2


class Said(msgspec.Struct, frozen=True):
    """One event, and the line of the file that has it."""

    event: str
    facts: dict[str, Any]
    line: int = msgspec.field(default=0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Said) and (self.event, self.facts) == (other.event, other.facts)


def reported_in(recorded: trace.Trace) -> list[Said]:
    return [
        Said(line.event, line.facts, number)
        for number, line in enumerate(recorded.lines, start=trace.FIRST_LINE)
        if isinstance(line, trace.Reported)
    ]


class Replayed:
    """``kiosk-sim replay FILE`` as a process, and the real driver on its port."""

    def __init__(self, file: Path, folder: Path, *, speed: int | None = None) -> None:
        self.recorded = trace.decode(file.read_bytes())
        self.expected = reported_in(self.recorded)
        speed = speed or self.recorded.header.speed
        self.told: list[dict[str, Any]] = []
        self._ended = threading.Event()
        self._process = subprocess.Popen(
            program("kiosk-sim", "replay", str(file), "--link", str(folder / "port"), "--speed", str(speed)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.ready = self._next_line()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.said: list[Said] = []
        self._news: queue.Queue[None] = queue.Queue()
        self._orders = orders_after(self.recorded)
        self._faces: frozenset[Fen] = frozenset()
        self._stop_renewing = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True)
        self._driver: Any
        if self.recorded.header.device == "bill_acceptor":
            self._start_acceptor(self._orders[0][0].facts, folder / "recall", speed)
        else:
            self._start_printer(self._orders[0][0].facts, folder / "stump", speed)
        self._renewer.start()
        self._follow(self._orders[0][1:], None)

    def _start_acceptor(self, facts: dict[str, Any], recall: Path, speed: int) -> None:
        RecallFile(recall, SystemClock().boot_id).write(msgspec.convert(facts["recall"], Recall, strict=False))
        before = msgspec.convert(facts["before"], CountBefore) if facts["before"] else None
        self._driver = SspBillAcceptor(self.ready["port"], self._heard, SystemClock(), speed=speed, recall_path=recall)
        self._driver.start(intent_open=facts["intent_open"], before=before)

    def _start_printer(self, facts: dict[str, Any], stump: Path, speed: int) -> None:
        if facts.get("stump"):
            stump.touch()
        self._driver = EscposReceiptPrinter(
            self.ready["port"], self._heard, SystemClock(), speed=speed, stump_path=stump
        )
        self._driver.start()

    def run(self) -> list[Said]:
        """Wait until the recording is played and everything it reported has been reported, or until it can't be any more."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.said) < len(self.expected) or not self._ended.is_set():
            if any(event.get("diverged") for event in self.told) or self.differs():
                break
            try:
                self._news.get(timeout=min(0.5, max(0.001, deadline - time.monotonic())))
            except queue.Empty:
                assert time.monotonic() < deadline, f"still at {self.said[-1:]}; the device told {self.told}"
        return self.said[: len(self.expected)]

    def differs(self) -> str:
        """In words, the first event that is not the recorded one."""
        for expected, got in zip(self.expected, self.said, strict=False):
            if expected != got:
                return f"line {expected.line}: recorded {expected.event} {expected.facts}, got {got.event} {got.facts}"
        return ""

    @property
    def divergence(self) -> dict[str, Any] | None:
        return next((event for event in self.told if event.get("event") == "diverged"), None)

    def close(self) -> int:
        """The program's exit code."""
        self._stop_renewing.set()
        self._renewer.join(PATIENCE_S)
        self._driver.stop()
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return code

    # --- the driver's thread

    def _heard(self, event: DeviceEvent) -> None:
        self.said.append(Said(type(event).__name__, trace.facts_of(event, "event_no")))
        self._follow(self._orders[len(self.said)], event)
        self._news.put(None)

    def _follow(self, orders: list[trace.Ordered], event: DeviceEvent | None) -> None:
        for one in orders:
            match one.order:
                case "enable":
                    self._faces = frozenset(Fen(face) for face in one.facts["faces_fen"])
                    self._driver.enable(self._faces)
                case "disable":
                    self._faces = frozenset()
                    self._driver.disable()
                case "acknowledge":
                    assert event is not None
                    self._driver.acknowledge(event)
                case "accept":
                    self._driver.accept()
                case "return_note":
                    self._driver.return_note()
                case "read_counters":
                    self._driver.read_counters()
                case "ask_status":
                    self._driver.ask_status()
                case "print":  # some slip under the same name: what stood on it, the trace does not know
                    self._driver.print(make_job(USUAL, job_id=one.facts["job_id"], width_mm=80))
                case unknown:
                    raise AssertionError(f"order {unknown}")

    def _renew(self) -> None:
        while not self._stop_renewing.wait(RENEW_S):
            if self._faces:
                self._driver.enable(self._faces)

    def _next_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return dict(json.loads(line))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            self.told.append(event)
            if event.get("event") == "done":
                self._ended.set()
            self._news.put(None)


def orders_after(recorded: trace.Trace) -> dict[int, list[trace.Ordered]]:
    """Orders by how many events had been reported when they were given; behind a gap, what held then."""
    found: dict[int, list[trace.Ordered]] = defaultdict(list)
    reported = 0
    for line in recorded.lines:
        match line:
            case trace.Reported():
                reported += 1
            case trace.Ordered():
                found[reported].append(line)
            case trace.Gap(standing=standing) if standing:
                facts = {name: value for name, value in standing.items() if name != "order"}
                found[reported].append(trace.Ordered(at=line.at, order=standing["order"], facts=facts))
            case _:
                pass
    return found
