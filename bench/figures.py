"""One figure with its goal, and how a list of them is printed and kept."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is measured; ``beside`` is the peer or limit from the same run, if there is one.

    The goal bounds ``value / beside`` where there is a peer, else ``value`` itself.
    """

    name: str
    value: float
    unit: str
    beside: float | None = None
    beside_name: str = ""
    goal: float
    better: Literal["lower", "higher"] = "lower"
    how: str = ""

    @property
    def judged(self) -> float:
        return self.value if self.beside is None else self.value / self.beside

    @property
    def is_met(self) -> bool:
        return self.judged <= self.goal if self.better == "lower" else self.judged >= self.goal


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of all do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # ceiling
    return ordered[max(0, int(rank) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def table(figures: Sequence[Figure]) -> str:
    """A table for people; ✓ and ✗ say whether the goal is met."""
    rows = [("", "figure", "measured", "beside it", "ratio", "goal")]
    for figure in figures:
        sign = "≤" if figure.better == "lower" else "≥"
        beside = "" if figure.beside is None else f"{figure.beside:.4g} {figure.unit} {figure.beside_name}"
        ratio = "" if figure.beside is None else f"{figure.judged:.2f}×"
        unit = f" {figure.unit}" if figure.beside is None else "×"
        rows.append(
            (
                "✓" if figure.is_met else "✗",
                figure.name,
                f"{figure.value:.4g} {figure.unit}",
                beside,
                ratio,
                f"{sign} {figure.goal:g}{unit}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write(figures: Sequence[Figure], path: Path, machine: dict[str, str]) -> None:
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
