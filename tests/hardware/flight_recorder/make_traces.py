"""Records tests/hardware/traces/ anew: the real driver against the SSP simulator, one life of a note each.

.venv/bin/python -m tests.hardware.flight_recorder.make_traces
"""

import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kiosk
from kiosk.clock import SystemClock
from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.recorder import FlightRecorder
from kiosk.hardware.flight_recorder.tape import Snapshot
from kiosk.hardware.ports import (
    AcceptorEnabled,
    DeviceFault,
    FaultCleared,
    NoteCredited,
    NoteEscrowed,
    NoteReturned,
    NoteStacked,
    NoteUnclear,
    PrinterStatus,
)
from tests.hardware.bill_acceptor.acceptor_harness import Host, SimulatedAcceptor
from tests.hardware.receipt_printer.printer_bench import Bench

TRACES = Path(__file__).resolve().parents[1] / "traces"
SPEED = 20


class Scene:
    """One simulated acceptor and the hosts that used it; the last one's tape is the trace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acceptor = SimulatedAcceptor(folder / "port", state=folder / "box.json", speed=SPEED, seed=3)
        self.hosts: list[Host] = []
        self.frozen: list[Snapshot] = []

    def host(self, **options: bool) -> Host:
        driver = functools.partial(SspBillAcceptor, freeze=self.frozen.append)
        self.hosts.append(Host(self.folder / "port", recall=self.folder / "recall", driver=driver, speed=SPEED))
        self.hosts[-1].accept_notes = options.get("accept", True)
        return self.hosts[-1].start(intent_open=options.get("intent_open", False))

    def close(self) -> None:
        for host in self.hosts:
            host.stop()
        self.acceptor.unplug()

    def recorded(self) -> trace.Trace:
        """What the newest tape holds now; the fault is the last one it was frozen for, if any."""
        fault = self.frozen[-1].fault if self.frozen else Fault("")
        return as_trace(self.hosts[-1].driver._tape.snapshot(fault), self.folder)  # type: ignore[attr-defined]


def as_trace(snapshot: Snapshot, folder: Path) -> trace.Trace:
    recorder = FlightRecorder(folder / "traces", SystemClock(), lambda: 10**9, software=kiosk.__version__)
    return trace.Trace(recorder._header(snapshot), snapshot.lines)


def normal_note(scene: Scene) -> None:
    host = scene.host()
    host.take(AcceptorEnabled)
    scene.acceptor.insert(10000)
    host.take(NoteStacked)


def returned_note(scene: Scene) -> None:
    host = scene.host(accept=False)
    host.take(AcceptorEnabled)
    scene.acceptor.insert(5000)
    host.take(NoteEscrowed)
    time.sleep(2.5 / SPEED)  # so that it is held at least twice before it goes back
    host.driver.return_note()
    host.take(NoteReturned)


def jam(scene: Scene) -> None:
    host = scene.host()
    host.take(AcceptorEnabled)
    scene.acceptor.do("jam", where="stacker")
    scene.acceptor.insert(2000)
    host.take(NoteUnclear)
    host.take(DeviceFault)


def cheat(scene: Scene) -> None:
    host = scene.host()
    host.take(AcceptorEnabled)
    scene.acceptor.do("cheat", when="before_stack")
    scene.acceptor.insert(10000)
    host.take(NoteUnclear)
    host.take(DeviceFault)


def power_up_with_note_in_path(scene: Scene) -> None:
    first = scene.host()
    first.take(AcceptorEnabled)
    scene.acceptor.insert(5000)
    scene.acceptor.wait_for("stacking")
    scene.acceptor.do("power", **{"is": "off"})
    first.abandon()
    scene.hosts.clear()
    scene.acceptor.do("power", **{"is": "on"})
    successor = scene.host(intent_open=True)
    successor.take(AcceptorEnabled)


def corrupt_line(scene: Scene) -> None:
    host = scene.host()
    host.take(AcceptorEnabled)
    scene.acceptor.do("line", flip=0.25, drop=0.15, truncate=0.1)
    scene.acceptor.insert(1000)
    host.take(NoteCredited)
    scene.acceptor.do("line", flip=0, drop=0, truncate=0)
    host.take(NoteStacked)


SCENES: tuple[Callable[[Scene], None], ...] = (
    normal_note,
    returned_note,
    jam,
    cheat,
    power_up_with_note_in_path,
    corrupt_line,
)


def record(play: Callable[[Scene], None], folder: Path) -> trace.Trace:
    scene = Scene(folder)
    try:
        play(scene)
        return scene.recorded()
    finally:
        scene.close()


def slip_and_open_cover(folder: Path) -> trace.Trace:
    """One slip is printed and confirmed; then somebody opens the cover and closes it."""
    bench = Bench(folder)
    bench.plug_in(speed=SPEED)
    try:
        bench.drive(speed=SPEED)
        bench.driver.ask_status()
        bench.reported.of(PrinterStatus)
        bench.print("YG01-000001/1")
        assert bench.outcome().confirmed
        bench.do(do="cover", **{"is": "open"})
        bench.reported.of(DeviceFault)
        bench.do(do="cover", **{"is": "closed"})
        bench.reported.of(FaultCleared)
        return as_trace(bench.driver._tape.snapshot(Fault("printer.cover_open")), folder)
    finally:
        bench.close()


RECORDINGS: dict[str, Callable[[Path], trace.Trace]] = {
    **{scene.__name__: functools.partial(record, scene) for scene in SCENES},
    slip_and_open_cover.__name__: slip_and_open_cover,
}


def main() -> None:
    TRACES.mkdir(exist_ok=True)
    for name, recording in RECORDINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            recorded = recording(Path(folder))
            file = TRACES / f"{name}.jsonl"
            file.write_bytes(trace.encode(recorded).replace(str(folder).encode(), b"/dev"))
            print(f"{file.name}: {len(recorded.lines)} lines")


if __name__ == "__main__":
    main()
