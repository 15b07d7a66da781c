"""Giving people roles. Whoever keeps base data or accounts may also enter the admin, with that role's rights there."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import QuerySet

from office.property.models import Project
from office.staff import audit
from office.staff.models import Membership, Role

# What a role may do in the admin: tables by app, and the verbs.
_ADMIN: dict[Role, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Role.SYSADMIN: {
        "auth": (("user",), ("view", "add", "change")),
        "staff": (("membership", "auditentry"), ("view", "add", "delete")),
        "kiosks": (("kiosk", "pairingcode"), ("view", "change")),
        "property": (("project", "building", "entrance", "unit"), ("view",)),
        "otp_totp": (("totpdevice",), ("view", "add", "delete")),
    },
    Role.BUSINESS_ADMIN: {
        "property": (("project", "building", "entrance", "unit", "party", "occupancy"), ("view", "add", "change")),
        "billing": (("feeitem", "feestandard", "latefeerule"), ("view", "add", "change")),
    },
}


def projects_kept(user: Any, verb: str, table: str) -> QuerySet[Project]:
    """The projects in which a person's roles allow a verb on a table of the admin. Groups say what somebody may do
    somewhere; this says where."""
    roles = [
        role for role, apps in _ADMIN.items() for tables, verbs in apps.values() if table in tables and verb in verbs
    ]
    held = Membership.objects.filter(user=user, role__in=roles) if user.is_active else Membership.objects.none()
    return Project.objects.filter(id__in=held.values("project_id"))


def make_groups() -> None:
    """One group a role, with the rights above; safe to run again."""
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role)
        wanted = [
            f"{verb}_{table}" for tables, verbs in _ADMIN.get(role, {}).values() for table in tables for verb in verbs
        ]
        apps = list(_ADMIN.get(role, {}))
        group.permissions.set(Permission.objects.filter(codename__in=wanted, content_type__app_label__in=apps))


def grant(user: Any, project: Project, role: Role, by: Any = None) -> Membership:
    """Give a person a role in a project."""
    with transaction.atomic():
        membership, is_new = Membership.objects.get_or_create(project=project, user=user, role=role)
        if is_new and by is not None:
            audit.note(project.id, by, "role.grant", membership, role=role)
        sync_groups(user)
    return membership


def make_user(username: str, password: str | None, first_name: str = "", last_name: str = "") -> Any:
    """A person who may sign in; without a role they see nothing."""
    made = get_user_model().objects.create_user(username, password=password)
    made.first_name, made.last_name = first_name, last_name
    made.save(update_fields=["first_name", "last_name"])
    return made


def sync_groups(user: Any) -> None:
    """A person's groups follow from their roles; the admin opens for those who have something to do there."""
    held = {Role(role) for role in Membership.objects.filter(user=user).values_list("role", flat=True)}
    user.groups.set(Group.objects.filter(name__in=held))
    user.is_staff = bool(held & _ADMIN.keys())
    user.save(update_fields=["is_staff"])
