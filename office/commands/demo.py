"""Fill an empty database with a repeatable estate: two projects, households, months of bills, what was paid."""

import argparse

from office.commands.common import CommandFailed, say, set_up

SIZES = ("tiny", "demo", "big")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", choices=SIZES, default="demo", help="tiny for tests, demo to look at, big to measure")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same estate")


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from office.demo.estate import build
    from office.demo.sizes import SIZES as SHAPES
    from office.property.models import Project

    if Project.objects.exists():
        raise CommandFailed("this database already holds an estate; name an empty one with --database")
    built = build(SHAPES[arguments.size], arguments.seed)
    codes = [project.code for project in built.projects]
    told = {"projects": codes, "units": built.units, "bills": built.bills, "payments": built.payments}
    names = ", ".join(f"{project.name} ({project.code})" for project in built.projects)
    say(arguments, told, f"{names}: {built.units} units, {built.bills} bills, {built.payments} payments.")
    if not arguments.json:
        print("Sign in with these; the passwords are shown only now:")
    for account in built.accounts:
        roles = ", ".join(account.roles)
        person = {"username": account.username, "password": account.password, "roles": list(account.roles)}
        say(arguments, person, f"  {account.username:<10} {account.password}   ({roles})")
    return 0
