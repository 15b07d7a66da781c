"""The agent's end: never blocks on the screen, keeps only the newest view, and kills a screen that is silent."""

import logging
import os
import selectors
import signal
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
    encode_frame,
)
from kiosk.taps import AnyTap
from kiosk.views import AnyView

log = logging.getLogger(__name__)

TURN_S = 0.25  # how long the thread waits at most
PING_EVERY_S = 1.0
SILENT_AFTER_S = 3.0
ACCEPT_AGAIN_S = 0.5


class ScreenConnected(msgspec.Struct, frozen=True):
    """A screen said hello and is being sent the current view."""

    pid: int


class ScreenGone(msgspec.Struct, frozen=True):
    """No screen is there any more; ``reason`` is closed, silent, nonsense, replaced, stopped or failed."""

    reason: str


class ScreenTapped(msgspec.Struct, frozen=True):
    """A finger meant this, on the view whose number the tap carries."""

    tap: AnyTap


class ScreenPainted(msgspec.Struct, frozen=True):
    """The view with this number is on the glass."""

    view_no: int
    at: float


ScreenEvent = ScreenConnected | ScreenGone | ScreenTapped | ScreenPainted


class AgentEnd:
    """Listens on a Unix socket and serves one screen at a time; a newer connection replaces an older one."""

    def __init__(self, path: Path, report: Callable[[ScreenEvent], None]) -> None:
        self._path = path
        self._report = report
        self._newest: AnyView | None = None
        self._unsent = False
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._screen: _Connection | None = None
        self._watched_at = time.monotonic()
        self._listen_at: float | None = None  # set while a screen can't be accepted
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="screen-link", daemon=True)

    def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._listener.bind(str(self._path))
        self._path.chmod(0o660)
        self._listener.listen(2)
        for sock in (self._listener, self._wake_reader, self._wake_writer):
            sock.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._thread.start()

    @property
    def has_screen(self) -> bool:
        """Whether a screen has said hello and is there: also for a part that begins after ``ScreenConnected`` was reported."""
        screen = self._screen
        return screen is not None and screen.pid is not None

    def show(self, view: AnyView) -> None:
        """Replace whatever has not been sent yet by this view. Never blocks."""
        with self._lock:
            self._newest, self._unsent = view, True
        self._wake()

    def stop(self) -> None:
        self._stopping = True
        self._wake()
        self._thread.join(5)
        self._path.unlink(missing_ok=True)

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"x")
        except BlockingIOError:
            log.debug("screen_link.wake_pending")  # a wake-up is already waiting; that one will do

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        finally:  # whatever ends this thread: nobody may believe any longer in a screen that nothing reaches
            self._drop("stopped" if self._stopping else "failed", kill=False)
            self._listener.close()

    def _turn(self) -> None:
        for key, _ in self._selector.select(timeout=TURN_S):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._wake_reader:
                self._wake_reader.recv(4096)
            elif self._screen is not None and key.fileobj is self._screen.socket:
                self._receive(self._screen)
        self._watch()
        self._send_newest()
        self._listen_again()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError as error:
            # Who knocked has gone, or there is no descriptor for it now: then it would knock in each turn without a pause.
            log.warning("screen_link.accept_failed errno=%s", error.errno)
            self._selector.unregister(self._listener)
            self._listen_at = time.monotonic() + ACCEPT_AGAIN_S
            return
        if self._screen is not None:
            self._drop("replaced", kill=False)
        sock.setblocking(False)
        self._screen = _Connection(sock)
        self._selector.register(sock, selectors.EVENT_READ)

    def _listen_again(self) -> None:
        if self._listen_at is not None and time.monotonic() >= self._listen_at:
            self._listen_at = None
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _receive(self, screen: "_Connection") -> None:
        try:
            data = screen.socket.recv(65536)
            messages = screen.reader.feed(data)
        except BlockingIOError:
            return
        except OSError as error:
            log.info("screen_link.receive_failed errno=%s", error.errno)
            self._drop("closed", kill=False)
            return
        except FrameError as error:
            log.warning("screen_link.nonsense detail=%s", error)
            self._drop("nonsense", kill=True)
            return
        if not data:
            self._drop("closed", kill=False)
            return
        screen.heard_at = time.monotonic()
        for message in messages:
            self._handle(screen, message)

    def _handle(self, screen: "_Connection", message: ToAgent) -> None:
        match message:
            case Hello(pid):
                screen.pid = pid
                with self._lock:
                    self._unsent = self._newest is not None
                self._report(ScreenConnected(pid))
            case Tapped(tap):
                self._report(ScreenTapped(tap))
            case Painted(view_no, at):
                self._report(ScreenPainted(view_no, at))
            case Pong():
                pass  # heard_at has been set; that is all a pong is for

    def _watch(self) -> None:
        screen, now = self._screen, time.monotonic()
        stood_still_s, self._watched_at = max(0.0, now - self._watched_at - TURN_S), now
        if screen is None:
            return
        screen.heard_at = min(now, screen.heard_at + stood_still_s)  # nobody can be heard by an agent that did not run
        if now - screen.heard_at > SILENT_AFTER_S:
            self._drop("silent", kill=True)
        elif now - screen.pinged_at > PING_EVERY_S:
            screen.pinged_at = now
            screen.ping_number += 1
            screen.outgoing += encode_frame(Ping(screen.ping_number))
            self._flush(screen)

    def _send_newest(self) -> None:
        screen = self._screen
        if screen is None or screen.pid is None:
            return
        if not screen.outgoing:  # newest wins: nothing is queued behind a frame that is still going out
            with self._lock:
                view, unsent = self._newest, self._unsent
                self._unsent = False
            if view is not None and unsent:
                screen.outgoing += encode_frame(Show(view))
        self._flush(screen)

    def _flush(self, screen: "_Connection") -> None:
        if not screen.outgoing:
            return
        try:
            sent = screen.socket.send(screen.outgoing)
        except BlockingIOError:
            return  # the screen reads slowly; tried again on the next turn, and it is silent before long
        except OSError as error:
            log.info("screen_link.send_failed errno=%s", error.errno)
            self._drop("closed", kill=False)
            return
        del screen.outgoing[:sent]

    def _drop(self, reason: str, *, kill: bool) -> None:
        screen = self._screen
        if screen is None:
            return
        self._screen = None
        self._selector.unregister(screen.socket)
        screen.socket.close()
        if kill and screen.pid is not None:
            _kill(screen.pid)
        log.warning("screen_link.screen_gone reason=%s pid=%s", reason, screen.pid)
        self._report(ScreenGone(reason))


class _Connection:
    """One connected screen."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.reader: FrameReader[ToAgent] = FrameReader(msgspec.json.Decoder(ToAgent))
        self.outgoing = bytearray()
        self.pid: int | None = None
        self.heard_at = time.monotonic()
        self.pinged_at = self.heard_at
        self.ping_number = 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        log.info("screen_link.already_dead pid=%d", pid)
    except PermissionError:
        # On a box the two services run as different users; systemd's own watchdog kills the screen there.
        log.warning("screen_link.may_not_kill pid=%d", pid)
