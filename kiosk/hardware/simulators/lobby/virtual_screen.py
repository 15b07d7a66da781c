"""A screen for a machine without one: TigerVNC's X server, and websockify so that the bench's page can show it."""

import os
import shutil
import subprocess
from pathlib import Path

from kiosk.hardware.simulators.lobby.plan import HOST, PANELS, Plan, free_port
from kiosk.hardware.simulators.lobby.programs import Program, ProgramFailed

NEEDED = ("Xvnc", "websockify")


class VirtualScreen:
    """``environment`` is what the kiosk's screen process needs to draw on it."""

    def __init__(self, plan: Plan) -> None:
        missing = [name for name in NEEDED if shutil.which(name) is None]
        if missing:
            raise ProgramFailed(
                f"{' and '.join(missing)} missing; make setup installs what image-build/packages-laptop.txt lists"
            )
        width, height, _ = PANELS[plan.panel]
        vnc_port = free_port(5941)
        self._log_file = (plan.logs / "xvnc.log").open("wb")
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            ["Xvnc", "-displayfd", str(writer), "-geometry", f"{width}x{height}", "-depth", "24", "-rfbport", str(vnc_port),
             "-localhost", "-SecurityTypes", "None", "-AlwaysShared", "-nolisten", "tcp", "-noreset"],
            pass_fds=(writer,), stdout=self._log_file, stderr=self._log_file, start_new_session=True,
        )  # fmt: skip
        os.close(writer)
        with os.fdopen(reader) as answer:
            display = answer.readline().strip()
        if not display:
            raise ProgramFailed(f"Xvnc did not start; its log is {plan.logs / 'xvnc.log'}")
        self.environment = {"DISPLAY": f":{display}", "LIBGL_ALWAYS_SOFTWARE": "1"}
        self._bridge = Program(
            "websockify", ["websockify", f"{HOST}:{plan.websocket_port}", f"{HOST}:{vnc_port}"], plan.logs
        )
        self.address = f"ws://{HOST}:{plan.websocket_port}/"

    def stop(self) -> None:
        self._bridge.stop()
        self._server.terminate()
        self._server.wait(5)
        self._log_file.close()


def is_a_window_possible() -> bool:
    """Whether this machine has an X display to open a window on."""
    display = os.environ.get("DISPLAY", "")
    socket_file = Path("/tmp/.X11-unix") / f"X{display.partition(':')[2].partition('.')[0]}"
    return bool(display) and (socket_file.exists() or not display.startswith(":"))
