"""Breaks text into lines: anywhere between Chinese characters, at spaces in English. Pure."""

import re
from collections.abc import Callable, Iterator

# These never begin a line: the character before them goes along.
CLOSING = "，。、；：！？）》」』”’…%,.;:!?)"

LEAST_LAST = 4
FIRST_WIDE = 0x2E80  # from here on characters stand alone: a line may break before them

# Spaces, notes (100元×3), a masked name (张*), a run of Latin letters and digits, any other character.
_ATOMS = re.compile(r"[^\S　]+|\d+元×\d+|　|[^\s!-~]{1,2}\*+|[!-~¥×]+|.", re.DOTALL)


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Split ``text`` into lines no wider than ``width``; a single character wider than that stands alone."""
    lines: list[str] = []
    line = ""
    for atom in _atoms(text, width, measure):
        if not line or measure(line + atom) <= width:
            line += atom
            continue
        carried = ""
        if atom[0] in CLOSING and len(line.rstrip()) > 1 and measure(line.rstrip()[-1] + atom) <= width:
            line, carried = line.rstrip()[:-1], line.rstrip()[-1]
        lines.append(line.rstrip())
        line = carried + (atom if carried else atom.lstrip())
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return _without_orphan(lines, width, measure)


def _without_orphan(lines: list[str], width: float, measure: Callable[[str], float]) -> list[str]:
    """Give a last line of one or two Chinese characters some of the line before; alone it looks like a misprint."""
    if len(lines) < 2 or len(lines[-1]) >= LEAST_LAST:
        return lines
    before, last = lines[-2:]
    clause = max(before.rfind(mark, 0, -1) for mark in "，；。") + 1
    if clause > LEAST_LAST and measure(before[clause:] + last) <= width:
        return [*lines[:-2], before[:clause], before[clause:] + last]
    while len(last) < LEAST_LAST or last[0] in CLOSING:
        if len(before) <= 2 * LEAST_LAST or not _breaks_before(before[-1]) or measure(before[-1] + last) > width:
            return lines
        before, last = before[:-1], before[-1] + last
    return [*lines[:-2], before, last]


def _breaks_before(character: str) -> bool:
    return ord(character) >= FIRST_WIDE


def _atoms(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """What may not be broken: a run of Latin letters and digits, unless alone it is too wide for a line."""
    for atom in _ATOMS.findall(text):
        if len(atom) > 1 and measure(atom) > width:
            yield from atom
        else:
            yield atom
