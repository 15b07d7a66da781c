"""``kiosk run``: starts agent and screen as two processes, starts either again when it ends, and stops both within 5 s.

On a box two services do this; the rules are the same. A process that keeps ending is started again less and less often.
"""

import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

SHORT_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 5.0  # who ran that long had come up; a person may be waiting for it
QUICK_ENDS_FORGIVEN = 3
STOPPED_WITHIN_S = 4.5


class Child:
    """One process that is to run for ever."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name, self._command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.start_at = 0.0
        self._started_at = 0.0
        self._quick_ends = 0

    def start(self) -> int:
        """Start it and return a descriptor that becomes readable when it ends."""
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(self._command)
        log.info("supervisor.started what=%s pid=%d", self.name, self.process.pid)
        return os.pidfd_open(self.process.pid)

    def ended(self) -> None:
        """Reap it and say when it may start again."""
        code = self.process.wait() if self.process else 0
        self.process = None
        now = time.monotonic()
        self._quick_ends = 0 if now - self._started_at >= STEADY_AFTER_S else self._quick_ends + 1
        pause_s = min(SHORT_PAUSE_S * 2 ** max(0, self._quick_ends - QUICK_ENDS_FORGIVEN), LONGEST_PAUSE_S)
        self.start_at = now + pause_s
        log.warning("supervisor.ended what=%s code=%s again_in_s=%.1f", self.name, code, pause_s)

    def stop(self, until: float) -> None:
        """Wait for it to obey the SIGTERM it was sent, then no longer."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("supervisor.killed what=%s pid=%d", self.name, self.process.pid)
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Watches its children through process descriptors: no polling, no signal races."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._stopping = False

    def run(self) -> int:
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while not self._stopping:
            self._start_due()
            for key, _ in self._selector.select(self._until_next_start()):
                if isinstance(key.data, Child):
                    self._forget(key.fd)
                    key.data.ended()
                else:
                    self._woken.recv(64)
        self._stop_all()
        return 0

    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and child.start_at <= now:
                self._selector.register(child.start(), selectors.EVENT_READ, child)

    def _until_next_start(self) -> float | None:
        waiting = [child.start_at for child in self._children if child.process is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _forget(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)

    def _stop_all(self) -> None:
        until = time.monotonic() + STOPPED_WITHIN_S
        for child in self._children:
            if child.process is not None:
                child.process.terminate()
        for child in self._children:
            child.stop(until)
        self._selector.close()
        signal.set_wakeup_fd(-1)
        self._woken.close()
        self._wake.close()


def main(config: Path, *, as_json: bool = False) -> int:
    """Run agent and screen with these settings until SIGTERM or SIGINT; ``as_json`` is for their logs."""
    options = ("--config", str(config.resolve()), *(("--json",) if as_json else ()))
    parts = [Child(name, (sys.executable, "-m", "kiosk", name, *options)) for name in ("agent", "screen")]
    return Supervisor(parts).run()
