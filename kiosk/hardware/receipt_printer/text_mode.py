"""The slip in the printer's own font, for serial lines too slow for pictures. Pure.

GBK, strict, never GB18030: cheap printers take two-byte codes only and print four-byte codes as rubbish. A column
is one GBK byte, so the width of a text is the length of its bytes. Source: receipt-printer section 3.
"""

from typing import Literal

from kiosk.domain.receipt import Receipt
from kiosk.hardware.receipt_printer import commands
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
from kiosk.hardware.receipt_printer.content import blocks_of
from kiosk.hardware.receipt_printer.drawing import line_picture, qr_picture
from kiosk.hardware.receipt_printer.pictures import picture
from kiosk.hardware.receipt_printer.wrapping import wrap

COLUMNS = {80: 48, 58: 32}
DOTS_PER_COLUMN = 12
REPLACED = str.maketrans({"¥": "￥", "²": "2", "−": "-"})
LARGE = (Type.STRONG, Type.TITLE, Type.TOTAL)
TICK = "√"


class NotInGbk(Exception):
    """A character the printer's font can't know; the line is sent as a picture instead."""


def encode_text(receipt: Receipt, width_mm: Literal[58, 80], job_tag: str | None) -> bytes:
    """The whole job in text mode; single lines with characters outside GBK, and the QR code, stay pictures."""
    page = Page(COLUMNS[width_mm])
    parts = [commands.INITIALISE, commands.HANZI_ON]
    parts += [page.encode(block) for block in blocks_of(receipt)]
    parts.append(commands.feed_and_cut())
    if job_tag is not None:
        parts.append(commands.process_id(job_tag))
    return b"".join(parts)


def gbk(text: str) -> bytes:
    """The printer's bytes for a text.

    Raises:
        NotInGbk: send the line as a picture; a name must never become ``?``.
    """
    try:
        return text.translate(REPLACED).encode("gbk")
    except UnicodeEncodeError as error:
        raise NotInGbk(text) from error


def columns(text: str) -> int:
    """How wide a text is on paper; outside GBK a guess that only has to be large enough."""
    return len(text.translate(REPLACED).encode("gbk", errors="replace").replace(b"?", b"??"))


class Page:
    """Turns blocks into lines of ``columns`` half-width characters."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def encode(self, block: Block) -> bytes:
        """The bytes of one block."""
        try:
            return self._as_text(block)
        except NotInGbk:
            return picture(line_picture(block, self.columns * DOTS_PER_COLUMN))

    def _as_text(self, block: Block) -> bytes:
        match block:
            case Row():
                return self._row(block)
            case Centred():
                return self._centred(block.text, large=block.type in LARGE, bold=block.bold)
            case Paragraph():
                lines = wrap(block.text, self.columns, columns)
                return b"".join(_styled(line, bold=block.bold) + commands.LINE_FEED for line in lines)
            case Plate():
                return self._centred(f"［{block.text}］", large=True, bold=True)
            case Band():
                return self._centred(f"※※　{block.text}　※※", large=False, bold=True)
            case Stamp():
                return self._centred(f"【{TICK if block.ticked else ''}{block.text}】", large=True, bold=True)
            case Code():
                texts = (block.heading, *block.sentences)
                below = b"".join(self._as_text(Paragraph(text=text)) for text in texts if text)
                # Empty lines make its white border: on a slow line, bytes are seconds.
                code = commands.LINE_FEED + picture(qr_picture(block.link, 0)) + commands.LINE_FEED
                return commands.align(1) + code + commands.align(0) + below
            case Rule():
                return (b"=" if block.kind is RuleKind.THICK else b"-") * self.columns + commands.LINE_FEED
            case Space():
                return b""

    def _row(self, row: Row) -> bytes:
        times = 2 if (row.right_type or row.type) in LARGE else 1
        room = self.columns - columns(row.left) - times * columns(row.right)
        right = _styled(row.right, bold=row.right_bold, times=times)
        if room >= (1 if row.left and row.right else 0):
            left = _styled(row.left, bold=row.left_bold)
            return left + b" " * room + right + commands.LINE_FEED
        lines = [_styled(line, bold=row.left_bold) for line in wrap(row.left, self.columns, columns) if line]
        for line in wrap(row.right, self.columns // times, columns):
            pad = b" " * max(0, self.columns - times * columns(line))
            lines.append(pad + _styled(line, bold=row.right_bold, times=times))
        return b"".join(line + commands.LINE_FEED for line in lines)

    def _centred(self, text: str, *, large: bool, bold: bool) -> bytes:
        times = 2 if large else 1
        lines = wrap(text, self.columns // times, columns)
        body = b"".join(_styled(line, bold=bold, times=times) + commands.LINE_FEED for line in lines)
        return commands.align(1) + body + commands.align(0)


def _styled(text: str, *, bold: bool = False, times: int = 1) -> bytes:
    data = gbk(text)
    if times > 1:
        data = commands.size(times, times) + data + commands.size(1, 1)
    return commands.bold(True) + data + commands.bold(False) if bold else data
