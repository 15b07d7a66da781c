"""Runs a module's tests inside one Kivy process of their own, on a panel without a display.

Kivy keeps its window, clock and factory for the life of a process, and reads the panel's density once. So a test decorated
with ``on_glass`` runs in a child process together with the others of its module and panel; here its result is reported.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHILD = "MENTING_GLASS_CHILD"
ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120
FINGER_S = 0.05  # longer than dirt, see widgets/press.py

Test = Callable[["Glass"], None]
_tests: dict[str, list[Test]] = {}


class Glass:
    """A panel with a router, a finger, and the taps that came of it."""

    def __init__(self, panel: str) -> None:
        from kiosk.screens.easel import Easel

        self.easel = Easel(panel, Path(tempfile.mkdtemp()))
        self.router, self.taps, self.settle = self.easel.router, self.easel.taps, self.easel.settle

    @property
    def screen(self) -> Any:
        return self.router.current

    def show(self, view: Any) -> None:
        """Show a view and wait until a new screen takes touches."""
        from kiosk.screens.pane import CALM_S

        before = self.screen
        self.easel.show(view)
        if self.screen is not before:
            self.wait(CALM_S)
        self.taps.clear()

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() <= end:
            self.easel._loop.idle()

    def find(self, text: str) -> Any:
        """The one widget on the glass with this text that can be pressed."""
        from kiosk.screens.widgets import Press

        found = [
            w for w in self.easel.place.walk() if isinstance(w, Press) and getattr(w, "text", "") == text and w.shown
        ]
        assert len(found) == 1, f"{len(found)} pressable widgets say {text!r}"
        return found[0]

    def words(self) -> set[str]:
        """Every text that can be read now."""
        from kiosk.screens.widgets import Words

        return {w.text for w in self.easel.place.walk() if isinstance(w, Words) and w.text and w.opacity}

    def down(self, x: float, y: float) -> Any:
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(x, y)
        touch.touch_down()
        self.settle()
        return touch

    def flick(self, x: float, y: float) -> float:
        """As short a touch as this machine can make; how long it was at most."""
        from kivy.tests.common import UnitTestTouch

        began = time.monotonic()
        touch = UnitTestTouch(x, y)
        touch.touch_down()
        touch.touch_up()
        return time.monotonic() - began

    def tap(self, target: Any) -> None:
        """A finger on the middle of a widget, or of the button with a text."""
        widget = self.find(target) if isinstance(target, str) else target
        touch = self.down(*widget.center)
        self.wait(FINGER_S)
        touch.touch_up()
        self.settle()


def on_glass(panel: str = "portrait-21.5") -> Callable[[Test], Callable[[], None]]:
    """Run the test in the module's child process for this panel."""

    def decorate(test: Test) -> Callable[[], None]:
        _tests.setdefault(panel, []).append(test)
        path = test.__code__.co_filename

        def report() -> None:
            error = _results(path, panel)[test.__name__]
            if error:
                pytest.fail(error, pytrace=False)

        report.__name__, report.__doc__, report.__module__ = test.__name__, test.__doc__, test.__module__
        return report

    return decorate


@functools.cache
def _results(path: str, panel: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.screens.glass", path, panel],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, CHILD: "1"},
    )
    if done.returncode:
        pytest.fail(f"the Kivy process ended with {done.returncode}:\n{done.stderr[-4000:]}", pytrace=False)
    results: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return results


def _child(path: str, panel: str) -> None:
    # The module imports this one by its full name: that must be this very module, with its list of tests.
    sys.modules["tests.screens.glass"] = sys.modules["__main__"]
    spec = importlib.util.spec_from_file_location("module_under_glass", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    glass, results = Glass(panel), {}
    for test in _tests[panel]:
        try:
            test(glass)
            results[test.__name__] = ""
        except Exception:  # noqa: BLE001  whatever a test raises is its result, told to the parent
            results[test.__name__] = traceback.format_exc()
    print(json.dumps(results))


if __name__ == "__main__":
    _child(*sys.argv[1:])
