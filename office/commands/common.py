"""What the commands share: Django set up, the schema in place, lines for people or for programs."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django


class CommandFailed(Exception):
    """The command could not do its work; the message says what was wrong and what to do."""

    for_people = True


def set_up(*, make: bool = True) -> None:
    """Load Django and bring the database's tables up to date; ``make`` False: only of a database that is there.

    Raises:
        CommandFailed: there is none, or it can't be opened.
    """
    django.setup()
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    where = connection.settings_dict["NAME"]
    if not make and connection.vendor == "sqlite" and not Path(where).exists():
        raise CommandFailed(f"there is no database {where}; name one with --database")
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CommandFailed(f"the database {where} can't be opened ({one_line(error)}); check --database") from error
    call_command("migrate", verbosity=0, interactive=False)


def one_line(error: Exception) -> str:
    """A database's message, which may have several lines, as a part of a sentence."""
    return " ".join(str(error).split()).rstrip("?.")


def usage(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argument's type from a check that raises CommandFailed: what is wrong is then wrong usage."""

    def checked(text: str) -> Any:
        try:
            return check(text)
        except CommandFailed as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def say(arguments: Any, told: dict[str, Any], words: str) -> None:
    """One fact: as a JSON object a line, or as words for people."""
    print(json.dumps(told, ensure_ascii=False, default=str) if arguments.json else words, flush=True)


def complain(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def project_by_code(code: str | None) -> Any:
    """The project with this code, or the only one there is.

    Raises:
        CommandFailed: no such project, or several and none named.
    """
    from office.property.models import Project

    known = {project.code: project for project in Project.objects.all()}
    if code is None and len(known) == 1:
        return next(iter(known.values()))
    if code in known:
        return known[code]
    names = ", ".join(known) or "none; run office demo or office import first"
    raise CommandFailed(
        f"there is no project {code!r}; this office has: {names}"
        if code
        else f"name one project with --project: {names}"
    )
