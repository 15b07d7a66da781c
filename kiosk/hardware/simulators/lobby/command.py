"""``kiosk-sim lobby``: office with a demo estate, simulated devices, cable, bench and kiosk, paired and ready to pay.

Everything is a program of its own, started with the commands an integrator has; this one only starts, watches and stops
them. Started twice it says where the first one is and does no harm.
"""

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from kiosk.hardware.simulators.arguments import speed
from kiosk.hardware.simulators.lobby.plan import HOST, PANELS, Plan, free_port
from kiosk.hardware.simulators.lobby.programs import Program, ProgramFailed, run_once
from kiosk.hardware.simulators.lobby.virtual_screen import VirtualScreen, is_a_window_possible

PAYABLE_WITHIN_S = 120.0
BESIDE_PYTHON = Path(sys.executable).parent
PROJECT = "YG"  # the demo estate's first project


def command(name: str, *arguments: str) -> list[str]:
    return [str(BESIDE_PYTHON / name), *arguments]


class Lobby:
    """Starts the programs in the order in which they need each other."""

    def __init__(self, plan: Plan, *, window: bool) -> None:
        self.plan = plan
        self._window = window
        self._programs: list[Program] = []
        self._screen: VirtualScreen | None = None

    def start(self) -> None:
        """Raises ProgramFailed with the name and the log of what did not come up."""
        plan = self.plan
        for folder in (plan.logs, plan.slips):
            folder.mkdir(parents=True, exist_ok=True)
        plan.settings.write_text(plan.kiosk_toml(window=self._window))
        self._fill_office()
        self._start("office", command("office", "serve", "--listen", f"{HOST}:{plan.office_port}",
                                      "--database", plan.office_database, "--json")).wait_ready()  # fmt: skip
        controls = self._start_devices()
        if not (plan.state / "kiosk" / "identity.json").exists():
            self._pair()
        screen = [] if self._window else self._start_screen()
        environment = self._screen.environment if self._screen else {}
        self._start("kiosk", command("kiosk", "run", "--config", str(plan.settings)), environment)
        devices = [argument for name, address in controls.items() for argument in ("--device", f"{name}={address}")]
        width, height, _ = PANELS[plan.panel]
        self._start("bench", command("kiosk-sim", "bench", "--listen", f"{HOST}:{plan.bench_port}",
                                     "--slips", str(plan.slips), "--office", plan.office_url,
                                     "--aspect", f"{width}/{height}", *devices, *screen)).wait_ready()  # fmt: skip

    def wait_payable(self) -> list[str]:
        """Ask ``kiosk check`` until all is ready; returns what is not, in words, when the time is over.

        Before the agent holds the devices, check asks them itself and they may all be ready; only an agent speaks of its screen.
        """
        ends_at = time.monotonic() + PAYABLE_WITHIN_S
        while True:
            done = subprocess.run(
                command("kiosk", "check", "--config", str(self.plan.settings), "--json"),
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            told = done.stdout.splitlines()
            if done.returncode == 0 and any(json.loads(row)["part"] == "screen" for row in told):
                return []
            if time.monotonic() > ends_at:
                return [*told, *done.stderr.splitlines()]

    def ended(self) -> Program | None:
        """A program that is no longer running, if any."""
        return next((program for program in self._programs if program.process.poll() is not None), None)

    def stop(self) -> None:
        """The kiosk first, so that it can finish with devices and office still there; then the rest at once."""
        people = [program for program in self._programs if program.name in ("kiosk", "bench")]
        for together in (people, [program for program in self._programs if program not in people]):
            for program in together:
                program.ask_to_stop()
            for program in together:
                program.stop()
        if self._screen is not None:
            self._screen.stop()

    def _start(self, name: str, arguments: Sequence[str], environment: dict[str, str] | None = None) -> Program:
        program = Program(name, arguments, self.plan.logs, environment)
        self._programs.append(program)
        return program

    def _fill_office(self) -> None:
        if self.plan.accounts.exists():
            return
        said = run_once(
            "demo", command("office", "demo", "--size", "demo", "--database", self.plan.office_database), self.plan.logs
        )
        self.plan.accounts.touch(mode=0o600)
        self.plan.accounts.write_text(said)

    def _start_devices(self) -> dict[str, str]:
        plan, speed = self.plan, str(self.plan.speed)
        control = ("--listen", f"{HOST}:0")
        started = {
            "bill-acceptor": self._start("bill-acceptor", command(
                "kiosk-sim", "bill-acceptor", "--protocol", "ssp", "--link", str(plan.device("bill-acceptor")),
                "--state", str(plan.state / "bill-acceptor.json"), "--speed", speed, *control)),
            "receipt-printer": self._start("receipt-printer", command(
                "kiosk-sim", "receipt-printer", "--width-mm", "80", "--link", str(plan.device("receipt-printer")),
                "--state", str(plan.state / "receipt-printer.json"), "--out", str(plan.slips), "--speed", speed, *control)),
            "network": self._start("network", command(
                "kiosk-sim", "network", "--listen", f"{HOST}:{plan.cable_port}", "--to", f"{HOST}:{plan.office_port}",
                "--control", f"{HOST}:0")),
        }  # fmt: skip
        return {name: str(program.wait_ready()["listen"]) for name, program in started.items()}

    def _pair(self) -> None:
        said = run_once("pairing-code", command(
            "office", "pairing-code", "--project", PROJECT, "--database", self.plan.office_database, "--json"), self.plan.logs)  # fmt: skip
        code = json.loads(said)["code"]
        run_once("pair", command(
            "kiosk", "pair", "--office", self.plan.cable_url, "--code", code, "--config", str(self.plan.settings)), self.plan.logs)  # fmt: skip

    def _start_screen(self) -> list[str]:
        self._screen = VirtualScreen(self.plan)
        return ["--screen", self._screen.address]


def main(argv: Sequence[str] | None = None) -> int:
    chosen = _arguments().parse_args(argv)
    try:
        chosen.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"kiosk-sim lobby: {chosen.state}: {error.strerror}; name another folder with --state", file=sys.stderr)
        return 1
    with (chosen.state / "addresses.txt").open("a+") as addresses:
        try:
            fcntl.flock(addresses, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            addresses.seek(0)
            print(f"The lobby is already running; nothing was started.\n{addresses.read()}", end="")
            return 0
        plan = Plan(
            state=chosen.state, panel=chosen.panel, speed=chosen.speed, office_port=free_port(8000),
            cable_port=free_port(8001), bench_port=free_port(8800), websocket_port=free_port(6080),
        )  # fmt: skip
        return _run(Lobby(plan, window=is_a_window_possible() and not chosen.virtual), addresses)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk-sim lobby", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--state", type=Path, default=Path("state/lobby"), help="the folder that keeps everything")
    parser.add_argument("--panel", choices=sorted(PANELS), default="portrait-21.5")
    parser.add_argument("--speed", type=speed, default=1, metavar="N", help="make every device N times faster")
    parser.add_argument("--virtual", action="store_true", help="use the virtual screen even where there is a display")
    return parser


