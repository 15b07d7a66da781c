"""A simulated printer and its driver on the two ends of a real terminal pair; the bytes really travel."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.clock import SystemClock
from kiosk.domain.receipt import Receipt
from kiosk.hardware.ports import DeviceEvent, PrinterStatus, PrintJob, ReceiptFailed, ReceiptPrinted
from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter
from kiosk.hardware.receipt_printer.layout import make_job
from kiosk.hardware.receipt_printer.simulator import PrinterSimulator
from tests.hardware.receipt_printer.receipt_examples import USUAL

SPEED = 20
PATIENCE_S = 20.0


class Events:
    """What was reported, in order; waiting for the next one that fits."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()
        self.all: list[Any] = []

    def put(self, event: Any) -> None:
        self.all.append(event)
        self._queue.put(event)

    def next(self, fits: Callable[[Any], bool]) -> Any:
        ends_at = time.monotonic() + PATIENCE_S
        while (left := ends_at - time.monotonic()) > 0:
            try:
                event = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if fits(event):
                return event
        raise AssertionError(f"it never came; what came: {self.all}")

    def of(self, kind: type[DeviceEvent]) -> Any:
        return self.next(lambda event: isinstance(event, kind))


class Bench:
    """A printer, switched on, and everything that happens to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.link = directory / "printer"
        self.seen, self.reported = Events(), Events()
        self._parts: list[Callable[[], None]] = []

    def plug_in(self, *, width_mm: int = 80, speed: int = SPEED, state: Path | None = None) -> None:
        self.simulator = PrinterSimulator(
            width_mm=width_mm,
            out=self.directory / "slips",
            link=self.link,
            state=state,
            speed=speed,
            standard_streams=False,
            on_event=lambda name, facts: self.seen.put((name, facts)),
        )
        self._simulating = threading.Thread(target=self.simulator.run, name="printer-simulator", daemon=True)
        self._simulating.start()

    def unplug(self) -> None:
        self.simulator.loop.stop()
        self._simulating.join(PATIENCE_S)

    def drive(self, *, process_id: bool = True, speed: int = SPEED) -> None:
        self.driver = EscposReceiptPrinter(
            str(self.link),
            self.reported.put,
            SystemClock(),
            speed=speed,
            process_id=process_id,
            stump_path=self.directory / "stump",
        )
        self.driver.start()

    def close(self) -> None:
        if hasattr(self, "driver"):
            self.driver.stop()
        if self._simulating.is_alive():
            self.unplug()

    def do(self, **command: Any) -> dict[str, Any]:
        answer = self.simulator.ask(command)
        assert "error" not in answer, answer
        return answer

    def print(self, job_id: str = "job-1", receipt: Receipt = USUAL) -> PrintJob:
        job = make_job(receipt, job_id=job_id, width_mm=80)
        self.driver.print(job)
        return job

    def printed_mm(self, height_mm: float) -> None:
        """Return in the middle of a slip, when so much of it has been printed."""
        ends_at = time.monotonic() + PATIENCE_S
        while not (ledger := self.do(do="ledger"))["uncut_mm"] >= height_mm:
            assert not ledger["printed"], "the slip was out before this program looked: too slow to prove anything"
            assert time.monotonic() < ends_at, f"nothing was printed: {ledger}"
            time.sleep(0.002)

    def outcome(self) -> ReceiptPrinted | ReceiptFailed:
        return self.reported.next(lambda event: isinstance(event, ReceiptPrinted | ReceiptFailed))

    def slip(self) -> dict[str, Any]:
        return self.seen.next(lambda event: event[0] == "printed")[1]

    def errors(self) -> list[Any]:
        return [event for event in self.seen.all if event[0] == "error"]


def until_ready(bench: Bench) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        bench.driver.ask_status()
        if bench.reported.of(PrinterStatus).can_print:
            return
    raise AssertionError("the printer never came back")
