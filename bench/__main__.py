"""``make bench``: runs every measurement, prints a table, writes bench/results.json. Names as arguments choose some."""

import importlib
import logging
import os
import platform
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import figures

# In this order; each module's measure() returns its figures.
MEASUREMENTS = (
    "commit",
    "journal_file",
    "drain",
    "paper",
    "screen_start",
    "screen_memory",
    "touch",
    "money_path",
    "backlog",
    "look_up",
)
RESULTS = Path(__file__).parent / "results.json"


def main(argv: list[str]) -> int:
    unknown = [name for name in argv if name not in MEASUREMENTS]
    if unknown:
        print(f"bench: unknown measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.ERROR)  # screens come and go here; that is no news
    began, before = time.monotonic(), machine()
    measured: list[figures.Figure] = []
    for name in argv or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        measured += importlib.import_module(f"bench.{name}").measure()
    print(figures.table(measured))
    for figure in measured:
        if figure.how:
            print(f"  {figure.name}: {figure.how}")
    figures.write(measured, RESULTS, {**before, "took_s": round(time.monotonic() - began)})
    return 0


def machine() -> dict[str, Any]:
    """What the figures depend on; asked before the first measurement, so the load is what others put on the machine."""
    return {
        "commit": _commit(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "machine": platform.machine(),
        "processor": _processor(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _commit() -> str:
    """The hash, with a + where tracked files differ from it; empty outside a clone."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty=+"], capture_output=True, text=True, check=False
    )
    return described.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
