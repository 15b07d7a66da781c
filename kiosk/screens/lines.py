"""Breaks a sentence into lines as a Chinese or English reader expects; pure.

Kivy breaks Chinese only at spaces or in the middle of numbers. Here a line may break between two Chinese characters or at a
space, never before closing punctuation nor after an opening bracket, and the last line is never a lonely scrap.
"""

import re
from collections.abc import Callable

_NO_START = "，。、：；！？）》」』”’％·,.:;!?)]}%…—–"
_NO_END = "（《「『“‘([{¥￥"
_SCRAP = 0.34  # a last line shorter than this share of the longest is a scrap

_CLAUSE_ENDS = ("，", "。", "；", "：", "！", "？", ".", ";", ":", "!", "?")

# One piece is a run that holds together: a Latin word, a number with its measure word (3 栋), one other character, spaces.
_PIECE = re.compile(r"\s+|[!-~¥￥À-ɏ–−]+(?:(?<=\d) ?[一-鿿])?|.", re.DOTALL)

Measure = Callable[[str], float]


def wrap(text: str, measure: Measure, width: float) -> list[str]:
    """Return lines no wider than ``width`` where the words allow it."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_paragraph(paragraph, measure, width)
    return lines


def _wrap_paragraph(paragraph: str, measure: Measure, width: float) -> list[str]:
    pieces = _glue(_PIECE.findall(paragraph))
    lines = _fill(pieces, measure, width)
    by_clause = _fill(_clauses(pieces), measure, width)
    if len(by_clause) == len(lines) and _is_even(by_clause, measure, width):
        return by_clause
    narrower = _balance(_clauses(pieces), measure, width, len(lines)) if len(lines) > 1 else None
    if narrower and len(narrower) == len(lines) and _is_even(narrower, measure, width):
        return narrower
    if len(lines) < 2 or measure(lines[-1]) >= _SCRAP * max(measure(line) for line in lines):
        return lines
    return _balance(pieces, measure, width, len(lines)) or lines


def _glue(pieces: list[str]) -> list[str]:
    """Join what must not be parted by the end of a line."""
    glued: list[str] = []
    for piece in pieces:
        joins = glued and not piece.isspace() and not glued[-1].isspace()
        if joins and (piece[0] in _NO_START or glued[-1][-1] in _NO_END):
            glued[-1] += piece
        else:
            glued.append(piece)
    return glued


def _clauses(pieces: list[str]) -> list[str]:
    """Join pieces up to each comma or full stop: where there is room, a reader would rather turn the line there."""
    clauses: list[str] = []
    for piece in pieces:
        if (clauses and not clauses[-1].rstrip().endswith(_CLAUSE_ENDS)) or (clauses and piece.isspace()):
            clauses[-1] += piece
        else:
            clauses.append(piece)
    return clauses


def _is_even(lines: list[str], measure: Measure, width: float) -> bool:
    lengths = [measure(line) for line in lines]
    return max(lengths) <= width and min(lengths) >= _SCRAP * max(lengths)


def _fill(pieces: list[str], measure: Measure, width: float) -> list[str]:
    lines, line = [], ""
    for piece in pieces:
        if line and not piece.isspace() and measure(line + piece) > width:
            lines.append(line.rstrip())
            line = ""
        if line or not piece.isspace():
            line += piece
    return [*lines, line.rstrip()]


def _balance(pieces: list[str], measure: Measure, width: float, count: int) -> list[str] | None:
    """The narrowest filling that needs no more lines: its last line is as long as can be."""
    narrow, wide, best = width / 2, width, None
    for _ in range(8):
        middle = (narrow + wide) / 2
        lines = _fill(pieces, measure, middle)
        if len(lines) <= count and max(measure(line) for line in lines) <= width:
            best, wide = lines, middle
        else:
            narrow = middle
    return best
