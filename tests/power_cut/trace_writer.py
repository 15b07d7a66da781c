"""Freezes six faults, a minute apart, below the folder named first; ``careless`` behind it leaves every sync out."""

import os
import sys
from pathlib import Path

import msgspec

from kiosk.clock import SystemClock
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder.recorder import SAME_FAULT_AGAIN_S, FlightRecorder
from kiosk.hardware.flight_recorder.tape import Tape


def main(folder: Path) -> None:
    recorder = FlightRecorder(folder / "traces", SystemClock(), lambda: 10**12, software="0.1.0")
    tape = Tape("bill_acceptor", "ssp", SystemClock())
    for number in range(500):
        tape.sent(number.to_bytes(4, "big"))
    snapshot = tape.snapshot(Fault("acceptor.jam_safe"))
    for minute in range(6):
        recorder.freeze(msgspec.structs.replace(snapshot, at=snapshot.at + minute * SAME_FAULT_AGAIN_S))
    recorder.start()
    recorder.stop()
    recorder._thread.join()


if __name__ == "__main__":
    if "careless" in sys.argv[2:]:
        os.fsync = lambda fd: None
    main(Path(sys.argv[1]))
