"""``kiosk-sim bench``: serves the bench for simulators that are already running."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from kiosk.hardware.simulators.arguments import loopback
from kiosk.hardware.simulators.bench.server import BenchServer, Events
from kiosk.hardware.simulators.device_link import DeviceLink, SimulatorGone
from kiosk.hardware.simulators.play_command import device
from kiosk.hardware.simulators.scenario import Scenario, ScenarioFailed, load

SCENARIOS = Path(__file__).resolve().parents[4] / "config" / "scenarios"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk-sim bench", description=__doc__)
    parser.add_argument("--listen", type=loopback, default=("127.0.0.1", 8800), metavar="HOST:PORT")
    parser.add_argument("--device", type=device, action="append", default=[], metavar="NAME=HOST:PORT",
                        help="a simulator's control line (its --listen), e.g. bill-acceptor=127.0.0.1:7001")  # fmt: skip
    parser.add_argument("--slips", type=Path, help="the receipt printer's --out folder")
    parser.add_argument("--screen", default="", metavar="URL", help="websocket of the kiosk's virtual screen")
    parser.add_argument("--aspect", default="9/16", help="width/height of that screen")
    parser.add_argument("--office", default="", metavar="URL", help="where staff sign in")
    parser.add_argument("--scenarios", type=Path, default=SCENARIOS, help="a folder of scenario files")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    chosen = arguments().parse_args(argv)
    events = Events()
    try:
        scenarios = _scenarios(chosen.scenarios)
        devices = {name: DeviceLink(name, host, port, events.add) for name, (host, port) in chosen.device}
        server = BenchServer(
            chosen.listen,
            devices=devices,
            events=events,
            scenarios=scenarios,
            slips=chosen.slips,
            links={"screen": chosen.screen, "aspect": chosen.aspect, "office": chosen.office},
        )
    except (SimulatorGone, ScenarioFailed) as error:
        print(f"kiosk-sim bench: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = ":".join(map(str, chosen.listen))
        print(f"kiosk-sim bench: can't listen on {where}: {error.strerror}; give another --listen", file=sys.stderr)
        return 1
    _serve(server)
    for link in devices.values():
        link.close()
    return 0


def _scenarios(folder: Path) -> dict[str, Scenario]:
    return {path.stem: load(path) for path in sorted(folder.glob("*.toml"))}


def _serve(server: BenchServer) -> None:
    def stop(_signal: int, _frame: object) -> None:
        server.stopping.set()
        threading.Thread(target=server.shutdown).start()  # serve_forever would wait for itself

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    host, port = server.server_address[:2]
    print(json.dumps({"ready": True, "port": port, "url": f"http://{host!s}:{port}/"}), flush=True)
    server.serve_forever(poll_interval=0.2)
    server.server_close()
