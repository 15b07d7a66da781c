"""``make bench``: runs every measurement, prints a table, writes bench/results.json. Names as arguments choose some."""

import importlib
import platform
import sqlite3
import sys
from pathlib import Path

from bench import figures

# In this order; each module's measure() returns its figures.
MEASUREMENTS = ("commit", "paper", "screen_start", "screen_memory", "touch", "money_path", "look_up")
RESULTS = Path(__file__).parent / "results.json"


def main(argv: list[str]) -> int:
    unknown = [name for name in argv if name not in MEASUREMENTS]
    if unknown:
        print(f"bench: unknown measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    measured: list[figures.Figure] = []
    for name in argv or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        measured += importlib.import_module(f"bench.{name}").measure()
    print(figures.table(measured))
    figures.write(
        measured,
        RESULTS,
        {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "machine": platform.machine()},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
