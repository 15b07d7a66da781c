"""Blocks to a 1-bit picture: the slip as it will lie in the payer's hand.

Thresholded, never dithered: dots are black or white, and dither would also form real-time commands (see encoding).
Sizes in dots, from the design of the 80 mm receipt; 58 mm paper is the same slip with narrower lines.
"""

import math
from collections.abc import Iterable

import qrcode
from PIL import Image, ImageDraw, ImageFont

from kiosk.hardware.receipt_printer.blocks import (
    Band,
    Block,
    Centred,
    Code,
    Paragraph,
    Plate,
    Row,
    Rule,
    RuleKind,
    Space,
    Stamp,
    Type,
)
from kiosk.hardware.receipt_printer.fonts import font
from kiosk.hardware.receipt_printer.wrapping import wrap

WHITE, BLACK = 1, 0
MARGIN = 8
TOP, BOTTOM = 16, 24
COLUMN_GAP = 12
TITLE_SPREAD = 8
DASH, DASH_GAP = 8, 6
QUIET_MODULES = 4  # white around a QR code, as its standard asks
NARROWEST_CODE = 200  # 25 mm without the white: read at arm's length, and by worn phones
SMALLEST_MODULE = 4  # half a millimetre: old phones still read it
NARROW = 480  # below this the QR code's text goes under it

LINE_HEIGHTS = {Type.SMALL: 30, Type.NORMAL: 33, Type.STRONG: 44, Type.TITLE: 62, Type.TOTAL: 58}
FIRST_HEIGHT = 2048


class Pen:
    """Draws downwards on paper that grows as needed."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.y = TOP
        self._new_paper(Image.new("1", (width, FIRST_HEIGHT), WHITE))

    @property
    def left(self) -> int:
        return MARGIN

    @property
    def right(self) -> int:
        return self.width - MARGIN

    @property
    def room(self) -> int:
        return self.right - self.left

    def _new_paper(self, image: Image.Image) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.draw.fontmode = "L"  # grey, then threshold: strokes keep the weight that mono hinting takes away

    def need(self, height: int) -> None:
        """Make sure that ``height`` more rows fit."""
        if self.y + height + BOTTOM > self.image.height:
            longer = Image.new("1", (self.width, 2 * self.image.height + height), WHITE)
            longer.paste(self.image, (0, 0))
            self._new_paper(longer)

    def finished(self) -> Image.Image:
        self.need(0)
        return self.image.crop((0, 0, self.width, self.y + BOTTOM))


def draw_blocks(blocks: Iterable[Block], width: int) -> Image.Image:
    """Draw the slip ``width`` dots wide; the height follows."""
    pen = Pen(width)
    for block in blocks:
        _draw(pen, block)
    return pen.finished()


def line_picture(block: Block, width: int) -> Image.Image:
    """One block alone, for a line whose characters the printer's own font lacks."""
    pen = Pen(width)
    top = pen.y
    _draw(pen, block)
    return pen.finished().crop((0, top, width, pen.y))


def _draw(pen: Pen, block: Block) -> None:
    match block:
        case Row():
            _row(pen, block)
        case Centred():
            _centred(pen, block)
        case Paragraph():
            _lines(pen, block.text, block.type, bold=block.bold, left=pen.left, width=pen.room)
        case Plate():
            _plate(pen, block.text)
        case Band():
            _band(pen, block.text)
        case Stamp():
            _stamp(pen, block)
        case Code():
            _code(pen, block)
        case Rule():
            _rule(pen, block.kind)
        case Space():
            pen.y += block.dots


def _measure(text: str, face: ImageFont.FreeTypeFont) -> float:
    return float(face.getlength(text))


def _baseline(top: float, height: int, type_: int) -> float:
    """Chinese characters fill 0.88 of the size above the baseline and 0.12 below."""
    return top + (height - type_) / 2 + 0.88 * type_


def _text(pen: Pen, x: float, baseline: float, text: str, face: ImageFont.FreeTypeFont, ink: int = BLACK) -> None:
    pen.draw.text((round(x), round(baseline)), text, font=face, fill=ink, anchor="ls")


def _lines(pen: Pen, text: str, type_: Type, *, bold: bool, left: int, width: int) -> None:
    face = font(type_, bold)
    height = LINE_HEIGHTS[type_]
    for line in wrap(text, width, lambda part: _measure(part, face)):
        pen.need(height)
        _text(pen, left, _baseline(pen.y, height, type_), line, face)
        pen.y += height


def _row(pen: Pen, row: Row) -> None:
    right_type = row.right_type or row.type
    left_face, right_face = font(row.type, row.left_bold), font(right_type, row.right_bold)
    left_width, right_width = _measure(row.left, left_face), _measure(row.right, right_face)
    gap = COLUMN_GAP if row.left and row.right else 0
    if left_width + gap + right_width > pen.room:
        _row_on_two_lines(pen, row, right_type)
        return
    height = max(LINE_HEIGHTS[row.type], LINE_HEIGHTS[right_type])
    pen.need(height)
    baseline = _baseline(pen.y, height, max(row.type, right_type))
    _text(pen, pen.left, baseline, row.left, left_face)
    _text(pen, pen.right - right_width, baseline, row.right, right_face)
    pen.y += height


