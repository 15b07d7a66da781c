"""Breaks text into lines: anywhere between Chinese characters, at spaces in English. Pure."""

import re
from collections.abc import Callable, Iterator

# These never begin a line: the character before them goes along.
CLOSING = "，。、；：！？）》」』”’…%,.;:!?)"

_ATOMS = re.compile(r"[^\S　]+|　|[!-~¥×]+|.", re.DOTALL)


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
    return lines


def _atoms(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """What may not be broken: a run of Latin letters and digits, unless alone it is too wide for a line."""
    for atom in _ATOMS.findall(text):
        if len(atom) > 1 and measure(atom) > width:
            yield from atom
        else:
            yield atom
