"""The real programs of one lobby for a test: office, simulators, cable, agent; each can be killed and started again."""

import contextlib
import json
import os
import queue
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kiosk.hardware.simulators.lobby.programs import ready_message
from tests.end_to_end.physical import HAND
from tests.office.office_forks import office_command
from tests.office.running_office import demo_estate

HOST = "127.0.0.1"
BESIDE_PYTHON = Path(sys.executable).parent
UP_WITHIN_S = 60.0
STOPPED_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 30.0


def program(name: str, *arguments: str) -> list[str]:
    return [str(BESIDE_PYTHON / name), *arguments]


Launch = Callable[..., list[str]]  # as program()


def free_port() -> int:
    """A port that stays its owner's while that is down for a moment: the system gives none below its range to those who call."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = _PORTS.randrange(max(1024, lowest - 20_000), lowest)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port


_PORTS = random.SystemRandom()
_GIVEN: set[int] = set()  # whoever got one may not have bound it yet


class Running:
    """One program with its output in a log file; its first ``{"ready": true}`` line is ``ready``."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, on_line: Callable[[bytes], None] = lambda line: None
    ) -> None:
        self.name, self.log, self._on_line = name, log, on_line
        self.ready: dict[str, Any] = {}
        self._heard = threading.Event()
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_ready(self) -> dict[str, Any]:
        self._heard.wait(UP_WITHIN_S)
        assert self.ready, f"{self.name} did not start:\n{self.log.read_text()[-3000:]}"
        return self.ready

    def kill(self) -> None:
        """SIGKILL, as a power cut ends a program."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._finish()
        ended = self.process.returncode
        assert ended == -signal.SIGKILL, f"{self.name} had ended by itself ({ended}):\n{self.log.read_text()[-3000:]}"

    def stop(self) -> None:
        """SIGTERM; a program that does not obey fails the test."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self._finish()
                raise
        self._finish()

    def _finish(self) -> None:
        self.process.wait()
        self._reader.join(STOPPED_WITHIN_S)
        for stream in (self.process.stdin, self.process.stdout, self._log):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._log.write(line)
            self._log.flush()
            self._on_line(line)
            if not self.ready and (said := ready_message(line)):
                self.ready = said
                self._heard.set()
        self._heard.set()


class Books:
    """An office's database file, read beside whoever writes it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.database = f"sqlite:///{file}"

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=20)) as db:
            return db.execute(sql, values).fetchall()

    def verify(self) -> None:
        """``office verify``: raises with its words when a book is off."""
        self._command("verify")

    def _command(self, *arguments: str) -> str:
        done = office_command(self.database, *arguments)
        assert done.returncode == 0, f"office {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


class Office(Books):
    """``office serve`` on an SQLite file with the tiny demo estate."""

    def __init__(
        self, folder: Path, *, size: str = "tiny", seed: int = 1, launch: Launch = program, port: int | None = None
    ) -> None:
        super().__init__(folder / "office.sqlite3")
        self.folder, self._launch = folder, launch
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        _, database = demo_estate(size, seed)
        self.file.write_bytes(database)
        self.running = self._serve()

    def pairing_code(self, project: str = "YG") -> str:
        return str(json.loads(self._command("pairing-code", "--project", project, "--json"))["code"])

    def kill(self) -> None:
        self.running.kill()

    def start(self) -> None:
        self.running = self._serve()

    def stop(self) -> None:
        self.running.stop()

    def _serve(self) -> Running:
        running = Running(
            "office",
            self._launch("office", "serve", "--listen", f"{HOST}:{self.port}", "--database", self.database, "--json"),
            self.folder / "office.log",
        )
        running.wait_ready()
        return running


class Events:
    """What simulators reported, in order; a test waits for one by its name."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, dict[str, Any]]] = []
        self._changed = threading.Condition()

    def add(self, device: str, event: dict[str, Any]) -> None:
        with self._changed:
            self._seen.append((device, event))
            self._changed.notify_all()

    def mark(self) -> int:
        with self._changed:
            return len(self._seen)

    def since(self, mark: int) -> list[tuple[str, dict[str, Any]]]:
        with self._changed:
            return self._seen[mark:]

    def wait(self, *names: str, since: int = 0, timeout_s: float = 20.0) -> dict[str, Any]:
        """The first event with one of these names."""
        event = self.comes(*names, since=since, timeout_s=timeout_s)
        assert event is not None, f"no event {' or '.join(names)} in {timeout_s} s"
        return event

    def comes(self, *names: str, since: int = 0, timeout_s: float = 20.0) -> dict[str, Any] | None:
        """The same, or None if there is none in time."""
        ends_at = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for _, event in self._seen[since:]:
                    if event["event"] in names:
                        return event
                if not self._changed.wait(max(0.0, ends_at - time.monotonic())):
                    return None


