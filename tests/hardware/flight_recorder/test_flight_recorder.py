"""From the ring to a file: durable, few, never in the way of a device, never at the price of the disk margin."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import recorder as files
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.recorder import MOST_OF_ONE_FAULT, FlightRecorder, Stored, stored, surplus_of
from kiosk.hardware.flight_recorder.tape import Snapshot
from kiosk.hardware.ports import AcceptorEnabled, NoteCredited
from tests.hardware.bill_acceptor.acceptor_harness import Host, SimulatedAcceptor

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "trace-v1.jsonl"
MUCH = 10**12
WAIT_S = 20.0


def snapshot(
    code: str = "acceptor.jam_safe", at: float = 1000.0, lines: int = 3, device: str = "bill_acceptor"
) -> Snapshot:
    sent = tuple(trace.Sent(at=at, hex="7f 80 01 07 12 02") for _ in range(lines))
    return Snapshot(device=device, protocol="ssp", speed=1, fault=Fault(code), at=at, lines=sent)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., FlightRecorder]]:
    made: list[FlightRecorder] = []

    def recorder(spare_bytes: Callable[[], int] = lambda: MUCH) -> FlightRecorder:
        made.append(FlightRecorder(tmp_path / "traces", SystemClock(), spare_bytes, software="0.1.0"))
        made[-1].start()
        return made[-1]

    yield recorder
    for one in made:
        one.stop()


def frozen(tmp_path: Path, count: int) -> list[Stored]:
    deadline = time.monotonic() + WAIT_S
    while len(found := stored(tmp_path / "traces")) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.005)
    return found


def test_a_fault_becomes_a_file_that_says_what_when_and_by_which_program(
    make: Callable[..., FlightRecorder], tmp_path: Path
) -> None:
    clock = SystemClock()
    make().freeze(snapshot(at=clock.monotonic()))
    (one,) = frozen(tmp_path, 1)
    assert (one.number, one.device, one.fault) == (1, "bill_acceptor", "acceptor.jam_safe")
    header = trace.decode(one.path.read_bytes()).header
    assert (header.fault, header.device, header.software) == ("acceptor.jam_safe", "bill_acceptor", "0.1.0")
    assert (header.clock, header.boot_id) == (clock.state(), clock.boot_id)
    assert abs(header.wall_ms - clock.wall_ms()) < 60_000
    assert one.path.stat().st_mode & 0o077 == 0  # the kiosk's user only


def test_a_fault_that_comes_and_goes_is_kept_once_a_minute(make: Callable[..., FlightRecorder], tmp_path: Path) -> None:
    recorder = make()
    for at in (1000.0, 1030.0, 1059.9, 1060.0):
        recorder.freeze(snapshot(at=at))
    recorder.freeze(snapshot("acceptor.fraud", at=1061.0))
    recorder.stop()
    assert [one.fault for one in stored(tmp_path / "traces")] == ["acceptor.jam_safe"] * 2 + ["acceptor.fraud"]


def test_a_recurring_fault_pushes_out_its_own_oldest_and_never_the_one_jam(
    make: Callable[..., FlightRecorder], tmp_path: Path
) -> None:
    recorder = make()
    recorder.freeze(snapshot("acceptor.jam_safe"))
    for minute in range(10):
        recorder.freeze(snapshot("printer.paper_out", at=2000.0 + 61 * minute, device="receipt_printer"))
        frozen(tmp_path, min(minute + 2, MOST_OF_ONE_FAULT + 1))
        deadline = time.monotonic() + WAIT_S
        while stored(tmp_path / "traces")[-1].number < minute + 2:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    kept = stored(tmp_path / "traces")
    assert [one.number for one in kept] == [1, 8, 9, 10, 11]


def test_number_and_total_size_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    kept = []
    for number in range(1, files.MOST_FILES + 1):
        path = tmp_path / f"trace-{number:06}-bill_acceptor-fault{number}.jsonl"
        path.write_bytes(bytes(files.MOST_BYTES // files.MOST_FILES))
        kept.append(Stored(number, "bill_acceptor", f"fault{number}", path))
    assert [one.number for one in surplus_of(kept, device="bill_acceptor", fault="new", size=1)] == [1]
    third = files.MOST_BYTES // 3
    gone = surplus_of(kept, device="bill_acceptor", fault="new", size=third)
    left = sum(one.size for one in kept if one not in gone)
    assert left + third <= files.MOST_BYTES < left + third + files.MOST_BYTES // files.MOST_FILES
    assert [one.number for one in gone] == list(range(1, len(gone) + 1))


def test_without_room_above_the_disk_margin_nothing_is_written(
    make: Callable[..., FlightRecorder], tmp_path: Path
) -> None:
    recorder = make(lambda: files.SPARE_BYTES)
    recorder.freeze(snapshot())
    recorder.stop()
    assert not (tmp_path / "traces").exists()


def test_a_disk_that_refuses_costs_the_trace_and_not_the_thread(
    make: Callable[..., FlightRecorder], tmp_path: Path
) -> None:
    (tmp_path / "traces").write_text("a file where the directory should be")
    recorder = make()
    recorder.freeze(snapshot())
    recorder.freeze(snapshot("acceptor.fraud"))
    deadline = time.monotonic() + WAIT_S
    while not recorder._waiting.empty():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    (tmp_path / "traces").unlink()
    recorder.freeze(snapshot("acceptor.silent"))
    assert frozen(tmp_path, 1)[-1].fault == "acceptor.silent"


def test_while_the_disk_hangs_notes_are_taken_as_ever(make: Callable[..., FlightRecorder], tmp_path: Path) -> None:
    """The writer stands still in its first system call; the acceptor's thread must not notice, however many faults come."""
    hangs, disk = threading.Event(), threading.Event()

    def no_answer() -> int:
        hangs.set()
        disk.wait(60)
        return MUCH

    recorder = make(no_answer)
    recorder.freeze(snapshot())
    assert hangs.wait(WAIT_S)
    for number in range(50):
        recorder.freeze(snapshot(f"fault{number}"))
    acceptor = SimulatedAcceptor(tmp_path / "port", state=None)
    host = Host(
        tmp_path / "port",
        recall=tmp_path / "recall",
        driver=lambda *a, **k: SspBillAcceptor(*a, **k, freeze=recorder.freeze),
    )
    try:
        host.start().take(AcceptorEnabled)
        acceptor.insert(10000)
        assert host.take(NoteCredited).face == 10000
        assert not stored(tmp_path / "traces")
    finally:
        disk.set()
        host.stop()
        acceptor.unplug()