def _run(lobby: Lobby, addresses: TextIO) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    began = time.monotonic()
    print("Starting the office, the devices and the kiosk …", flush=True)
    try:
        lobby.start()
        lacking = lobby.wait_payable()
        _say_where(lobby.plan, lacking, time.monotonic() - began, addresses)
        while not stop.wait(0.5):
            ended = lobby.ended()
            if ended is not None:
                raise ProgramFailed(f"{ended.name} has stopped; its log is {ended.log}: {ended.last_words()}")
    except ProgramFailed as error:
        print(f"kiosk-sim lobby: {error}", file=sys.stderr)
        return 1
    finally:
        lobby.stop()
    return 0


def _say_where(plan: Plan, lacking: list[str], took_s: float, addresses: TextIO) -> None:
    where = (
        f"  bench (kiosk's screen and its devices)  http://{HOST}:{plan.bench_port}/\n"
        f"  office (staff sign in)                  {plan.office_url}/\n"
    )
    addresses.seek(0)
    addresses.truncate()
    addresses.write(where)
    addresses.flush()
    print(f"\n{where}\n{plan.accounts.read_text().rstrip()}\n")
    if lacking:
        print("Not all is ready:\n" + "\n".join(lacking))
    else:
        print(f"Ready to take a payment after {took_s:.0f} s. Ctrl-C stops everything.")
    sys.stdout.flush()
