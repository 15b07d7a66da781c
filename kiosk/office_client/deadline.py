"""One time limit for a whole call: sending, status line, headers and body, however slowly and in whatever pieces they come.

A socket's own limit begins anew with each byte, so somebody in between who lets a header line, a chunk's size or one `100
Continue` after the other drip would hold a call for ever. Here every step at the socket gets only the time that is left; no
thread watches it, and nothing outlives the call.
"""

import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """When the call that is under way must be over."""

    def __init__(self) -> None:
        self._at = 0.0

    def begin(self, within_s: float) -> None:
        self._at = time.monotonic() + within_s

    def left_s(self) -> float:
        """
        Raises:
            TimeoutError: nothing is left.
        """
        left_s = self._at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer takes too long")
        return left_s


class DeadlineAdapter(HTTPAdapter):
    """One kept-alive connection, each of whose calls ends at the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._deadline)


def _pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = _HurriedSocket(self.sock, deadline)

    class Tls(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = _HurriedSocket(self.sock, deadline)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


class _HurriedSocket:
    """A socket each of whose steps has the limit that was set for one, or what the deadline leaves if that is less."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self._step_s = sock.gettimeout()

    def settimeout(self, value: float | None) -> None:
        self._step_s = value

    def hurry(self) -> None:
        left_s = self._deadline.left_s()
        self._sock.settimeout(left_s if self._step_s is None else min(self._step_s, left_s))

    def sendall(self, data: bytes) -> None:
        self.hurry()
        self._sock.sendall(data)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(_HurriedFile(self, self._sock.makefile("rb", buffering=0)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _HurriedFile(io.RawIOBase):
    def __init__(self, sock: _HurriedSocket, file: socket.SocketIO) -> None:
        self._sock, self._file = sock, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.hurry()
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
