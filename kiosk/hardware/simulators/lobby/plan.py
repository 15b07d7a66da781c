"""Where everything of one lobby lives: files under one folder, ports on the loopback."""

import socket
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.settings import ScreenSection

HOST = "127.0.0.1"
Panel = Literal["portrait-21.5", "landscape-10.1"]
PANELS: dict[Panel, tuple[int, int, float]] = {"portrait-21.5": (1080, 1920, 21.5), "landscape-10.1": (1280, 800, 10.1)}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Names and addresses; nothing is started by making one."""

    state: Path
    panel: Panel
    speed: int
    office_port: int
    cable_port: int
    bench_port: int
    websocket_port: int

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def slips(self) -> Path:
        return self.state / "slips"

    @property
    def office_database(self) -> str:
        return f"sqlite:///{self.state.resolve()}/office.sqlite3"

    @property
    def office_url(self) -> str:
        return f"http://{HOST}:{self.office_port}"

    @property
    def cable_url(self) -> str:
        return f"http://{HOST}:{self.cable_port}"

    @property
    def settings(self) -> Path:
        return self.state / "kiosk.toml"

    @property
    def accounts(self) -> Path:
        return self.state / "accounts.txt"

    def device(self, name: str) -> Path:
        return (self.state / name).resolve()

    def screen(self, *, window: bool) -> ScreenSection:
        width, height, diagonal = PANELS[self.panel]
        return ScreenSection(
            panel=self.panel, width_px=width, height_px=height, diagonal_inch=diagonal, fullscreen=not window
        )

    def kiosk_toml(self, *, window: bool) -> str:
        """The kiosk's settings: simulated devices by their links, the office through the cable."""
        screen = self.screen(window=window)
        return f"""# Written by kiosk-sim lobby; change config/ instead.
[kiosk]
state_dir = "kiosk"
[screen]
panel = "{screen.panel}"
width_px = {screen.width_px}
height_px = {screen.height_px}
diagonal_inch = {screen.diagonal_inch}
fullscreen = {str(screen.fullscreen).lower()}
[bill_acceptor]
port = "{self.device("bill-acceptor")}"
speed = {self.speed}
[receipt_printer]
port = "{self.device("receipt-printer")}"
speed = {self.speed}
[office]
url = "{self.cable_url}"
heartbeat_s = 3
first_try_s = 1
retry_within_s = 5
"""


def free_port(preferred: int) -> int:
    """``preferred`` if nobody listens there, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("binding to port 0 can't be refused")
