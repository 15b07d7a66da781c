"""Make a one-time code for a new kiosk: 16 characters, good for ten minutes, five tries, once."""

import argparse
from typing import Any

from office.commands.common import CommandFailed, project_by_code, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project", metavar="CODE", help="the project the kiosk will stand in; may be left out if there is one"
    )
    parser.add_argument(
        "--kiosk", metavar="CODE", help="renew this kiosk: another key, and leave to begin a new journal"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; with --kiosk it is asked for")
    parser.add_argument("--location", default="", metavar="TEXT", help="where it will stand, e.g. 3栋大堂")


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from office.kiosks.pairing import make_code

    project, renews = project_by_code(arguments.project), None
    if arguments.kiosk:
        renews = _kiosk(project, arguments.kiosk, arguments.reason)
    made = make_code(project, location=arguments.location, renews=renews, reason=arguments.reason)
    told = {"code": made.code, "project": made.project.code, "expires_at": made.expires_at.isoformat()}
    groups = " ".join(made.code[n : n + 4] for n in range(0, len(made.code), 4))
    say(
        arguments,
        told,
        f"{groups}\nfor {f'kiosk {renews.code}' if renews else 'a kiosk'} of {made.project.name}; good until {made.expires_at:%H:%M:%S} UTC, once",
    )
    return 0


def _kiosk(project: Any, code: str, reason: str) -> Any:
    from office.kiosks.models import Kiosk

    found = Kiosk.objects.filter(project=project, code=code).first()
    if found is None:
        raise CommandFailed(f"--kiosk {code}: {project.code} has no such kiosk")
    if not reason.strip():
        raise CommandFailed("--reason: say why this kiosk is renewed; it goes into the audit log")
    return found
