"""What holds for every test run."""

import faulthandler
import os
import re
import sys
import threading

import pytest

FIGURES = re.compile(r"\bseeds? \d")  # a run with chance in it prints one such line: its seed, and what happened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and figures of what passed, which pytest would keep to itself; those of a failure stand with it."""
    told = [
        f"{report.nodeid.rpartition('::')[2]}: {line}"
        for report in terminalreporter.stats.get("passed", [])
        for line in report.capstdout.splitlines()
        if FIGURES.search(line)
    ]
    if told:
        terminalreporter.section("seeds and figures")
        for line in told:
            terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """A test that leaves a thread behind fails the run; the interpreter would wait for it for ever."""
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if left:
        print(f"left behind by a test: {', '.join(thread.name for thread in left)}", flush=True)
        faulthandler.dump_traceback(file=sys.__stderr__)
        os._exit(1)
