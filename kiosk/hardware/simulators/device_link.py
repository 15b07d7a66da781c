"""A client of one simulator's control line: commands out, answers and events back, as any integrator would do it."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

ANSWER_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0

Message = dict[str, Any]


class SimulatorGone(Exception):
    """The simulator does not answer on its control line; the message names it."""


class DeviceLink:
    """One connection to one simulator. ``on_event`` runs on the reader's thread and must not block."""

    def __init__(self, name: str, host: str, port: int, on_event: Callable[[str, Message], None]) -> None:
        self.name = name
        self._on_event = on_event
        self._answers: queue.Queue[Message | None] = queue.Queue()
        self._asking = threading.Lock()
        self._last_id = 0
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            raise SimulatorGone(f"{name} at {host}:{port}: {error.strerror or error}; is it running?") from error
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, name=f"link-{name}", daemon=True)
        self._thread.start()

    def ask(self, command: Mapping[str, Any]) -> Message:
        """Send one command and return its answer.

        Raises:
            SimulatorGone: no answer within 10 s, or the connection is gone.
        """
        with self._asking:
            self._last_id += 1
            line = json.dumps({**command, "id": self._last_id}, ensure_ascii=False)
            try:
                self._socket.sendall(line.encode() + b"\n")
                answer = self._answers.get(timeout=ANSWER_TIMEOUT_S)
            except (OSError, queue.Empty) as error:
                raise SimulatorGone(f"{self.name} does not answer; look at its output and start it again") from error
        if answer is None:
            raise SimulatorGone(f"{self.name} has stopped; start it again")
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the simulator may have closed its end already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(CONNECT_TIMEOUT_S)

    def _read(self) -> None:
        pending = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                self._answers.put(None)
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in filter(None, lines):
                message = json.loads(line)
                if "id" in message:  # only answers carry the id of their command
                    self._answers.put({key: value for key, value in message.items() if key != "id"})
                elif "event" in message:
                    self._on_event(self.name, message)
