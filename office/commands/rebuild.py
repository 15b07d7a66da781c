"""Forget everything derived and fold the raw events and office commands again, to equal books."""

import argparse

from office.commands.common import CommandFailed, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="CODE", help="only this project")


def run(arguments: argparse.Namespace) -> int:
    set_up(make=False)
    from office.ledger import stream
    from office.ledger.digest import books_digest
    from office.ledger.rebuild import rebuild
    from office.property.models import Project

    chosen = Project.objects.filter(code=arguments.project) if arguments.project else Project.objects.all()
    if arguments.project and not chosen.exists():
        raise CommandFailed(f"there is no project {arguments.project!r}")
    for project in chosen.order_by("code"):
        stream.fold(project.id)
        before = books_digest(project.id)
        count = rebuild(project.id)
        after = books_digest(project.id)
        told = {"project": project.code, "folded": count, "equal": before == after, "digest": after}
        verdict = "equal books" if before == after else "the books differ from before"
        say(arguments, told, f"{project.code}: {count} events and commands folded, {verdict} ({after[:16]})")
    return 0
