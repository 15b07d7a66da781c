"""The simulated printer's ear: strict about every byte, and deaf to nothing that a real one hears."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.hardware.receipt_printer.commands import CLEAR_BUFFERS
from kiosk.hardware.receipt_printer.tokens import (
    Characters,
    Command,
    LineFeed,
    Raster,
    RealTime,
    Token,
    Tokenizer,
    Wrong,
)


def tokens(data: bytes) -> list[Token]:
    return list(Tokenizer().feed(data))


def test_the_sheets_text_example_is_understood() -> None:
    data = bytes.fromhex("1B40 1C26 CEEFD2B5B7D1 20 3132382E3530 0A 1B6406 1D5600")
    heard = tokens(data)
    assert heard[:2] == [Command("ESC @"), Command("FS &")]
    assert "".join(token.text for token in heard if isinstance(token, Characters)) == "物业费 128.50"
    assert heard[-3:] == [LineFeed(), Command("ESC d", b"\x06"), Command("GS V", b"\x00")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("1b 7a", "unknown command"),
        ("1d 28 6b 04 00 31 41 32 00", "unknown command"),
        ("1b 61 07", "out of range"),
        ("1d 56 09", "out of range"),
        ("1d 28 48 05 00 30 30 41 41 41", "wrong length"),
        ("1d 28 48 06 00 30 31 41 41 41 41", "GS ( H"),
        ("1d 76 30 09 01 00 01 00 ff", "mode"),
        ("1d 76 30 00 00 00 01 00", "empty image"),
        ("10 04 09", "real-time"),
        ("07", "control character"),
        ("ce ef", "outside Hanzi mode"),
        ("1c 26 81 30 84 36", "four-byte"),
        ("1c 26 ce 20", "not a GBK pair"),
    ],
)
def test_what_no_printer_understands_is_reported(data: str, reason: str) -> None:
    wrong = [token for token in tokens(bytes.fromhex(data)) if isinstance(token, Wrong)]
    assert wrong
    assert reason in wrong[0].reason


def test_a_question_inside_an_image_is_heard_and_the_image_stays_whole() -> None:
    image = b"\xaa" * 30 + b"\x10\x04\x01" + b"\xaa" * 31
    heard = tokens(bytes.fromhex("1d 76 30 00 08 00 08 00") + image)
    assert heard == [RealTime("DLE EOT", 1, inside_image=True), Raster(8, image)]


@pytest.mark.parametrize("cut", range(1, 20))
def test_clearing_ends_a_half_sent_image_however_the_line_cuts_it(cut: int) -> None:
    tokenizer = Tokenizer()
    data = bytes.fromhex("1d 76 30 00 08 00 08 00") + b"\xaa" * 5 + CLEAR_BUFFERS + b"A"
    heard = [*tokenizer.feed(data[:cut]), *tokenizer.feed(data[cut:])]
    assert heard == [RealTime("DLE DC4", inside_image=True), Characters("A")]
    assert tokenizer.missing_image_bytes == 0


PIECES = st.one_of(
    st.sampled_from(["1b40", "1c26", "1c2e", "1b6101", "1d2111", "1b4501", "0a", "1d564270", "1d7201", "100401"]).map(
        bytes.fromhex
    ),
    st.text(alphabet="物业费缴纳王喆㎡", max_size=5).map(lambda text: b"\x1c&" + text.encode("gbk")),
    st.binary(min_size=6, max_size=6).map(lambda rows: b"\x1dv0\0\x02\0\x03\0" + rows),
)


@given(st.lists(PIECES, max_size=20), st.data())
def test_what_is_heard_does_not_depend_on_how_the_line_cuts_it(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    tokenizer = Tokenizer()
    edges = [0, *cuts, len(stream)]
    heard = [token for start, end in pairwise(edges) for token in tokenizer.feed(stream[start:end])]
    assert heard == tokens(stream)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_interpreter_fail(noise: bytes) -> None:
    tokens(noise)
