"""What runs through the simulated cable: one connection with two directions, or somebody who answers in between."""

import socket
from collections import deque
from collections.abc import Callable

from kiosk.hardware.simulators.loop import Loop

READ_SIZE = 65536
BLOCKED_S = 0.005

Spoil = Callable[[bytes], bytes | None]


class Direction:
    """Bytes from one end to the other, each chunk not before its time."""

    def __init__(self, loop: Loop, source: socket.socket, target: socket.socket) -> None:
        self._loop = loop
        self.source, self.target = source, target
        self.waiting: deque[tuple[float | None, bytes]] = deque()  # None: due time not set yet
        self.ended = False  # the source said its last
        self.broken = False
        self._watching = False

    def watch(self, readable: Callable[[], None]) -> None:
        if not self._watching and not self.ended:
            self._watching = True
            self._loop.watch(self.source, readable)

    def ignore(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.forget(self.source)

    def read(self) -> bytes:
        """What came, empty at the end (or when the other side broke off)."""
        try:
            data = self.source.recv(READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
            self.broken = True
        if not data:
            self.ended = True
            self.ignore()
        return data

    def carry(self, now: float, delay_s: float) -> float | None:
        """Pass on what is due; seconds until there is more to do, None when there is not."""
        while self.waiting:
            due, data = self.waiting[0]
            if due is None:
                due = now + delay_s
                self.waiting[0] = (due, data)
            if due > now:
                return due - now
            try:
                sent = self.target.send(data)
            except BlockingIOError:
                return BLOCKED_S
            except OSError:
                self.broken = True
                self.waiting.clear()
                return None
            self.waiting.popleft()
            if sent < len(data):
                self.waiting.appendleft((due, data[sent:]))
        return None


class Wire:
    """A connection that is passed through. ``spoil`` sees the first bytes of each answer."""

    def __init__(
        self, loop: Loop, kiosk: socket.socket, office: socket.socket, spoil: Spoil, delay_s: Callable[[], float]
    ) -> None:
        self._up, self._down = Direction(loop, kiosk, office), Direction(loop, office, kiosk)
        self._spoil, self._delay_s = spoil, delay_s
        self._answer_due = True
        self._told_end: set[Direction] = set()
        self.over = False
        self.thaw()

    def freeze(self) -> None:
        self._up.ignore()
        self._down.ignore()

    def thaw(self) -> None:
        self._up.watch(self._asked)
        self._down.watch(self._answered)

    def carry(self, now: float) -> float | None:
        waits = []
        for direction in (self._up, self._down):
            wait = direction.carry(now, self._delay_s())
            if wait is not None:
                waits.append(wait)
            elif direction.ended and direction not in self._told_end:
                self._told_end.add(direction)
                _say_last(direction.target)
        ended = len(self._told_end) == 2
        self.over = ended or self._up.broken or self._down.broken
        return min(waits, default=None)

    def finish(self, data: bytes) -> None:
        """Pass on these bytes and then end the connection in good order, as a proxy that gave up does."""
        self._down.waiting.append((0.0, data))
        self._down.ended = True
        self._down.ignore()
        self._up.ended = True
        self._up.ignore()

    def close(self) -> tuple[socket.socket, socket.socket]:
        """Stop watching; the ends are the caller's to close."""
        self.freeze()
        self.over = True
        return self._up.source, self._down.source

    def _asked(self) -> None:
        data = self._up.read()
        if data:
            self._answer_due = True
            self._up.waiting.append((None, data))

    def _answered(self) -> None:
        data: bytes | None = self._down.read()
        if data and self._answer_due:
            self._answer_due = False
            data = self._spoil(data)
        if data and not self.over:
            self._down.waiting.append((None, data))


class Answerer:
    """Answers one HTTP request with a page of its own; the office never hears of it."""

    def __init__(self, loop: Loop, kiosk: socket.socket, page: bytes) -> None:
        self._line = Direction(loop, kiosk, kiosk)
        self._page = page
        self._request = b""
        self._answered = False
        self.over = False
        self.thaw()

    def freeze(self) -> None:
        self._line.ignore()

    def thaw(self) -> None:
        self._line.watch(self._hear)

    def carry(self, now: float) -> float | None:
        wait = self._line.carry(now, 0.0)
        if self._answered and wait is None:
            _say_last(self._line.target)
        self.over = self._line.ended or self._line.broken
        return wait

    def finish(self, data: bytes) -> None:
        self._line.waiting.append((None, data))

    def close(self) -> tuple[socket.socket, ...]:
        self.freeze()
        return (self._line.source,)

    def _hear(self) -> None:
        self._request += self._line.read()
        if not self._answered and _is_whole(self._request):
            self._answered = True
            self.finish(self._page)


class Repeater:
    """Sends one HTTP request to the office twice, the second time after the first answer, and passes on the last answer.

    ``reach`` opens the second connection; None when the office is gone.
    """

    def __init__(
        self, loop: Loop, kiosk: socket.socket, office: socket.socket, reach: Callable[[], socket.socket | None]
    ) -> None:
        self._loop, self._reach = loop, reach
        self._line, self._office = Direction(loop, kiosk, kiosk), Direction(loop, office, office)
        self._request = self._answer = b""
        self._asked = 0
        self._answered = False
        self.over = False
        self.thaw()

    def freeze(self) -> None:
        self._line.ignore()
        self._office.ignore()

    def thaw(self) -> None:
        self._line.watch(self._hear)
        self._office.watch(self._hear_office)

    def carry(self, now: float) -> float | None:
        waits = [wait for line in (self._line, self._office) if (wait := line.carry(now, 0.0)) is not None]
        if self._answered and not self._line.waiting:
            _say_last(self._line.target)
        self.over = self.over or self._line.ended or self._line.broken
        return min(waits, default=None)

    def close(self) -> tuple[socket.socket, ...]:
        self.freeze()
        return self._line.source, self._office.source

    def _hear(self) -> None:
        self._request += self._line.read()
        if not self._asked and _is_whole(self._request):
            self._ask()

    def _ask(self) -> None:
        self._asked += 1
        self._answer = b""
        self._office.waiting.append((0.0, self._request))

    def _hear_office(self) -> None:
        self._answer += self._office.read()
        if not (_is_whole(self._answer) or self._office.ended):
            return
        self._office.ignore()
        if self._asked == 1 and _is_whole(self._answer) and (again := self._reach()) is not None:
            self._office.source.close()
            self._office = Direction(self._loop, again, again)
            self._office.watch(self._hear_office)
            self._ask()
        else:
            self._answered = True
            self._line.waiting.append((0.0, self._answer))


def _is_whole(message: bytes) -> bool:
    """Whether a request or an answer has come to its end."""
    head, end, body = message.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= _content_length(head)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def _say_last(target: socket.socket) -> None:
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # it has gone already, which says the same
