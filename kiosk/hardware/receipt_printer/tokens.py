"""The printer's ear: bytes to commands, as strictly as the command reference allows. Pure.

Not the driver's code and none of it shared with the encoder's: a command that is unknown, has a value out of its
range or the wrong length is reported, never guessed. Real-time commands are heard at once, inside image data too.
Source: ESC/POS command reference; receipt-printer section 2.
"""

from collections.abc import Callable, Iterator

import msgspec

DLE, ESC, FS, GS = 0x10, 0x1B, 0x1C, 0x1D
RASTER_HEADER = 8
CLEAR_PATTERN = bytes((DLE, 0x14, 0x08, 1, 3, 20, 1, 6, 2, 8))


class Characters(msgspec.Struct, frozen=True):
    """One half-width character or one two-byte Hanzi."""

    text: str


class LineFeed(msgspec.Struct, frozen=True):
    """Print the line and feed."""


class Command(msgspec.Struct, frozen=True):
    """A buffered command without image data: its name as in the reference, and its parameters."""

    name: str
    values: bytes = b""


class Raster(msgspec.Struct, frozen=True):
    """One GS v 0 image, complete."""

    row_bytes: int
    rows: bytes


class RealTime(msgspec.Struct, frozen=True):
    """DLE EOT n, DLE ENQ n or DLE DC4 8; ``inside_image`` when it was read out of image data."""

    name: str
    value: int = 0
    inside_image: bool = False


class Wrong(msgspec.Struct, frozen=True):
    """What no printer of this kind understands."""

    data: bytes
    reason: str


Token = Characters | LineFeed | Command | Raster | RealTime | Wrong
Taken = tuple[int, list[Token]]

Check = Callable[[int], bool]


def _one_of(*values: int) -> Check:
    return lambda value: value in values


def _any(value: int) -> bool:
    return True


# Prefix: name, and one check per parameter.
FIXED: dict[bytes, tuple[str, tuple[Check, ...]]] = {
    b"\x1b@": ("ESC @", ()),
    b"\x1bt": ("ESC t", (_any,)),
    b"\x1c&": ("FS &", ()),
    b"\x1c.": ("FS .", ()),
    b"\x1c!": ("FS !", (lambda value: value & ~0x8C == 0,)),
    b"\x1cW": ("FS W", (_one_of(0, 1, 48, 49),)),
    b"\x1b!": ("ESC !", (_any,)),
    b"\x1d!": ("GS !", (lambda value: value & 0x88 == 0,)),
    b"\x1bE": ("ESC E", (_one_of(0, 1),)),
    b"\x1ba": ("ESC a", (_one_of(0, 1, 2, 48, 49, 50),)),
    b"\x1b3": ("ESC 3", (_any,)),
    b"\x1b2": ("ESC 2", ()),
    b"\x1bd": ("ESC d", (_any,)),
    b"\x1bJ": ("ESC J", (_any,)),
    b"\x1bi": ("ESC i", ()),
    b"\x1bm": ("ESC m", ()),
    b"\x1bc5": ("ESC c 5", (_one_of(0, 1),)),
    b"\x1dr": ("GS r", (_one_of(1, 2, 49, 50),)),
    b"\x1da": ("GS a", (lambda value: value & ~0x4F == 0,)),
    b"\x1dI": ("GS I", (_one_of(1, 2, 3, 49, 50, 51, 65, 66, 67, 68, 69),)),
}
# GS ( letter: what the bytes after the length must be.
EXTENDED: dict[int, tuple[str, Check, bytes]] = {
    ord("H"): ("GS ( H", _one_of(3, 6), b""),
    ord("D"): ("GS ( D", _one_of(3), b"\x14"),
}


