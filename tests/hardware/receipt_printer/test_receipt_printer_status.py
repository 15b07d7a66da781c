"""Status bytes and the return channel: receipt-printer sections 4 and 13, as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hardware.ports import Paper
from kiosk.hardware.receipt_printer.replies import (
    AutoStatus,
    BuffersCleared,
    Fence,
    ProcessId,
    ReplyReader,
    StatusByte,
    TextBlock,
)
from kiosk.hardware.receipt_printer.status import paper_of, read

GOOD = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}


@pytest.mark.parametrize(
    ("byte", "paper"),
    [
        (0x12, Paper.OK),
        (0x1E, Paper.NEAR_END),
        (0x72, Paper.OUT),
        (0x7E, Paper.OUT),
        (0x32, Paper.OUT),
        (0x00, Paper.UNKNOWN),
        (0xFF, Paper.UNKNOWN),
        (None, Paper.UNKNOWN),
    ],
)
def test_the_roll_sensors_answer_means_one_thing(byte: int | None, paper: Paper) -> None:
    assert paper_of(byte) is paper


@pytest.mark.parametrize(
    ("answers", "paper", "code"),
    [
        ({}, Paper.OK, None),
        ({4: 0x1E}, Paper.NEAR_END, None),
        ({1: 0x1A, 2: 0x16}, Paper.UNKNOWN, "printer.cover_open"),
        ({1: 0x1A, 2: 0x32, 4: 0x72}, Paper.OUT, "printer.paper_out"),
        ({1: 0x1A, 2: 0x32}, Paper.OUT, "printer.paper_out"),
        ({1: 0x1A, 2: 0x52, 3: 0x1A}, Paper.OK, "printer.cutter"),
        ({1: 0x1A, 2: 0x52, 3: 0x32}, Paper.OK, "printer.error"),
        ({1: 0x1A, 3: 0x52}, Paper.OK, "printer.error"),
        ({1: 0x1A, 2: 0x52}, Paper.OK, "printer.error"),
        ({1: 0x1A}, Paper.OK, "printer.error"),
        ({3: None}, Paper.UNKNOWN, "printer.silent"),
        ({1: 0x00}, Paper.UNKNOWN, "printer.silent"),
        ({4: 0xFF}, Paper.UNKNOWN, "printer.silent"),
    ],
)
def test_four_answers_make_one_reading(answers: dict[int, int | None], paper: Paper, code: str | None) -> None:
    reading = read(GOOD | answers)
    assert (reading.paper, reading.fault.code if reading.fault else None) == (paper, code)


@given(st.dictionaries(st.sampled_from([1, 2, 3, 4]), st.none() | st.integers(0, 255)))
def test_a_printer_that_did_not_answer_everything_is_never_ready(answers: dict[int, int | None]) -> None:
    complete = len(answers) == 4 and all(byte is not None and byte & 0x93 == 0x12 for byte in answers.values())
    assert complete or not read(answers).can_print


def test_one_stream_is_sorted_by_first_bytes() -> None:
    reader = ReplyReader()
    reader.statuses_due = 1
    replies = reader.feed(bytes.fromhex("18 00 0f 00 12 37 22 30 41 37 46 00"))
    assert replies == [AutoStatus(b"\x18\x00\x0f\x00"), StatusByte(0x12), ProcessId("0A7F")]
    assert isinstance(replies[0], AutoStatus)
    assert (replies[0].offline, replies[0].paper_out) == (True, True)


def test_answers_come_whole_however_the_line_cuts_them() -> None:
    reader = ReplyReader()
    reader.fence_due = True
    stream = bytes.fromhex("37 22 30 41 37 46 00  37 25 00  11  10 00 00 00  00  5f 58 00")
    replies = [reply for byte in stream for reply in reader.feed(bytes((byte,)))]
    assert replies == [ProcessId("0A7F"), BuffersCleared(), AutoStatus(b"\x10\0\0\0"), Fence(0), TextBlock(b"_X")]
    assert reader.dropped == 0


def test_a_status_nobody_asked_for_counts_as_noise() -> None:
    reader = ReplyReader()
    assert reader.feed(b"\x12\xff\x00") == []
    assert reader.dropped == 3


@given(st.binary(max_size=400))
def test_noise_never_makes_the_reader_fail_or_keep_more_than_a_block(noise: bytes) -> None:
    reader = ReplyReader()
    reader.feed(noise)
    reader.forget_half_block()
    reader.statuses_due = 1
    assert reader.feed(b"\x12") == [StatusByte(0x12)]
