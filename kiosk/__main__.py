"""The ``kiosk`` command: reads its arguments, sets up the log, and hands over to the part that is meant."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import kiosk
from kiosk.settings import Settings, SettingsError, load

OK, FAILED, WRONG_USAGE = 0, 1, 2

LOG_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(message)s"
LEVEL_VARIABLE = "KIOSK_LOG"

Command = Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="kiosk", description="Menting: a self-service terminal for property fees.", add_help=False
    )
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="version", version=f"kiosk {kiosk.__version__}")
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="COMMAND")
    asked = parser.parse_args(arguments[:1])
    if asked.command is None:
        if asked.help:
            print(_help())
            return OK
        print(f"kiosk: which command?\n{_help()}", file=sys.stderr)
        return WRONG_USAGE
    logging.basicConfig(stream=sys.stderr, format=LOG_FORMAT, level=os.environ.get(LEVEL_VARIABLE, "INFO"))
    code = COMMANDS[asked.command][0](arguments[1:])
    _let_go_of_output()
    return code


def _let_go_of_output() -> None:
    """A log on a full disk must not change the exit code: Python would make it 120, and who restarts us reads it."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            setattr(sys, name, None)


def _help() -> str:
    rows = "\n".join(f"  {name:8}  {what}" for name, (_, what) in COMMANDS.items())
    title = "Menting: a self-service terminal for property fees."
    return f"usage: kiosk COMMAND [options]\n\n{title}\n\n{rows}\n\nEvery command has --help."


class _JsonLines(logging.Formatter):
    """The log for programs: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "thread": record.threadName,
            "said": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class _Chosen(NamedTuple):
    """What a command that serves was asked for; its log is all that it prints."""

    config: Path
    settings: Settings
    as_json: bool


def _chosen(name: str, argv: Sequence[str]) -> _Chosen | None:
    """The settings named by --config; None, and a sentence on standard error, when they can't be used."""
    parser = argparse.ArgumentParser(prog=f"kiosk {name}", description=COMMANDS[name][1])
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of this kiosk")
    parser.add_argument("--json", action="store_true", help="the log on standard output, one JSON object a line")
    arguments = parser.parse_args(argv)
    try:
        chosen = _Chosen(arguments.config, load(arguments.config), arguments.json)
    except SettingsError as error:
        print(f"kiosk {name}: {error}", file=sys.stderr)
        return None
    if chosen.as_json:
        lines = logging.StreamHandler(sys.stdout)
        lines.setFormatter(_JsonLines())
        logging.getLogger().handlers = [lines]
    return chosen


def _run(argv: Sequence[str]) -> int:
    from kiosk import supervisor

    chosen = _chosen("run", argv)
    return supervisor.main(chosen.config, as_json=chosen.as_json) if chosen else FAILED


def _agent(argv: Sequence[str]) -> int:
    from kiosk import agent

    chosen = _chosen("agent", argv)
    return agent.main(chosen.settings) if chosen else FAILED


def _screen(argv: Sequence[str]) -> int:
    chosen = _chosen("screen", argv)
    if not chosen:
        return FAILED
    from kiosk import screen  # after the settings: importing it opens a window

    return screen.main(chosen.settings)


def _check(argv: Sequence[str]) -> int:
    from kiosk import check

    logging.getLogger().setLevel(logging.ERROR)
    return check.main(list(argv))


def _probe(argv: Sequence[str]) -> int:
    from kiosk.hardware.probe import main as probe

    return probe(list(argv))


def _pair(argv: Sequence[str]) -> int:
    from kiosk.office_client import pairing

    return pairing.main(list(argv))


def _journal(argv: Sequence[str]) -> int:
    if argv[:1] == ["replace"]:
        from kiosk import replace_journal

        return replace_journal.main(list(argv[1:]))
    from kiosk.offline_queue import journal_command

    return journal_command.main(list(argv))


def _trace(argv: Sequence[str]) -> int:
    from kiosk.hardware.flight_recorder import command

    return command.main(list(argv))


def _receipt(argv: Sequence[str]) -> int:
    from kiosk.hardware.receipt_printer import redraw_command

    return redraw_command.main(list(argv))


def _gallery(argv: Sequence[str]) -> int:
    from kiosk import gallery

    return gallery.main(list(argv))


COMMANDS: dict[str, tuple[Command, str]] = {
    "run": (_run, "the terminal itself: agent and screen together"),
    "agent": (_agent, "the agent alone: devices, journal, upload"),
    "screen": (_screen, "the screen alone"),
    "check": (_check, "what is ready, what is not, and the remedy"),
    "probe": (_probe, "ask what is attached; moves no money"),
    "pair": (_pair, "exchange a one-time code for an identity"),
    "journal": (_journal, "show, verify, export or replace the journal"),
    "trace": (_trace, "list, show or export what devices said before a fault"),
    "receipt": (_receipt, "draw a receipt again, marked as a copy"),
    "gallery": (_gallery, "draw every screen in every language and state"),
}

if __name__ == "__main__":
    sys.exit(main())
