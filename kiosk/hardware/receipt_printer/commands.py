"""The printer's commands as bytes, and how a job falls into pieces. Pure."""

import hashlib

INITIALISE = b"\x1b@"
HANZI_ON = b"\x1c&"
LINE_FEED = b"\n"
CLEAR_BUFFERS = bytes.fromhex("10 14 08 01 03 14 01 06 02 08")  # real time; answered by 37 25 00 where supported
PAPER_FENCE = b"\x1dr\x01"  # answered only after everything before it was carried out
RASTER = b"\x1dv0"
RASTER_HEADER_SIZE = 8
PROCESS_ID = bytes.fromhex("1d 28 48 06 00 30 30")
TAG_SIZE = 4

# Real-time commands are obeyed inside image data too, so no image may contain their first two bytes.
REAL_TIME_STARTS = (b"\x10\x04", b"\x10\x05", b"\x10\x14")

DOTS_PER_MM = 8
HEAD_TO_KNIFE_DOTS = 14 * DOTS_PER_MM  # modules have 10 to 20 mm between the last printed row and the knife


def ask_status(selector: int) -> bytes:
    """DLE EOT n: 1 printer, 2 why off line, 3 which error, 4 roll sensors."""
    return bytes((0x10, 0x04, selector))


def is_question(data: bytes) -> bool:
    """Whether this is wholly one of the driver's own questions: it holds no word of any slip."""
    status = len(data) == 3 and data[:2] == REAL_TIME_STARTS[0]
    proof = len(data) == len(PROCESS_ID) + TAG_SIZE and data.startswith(PROCESS_ID)
    return status or proof or data in (CLEAR_BUFFERS, PAPER_FENCE)


def align(position: int) -> bytes:
    """0 left, 1 centre, 2 right; only at the start of a line."""
    return bytes((0x1B, 0x61, position))


def bold(on: bool) -> bytes:
    return bytes((0x1B, 0x45, on))


def size(width: int, height: int) -> bytes:
    """Character size 1 or 2 in each direction, for ASCII (GS !) and for Hanzi (FS !), which GS ! alone may miss."""
    hanzi = (0x04 if width == 2 else 0) | (0x08 if height == 2 else 0)
    return bytes((0x1D, 0x21, (width - 1) << 4 | (height - 1), 0x1C, 0x21, hanzi))


def feed_and_cut(dots: int = HEAD_TO_KNIFE_DOTS) -> bytes:
    """Feed past the knife, then cut so that a corner holds and the slip does not drop to the floor."""
    return bytes((0x1D, 0x56, 0x42, dots))


def raster(row_bytes: int, rows: bytes) -> bytes:
    """GS v 0: one slice of an image, most significant bit left, 1 is black."""
    height = len(rows) // row_bytes
    return RASTER + b"\0" + row_bytes.to_bytes(2, "little") + height.to_bytes(2, "little") + rows


def process_id(tag: str) -> bytes:
    """GS ( H: answered by 37 22 <tag> 00 once everything before it is printed."""
    return PROCESS_ID + tag.encode("ascii")


def job_tag(job_id: str) -> str:
    """Four printable characters for a job; a stale answer then belongs to another job but once in 81 million."""
    number = int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:8], "big")
    digits = []
    for _ in range(TAG_SIZE):
        number, digit = divmod(number, 95)
        digits.append(chr(0x20 + digit))
    return "".join(digits)


def split_tag(data: bytes) -> tuple[bytes, str | None]:
    """Take the process-ID request off the end of a job: the bytes before it, and its tag."""
    end = len(PROCESS_ID) + TAG_SIZE
    if data[-end:-TAG_SIZE] == PROCESS_ID:
        return data[:-end], data[-TAG_SIZE:].decode("ascii")
    return data, None


def pieces(data: bytes) -> list[bytes]:
    """Cut a job where a real-time question may stand: before and after each image slice, never inside one."""
    found = []
    start = 0
    while (at := data.find(RASTER, start)) >= 0:
        if at > start:
            found.append(data[start:at])
        row_bytes, rows = (int.from_bytes(data[at + skip : at + skip + 2], "little") for skip in (4, 6))
        start = at + RASTER_HEADER_SIZE + row_bytes * rows
        found.append(data[at:start])
    if start < len(data):
        found.append(data[start:])
    return found
