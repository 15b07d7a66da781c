"""Make a one-time code for a new kiosk: 16 characters, good for ten minutes, five tries, once."""

import argparse

from office.commands.common import project_by_code, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project", metavar="CODE", help="the project the kiosk will stand in; may be left out if there is one"
    )
    parser.add_argument("--location", default="", metavar="TEXT", help="where it will stand, e.g. 3栋大堂")


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from office.kiosks.pairing import make_code

    made = make_code(project_by_code(arguments.project), location=arguments.location)
    told = {"code": made.code, "project": made.project.code, "expires_at": made.expires_at.isoformat()}
    groups = " ".join(made.code[n : n + 4] for n in range(0, len(made.code), 4))
    say(
        arguments,
        told,
        f"{groups}\nfor a kiosk of {made.project.name}; good until {made.expires_at:%H:%M:%S} UTC, once",
    )
    return 0
