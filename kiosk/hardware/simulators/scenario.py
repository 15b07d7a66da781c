"""Scenarios: who inserts, pulls, taps what, when, on running simulators; the same files serve tests, bench and integrators.

A scenario is a TOML file: a ``title`` and ``[[step]]`` tables. A step names a ``device`` and the command's own keys
(``do`` and its arguments); ``wait_for`` names the event that must come before the next step, within ``timeout_s``;
``stay_s`` keeps what came of it that long for people who look on.
"""

import queue
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kiosk.hardware.simulators.arguments import in_words

OWN_KEYS = ("device", "wait_for", "timeout_s", "stay_s")
DEFAULT_TIMEOUT_S = 30.0

Listener = queue.Queue[dict[str, Any]]


class Asked(Protocol):
    """What takes a command: a DeviceLink, or a simulator in the same process."""

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]: ...


class ScenarioFailed(Exception):
    """A step was refused or its event did not come; the message names the step."""


class Step(msgspec.Struct, frozen=True):
    """One command to one device, and the event to wait for."""

    device: str
    command: dict[str, Any]
    wait_for: str | None
    timeout_s: float
    stay_s: float = 0.0


class Scenario(msgspec.Struct, frozen=True):
    """A named list of steps."""

    title: str
    steps: tuple[Step, ...]


def load(path: Path) -> Scenario:
    """Read one scenario file.

    Raises:
        ScenarioFailed: not TOML, or a step without device or command; the message names file and step.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioFailed(in_words(error)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioFailed(f"{path}: {error}") from error
    return Scenario(
        title=str(table.get("title", path.stem)),
        steps=tuple(_step(path, number, step) for number, step in enumerate(table.get("step", []), 1)),
    )


def _step(path: Path, number: int, table: dict[str, Any]) -> Step:
    missing = [key for key in ("device", "do") if key not in table]
    if missing:
        raise ScenarioFailed(f"{path}: step {number}: {' and '.join(missing)} missing")
    return Step(
        device=table["device"],
        command={key: value for key, value in table.items() if key not in OWN_KEYS},
        wait_for=table.get("wait_for"),
        timeout_s=float(table.get("timeout_s", DEFAULT_TIMEOUT_S)),
        stay_s=float(table.get("stay_s", 0)),
    )


def play(
    scenario: Scenario,
    devices: Mapping[str, Asked],
    listen: Callable[[], Listener],
    forget: Callable[[Listener], None],
    report: Callable[[str, dict[str, Any]], None],
) -> None:
    """Play every step in order; events ``step`` and ``done`` are reported as they happen.

    Raises:
        ScenarioFailed: unknown device, refused command, or an awaited event that did not come.
    """
    for number, step in enumerate(scenario.steps, 1):
        device = devices.get(step.device)
        if device is None:
            raise ScenarioFailed(f"step {number}: no device named {step.device} is running")
        listener = listen()
        try:
            _drain(listener)
            answer = device.ask(step.command)
            if "error" in answer:
                raise ScenarioFailed(f"step {number}: {step.device} refused {step.command}: {answer['error']}")
            report("scenario", {"event": "step", "step": number, "device": step.device, **step.command})
            if step.wait_for is not None:
                _await(listener, number, step)
            time.sleep(step.stay_s)
        finally:
            forget(listener)
    report("scenario", {"event": "done", "title": scenario.title})


def _drain(listener: Listener) -> None:
    """Drop what happened before this step: a listener begins with the last few events."""
    while not listener.empty():
        listener.get_nowait()


def _await(listener: Listener, number: int, step: Step) -> None:
    ends_at = time.monotonic() + step.timeout_s
    while True:
        try:
            entry = listener.get(timeout=max(0.0, ends_at - time.monotonic()))
        except queue.Empty as error:
            what = f"{step.device} did not report {step.wait_for} within {step.timeout_s:g} s"
            raise ScenarioFailed(f"step {number}: {what}") from error
        if entry.get("device") == step.device and entry.get("event") == step.wait_for:
            return
