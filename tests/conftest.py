"""What holds for every test run."""

import faulthandler
import os
import sys
import threading

import pytest


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """A test that leaves a thread behind fails the run; the interpreter would wait for it for ever."""
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if left:
        print(f"left behind by a test: {', '.join(thread.name for thread in left)}", flush=True)
        faulthandler.dump_traceback(file=sys.__stderr__)
        os._exit(1)
