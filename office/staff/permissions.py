"""Who may do what: a person acts in a project through the roles they hold there, and through nothing else.

A person with no role sees nothing. What is in another project does not exist for them (404); what exists in their own and
is not theirs to do is refused (403). Source: office-domain section 12.
"""

import uuid
from enum import StrEnum
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404

from office.property.models import Project
from office.staff.models import Membership, Role


class Act(StrEnum):
    """What a page or a service asks for."""

    SEE_MONEY = "see_money"  # payments, uploads, today's figures
    SEE_UNITS = "see_units"
    SEE_KIOSKS = "see_kiosks"
    SEE_BOX = "see_box"  # expected contents of a cash box
    REVIEW = "review"
    HANDLE_CASES = "handle_cases"
    PROPOSE_CLAIM = "propose_claim"  # how an unclear note or unplaced money ends
    CONFIRM_CLAIM = "confirm_claim"  # never one's own proposal
    COUNT_BOX = "count_box"  # blind: never who may see what to expect
    ACKNOWLEDGE = "acknowledge"
    PAIR_KIOSKS = "pair_kiosks"
    IMPORT = "import"
    SEE_AUDIT = "see_audit"


_M, _F, _C = Role.PROJECT_MANAGER, Role.FINANCE_AUDIT, Role.CASHIER
_B, _D, _T, _K, _S = Role.BUSINESS_ADMIN, Role.DUNNING, Role.TECHNICIAN, Role.COLLECTOR, Role.SYSADMIN

ROLES: dict[Act, frozenset[Role]] = {
    Act.SEE_MONEY: frozenset([_B, _M, _F, _C]),
    Act.SEE_UNITS: frozenset([_S, _B, _M, _F, _C, _D]),
    Act.SEE_KIOSKS: frozenset([_S, _B, _M, _F, _C, _T]),
    Act.SEE_BOX: frozenset([_M, _F]),  # never cashier or collector: they count blind
    Act.REVIEW: frozenset([_M, _F, _C]),
    Act.HANDLE_CASES: frozenset([_M, _F, _C]),
    Act.PROPOSE_CLAIM: frozenset([_M, _C]),
    Act.CONFIRM_CLAIM: frozenset([_F]),
    Act.COUNT_BOX: frozenset([_C]),
    Act.ACKNOWLEDGE: frozenset([_S, _M, _F, _C, _T]),
    Act.PAIR_KIOSKS: frozenset([_S, _T]),
    Act.IMPORT: frozenset([_B]),
    Act.SEE_AUDIT: frozenset([_S, _M, _F]),
}


def projects_of(user: Any) -> list[Project]:
    """The projects in which a person holds any role, by code."""
    if not user.is_authenticated or not user.is_active:
        return []
    held = Membership.objects.filter(user=user).values("project_id")
    return list(Project.objects.filter(id__in=held).order_by("code"))


def roles_in(user: Any, project_id: uuid.UUID) -> frozenset[Role]:
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    held = Membership.objects.filter(user=user, project_id=project_id).values_list("role", flat=True)
    return frozenset(Role(role) for role in held)


def may(user: Any, project_id: uuid.UUID, act: Act) -> bool:
    return bool(roles_in(user, project_id) & ROLES[act])


def check(user: Any, project_id: uuid.UUID, act: Act) -> None:
    """Let a person do something in a project, or stop here.

    Raises:
        Http404: no role in that project: for this person it does not exist.
        PermissionDenied: a role, but none that may do this (403).
    """
    roles = roles_in(user, project_id)
    if not roles:
        raise Http404
    if not roles & ROLES[act]:
        raise PermissionDenied(act)


def project_for(user: Any, code: str, act: Act) -> Project:
    """The project with this code, if the person may do ``act`` there.

    Raises:
        Http404, PermissionDenied: as check().
    """
    project = Project.objects.filter(code=code).first()
    if project is None:
        raise Http404
    check(user, project.id, act)
    return project
