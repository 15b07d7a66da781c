"""A robot screen in a process of its own, so that it can be killed and frozen as Kivy's can; views out, taps in, as JSON lines.

Run as ``python -m tests.end_to_end.robot_process SOCKET``. RobotScreen is the other end, and starts it again when it ends, as
``kiosk run`` and the box's services do.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.screen_link.screen_end import ScreenEnd
from kiosk.taps import AnyTap
from kiosk.views import AnyView
from tests.end_to_end.mortal_screen import MortalScreen

PAUSE_S = 0.2  # before the next start: supervisor.FIRST_PAUSE_S
ROOT = Path(__file__).parents[2]


class RobotScreen(MortalScreen):
    """The screen's end of the link without glass."""

    def __init__(self, socket: Path) -> None:
        super().__init__()
        self._leaving = threading.Event()
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_alive, name="robot-screen", daemon=True)
        self._thread.start()

    def tap(self, tap: AnyTap) -> AnyView:
        view = self.view
        assert view is not None, "nothing is on the screen yet"
        line = msgspec.json.encode(msgspec.structs.replace(tap, view_no=view.frame.view_no))
        with contextlib.suppress(BrokenPipeError):  # a finger on a dead screen
            assert self._process is not None
            assert self._process.stdin is not None
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        return view

    def hit(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self.lives

    def stop(self) -> None:
        self._leaving.set()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self._thread.join(10)

    def _keep_alive(self) -> None:
        while not self._leaving.is_set():
            command = [sys.executable, "-m", "tests.end_to_end.robot_process", str(self._socket)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
                self._process = process
                self.lives += 1
                if self._leaving.is_set():  # stop() may have killed the one before this
                    process.kill()
                self._read(process, self.lives)
                with contextlib.suppress(BrokenPipeError):
                    assert process.stdin is not None
                    process.stdin.close()
            self._leaving.wait(PAUSE_S)

    def _read(self, process: subprocess.Popen[bytes], life: int) -> None:
        decoder: msgspec.json.Decoder[AnyView] = msgspec.json.Decoder(AnyView)
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith(b"\n"):
                return  # killed while it wrote
            self._shows(decoder.decode(line), life)


def main(socket: Path) -> None:
    """Show and tap until the standard input ends."""
    end = ScreenEnd(socket)

    def show(view: AnyView) -> None:
        os.write(1, msgspec.json.encode(view) + b"\n")
        end.painted(view.frame.view_no)

    on_view: Callable[[AnyView], None] = show
    end.on_view, end.on_ping = on_view, end.pong
    end.start()
    decoder: msgspec.json.Decoder[AnyTap] = msgspec.json.Decoder(AnyTap)
    for line in sys.stdin.buffer:
        end.send(decoder.decode(line))
    end.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
