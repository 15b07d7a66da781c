"""JSON lines: commands from standard input and from sockets, answers back where they came from, events to everybody."""

import json
import os
import select
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from kiosk.hardware.simulators.loop import Loop

Message = dict[str, Any]
Commands = Mapping[str, Callable[[Message], Message | None]]

MAX_LINE = 65536
MAX_UNSENT_LINES = 10_000


class CommandRefused(Exception):
    """What was asked can't be done now or makes no sense; the text is the answer's ``error``."""


class ControlLine:
    """Where a person, the bench or a test plays the device.

    ``commands`` maps the word after ``"do"`` to a handler; the handler's dict is the answer, None means
    ``{"ok": true}``, and CommandRefused becomes ``{"error": ...}``. A command's ``"id"`` comes back in its answer.
    Everything happens in the loop's thread.
    """

    def __init__(
        self, loop: Loop, commands: Commands, *, listen: tuple[str, int] | None = None, standard_streams: bool = True
    ) -> None:
        self._loop = loop
        self._commands = commands
        self._peers: list[_Peer] = []
        self._listener: socket.socket | None = None
        if standard_streams:
            # Its end does not end the program: a service has no standard input.
            self._join(_Peer(sys.stdin.fileno(), sys.stdout.fileno()))
        if listen is not None:
            family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
            self._listener = socket.create_server(listen, family=family)
            loop.watch(self._listener, self._accept)

    @property
    def address(self) -> str | None:
        """HOST:PORT of the command socket, or None without one."""
        if self._listener is None:
            return None
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    def ready(self, **facts: Any) -> None:
        """Say that the device can be opened now; the first line a program writes."""
        where = {} if self.address is None else {"listen": self.address}
        self._broadcast({"ready": True, **facts, **where})

    def tell(self, event: str, **facts: Any) -> None:
        """Report what the device did, on standard output and to every connected socket."""
        self._broadcast({"event": event, **facts})

    def flush(self) -> bool:
        """Send what a slow reader has left unsent; whether everything is out. Call once per tick."""
        unsent = [peer for peer in self._peers if not peer.flush()]
        return not unsent

    def perform(self, message: Message) -> Message:
        """Carry out one command and return its answer."""
        echo = {"id": message["id"]} if "id" in message else {}
        word = message.get("do")
        command = self._commands.get(word) if isinstance(word, str) else None
        if command is None:
            return {"error": f"unknown command {word!r}; known: {', '.join(sorted(self._commands))}", **echo}
        try:
            answer = command(message)
        except CommandRefused as refusal:
            return {"error": str(refusal), **echo}
        return {**(answer if answer is not None else {"ok": True}), **echo}

    def close(self) -> None:
        self.flush()
        for peer in list(self._peers):
            self._leave(peer)
        if self._listener is not None:
            self._loop.forget(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        assert self._listener is not None
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self._join(_Peer(connection.fileno(), connection.fileno(), connection))

    def _join(self, peer: "_Peer") -> None:
        self._peers.append(peer)
        self._loop.watch(peer.read_fd, lambda: self._read(peer))

    def _leave(self, peer: "_Peer") -> None:
        if peer.listening:
            self._loop.forget(peer.read_fd)
        self._peers.remove(peer)
        if peer.connection is not None:
            peer.connection.close()

    def _read(self, peer: "_Peer") -> None:
        lines = peer.read_lines()
        if lines is None:
            if peer.connection is not None:
                self._leave(peer)
            elif peer.listening:
                peer.listening = False
                self._loop.forget(peer.read_fd)
            return
        for line in lines:
            peer.send(self._answer(line))

    def _answer(self, line: bytes) -> Message:
        try:
            message = json.loads(line)
        except ValueError as error:
            return {"error": f"not JSON: {error}"}
        if not isinstance(message, dict):
            return {"error": 'a command is an object such as {"do": "ledger"}'}
        return self.perform(message)

    def _broadcast(self, message: Message) -> None:
        for peer in self._peers:
            peer.send(message)


class _Peer:
    """One place commands come from and lines go to; a reader that does not read never stops the device."""

    def __init__(self, read_fd: int, write_fd: int, connection: socket.socket | None = None) -> None:
        self.read_fd = read_fd
        self.connection = connection
        self.listening = True
        self._write_fd = write_fd
        self._incoming = b""
        self._unsent: deque[bytes] = deque(maxlen=MAX_UNSENT_LINES)
        self._broken = False

    def read_lines(self) -> list[bytes] | None:
        """Complete lines so far, or None at the end."""
        try:
            data = os.read(self.read_fd, MAX_LINE)
        except BlockingIOError:
            return []
        except OSError:
            return None  # a socket that was reset is at its end
        if not data or len(self._incoming) > MAX_LINE:
            return None
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        return [line for line in lines if line.strip()]

    def send(self, message: Message) -> None:
        self._unsent.append(json.dumps(message, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n")
        self.flush()

    def flush(self) -> bool:
        while self._unsent and not self._broken and self._has_room():
            line = self._unsent.popleft()
            try:
                sent = os.write(self._write_fd, line)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._broken = True  # nobody reads any more; the device goes on
                break
            if sent < len(line):
                self._unsent.appendleft(line[sent:])
                break
        return self._broken or not self._unsent

    def _has_room(self) -> bool:
        # A pipe that poll() calls writable takes at least 4096 bytes, so an event line can't block.
        poller = select.poll()
        poller.register(self._write_fd, select.POLLOUT)
        return bool(poller.poll(0))
