"""`make test-long` prints the seed and the figures of every run with chance in it, also of those that pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_run_that_passes_tells_its_seed_and_its_figures_before_the_closing_line() -> None:
    test = "tests/offline_queue/test_journal_kills.py::test_no_acknowledged_entry_is_lost_to_a_kill"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},  # those are for this run
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *_, figures, closing = done.stdout.splitlines()
    assert re.match(r"test_no_acknowledged_entry_is_lost_to_a_kill: seed \d+: 12 kills", figures), done.stdout
    assert "1 passed" in closing
