"""The real Kivy screen of a running kiosk, tapped through the link's middle, so that a test can lead visits on it and kill it.

``kiosk run`` starts agent and screen and starts the screen again. ``KivyScreen`` stands between the two: it takes the place of the
agent's socket, passes every message on, and adds the taps of a payer, who sees a view only once Kivy has painted it.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from pathlib import Path

import msgspec

from kiosk.screen_link.frames import FrameReader, Hello, Painted, Show, Tapped, ToAgent, ToScreen, encode_frame
from kiosk.taps import AnyTap
from kiosk.views import AnyView
from tests.end_to_end.mortal_screen import MortalScreen
from tests.end_to_end.parts import Lobby, Running, program

UP_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


def start_kiosk(lobby: Lobby, display: str) -> None:
    """``kiosk run`` in this lobby, its window on the X server ``display``."""
    with lobby.settings.open("a") as settings:
        settings.write("[screen]\nfullscreen = false\n")
    command = ["env", f"DISPLAY={display}", *program("kiosk", "run", "--config", str(lobby.settings))]
    lobby.agent = Running("kiosk", command, lobby.folder / "kiosk.log")


class KivyScreen(MortalScreen):
    """Views as the glass shows them, taps as the glass would mean them."""

    def __init__(self, agent: Path) -> None:
        super().__init__()
        self._behind = agent.with_suffix(".behind")
        self._agent: socket.socket | None = None  # the connection of the screen that lives now
        self._sending = threading.Lock()
        self._pid = 0
        self._take_the_place_of(agent)
        threading.Thread(target=self._accept, daemon=True).start()

    def tap(self, tap: AnyTap) -> AnyView:
        view = self.view
        assert view is not None, "nothing is on the glass yet"
        assert self._agent is not None
        self._tell(self._agent, Tapped(msgspec.structs.replace(tap, view_no=view.frame.view_no)))
        return view

    def hit(self, number: signal.Signals) -> int:
        os.kill(self._pid, number)
        return self.lives

    def stop(self) -> None:
        self._listener.close()

    def _take_the_place_of(self, agent: Path) -> None:
        """Move the agent's socket aside and listen where it was."""
        ends_at = time.monotonic() + UP_WITHIN_S
        while not agent.exists():
            assert time.monotonic() < ends_at, "the agent does not listen"
            time.sleep(LOOK_EVERY_S)
        agent.rename(self._behind)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(agent))
        self._listener.listen()
        # A screen that was quicker than this is let go for the newcomer, and connects again: to the listener.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as newcomer:
            newcomer.connect(str(self._behind))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                screen, _ = self._listener.accept()
                agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                agent.connect(str(self._behind))
                self._agent = agent
                shown: dict[int, AnyView] = {}
                threading.Thread(target=self._carry_down, args=(agent, screen, shown), daemon=True).start()
                threading.Thread(target=self._carry_up, args=(screen, agent, shown), daemon=True).start()

    def _carry_down(self, agent: socket.socket, screen: socket.socket, shown: dict[int, AnyView]) -> None:
        reader: FrameReader[ToScreen] = FrameReader(msgspec.json.Decoder(ToScreen))
        with contextlib.suppress(OSError):  # the screen died
            while data := agent.recv(65536):
                for message in reader.feed(data):
                    if isinstance(message, Show):
                        shown[message.view.frame.view_no] = message.view
                screen.sendall(data)
        hang_up(agent, screen)

    def _carry_up(self, screen: socket.socket, agent: socket.socket, shown: dict[int, AnyView]) -> None:
        """Message by message: a payer's tap must not fall into the middle of one."""
        reader: FrameReader[ToAgent] = FrameReader(msgspec.json.Decoder(ToAgent))
        life = 0
        with contextlib.suppress(OSError):  # the screen died
            while data := screen.recv(65536):
                for message in reader.feed(data):
                    if isinstance(message, Hello):
                        self.lives += 1
                        life, self._pid = self.lives, message.pid
                    self._tell(agent, message)
                    if isinstance(message, Painted):
                        self._shows(shown[message.view_no], life)
        hang_up(agent, screen)

    def _tell(self, agent: socket.socket, message: ToAgent) -> None:
        with self._sending, contextlib.suppress(OSError):  # a finger on a dead screen
            agent.sendall(encode_frame(message))


def hang_up(*ends: socket.socket) -> None:
    """End both connections also for a thread that is reading from them."""
    for end in ends:
        with contextlib.suppress(OSError):  # the other thread was first
            end.shutdown(socket.SHUT_RDWR)
        end.close()
