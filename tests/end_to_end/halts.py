"""Where the programs of a lobby halt for a test: arm a step, wait until somebody stands there, kill what is to be killed, release."""

import contextlib
import socket
import sys
import threading
from pathlib import Path

STEP_BYTES = 64


class Halts:
    """The other end of tests/end_to_end/halting.py. One step at a time is armed, for the first program that comes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._armed = ""
        self._held: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._listen, name="halts", daemon=True)
        self._thread.start()

    def launch(self, name: str, *arguments: str) -> list[str]:
        """The command that starts ``kiosk`` or ``office`` so that it halts here; for parts.Lobby."""
        return [sys.executable, str(Path(__file__).with_name("halting.py")), str(self._path), name, *arguments]

    def arm(self, step: str) -> None:
        with self._changed:
            self._armed = step

    def wait(self, timeout_s: float) -> bool:
        """Whether a program has halted at the armed step in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held is not None, timeout_s)

    def release(self) -> None:
        """Nothing is armed any more, and whoever was held and is alive goes on."""
        with self._changed:
            self._armed, held, self._held = "", self._held, None
        if held is not None:
            _let_go(held)

    def close(self) -> None:
        self.release()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return  # closed
            step = line.recv(STEP_BYTES).decode().rstrip("\n")
            with self._changed:
                held = step == self._armed
                if held:
                    self._armed, self._held = "", line
                    self._changed.notify_all()
            if not held:
                _let_go(line)


def _let_go(line: socket.socket) -> None:
    with contextlib.suppress(OSError), line:  # killed meanwhile
        line.sendall(b"\n")
