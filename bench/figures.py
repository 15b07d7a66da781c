"""One figure with its goal, and how a list of them is printed and kept."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is measured; ``beside`` is the peer or limit from the same run, if there is one.

    The goal bounds the ratio where there is a peer, else ``value`` itself; without a goal it only informs.
    """

    name: str
    value: float
    unit: str
    beside: float | None = None
    beside_name: str = ""
    ratio: float | None = None  # where it was taken pair by pair; else it is value / beside
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"
    how: str = ""

    @property
    def judged(self) -> float:
        if self.beside is None:
            return self.value
        return self.value / self.beside if self.ratio is None else self.ratio

    @property
    def is_met(self) -> bool | None:
        """None without a goal."""
        if self.goal is None:
            return None
        return self.judged <= self.goal if self.better == "lower" else self.judged >= self.goal


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # ceiling
    return ordered[max(0, int(rank) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows per x, by least squares."""
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope


def table(figures: Sequence[Figure]) -> str:
    """A table for people; ✓ and ✗ say whether the goal is met, · that there is none."""
    rows = [("", "figure", "measured", "beside it", "ratio", "goal")]
    for figure in figures:
        beside = "" if figure.beside is None else f"{figure.beside:.4g} {figure.unit} {figure.beside_name}"
        ratio = "" if figure.beside is None else f"{figure.judged:.2f}×"
        rows.append((_mark(figure), figure.name, f"{figure.value:.4g} {figure.unit}", beside, ratio, _goal(figure)))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _mark(figure: Figure) -> str:
    return {True: "✓", False: "✗", None: "·"}[figure.is_met]


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    unit = f" {figure.unit}" if figure.beside is None else "×"
    return f"{'≤' if figure.better == 'lower' else '≥'} {figure.goal:g}{unit}"


def write(figures: Sequence[Figure], path: Path, machine: dict[str, Any]) -> None:
    rows = [
        {
            **msgspec.structs.asdict(figure),
            "ratio": figure.judged if figure.beside is not None else None,
            "met": figure.is_met,
        }
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": rows}, ensure_ascii=False, indent=1) + "\n")
