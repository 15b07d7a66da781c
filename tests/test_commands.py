"""What every command of `kiosk`, `kiosk-sim` and `office` keeps: --help, --json, 2 for wrong usage, 1 and one sentence for a failure."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk.__main__ import COMMANDS
from kiosk.__main__ import main as kiosk
from kiosk.hardware.simulators.__main__ import PROGRAMS
from kiosk.hardware.simulators.__main__ import main as simulator
from office.__main__ import COMMANDS as OFFICE_COMMANDS
from office.__main__ import main as office

PARTS = {"journal": ("show", "verify", "export", "self-check", "replace"), "trace": ("list", "show", "export")}
KIOSK = [*sorted({*COMMANDS} - {*PARTS}), *(f"{name} {part}" for name, parts in PARTS.items() for part in parts)]
OFFICE = [name for name, *_ in OFFICE_COMMANDS]


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    yield
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def code_of(command: Callable[[list[str]], int], *arguments: str) -> int | str | None:
    """The exit code, however the command ends."""
    try:
        return command(list(arguments))
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize(
    ("command", "name"), [*((kiosk, name) for name in KIOSK), *((office, name) for name in OFFICE)]
)
def test_every_command_explains_itself_and_speaks_json(
    command: Callable[[list[str]], int], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(command, *name.split(), "--help") == 0
    assert "--json" in capsys.readouterr().out


def test_the_document_of_commands_names_all_of_them_and_no_other() -> None:
    text = (Path(__file__).parents[1] / "docs" / "commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:kiosk|office|kiosk-sim) [a-z -]+)`", text))
    known = {f"kiosk {name}" for name in KIOSK} | {f"office {name}" for name in OFFICE}
    assert named == known | {f"kiosk-sim {name}" for name in PROGRAMS}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_program_of_the_simulators_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(simulator, name, "--help") == 0
    assert f"usage: kiosk-sim {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (kiosk, ""), (kiosk, "dance"), (kiosk, "run"), (kiosk, "journal"), (kiosk, "gallery --out x --frob"),
        (simulator, ""), (simulator, "toaster"), (simulator, "bill-acceptor --speed 0"), (simulator, "lobby --speed -1"),
        (office, ""), (office, "dance"), (office, "serve --listen nowhere"),
    ],
)  # fmt: skip
def test_wrong_usage_is_said_on_standard_error_and_ends_with_two(
    command: Callable[[list[str]], int], arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(command, *arguments.split()) == 2
    said = capsys.readouterr()
    assert (said.out, bool(said.err)) == ("", True)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (kiosk, "run --config {file}/kiosk.toml"),
        (kiosk, "gallery --out {file}/pictures"),
        (kiosk, "journal show --journal {file}/journal.db"),
        (simulator, "lobby --state {file}/lobby"),
        (simulator, "receipt-printer --out {file}/slips"),
        (simulator, "bill-acceptor --state {file}/box.json"),
        (kiosk, "trace show --config {file}/kiosk.toml"),
        (simulator, "replay {file}/trace.jsonl"),
        (simulator, "play {file}/scenario.toml --device bill-acceptor=127.0.0.1:1"),
        (simulator, "bench --device bill-acceptor=127.0.0.1:1"),
    ],
)
def test_a_path_or_address_that_can_not_be_used_is_one_sentence_and_ends_with_one(
    command: Callable[[list[str]], int], arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("a file where a folder is needed")
    assert code_of(command, *arguments.format(file=file).split()) == 1
    said = capsys.readouterr().err
    assert said.startswith(("kiosk ", "kiosk-sim ")), said
    assert said.count("\n") == 1, said
    assert "Errno" not in said, said


def test_the_log_of_a_process_can_be_json_lines(tmp_path: Path) -> None:
    (tmp_path / "kiosk.toml").write_text('[kiosk]\nstate_dir = "kiosk"\n')
    agent = [sys.executable, "-m", "kiosk", "agent", "--config", str(tmp_path / "kiosk.toml"), "--json"]
    with subprocess.Popen(agent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
        finally:
            process.terminate()
    assert told["level"] == "ERROR"
    assert told["said"].startswith("agent.stands_by code=not_paired")
