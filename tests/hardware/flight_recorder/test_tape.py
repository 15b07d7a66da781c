"""The ring: what it keeps, what it counts, what it never holds, and how little room it takes."""

import msgspec
import pytest

from kiosk.domain.money import Fen
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.tape import FIRST_LINES, Snapshot, Tape
from kiosk.hardware.ports import DeviceFault, FaultCleared, NoteCredited, NoteUnclear, PrinterStatus

NONE = Fault("")
QUESTIONS = (bytes.fromhex("7f80010712 02"), bytes.fromhex("7f0001071188"))
ANSWERS = (bytes.fromhex("7f8001f02380"), bytes.fromhex("7f0001f0200a"))


class Ticks:
    """A clock that is a hundredth of a second later whenever it is asked."""

    boot_id = "boot"

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now = round(self.now + 0.01, 6)
        return self.now

    def wall_ms(self) -> int:
        return 0

    def state(self) -> str:
        return "rtc"


def tape(**options: object) -> Tape:
    return Tape("bill_acceptor", "ssp", Ticks(), **options)  # type: ignore[arg-type]


def poll(on: Tape, times: int) -> None:
    for number in range(times):
        on.sent(QUESTIONS[number % 2])
        on.heard(ANSWERS[number % 2])


def kinds(snapshot: Snapshot) -> list[str]:
    return [type(line).__name__ for line in snapshot.lines]


def test_bytes_come_out_as_they_went_in_with_direction_and_time() -> None:
    ring = tape()
    ring.opened("/dev/x")
    ring.sent(b"\x7f\x00")
    ring.heard(b"\xf0")
    ring.closed()
    opened, sent, heard, closed = ring.snapshot(NONE).lines
    assert (opened, closed) == (trace.Opened(at=100.01, port="/dev/x"), trace.Closed(at=100.04))
    assert (sent, heard) == (trace.Sent(at=100.02, hex="7f 00"), trace.Heard(at=100.03, hex="f0"))


def test_idle_polling_is_counted_and_the_first_poll_that_says_something_stands_whole() -> None:
    ring = tape()
    poll(ring, 1001)
    ring.sent(QUESTIONS[1])
    ring.heard(b"\x7f\x00\x03\xf0\xef\x00\xcc\x76")
    lines = ring.snapshot(NONE).lines
    assert [type(line) for line in lines[:4]] == [trace.Sent, trace.Heard, trace.Sent, trace.Heard]
    assert isinstance(lines[4], trace.Repeated)
    assert (lines[4].lines, lines[4].times) == (4, 499)
    assert [line.hex for line in lines[5:] if isinstance(line, trace.Sent | trace.Heard)] == [
        QUESTIONS[0].hex(" "),
        ANSWERS[0].hex(" "),
        QUESTIONS[1].hex(" "),
        "7f 00 03 f0 ef 00 cc 76",
    ]


def test_a_snapshot_in_the_middle_of_an_idle_round_lacks_nothing_and_changes_nothing() -> None:
    ring, same = tape(), tape()
    poll(ring, 10)
    poll(same, 10)
    ring.sent(QUESTIONS[0])
    same.sent(QUESTIONS[0])
    asked = ring.snapshot(NONE)
    assert kinds(asked) == ["Sent", "Heard", "Sent", "Heard", "Repeated", "Sent"]
    ring.heard(b"\x01")
    same.heard(b"\x01")
    assert kinds(ring.snapshot(NONE)) == kinds(same.snapshot(NONE)) == [*kinds(asked), "Heard"]


def test_the_ring_keeps_the_first_lines_and_the_newest_and_says_how_many_are_missing() -> None:
    ring = tape(budget_bytes=20_000)
    ring.ordered("start")
    ring.ordered("enable", faces_fen=[100])
    for number in range(2_000):
        ring.sent(number.to_bytes(4, "big"))
    lines = ring.snapshot(NONE).lines
    assert isinstance(lines[0], trace.Ordered)
    assert isinstance(lines[-1], trace.Sent)
    assert lines[-1].hex == (1999).to_bytes(4, "big").hex(" ")
    gap = lines[FIRST_LINES]
    assert isinstance(gap, trace.Gap)
    assert gap.lines + len(lines) - 1 == 2_002  # nothing vanished uncounted
    assert len(msgspec.json.encode(lines)) < 20_000 + 100 * FIRST_LINES


def test_behind_a_gap_the_order_that_held_there_is_known() -> None:
    ring = tape(budget_bytes=5_000)
    poll(ring, FIRST_LINES)
    for number in range(FIRST_LINES):
        ring.sent(bytes((number,)))
    ring.ordered("enable", faces_fen=[10000])
    for number in range(200):
        ring.sent(bytes((number,)))
    gap = next(line for line in ring.snapshot(NONE).lines if isinstance(line, trace.Gap))
    assert gap.standing == {"order": "enable", "faces_fen": [10000]}


@pytest.mark.parametrize(
    "event",
    [
        DeviceFault(device="bill_acceptor", fault=Fault("acceptor.jam_safe")),
        NoteUnclear(face=Fen(2000), fault=Fault("acceptor.note_lost", "stacked without a credit")),
    ],
)
def test_an_event_with_a_fault_freezes_the_tape_with_the_event_on_it(event: DeviceFault | NoteUnclear) -> None:
    frozen: list[Snapshot] = []
    ring = tape(freeze=frozen.append)
    poll(ring, 2)
    ring.reported(event)
    (snapshot,) = frozen
    assert snapshot.fault == event.fault
    assert kinds(snapshot)[-1] == "Reported"


def test_a_fault_that_no_event_carries_freezes_the_tape_as_well() -> None:
    frozen: list[Snapshot] = []
    ring = tape(freeze=frozen.append)
    poll(ring, 2)
    ring.freeze(Fault("acceptor.note_lost", "counted 4, expected 3"))
    assert [(one.fault.code, kinds(one)[-1]) for one in frozen] == [("acceptor.note_lost", "Heard")]


def test_other_events_freeze_nothing() -> None:
    frozen: list[Snapshot] = []
    ring = tape(freeze=frozen.append)
    ring.reported(NoteCredited(face=Fen(100), channel=1))
    ring.reported(FaultCleared(device="bill_acceptor", code="acceptor.jam_safe"))
    ring.reported(PrinterStatus(paper="out", fault=Fault("printer.paper_out")))  # type: ignore[arg-type]
    assert not frozen


def test_of_a_slip_only_size_and_a_digest_are_kept_that_tells_equal_from_unequal() -> None:
    ring = tape()
    for text in ("张三 3-1-502", "张三 3-1-502", "李四 3-1-503"):
        ring.printed(text.encode("gbk"))
    lines = [line for line in ring.snapshot(NONE).lines if isinstance(line, trace.Printed)]
    assert {line.size for line in lines} == {len("张三 3-1-502".encode("gbk"))}
    assert lines[0].digest == lines[1].digest != lines[2].digest
    kept = msgspec.json.encode(lines).decode()
    assert all(word.encode("gbk").hex(" ") not in kept for word in ("张三", "502"))
    assert {key for line in msgspec.json.decode(kept) for key in line} == {"is", "at", "size", "digest"}