def _row_on_two_lines(pen: Pen, row: Row, right_type: Type) -> None:
    if row.left:
        _lines(pen, row.left, row.type, bold=row.left_bold, left=pen.left, width=pen.room)
    face, height = font(right_type, row.right_bold), LINE_HEIGHTS[right_type]
    for line in wrap(row.right, pen.room, lambda part: _measure(part, face)):
        pen.need(height)
        _text(pen, pen.right - _measure(line, face), _baseline(pen.y, height, right_type), line, face)
        pen.y += height


def _centred(pen: Pen, block: Centred) -> None:
    face, height = font(block.type, block.bold), LINE_HEIGHTS[block.type]
    spread = TITLE_SPREAD if block.spread else 0
    for line in wrap(block.text, pen.room, lambda part: _measure(part, face) + spread * len(part)):
        pen.need(height)
        x = (pen.width - _measure(line, face) - spread * (len(line) - 1)) / 2
        baseline = _baseline(pen.y, height, block.type)
        for part in line if spread else (line,):
            _text(pen, x, baseline, part, face)
            x += _measure(part, face) + spread
        pen.y += height


def _plate(pen: Pen, text: str) -> None:
    face, height = font(Type.STRONG, bold=True), LINE_HEIGHTS[Type.STRONG]
    lines = wrap(text, pen.room - 40, lambda part: _measure(part, face))
    whole = height * len(lines) + 32
    pen.need(whole + 14)
    top = pen.y + 4
    pen.draw.rounded_rectangle((pen.left, top, pen.right - 1, top + whole - 1), 10, outline=BLACK, width=3)
    pen.draw.rounded_rectangle((pen.left + 7, top + 7, pen.right - 8, top + whole - 8), 7, outline=BLACK, width=1)
    for number, line in enumerate(lines):
        x = (pen.width - _measure(line, face)) / 2
        _text(pen, x, _baseline(top + 16 + number * height, height, Type.STRONG), line, face)
    pen.y = top + whole + 4


def _band(pen: Pen, text: str) -> None:
    face, height = font(Type.NORMAL, bold=True), LINE_HEIGHTS[Type.NORMAL] + 7
    pen.need(height + 8)
    pen.draw.rectangle((pen.left, pen.y + 4, pen.right - 1, pen.y + 3 + height), fill=BLACK)
    x = (pen.width - _measure(text, face)) / 2
    _text(pen, x, _baseline(pen.y + 4, height, Type.NORMAL), text, face, WHITE)
    pen.y += height + 8


def _stamp(pen: Pen, stamp: Stamp) -> None:
    size, height = int(Type.STRONG), LINE_HEIGHTS[Type.STRONG] + 20
    tick = 34 if stamp.ticked else 0
    while size > Type.NORMAL and _measure(stamp.text, font(size, bold=True)) + tick + 40 > pen.room:
        size -= 2  # English on narrow paper: smaller rather than cut off at both edges
    face = font(size, bold=True)
    width = _measure(stamp.text, face) + tick + 40
    pen.need(height + 36)
    left, top = (pen.width - width) / 2, pen.y + 18
    pen.draw.rounded_rectangle((left, top, left + width, top + height), 8, outline=BLACK, width=4)
    if tick:
        x, middle = left + 20, top + height / 2
        points = ((x, middle + 2), (x + 9, middle + 12), (x + 25, middle - 13))
        pen.draw.line(points, fill=BLACK, width=5, joint="curve")
    _text(pen, left + 20 + tick, _baseline(top, height, size), stamp.text, face)
    pen.y += height + 36


def _code(pen: Pen, code: Code) -> None:
    picture = qr_picture(code.link)
    if pen.width < NARROW:
        pen.need(picture.height)
        pen.image.paste(picture, ((pen.width - picture.width) // 2, pen.y))
        pen.y += picture.height
        _code_text(pen, code, pen.left)
        return
    top = pen.y
    pen.need(picture.height)
    pen.image.paste(picture, (0, top))
    pen.y += SMALLEST_MODULE * QUIET_MODULES  # the white of the code is the least there can be
    _code_text(pen, code, picture.width)
    pen.y = max(pen.y, top + picture.height)


def _code_text(pen: Pen, code: Code, left: int) -> None:
    width = pen.right - left
    _lines(pen, code.heading, Type.NORMAL, bold=True, left=left, width=width)
    for sentence in code.sentences:
        if sentence:
            _lines(pen, sentence, Type.SMALL, bold=False, left=left, width=width)
        else:
            pen.y += 10


def qr_picture(link: str, quiet_modules: int = QUIET_MODULES) -> Image.Image:
    """The QR code with its white border, whole dots per module."""
    code = qrcode.QRCode(border=quiet_modules, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(link)
    modules = code.get_matrix()
    small = Image.new("1", (len(modules), len(modules)))
    small.putdata([BLACK if dark else WHITE for row in modules for dark in row])
    dots = max(SMALLEST_MODULE, math.ceil(NARROWEST_CODE / (len(modules) - 2 * quiet_modules)))
    return small.resize((len(modules) * dots, len(modules) * dots), Image.Resampling.NEAREST)


def _rule(pen: Pen, kind: RuleKind) -> None:
    pen.need(32)
    pen.y += 10
    thickness = kind or RuleKind.THIN
    step, length = (DASH + DASH_GAP, DASH) if kind is RuleKind.DASHED else (pen.room, pen.room)
    for x in range(pen.left, pen.right, step):
        pen.draw.rectangle((x, pen.y, min(x + length, pen.right) - 1, pen.y + thickness - 1), fill=BLACK)
    pen.y += thickness + 10