class Tokenizer:
    """Eats the line's bytes as they come and tells what they mean."""

    def __init__(self) -> None:
        self.power_on()

    def power_on(self) -> None:
        """Forget everything, as after a power cut."""
        self._pending = b""
        self._scanned = 0
        self._hanzi = False

    @property
    def missing_image_bytes(self) -> int:
        """How much of an image is still to come: until then everything sent is swallowed as pixels."""
        size = self._image_size()
        return 0 if size is None else max(0, size - len(self._pending))

    def feed(self, data: bytes) -> Iterator[Token]:
        """Yield every token that is complete; what is half there waits for more."""
        self._pending += data
        while self._pending:
            if self._image_size() is not None:
                yield from self._hear_inside_image()
                if not self._pending:
                    return
            taken, tokens = self._next()
            self._pending = self._pending[taken:]
            yield from tokens
            if taken == 0:
                return
            self._scanned = 0

    def _next(self) -> Taken:
        first = self._pending[0]
        if first == DLE:
            return self._real_time()
        if first in (ESC, FS, GS):
            return self._command()
        if first == 0x0A:
            return 1, [LineFeed()]
        if first in (0x00, 0x0D):
            return 1, []  # padding, and the other half of a line end
        if first < 0x20 or first == 0x7F:
            return 1, [Wrong(bytes((first,)), "control character")]
        return self._characters(first)

    def _characters(self, first: int) -> Taken:
        if first < 0x80:
            return 1, [Characters(chr(first))]
        if not self._hanzi:
            return 1, [Wrong(bytes((first,)), "half of a Hanzi outside Hanzi mode")]
        pair = self._pending[:2]
        if len(pair) < 2:
            return 0, []
        if 0x30 <= pair[1] <= 0x39:
            return 2, [Wrong(pair, "four-byte GB18030 code")]
        try:
            return 2, [Characters(pair.decode("gbk"))]
        except UnicodeDecodeError:
            return 1, [Wrong(pair, "not a GBK pair")]

    # --- real time -----------------------------------------------------------------------------------------------

    def _real_time(self) -> Taken:
        second = self._pending[1:2]
        if second in (b"\x04", b"\x05"):
            if len(self._pending) < 3:
                return 0, []
            found = _short_real_time(self._pending[:3])
            return 3, [found or Wrong(self._pending[:3], "unknown real-time value")]
        if second == b"\x14":
            if CLEAR_PATTERN.startswith(self._pending[: len(CLEAR_PATTERN)]):
                if len(self._pending) < len(CLEAR_PATTERN):
                    return 0, []
                return len(CLEAR_PATTERN), [RealTime("DLE DC4")]
            return 2, [Wrong(self._pending[:3], "unknown DLE DC4")]
        return (2, [Wrong(self._pending[:2], "unknown real-time command")]) if second else (0, [])

    def _hear_inside_image(self) -> Iterator[Token]:
        """Real printers listen inside image data as well; a job that contains such bytes is wrong, and obeyed."""
        size = self._image_size() or 0
        at = max(self._scanned, RASTER_HEADER)
        while (at := self._pending.find(DLE, at, size)) >= 0:
            if self._pending.startswith(CLEAR_PATTERN, at):
                self._pending = self._pending[at + len(CLEAR_PATTERN) :]
                self._scanned = 0
                yield RealTime("DLE DC4", inside_image=True)
                return
            rest = self._pending[at : min(at + len(CLEAR_PATTERN), size)]
            if CLEAR_PATTERN.startswith(rest) or len(rest) < 3:
                break  # may become one; look again when more has come
            if found := _short_real_time(rest[:3]):
                yield msgspec.structs.replace(found, inside_image=True)
            at += 1
        self._scanned = at if at >= 0 else len(self._pending)

    # --- commands ------------------------------------------------------------------------------------------------

    def _command(self) -> Taken:
        for length in (2, 3):
            if known := FIXED.get(self._pending[:length]):
                return self._fixed(length, *known)
        if self._pending[:2] == b"\x1dV":
            return self._cut()
        if self._pending[:2] == b"\x1dv":
            return self._raster()
        if self._pending[:2] == b"\x1d(":
            return self._extended()
        if len(self._pending) < 2 or self._pending == b"\x1bc":
            return 0, []
        return 2, [Wrong(self._pending[:2], "unknown command")]

    def _fixed(self, length: int, name: str, checks: tuple[Check, ...]) -> Taken:
        end = length + len(checks)
        if len(self._pending) < end:
            return 0, []
        values = self._pending[length:end]
        if not all(check(value) for check, value in zip(checks, values, strict=True)):
            return end, [Wrong(self._pending[:end], f"{name}: value out of range")]
        if name in ("FS &", "FS .", "ESC @"):
            self._hanzi = name == "FS &"
        return end, [Command(name, values)]

    def _cut(self) -> Taken:
        mode = self._pending[2:3]
        if not mode:
            return 0, []
        if mode[0] in (0, 1, 48, 49):
            return 3, [Command("GS V", mode)]
        if mode[0] not in (65, 66):
            return 3, [Wrong(self._pending[:3], "GS V: value out of range")]
        return (4, [Command("GS V", self._pending[2:4])]) if len(self._pending) >= 4 else (0, [])

    def _extended(self) -> Taken:
        if len(self._pending) < 5:
            return 0, []
        length = int.from_bytes(self._pending[3:5], "little")
        end = 5 + length
        letter = EXTENDED.get(self._pending[2])
        if letter is None:
            return 2, [Wrong(self._pending[:5], "unknown command")]
        name, fits, start = letter
        if not fits(length):
            return 5, [Wrong(self._pending[:5], f"{name}: wrong length")]
        if len(self._pending) < end:
            return 0, []
        values = self._pending[5:end]
        return end, [Command(name, values) if _extended_fits(name, values, start) else Wrong(values, name)]

    def _raster(self) -> Taken:
        if len(self._pending) < RASTER_HEADER:
            return 0, []
        if self._pending[2:3] != b"0" or self._pending[3] not in (0, 48):
            return RASTER_HEADER, [Wrong(self._pending[:RASTER_HEADER], "GS v 0: mode")]
        size = self._image_size()
        if size is None:
            return RASTER_HEADER, [Wrong(self._pending[:RASTER_HEADER], "GS v 0: empty image")]
        if len(self._pending) < size:
            return 0, []
        row_bytes = int.from_bytes(self._pending[4:6], "little")
        return size, [Raster(row_bytes, self._pending[RASTER_HEADER:size])]

    def _image_size(self) -> int | None:
        """Header and pixels of the image at the head of the line; None when there is none."""
        if self._pending[:3] != b"\x1dv0" or len(self._pending) < RASTER_HEADER or self._pending[3] not in (0, 48):
            return None
        row_bytes, rows = (int.from_bytes(self._pending[at : at + 2], "little") for at in (4, 6))
        return RASTER_HEADER + row_bytes * rows if row_bytes and rows else None


def _short_real_time(three: bytes) -> RealTime | None:
    if three[:2] == b"\x10\x04" and three[2] in (1, 2, 3, 4):
        return RealTime("DLE EOT", three[2])
    if three[:2] == b"\x10\x05" and three[2] in (1, 2):
        return RealTime("DLE ENQ", three[2])
    return None


def _extended_fits(name: str, values: bytes, start: bytes) -> bool:
    if not values.startswith(start):
        return False
    if name != "GS ( H":
        return True
    if len(values) == 6:
        return values[:2] == b"\x30\x30" and all(0x20 <= digit <= 0x7E for digit in values[2:])
    return values[:2] == b"\x31\x30" and values[2] in (0, 1, 2, 48, 49, 50)
