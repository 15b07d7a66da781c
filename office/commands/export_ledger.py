"""The books for an independent checker, in the Beancount format on standard output; each project has its own accounts."""

import argparse

from office.commands.common import CommandFailed, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("beancount",), default="beancount")
    parser.add_argument("--project", metavar="CODE", help="only this project")


def run(arguments: argparse.Namespace) -> int:
    set_up(make=False)
    from office.ledger.beancount import export
    from office.property.models import Project

    projects = Project.objects.order_by("code")
    if arguments.project:
        projects = projects.filter(code=arguments.project)
        if not projects.exists():
            raise CommandFailed(f"there is no project {arguments.project!r}")
    for line in export(projects):
        say(arguments, {"line": line}, line)
    return 0
