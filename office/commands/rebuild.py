"""Forget everything derived and fold the raw events and office commands again, to equal books.

Where the books had not been equal to what the stream gives, it names the rows, what they were and what they are now, and exits
with 1: somebody or something had changed them, and that is worth a look. Run again it exits with 0, unless office verify still
finds something.
"""

import argparse
from typing import Any

from office.commands.common import CommandFailed, complain, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="CODE", help="only this project")


def run(arguments: argparse.Namespace) -> int:
    set_up(make=False)
    from office.property.models import Project

    chosen = Project.objects.filter(code=arguments.project) if arguments.project else Project.objects.all()
    if arguments.project and not chosen.exists():
        raise CommandFailed(f"there is no project {arguments.project!r}")
    in_order = [_rebuilt(arguments, project) for project in chosen.order_by("code")]
    return 0 if all(in_order) else 1


def _rebuilt(arguments: argparse.Namespace, project: Any) -> bool:
    """Rebuild one project and say how its books came out; whether they were and are in order."""
    from office.ledger.mending import rebuild_and_compare
    from office.ledger.verify import verify_project

    result = rebuild_and_compare(project)
    count = result.differed.total()
    told = {
        "project": project.code,
        "folded": result.folded,
        "equal": not count,
        "digest": result.digest,
        "differed": dict(result.differed),
    }
    tables = ", ".join(f"{rows} of {table}" for table, rows in result.differed.items())
    verdict = f"{count} rows had differed and are mended ({tables})" if count else "equal books"
    say(
        arguments, told, f"{project.code}: {result.folded} events and commands folded, {verdict} ({result.digest[:16]})"
    )
    for row in result.mended:
        say(arguments, row.told(), f"{project.code}: {row}")
    findings = list(verify_project(project))
    for finding in findings:
        say(arguments, finding.told(), str(finding))
    if count:
        complain(
            f"office rebuild: {project.code}: the books had been changed otherwise than by events and commands; find out by whom"
        )
    if findings:
        complain(f"office rebuild: {project.code}: {len(findings)} findings are left; raw events only a backup mends")
    return not count and not findings
