"""The screen's end: one reader thread that hands each view over, and calls that send without blocking long."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.screen_link.frames import (
    FrameError,
    FrameReader,
    Hello,
    Painted,
    Ping,
    Pong,
    Show,
    Tapped,
    ToAgent,
    ToScreen,
    encode_frame,
)
from kiosk.taps import AnyTap
from kiosk.views import AnyView

log = logging.getLogger(__name__)

RETRY_S = 0.2
SEND_TIMEOUT_S = 2.0


class ScreenEnd:
    """Connects to the agent and keeps connecting while it is away.

    The callbacks run on the reader's thread; whoever sets them hands over to Kivy's own thread.
    """

    def __init__(self, path: Path, *, pid: int | None = None) -> None:
        """``pid`` is what the agent kills when nothing answers any more: this process, unless another is to die for it."""
        self._path = path
        self._pid = pid or os.getpid()
        self.on_view: Callable[[AnyView], None] = lambda view: None
        self.on_ping: Callable[[int], None] = lambda number: None
        self.on_lost: Callable[[], None] = lambda: None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agent-link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(1)

    def send(self, tap: AnyTap) -> None:
        self._write(Tapped(tap))

    def painted(self, view_no: int) -> None:
        """Call from Kivy's thread once the frame that shows the view has been flipped."""
        self._write(Painted(view_no, time.monotonic()))

    def pong(self, number: int) -> None:
        """Call from Kivy's thread only: it is the proof that this thread lives."""
        self._write(Pong(number))

    def _run(self) -> None:
        while not self._stopping.is_set():
            connected = self._connect()
            if connected is None:
                self._stopping.wait(RETRY_S)
                continue
            with self._lock:
                self._socket = connected
                if self._stopping.is_set():  # stop() came too early to end the reading
                    connected.shutdown(socket.SHUT_RDWR)
            self._write(Hello(self._pid))
            self._read(connected)
            with self._lock:
                self._socket = None
            connected.close()
            self.on_lost()

    def _connect(self) -> socket.socket | None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(str(self._path))
        except OSError as error:
            log.debug("screen_link.no_agent errno=%s", error.errno)
            sock.close()
            return None
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_TIMEOUT_S))
        return sock

    def _read(self, sock: socket.socket) -> None:
        reader: FrameReader[ToScreen] = FrameReader(msgspec.json.Decoder(ToScreen))
        while True:
            try:
                data = sock.recv(65536)
                messages = reader.feed(data)
            except (OSError, FrameError) as error:
                log.warning("screen_link.lost detail=%s", error)
                return
            if not data:
                return
            for message in messages:
                match message:
                    case Show(view):
                        self.on_view(view)
                    case Ping(number):
                        self.on_ping(number)

    def _write(self, message: ToAgent) -> None:
        with self._lock:
            if self._socket is None:
                return  # nobody to tell; the agent sends the current view when it is back
            try:
                self._socket.sendall(encode_frame(message))
            except OSError as error:
                log.warning("screen_link.send_failed errno=%s", error.errno)


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return whole.to_bytes(8, "little") + int((seconds - whole) * 1_000_000).to_bytes(8, "little")
