"""Where a finger finds something on a view: a process with the same screens lays the view out and looks.

``python -m bench.places``: each line in is ``{"view": ..., "text": ...}``, each line out the middle as ``[x, y]``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.views import AnyView

if TYPE_CHECKING:
    from kiosk.screens.easel import Easel

ANYWHERE = ""


class Question(msgspec.Struct, frozen=True):
    """The middle of the one thing on this view that can be pressed and shows this text; ANYWHERE: of the glass."""

    view: AnyView
    text: str


class Places:
    """The asking end; the process behind it sleeps unless it is asked."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[int, int]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.places"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def find(self, view: AnyView, text: str) -> tuple[int, int]:
        """Asked once per kind of view and text: things stay where they are."""
        key = (type(view).__name__, text)
        if key not in self._known:
            self._known[key] = self._ask(view, text)
        return self._known[key]

    def stop(self) -> None:
        self._process.communicate()

    def _ask(self, view: AnyView, text: str) -> tuple[int, int]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(Question(view, text)) + b"\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, f"nothing on {type(view).__name__} shows {text!r}"
        return msgspec.json.decode(answer, type=tuple[int, int])


def main() -> int:
    from kiosk.screens.easel import Easel

    easel = Easel("portrait-21.5", Path(tempfile.mkdtemp()))
    for line in sys.stdin.buffer:
        question = msgspec.json.decode(line, type=Question)
        easel.show(question.view)
        x, y = _middle(easel, question)
        sys.stdout.buffer.write(msgspec.json.encode((round(x), round(easel.window.height - y))) + b"\n")
        sys.stdout.buffer.flush()
    return 0


def _middle(easel: "Easel", question: Question) -> tuple[float, float]:
    from kiosk.screens.widgets import Press, Words

    place = easel.place
    if question.text == ANYWHERE:
        return place.center_x, place.height / 4  # of attract: between the language button and the door's words
    targets = [widget for widget in place.walk() if isinstance(widget, Press) and widget.shown and not widget.disabled]
    said = [
        target
        for target in targets
        if any(isinstance(part, Words) and part.text == question.text for part in target.walk(restrict=True))
    ]
    (target,) = said
    return target.to_window(*target.center)


if __name__ == "__main__":
    sys.exit(main())