def test_what_a_killed_writer_left_half_is_no_trace_and_goes_away(
    make: Callable[..., FlightRecorder], tmp_path: Path
) -> None:
    half = tmp_path / "traces" / "trace-000007-bill_acceptor-acceptor.fraud.jsonl.new"
    half.parent.mkdir()
    half.write_bytes(b'{"is":"tra')
    assert stored(tmp_path / "traces") == []
    make().freeze(snapshot())
    assert frozen(tmp_path, 1)[0].number == 1
    assert not half.exists()


# --- the format ---------------------------------------------------------------------------------------------------


def every_kind_of_line() -> trace.Trace:
    header = trace.Header(
        device="bill_acceptor", protocol="ssp", speed=1, software="0.1.0", fault="acceptor.jam_safe", detail="",
        at=4711.5, wall_ms=1_795_000_000_000, clock="rtc", boot_id="00000000-0000-0000-0000-000000000000")  # fmt: skip
    lines = (
        trace.Ordered(at=4700.0, order="start", facts={"intent_open": False, "before": None, "recall": {}}),
        trace.Failed(at=4700.1, detail="No such file or directory"),
        trace.Opened(at=4701.0, port="/dev/bill-acceptor"),
        trace.Sent(at=4701.1, hex="7f 80 01 07 12 02"),
        trace.Heard(at=4701.11, hex="7f 80 01 f0 23 80"),
        trace.Sent(at=4701.2, hex="7f 00 01 07 11 88"),
        trace.Heard(at=4701.21, hex="7f 00 01 f0 20 0a"),
        trace.Repeated(at=4705.0, lines=4, times=37),
        trace.Gap(at=4706.0, lines=1200, standing={"order": "enable", "faces_fen": [10000]}),
        trace.Printed(at=4707.0, size=4616, digest="00112233445566ff"),
        trace.Reported(at=4711.4, event="NoteUnclear", facts={"face": 2000, "fault": {"code": "acceptor.jam_safe"}}),
        trace.Closed(at=4711.5),
    )
    return trace.Trace(header, lines)


def test_the_first_released_format_can_be_read_and_written_for_ever() -> None:
    assert trace.decode(GOLDEN.read_bytes()) == every_kind_of_line()
    assert trace.encode(every_kind_of_line()) == GOLDEN.read_bytes()
    assert {type(line) for line in every_kind_of_line().lines} == set(trace.AnyLine.__args__)


def test_a_damaged_trace_names_the_line() -> None:
    rows = GOLDEN.read_bytes().splitlines()
    rows[5] = rows[5][:-3]
    with pytest.raises(trace.TraceUnreadable, match="line 6"):
        trace.decode(b"\n".join(rows))
    with pytest.raises(trace.TraceUnreadable, match="line 1"):
        trace.decode(b"")
