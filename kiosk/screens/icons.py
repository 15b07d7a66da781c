"""Icon shapes from ``icons.toml``, flattened to points on a 24 grid; pure.

Shapes are written in SVG's words: circle, ellipse, rect and path (M L H V C S A Z, both cases). Source: SVG 1.1, sections
8.3 (path data) and F.6 (arcs).
"""

import functools
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

GRID = 24
_SHAPES = Path(__file__).with_name("icons.toml")
_STEPS = 12  # straight pieces per curve; at 30 mm a piece is under 1 mm
_TOKEN = re.compile(r"([A-Za-z])|(-?(?:\d*\.\d+|\d+)(?:e-?\d+)?)")
_ATTRIBUTE = re.compile(r"([\w-]+)='([^']*)'")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "A": 7, "Z": 0}

Point = tuple[float, float]


class Stroke(NamedTuple):
    """One polyline, y downward; a stroke of one point is a dot."""

    points: tuple[Point, ...]
    closed: bool
    filled: bool = False


class UnknownIcon(KeyError):
    """icons.toml has no such icon."""


@functools.cache
def strokes(name: str) -> tuple[Stroke, ...]:
    """Return an icon's polylines.

    Raises:
        UnknownIcon: no such name.
    """
    shapes = _load().get(name)
    if shapes is None:
        raise UnknownIcon(name)
    return tuple(stroke for shape in shapes for stroke in _flatten(shape))


def names() -> list[str]:
    return sorted(_load())


@functools.cache
def _load() -> dict[str, list[str]]:
    with _SHAPES.open("rb") as file:
        icons: dict[str, list[str]] = tomllib.load(file)["icon"]
    return icons


def _flatten(shape: str) -> Iterator[Stroke]:
    kind = shape.split()[0]
    attributes = dict(_ATTRIBUTE.findall(shape))
    filled = attributes.get("fill") == "currentColor"
    if kind == "path":
        shift = tuple(float(number) for number in re.findall(r"-?[\d.]+", attributes.get("transform", "0 0")))
        for points, closed in _path(attributes["d"]):
            yield Stroke(tuple((x + shift[0], y + shift[1]) for x, y in points), closed, filled)
        return
    number = {name: float(value) for name, value in attributes.items() if name != "fill"}
    if kind == "rect":
        yield Stroke(_rounded(number), closed=True)
    else:
        yield Stroke(_ellipse(number), closed=True, filled=filled)


def _ellipse(number: dict[str, float]) -> tuple[Point, ...]:
    rx, ry = number.get("rx", number.get("r", 0)), number.get("ry", number.get("r", 0))
    turns = [2 * math.pi * step / (4 * _STEPS) for step in range(4 * _STEPS)]
    return tuple((number["cx"] + rx * math.cos(turn), number["cy"] + ry * math.sin(turn)) for turn in turns)


def _rounded(number: dict[str, float]) -> tuple[Point, ...]:
    x, y, r = number["x"], number["y"], number.get("rx", 0)
    right, bottom = x + number["width"] - r, y + number["height"] - r
    points = []
    for cx, cy, start in ((right, y + r, 3), (right, bottom, 0), (x + r, bottom, 1), (x + r, y + r, 2)):
        for step in range(_STEPS + 1):
            turn = (start + step / _STEPS) * math.pi / 2
            points.append((cx + r * math.cos(turn), cy + r * math.sin(turn)))
    return tuple(points)


def _path(data: str) -> Iterator[tuple[list[Point], bool]]:
    points: list[Point] = []
    here: Point = (0, 0)
    handle: Point = here  # second control point of the last curve, mirrored by S
    for command, numbers in _commands(data):
        kind, (x, y) = command.upper(), here if command.islower() else (0.0, 0.0)
        if kind == "M":
            if points:
                yield points, False
            here = (x + numbers[0], y + numbers[1])
            points = [here]
        elif kind == "Z":
            yield points, True
            here, points = points[0], []
        else:
            new, handle = _segment(kind, numbers, (x, y), here, handle)
            points += new
            here = new[-1]
        if kind not in "CS":
            handle = here
    if points:
        yield points, False


def _segment(kind: str, n: list[float], base: Point, here: Point, handle: Point) -> tuple[list[Point], Point]:
    x, y = base
    if kind == "H":
        return [(x + n[0], here[1])], here
    if kind == "V":
        return [(here[0], y + n[0])], here
    if kind == "L":
        return [(x + n[0], y + n[1])], here
    if kind == "A":
        return _arc(here, n[0], n[1], bool(n[3]), bool(n[4]), (x + n[5], y + n[6])), here
    if kind == "S":
        n = [2 * here[0] - handle[0] - x, 2 * here[1] - handle[1] - y, *n]
    one, two, end = ((x + n[place], y + n[place + 1]) for place in (0, 2, 4))
    return [_bezier(here, one, two, end, step / _STEPS) for step in range(1, _STEPS + 1)], two


def _bezier(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    u = 1 - t
    weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
    return (
        sum(weight * point[0] for weight, point in zip(weights, (a, b, c, d), strict=True)),
        sum(weight * point[1] for weight, point in zip(weights, (a, b, c, d), strict=True)),
    )


def _arc(start: Point, rx: float, ry: float, large: bool, sweep: bool, end: Point) -> list[Point]:
    """An unrotated elliptic arc, by its centre. Source: SVG 1.1 F.6.5."""
    dx, dy = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    grow = max(1.0, math.sqrt((dx / rx) ** 2 + (dy / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    under = (rx * ry) ** 2 - (rx * dy) ** 2 - (ry * dx) ** 2
    factor = math.sqrt(max(0.0, under) / ((rx * dy) ** 2 + (ry * dx) ** 2)) * (-1 if large == sweep else 1)
    mx, my = factor * rx * dy / ry, -factor * ry * dx / rx
    cx, cy = mx + (start[0] + end[0]) / 2, my + (start[1] + end[1]) / 2
    first = math.atan2((dy - my) / ry, (dx - mx) / rx)
    span = math.atan2((-dy - my) / ry, (-dx - mx) / rx) - first
    span += 2 * math.pi * ((sweep and span < 0) - (not sweep and span > 0))
    turns = [first + span * step / _STEPS for step in range(1, _STEPS + 1)]
    return [(cx + rx * math.cos(turn), cy + ry * math.sin(turn)) for turn in turns]


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Split path data; numbers beyond a command's need repeat it (a move repeats as a line)."""
    command = ""
    numbers: list[float] = []
    for letter, number in _TOKEN.findall(data):
        if letter:
            command, numbers = letter, []
            if letter in "Zz":
                yield letter, []
            continue
        numbers.append(float(number))
        if len(numbers) == _TAKES[command.upper()]:
            yield command, numbers
            numbers = []
            command = {"M": "L", "m": "l"}.get(command, command)
