"""What the commands share: Django set up, the schema in place, lines for people or for programs."""

import json
import sys
from typing import Any

import django


class CommandFailed(Exception):
    """The command could not do its work; the message says what was wrong and what to do."""

    for_people = True


def set_up(*, migrate: bool = True) -> None:
    """Load Django and bring the database's tables up to date."""
    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


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
