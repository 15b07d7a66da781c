"""Make a person who may sign in to the office, and give them a role in a project; the password is printed once."""

import argparse
import secrets

from office.commands.common import project_by_code, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("username")
    parser.add_argument("--project", metavar="CODE", help="may be left out if there is one")
    parser.add_argument(
        "--role",
        required=True,
        metavar="ROLE",
        help="sysadmin, business_admin, project_manager, finance_audit, cashier, …",
    )


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from django.contrib.auth import get_user_model

    from office.commands.common import CommandFailed
    from office.staff.models import Role
    from office.staff.services import grant, make_groups, make_user

    if arguments.role not in Role.values:
        raise CommandFailed(f"there is no role {arguments.role!r}; one of: {', '.join(Role.values)}")
    make_groups()
    project = project_by_code(arguments.project)
    user = get_user_model().objects.filter(username=arguments.username).first()
    password = ""
    if user is None:
        password = "-".join(secrets.token_hex(2) for _ in range(3))
        user = make_user(arguments.username, password)
    grant(user, project, Role(arguments.role))
    told = {"username": user.username, "password": password, "project": project.code, "role": arguments.role}
    once = f" with the password {password} (shown only now)" if password else ""
    say(arguments, told, f"{user.username} is {arguments.role} in {project.name}{once}")
    return 0
