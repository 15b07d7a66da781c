"""Units, residents and bills from an xlsx or CSV file. A dry run first: it names every refused row with its line number
and reason. With --commit the good rows are written; the refused ones stay out. Exit code 1 when a row was refused."""

import argparse
from pathlib import Path

from office.commands.common import CommandFailed, complain, project_by_code, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="xlsx, or CSV in UTF-8 or GB 18030")
    parser.add_argument("--project", metavar="CODE", help="the project; may be left out if there is one")
    parser.add_argument("--new-project", metavar="NAME", help="make the project named by --project first")
    parser.add_argument("--commit", action="store_true", help="write the good rows")


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from django.db import transaction

    from office.importing.checking import check
    from office.importing.committing import commit
    from office.importing.tables import read_tables

    with transaction.atomic():
        if arguments.new_project:
            _make_project(arguments.project, arguments.new_project)
        checked = check(project_by_code(arguments.project), read_tables(arguments.file))
        if arguments.commit:
            commit(checked)
        else:
            transaction.set_rollback(True)  # a dry run leaves nothing, not even the project it would have made
    for refusal in checked.refusals:
        told = {"refused": refusal.reason, "table": refusal.table, "line": refusal.line, "value": refusal.value}
        say(arguments, told, str(refusal))
    counts = {"units": len(checked.units), "residents": len(checked.residents), "bills": len(checked.bills)}
    told = {**counts, "refused_rows": len(checked.refusals), "written": arguments.commit}
    numbers = ", ".join(f"{count} {what}" for what, count in counts.items())
    verdict = "written" if arguments.commit else "good; nothing is written until you say --commit"
    say(arguments, told, f"{numbers} {verdict}; {len(checked.refusals)} rows refused.")
    if checked.refusals:
        complain(f"office import: {len(checked.refusals)} rows were refused; correct them and import them again")
    return 1 if checked.refusals else 0


def _make_project(code: str | None, name: str) -> None:
    from office.ledger.stream import open_books
    from office.property.models import Project

    if not code or not code.isascii() or not code.isalnum() or len(code) > 8:
        raise CommandFailed("--new-project needs --project CODE of at most eight letters and digits")
    project, _ = Project.objects.get_or_create(code=code.upper(), defaults={"name": name})
    open_books(project)
