"""The ``kiosk`` command: reads its arguments, sets up the log, and hands over to the part that is meant."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

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
        _print_help()
        return OK if asked.help else WRONG_USAGE
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


def _print_help() -> None:
    print("usage: kiosk COMMAND [options]\n\nMenting: a self-service terminal for property fees.\n")
    for name, (_, what) in COMMANDS.items():
        print(f"  {name:8}  {what}")
    print("\nEvery command has --help.")


def _settings(name: str, argv: Sequence[str]) -> tuple[Path, Settings] | None:
    """The settings named by --config; None, and a sentence on standard error, when they can't be used."""
    parser = argparse.ArgumentParser(prog=f"kiosk {name}", description=COMMANDS[name][1])
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of this kiosk")
    path = parser.parse_args(argv).config
    try:
        return path, load(path)
    except SettingsError as error:
        print(f"kiosk {name}: {error}", file=sys.stderr)
        return None


def _run(argv: Sequence[str]) -> int:
    from kiosk import supervisor

    found = _settings("run", argv)
    return supervisor.main(found[0]) if found else FAILED


def _agent(argv: Sequence[str]) -> int:
    from kiosk import agent

    found = _settings("agent", argv)
    return agent.main(found[1]) if found else FAILED


def _screen(argv: Sequence[str]) -> int:
    found = _settings("screen", argv)
    if not found:
        return FAILED
    from kiosk import screen  # after the settings: importing it opens a window

    return screen.main(found[1])


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