class Simulator:
    """One ``kiosk-sim`` program, commanded and heard by its standard streams: what it said before a SIGKILL is not lost."""

    def __init__(
        self, name: str, folder: Path, events: Events, arguments: Sequence[str], control: str = "--listen"
    ) -> None:
        self.name, self._folder, self._events = name, folder, events
        self._command = program("kiosk-sim", name, *arguments, control, f"{HOST}:0")
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._asking = threading.Lock()
        self.start()

    def start(self) -> None:
        self.running = Running(self.name, self._command, self._folder / f"{self.name}.log", self._heard)
        self.running.wait_ready()

    def do(self, word: str, **arguments: Any) -> dict[str, Any]:
        """The answer to a command; every event before it has been added when it comes."""
        with self._asking:
            stream = self.running.process.stdin
            assert stream is not None
            stream.write(json.dumps({"do": word, **arguments, "id": 1}).encode() + b"\n")
            stream.flush()
            return self._answers.get(timeout=ANSWERS_WITHIN_S)

    def kill(self) -> None:
        self.running.kill()

    def stop(self) -> None:
        self.running.stop()

    def _heard(self, line: bytes) -> None:
        if not line.startswith(b"{"):
            return
        message = json.loads(line)
        if message.pop("id", None) is not None:  # only answers carry the id of their command
            self._answers.put(message)
        elif "event" in message:
            self._events.add(self.name, message)


class Lobby:
    """Everything but the glass: a test holds the screen's end of the link itself, or starts a real screen."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: int = 50,
        pace: int | None = None,
        seed: int = 1,
        margin_mb: int = 64,
        heartbeat_s: int = 2,
        launch: Launch = program,
    ) -> None:
        """``pace`` shortens people's times, by default as much as the devices'; ``margin_mb`` is the disk's; ``launch`` makes the
        commands that start agent and office."""
        self.folder, self.speed, self.pace, self.margin_mb = folder, speed, pace or speed, margin_mb
        self._heartbeat_s = heartbeat_s
        self.events = Events()
        self._launch = launch
        office_port, self.cable_port = free_port(), free_port()
        with ThreadPoolExecutor() as at_once:  # each waits for a program of its own to come up
            office = at_once.submit(Office, folder, launch=launch, port=office_port)
            acceptor = at_once.submit(Simulator, "bill-acceptor", folder, self.events, [
                "--protocol", "ssp", "--link", str(folder / "acceptor"), "--state", str(folder / "acceptor.json"),
                "--speed", str(speed), "--seed", str(seed)])  # fmt: skip
            printer = at_once.submit(Simulator, "receipt-printer", folder, self.events, [
                "--width-mm", "80", "--link", str(folder / "printer"), "--out", str(folder / "slips"),
                "--state", str(folder / "printer.json"), "--speed", str(speed)])  # fmt: skip
            cable = at_once.submit(Simulator, "network", folder, self.events, [
                "--listen", f"{HOST}:{self.cable_port}", "--to", f"{HOST}:{office_port}"], control="--control")  # fmt: skip
        self.office, self.acceptor, self.printer, self.cable = (
            office.result(), acceptor.result(), printer.result(), cable.result())  # fmt: skip
        self.settings = folder / "kiosk.toml"
        self.settings.write_text(self._toml())
        self.state = folder / "kiosk"
        self._pair()
        self.agent: Running | None = None

    @property
    def socket(self) -> Path:
        return self.state / "screen.sock"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    def insert(self, face_fen: int) -> bool:
        """Push a note into the acceptor's mouth; False when it is not pulled in. Written down for tests.end_to_end.physical."""
        self.events.add(HAND, {"event": "insert", "face_fen": face_fen})
        taken = "error" not in self.acceptor.do("insert", face_fen=face_fen)
        if not taken:
            self.events.add(HAND, {"event": "refused"})
        return taken

    def end_acceptor(self) -> None:
        """End its program without its knowledge; its port is gone until ``acceptor.start()``."""
        (self.folder / "acceptor").unlink()  # else it would point to the terminal's next owner, perhaps another lobby's
        self.acceptor.kill()

    def kill_agent(self) -> None:
        assert self.agent is not None
        self.agent.kill()

    def start_agent(self) -> Running:
        self.agent = Running(
            "agent", self._launch("kiosk", "agent", "--config", str(self.settings)), self.folder / "agent.log"
        )
        return self.agent

    def stop(self) -> None:
        if self.agent is not None and self.agent.process.poll() is None:
            self.agent.stop()
        with ThreadPoolExecutor() as at_once:
            stopping = [at_once.submit(part.stop) for part in (self.acceptor, self.printer, self.cable, self.office)]
        for each in stopping:
            each.result()

    def _pair(self) -> None:
        done = subprocess.run(
            program("kiosk", "pair", "--office", f"http://{HOST}:{self.cable_port}", "--code", self.office.pairing_code(),
                    "--config", str(self.settings)), capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def _toml(self) -> str:
        return f"""[kiosk]
state_dir = "kiosk"
speed = {self.pace}
disk_margin_mb = {self.margin_mb}
[bill_acceptor]
port = "{self.folder}/acceptor"
speed = {self.speed}
[receipt_printer]
port = "{self.folder}/printer"
speed = {self.speed}
[office]
url = "http://{HOST}:{self.cable_port}"
heartbeat_s = {self._heartbeat_s}
first_try_s = 0
retry_within_s = 1
"""


@contextlib.contextmanager
def lobby(folder: Path, **arguments: Any) -> Iterator[Lobby]:
    running = Lobby(folder, **arguments)
    try:
        yield running
    finally:
        running.stop()
