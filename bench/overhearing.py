"""Between a real screen and a real agent: passes on every frame, knows when each view was painted, can tap as well."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.screen_link.frames import FrameReader, Painted, Show, Tapped, ToAgent, ToScreen, encode_frame
from kiosk.taps import AnyTap
from kiosk.views import AnyView

WAIT_S = 30.0


class Overhearing:
    """Listens where the screen connects, and connects to the agent for it. Adds some 0.2 ms to each way."""

    def __init__(self, listen: Path, agent: Path) -> None:
        self._agent_path = agent
        self._changed = threading.Condition()
        self._shown: list[AnyView] = []
        self._painted: list[Painted] = []
        self._sending = threading.Lock()
        self._screen: socket.socket | None = None
        self._agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listen.parent.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(listen))
        self._listener.listen(1)
        self._threads = [threading.Thread(target=self._from_screen, daemon=True)]
        self._threads[0].start()

    @property
    def view(self) -> AnyView:
        """The newest view the agent has sent."""
        with self._changed:
            return self._shown[-1]

    def mark(self) -> int:
        """A place in the sequence of views, for ``painted``."""
        with self._changed:
            return len(self._shown)

    def tap(self, tap: AnyTap) -> float:
        """Mean this on the view on show, as its screen would send it; when it was sent, in monotonic seconds."""
        frame = Tapped(msgspec.structs.replace(tap, view_no=self.view.frame.view_no))
        sent_at = time.monotonic()
        self._to_agent(frame)
        return sent_at

    def painted(self, wanted: Callable[[AnyView], bool], since: int = 0) -> tuple[AnyView, float]:
        """The first wanted view from ``since`` on that reached the glass, and when, by the screen's own report."""
        ends_at = time.monotonic() + WAIT_S
        with self._changed:
            while True:
                for view in self._shown[since:]:
                    if wanted(view) and (at := self._painted_at(view.frame.view_no)) is not None:
                        return view, at
                left = ends_at - time.monotonic()
                assert left > 0, f"not painted in {WAIT_S:.0f} s; on show: {self._shown[-1:]}"
                self._changed.wait(left)

    def stop(self) -> None:
        """Call it when screen and agent have ended: their ends closing ends the threads."""
        self._listener.close()
        for end in (self._screen, self._agent):
            if end is not None:
                end.close()
        for thread in self._threads:
            thread.join(WAIT_S)

    # --- inside

    def _painted_at(self, view_no: int) -> float | None:
        return next((painted.at for painted in self._painted if painted.view_no == view_no), None)

    def _from_screen(self) -> None:
        self._screen, _ = self._listener.accept()
        self._agent.connect(str(self._agent_path))
        self._threads.append(threading.Thread(target=self._from_agent, daemon=True))
        self._threads[-1].start()
        reader: FrameReader[ToAgent] = FrameReader(msgspec.json.Decoder(ToAgent))
        while data := _received(self._screen):
            for message in reader.feed(data):
                self._to_agent(message)
                if isinstance(message, Painted):
                    with self._changed:
                        self._painted.append(message)
                        self._changed.notify_all()

    def _from_agent(self) -> None:
        reader: FrameReader[ToScreen] = FrameReader(msgspec.json.Decoder(ToScreen))
        while data := _received(self._agent):
            assert self._screen is not None
            for message in reader.feed(data):
                if isinstance(message, Show):
                    with self._changed:
                        self._shown.append(message.view)
                _send(self._screen, encode_frame(message))

    def _to_agent(self, message: ToAgent) -> None:
        with self._sending:
            _send(self._agent, encode_frame(message))


# A program that has ended is no error here: whoever waits for a view notices.


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _send(end: socket.socket, frame: bytes) -> None:
    with contextlib.suppress(OSError):
        end.sendall(frame)
