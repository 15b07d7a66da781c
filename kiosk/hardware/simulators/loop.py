"""One thread that waits on file descriptors and on the device's own times, so a simulator needs no locks."""

import queue
import selectors
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")
Readable = Callable[[], None]
Tick = Callable[[], float | None]

ANSWER_WITHIN_S = 5.0


class Loop:
    """Runs callbacks when something is readable, and ``tick`` before every wait.

    ``tick`` does whatever is due and returns the seconds until it wants to be called again (None: only on input).
    """

    def __init__(self) -> None:
        # Not epoll: standard input may be a file or /dev/null, which epoll refuses.
        self._selector = selectors.PollSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, self._woken)
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = False

    def watch(self, source: int | socket.socket, readable: Readable) -> None:
        """Call ``readable`` in this loop's thread whenever ``source`` has something to read (or has hung up)."""
        self._selector.register(source, selectors.EVENT_READ, readable)

    def forget(self, source: int | socket.socket) -> None:
        self._selector.unregister(source)

    def run(self, tick: Tick) -> None:
        """Work until stop(). Device code runs only here."""
        while not self._stopping:
            for key, _ in self._selector.select(tick()):
                key.data()

    def stop(self) -> None:
        """End run() soon; may be called from any thread and from a signal handler."""
        self._stopping = True
        self._wake()

    def stop_on_signals(self) -> None:
        """Ctrl-C and SIGTERM end the program cleanly. Only for a program's main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def call(self, work: Callable[[], Answer]) -> Answer:
        """Run ``work`` in the loop's thread, from another one, and hand back what it returns or raises."""
        answer: Future[Answer] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is the caller's error, raised in the caller's thread
                answer.set_exception(error)

        self._calls.put(run)
        self._wake()
        return answer.result(ANSWER_WITHIN_S)

    def close(self) -> None:
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"x")
        except BlockingIOError:
            return  # wake-ups are already waiting to be read; one is enough
        except OSError:
            if not self._stopping:
                raise
            return  # it saw that it should stop before this wake-up came, and has been closed

    def _woken(self) -> None:
        self._wake_reader.recv(4096)
        while not self._calls.empty():
            self._calls.get()()
