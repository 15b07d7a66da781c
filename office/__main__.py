"""The `office` command: finds its subcommand, sets the database, keeps the exit codes (0 done, 1 failed, 2 wrong usage)."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from office.commands.common import one_line
from office.database import BadDatabaseUrl, database_settings

# name, module under office.commands, help
COMMANDS = (
    ("serve", "serve", "migrate, check the books, serve"),
    ("demo", "demo", "fill an empty database with a repeatable estate"),
    ("import", "import_file", "units, residents and bills from xlsx or CSV; a dry run unless --commit"),
    ("pairing-code", "pairing_code", "a one-time code for a new kiosk"),
    ("verify", "verify", "check the invariants of the books and the uploads"),
    ("rebuild", "rebuild", "forget everything derived and fold the raw events again"),
    ("replay", "replay", "kiosks' exported journals into an office"),
    ("export-ledger", "export_ledger", "the books for an independent checker"),
    ("user", "user", "a person who may sign in, with a role in a project"),
)


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand."""
    parser, modules = _parser()
    arguments = parser.parse_args(argv)
    os.umask(0o077)  # names, phones and the office's key are nobody else's business
    try:
        _use_database(arguments.database)
        return int(modules[arguments.command].run(arguments) or 0)
    except BadDatabaseUrl as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        words = _for_people(error)
        if not words:
            raise
        print(f"office {arguments.command}: {words}", file=sys.stderr)
        return 1


def _parser() -> tuple[argparse.ArgumentParser, dict]:
    parser = argparse.ArgumentParser(prog="office", description="The property office's server.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {}
    for name, module, words in COMMANDS:
        modules[name] = importlib.import_module(f"office.commands.{module}")
        sub = subparsers.add_parser(name, help=words, description=(modules[name].__doc__ or "").strip())
        sub.add_argument("--database", metavar="URL", help="sqlite:///path or postgres://user@host/name")
        sub.add_argument("--json", action="store_true", help="one JSON object a line")
        modules[name].add_arguments(sub)
    return parser, modules


def _use_database(url: str | None) -> None:
    """Point Django at the database; the state directory lies beside an SQLite file that was named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "office.settings")
    if not url:
        return
    chosen = database_settings(url)
    os.environ["OFFICE_DATABASE"] = url
    if chosen["ENGINE"].endswith("sqlite3"):
        folder = Path(chosen["NAME"]).parent
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("OFFICE_STATE_DIR", str(folder))


def _for_people(error: Exception) -> str:
    """What to say of a failure that a person can mend; empty for anything else, which deserves its traceback."""
    from django.db import OperationalError

    if isinstance(error, OperationalError):
        return f"the database says: {one_line(error)}; see that it can be written to and has room, then try again"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; name another path, or make this one usable"
    return str(error) if isinstance(error, OSError) or getattr(error, "for_people", False) else ""


if __name__ == "__main__":
    sys.exit(main())
