"""Starting, watching and stopping the programs of the lobby; each keeps a log file of its own."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 8.0


class ProgramFailed(Exception):
    """A program did not come up; the message names it, its log and what it said last."""


class Program:
    """One running program. Its standard output goes to its log; its line that says it is ready is kept in ``ready``."""

    def __init__(
        self, name: str, command: Sequence[str], logs: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.ready: dict[str, Any] = {}
        self._is_ready = threading.Event()
        self._log_file = self.log.open("wb")
        # A session of its own: Ctrl-C reaches the lobby alone, which then stops all in order.
        # An open standard input: simulators read commands there, and its end would mean "stop".
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"log-{name}", daemon=True)
        self._reader.start()

    def wait_ready(self) -> dict[str, Any]:
        """Wait for the ready line.

        Raises:
            ProgramFailed: it ended, or said nothing within a minute.
        """
        if not self._is_ready.wait(READY_WITHIN_S) or not self.ready:
            raise ProgramFailed(f"{self.name} did not start; its log is {self.log}: {self.last_words()}")
        return self.ready

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "(nothing)"

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Ask, wait, and insist."""
        self.ask_to_stop()
        if self.process.poll() is None:
            try:
                self.process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._reader.join(STOPPED_WITHIN_S)
        for stream in (self.process.stdin, self.process.stdout, self._log_file):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._log_file.write(line)
            self._log_file.flush()
            if not self._is_ready.is_set() and (said := ready_message(line)):
                self.ready = said
                self._is_ready.set()
        self._is_ready.set()  # it ended; whoever waits finds no ready line


def ready_message(line: bytes) -> dict[str, Any] | None:
    """What a program says about itself once it is ready (a simulator's ``ready``, the office's event), if this line is that."""
    if not line.startswith(b"{"):
        return None
    message: dict[str, Any] = json.loads(line)
    return message if message.get("ready") or message.get("event") == "ready" else None


def run_once(name: str, command: Sequence[str], logs: Path) -> str:
    """Run a program to its end and return its standard output.

    Raises:
        ProgramFailed: it exited with an error.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (logs / f"{name}.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        raise ProgramFailed(f"{name} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
