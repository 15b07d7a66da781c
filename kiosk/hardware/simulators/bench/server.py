"""The bench's web server: the page, commands to the simulators, their events, the slips. Loopback only."""

import json
import mimetypes
import queue
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiosk.hardware.simulators.device_link import DeviceLink, SimulatorGone
from kiosk.hardware.simulators.scenario import Scenario, ScenarioFailed, play

STATIC = Path(__file__).parent / "static"
KEEP_ALIVE_S = 15.0
REMEMBERED = 200
LONGEST_BODY = 64 * 1024
NOVNC = Path("/usr/share/novnc")  # Debian's package; its core draws the kiosk's virtual screen
# The screen's bytes come by websocket from another port; nothing else may leave this origin.
POLICY = "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws://127.0.0.1:*"


def _inside(folder: Path, relative: str) -> Path:
    """A file below ``folder``; anything that climbs out becomes a name that does not exist."""
    wanted = (folder / relative).resolve()
    return wanted if wanted.is_relative_to(folder.resolve()) else folder / "outside"


class Events:
    """What the simulators reported: the last few are kept for a page that opens late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: list[dict[str, Any]] = []
        self._listeners: list[queue.Queue[dict[str, Any]]] = []

    def add(self, device: str, event: Mapping[str, Any]) -> None:
        entry = {"device": device, **event}
        with self._lock:
            self._recent = [*self._recent[1 - REMEMBERED :], entry]
            for listener in self._listeners:
                listener.put(entry)

    def listen(self) -> "queue.Queue[dict[str, Any]]":
        listener: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            for entry in self._recent:
                listener.put(entry)
            self._listeners.append(listener)
        return listener

    def forget(self, listener: "queue.Queue[dict[str, Any]]") -> None:
        with self._lock:
            self._listeners.remove(listener)


class BenchServer(ThreadingHTTPServer):
    """Everything a request needs; one thread a request."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        *,
        devices: Mapping[str, DeviceLink],
        events: Events,
        scenarios: Mapping[str, Scenario],
        slips: Path | None,
        links: Mapping[str, str],
    ) -> None:
        super().__init__(address, Handler)
        self.devices, self.events, self.scenarios = devices, events, scenarios
        self.slips, self.links = slips, links
        self.stopping = threading.Event()


class Handler(BaseHTTPRequestHandler):
    """GET /, /static/…, /novnc/…, /what, /events, /slips/…; POST /do/<device>, /play/<scenario>."""

    server: BenchServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._is_local():
            self._refuse(HTTPStatus.FORBIDDEN, "the bench answers to this machine only")
        elif path == "/":
            self._send_file(STATIC / "index.html")
        elif path == "/what":
            self._send_json(self._what())
        elif path == "/events":
            self._stream()
        elif path.startswith("/static/"):
            self._send_file(STATIC / Path(path).name)
        elif path.startswith("/novnc/"):
            self._send_file(_inside(NOVNC, path.removeprefix("/novnc/")))
        elif path.startswith("/slips/") and self.server.slips is not None:
            self._send_file(self.server.slips / Path(path).name)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")

    def do_POST(self) -> None:
        _, kind, name = (urlsplit(self.path).path + "//").split("/")[:3]
        length = int(self.headers.get("Content-Length", "0"))
        if not self._is_local() or self.headers.get("Content-Type") != "application/json":
            self._refuse(HTTPStatus.FORBIDDEN, "only the bench's own page may send commands")
        elif length > LONGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a command is a few bytes")
        else:
            self._obey(kind, name, self.rfile.read(length))

    def _obey(self, kind: str, name: str, body: bytes) -> None:
        if kind == "do" and name in self.server.devices:
            self._do(self.server.devices[name], body)
        elif kind == "play" and name in self.server.scenarios:
            self._play(self.server.scenarios[name])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, f"no such device or scenario: {name}")

    def _do(self, device: DeviceLink, body: bytes) -> None:
        try:
            self._send_json(device.ask(json.loads(body)))
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"not a JSON command: {error}")
        except SimulatorGone as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))

    def _play(self, scenario: Scenario) -> None:
        events = self.server.events
        try:
            play(scenario, self.server.devices, events.listen, events.forget, events.add)
        except (ScenarioFailed, SimulatorGone) as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))
        else:
            self._send_json({"ok": True})

    def _what(self) -> dict[str, Any]:
        titles = [{"name": name, "title": scenario.title} for name, scenario in self.server.scenarios.items()]
        return {"devices": list(self.server.devices), "links": dict(self.server.links), "scenarios": titles}

    def _is_local(self) -> bool:
        """Refuse pages of other sites and names that merely resolve to this machine."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        known = host.rpartition(":")[0] in ("127.0.0.1", "localhost", "[::1]")
        return known and origin in (None, f"http://{host}")

    def _stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        listener = self.server.events.listen()
        try:
            while not self.server.stopping.is_set():
                try:
                    line = "data: " + json.dumps(listener.get(timeout=KEEP_ALIVE_S), ensure_ascii=False)
                except queue.Empty:
                    line = ": still here"
                self.wfile.write(line.encode() + b"\n\n")
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.log_message("a page was closed")
        finally:
            self.server.events.forget(listener)

    def _send_file(self, path: Path) -> None:
        try:
            body = path.read_bytes()
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, "no such file")
            return
        self._send(HTTPStatus.OK, mimetypes.guess_type(path.name)[0] or "application/octet-stream", body)

    def _send_json(self, value: object) -> None:
        self._send(HTTPStatus.OK, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True  # its body has not been read
        self._send(status, "application/json", json.dumps({"error": why}, ensure_ascii=False).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the bench's output is its ready line and its errors."""
