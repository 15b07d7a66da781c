"""The simulated printer's paper: rows under the head, the strip not yet cut, and text set in the printer's font."""

import msgspec
from PIL import Image, ImageDraw

from kiosk.hardware.receipt_printer.fonts import font

CELL = 24  # a Hanzi is 24 dots square, a half-width character 12 wide
LINE_SPACING = 30

_INVERT = bytes(255 - value for value in range(256))


class Strip(msgspec.Struct):
    """Paper since the last cut: pixel rows (1 is black), and what was printed in text mode."""

    row_bytes: int
    rows: bytes = b""
    text: str = ""

    @property
    def height(self) -> int:
        return len(self.rows) // self.row_bytes

    def add(self, rows: bytes, row_bytes: int) -> None:
        """Print rows; what is wider than the head is lost, as on the device."""
        if row_bytes == self.row_bytes:
            self.rows += rows
            return
        for start in range(0, len(rows), row_bytes):
            row = rows[start : start + min(row_bytes, self.row_bytes)]
            self.rows += row.ljust(self.row_bytes, b"\0")

    def feed(self, dots: int) -> None:
        self.rows += bytes(dots * self.row_bytes)

    def picture(self) -> Image.Image:
        """Black on white, as a person sees it."""
        size = (self.row_bytes * 8, max(1, self.height))
        return Image.frombytes("1", size, self.rows.translate(_INVERT) or b"\xff" * self.row_bytes)


class Style(msgspec.Struct):
    """How the next characters look."""

    bold: bool = False
    wide: bool = False
    tall: bool = False
    hanzi_wide: bool = False
    hanzi_tall: bool = False
    align: int = 0
    spacing: int = LINE_SPACING


class Line:
    """The line buffer of text mode: characters until a line feed prints them."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._cells: list[tuple[str, int, int, bool]] = []

    def __bool__(self) -> bool:
        return bool(self._cells)

    def room_for(self, text: str, style: Style) -> bool:
        return self._used() + _width(text, style) <= self.width

    def add(self, text: str, style: Style) -> None:
        tall = style.tall if text.isascii() else style.hanzi_tall
        self._cells.append((text, _width(text, style), CELL * (2 if tall else 1), style.bold))

    def take(self, style: Style) -> tuple[str, bytes]:
        """The line's text and its pixel rows; the buffer is empty afterwards."""
        height = max([cell[2] for cell in self._cells], default=CELL)
        image = Image.new("1", (self.width, max(style.spacing, height + 4)), 0)
        x = (self.width - self._used()) * style.align // 2
        text = "".join(cell[0] for cell in self._cells)
        for character, width, cell_height, bold in self._cells:
            if not character.isspace():
                image.paste(_glyph(character, width, cell_height, bold), (x, height - cell_height))
            x += width
        self._cells = []
        return text, image.tobytes()

    def drop(self) -> None:
        self._cells = []

    def _used(self) -> int:
        return sum(cell[1] for cell in self._cells)


def _width(text: str, style: Style) -> int:
    """A half-width character is 12 dots, a two-byte one 24, whatever it looks like."""
    if text.isascii():
        return CELL // 2 * (2 if style.wide else 1)
    return CELL * (2 if style.hanzi_wide else 1)


def _glyph(character: str, width: int, height: int, bold: bool) -> Image.Image:
    narrow = character.isascii()
    image = Image.new("1", (CELL // 2 if narrow else CELL, CELL), 0)
    draw = ImageDraw.Draw(image)
    draw.text((image.width / 2, 21), character, font=font(20 if narrow else 24, bold), fill=1, anchor="ms")
    return image.resize((width, height), Image.Resampling.NEAREST)
