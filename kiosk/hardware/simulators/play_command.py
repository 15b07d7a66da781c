"""``kiosk-sim play SCENARIO.toml``: plays a scenario on running simulators and says each step as a JSON line."""

import argparse
import json
import queue
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kiosk.hardware.simulators.arguments import address
from kiosk.hardware.simulators.device_link import DeviceLink, SimulatorGone
from kiosk.hardware.simulators.scenario import Listener, ScenarioFailed, load, play


def device(text: str) -> tuple[str, tuple[str, int]]:
    """NAME=HOST:PORT of a simulator's control line."""
    name, _, where = text.partition("=")
    if not where:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=HOST:PORT")
    return name, address(where)


class Listeners:
    """Hands every event to every listener."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Listener] = []

    def add(self, name: str, event: dict[str, Any]) -> None:
        with self._lock:
            for listener in self._all:
                listener.put({"device": name, **event})

    def listen(self) -> Listener:
        listener: Listener = queue.Queue()
        with self._lock:
            self._all.append(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        with self._lock:
            self._all.remove(listener)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kiosk-sim play", description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--device", type=device, action="append", default=[], metavar="NAME=HOST:PORT", required=True)
    chosen = parser.parse_args(argv)
    listeners = Listeners()
    links: dict[str, DeviceLink] = {}
    try:
        scenario = load(chosen.scenario)
        for name, (host, port) in chosen.device:
            links[name] = DeviceLink(name, host, port, listeners.add)
        play(scenario, links, listeners.listen, listeners.forget, _say)
    except (ScenarioFailed, SimulatorGone) as error:
        print(f"kiosk-sim play: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for link in links.values():
            link.close()
    return 0


def _say(_name: str, event: dict[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)
