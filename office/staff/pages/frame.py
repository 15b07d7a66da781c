"""What every staff page has around it: who is at the desk, of which project, what they may see, and the navigation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from office.payments.models import Case
from office.property.models import Project
from office.staff.models import Role
from office.staff.pages import words
from office.staff.pages.people import name_of
from office.staff.permissions import ROLES, Act, project_for, projects_of, roles_in

View = Callable[..., HttpResponse]

# page, what one must be allowed to do to see it, its word, whether a gap stands before it
_PAGES = (
    ("today", Act.SEE_MONEY, _("今日"), False),
    ("uploads", Act.SEE_MONEY, _("上传审核"), False),
    ("cases", Act.SEE_MONEY, _("待处理"), False),
    ("units", Act.SEE_UNITS, _("房号"), True),
    ("kiosks", Act.SEE_KIOSKS, _("终端"), False),
)


@dataclass(frozen=True)
class Desk:
    """A person at the desk of one project, with the roles they hold there."""

    user: Any
    project: Project
    roles: frozenset[Role]

    def may(self, act: Act) -> bool:
        return bool(self.roles & ROLES[act])


@dataclass(frozen=True)
class NavEntry:
    href: str
    word: words.Word
    current: bool
    gap: bool
    due: int = 0


def project_name(project: Project) -> str:
    return (project.name_en if get_language() == "en" else "") or project.name


def role_names(roles: frozenset[Role]) -> str:
    """The roles' words, in the order of the domain sheet."""
    return gettext("、").join(str(words.ROLE[role]) for role in Role if role in roles)


def nav_of(desk: Desk, current: str) -> list[NavEntry]:
    """The pages this person may open; what is not theirs is not offered."""
    due = 0
    if desk.may(Act.SEE_MONEY):
        due = Case.objects.filter(project=desk.project, state=Case.State.OPEN).count()
    entries = [
        NavEntry(
            href=reverse(f"office:{page}", args=[desk.project.code]),
            word=word,
            current=page == current,
            gap=gap,
            due=due if page == "cases" else 0,
        )
        for page, act, word, gap in _PAGES
        if desk.may(act)
    ]
    if desk.user.is_staff and desk.roles & {Role.SYSADMIN, Role.BUSINESS_ADMIN}:
        entries.append(NavEntry(href=reverse("admin:index"), word=_("基础数据"), current=False, gap=True))
    return entries


def shell(request: HttpRequest, desk: Desk, current: str) -> dict[str, Any]:
    """The context that page.html needs around every page."""
    return {
        "project": desk.project,
        "project_name": project_name(desk.project),
        "several_projects": len(projects_of(desk.user)) > 1,
        "user_name": name_of(desk.user),
        "role_names": role_names(desk.roles),
        "nav": nav_of(desk, current),
        "printed_at": timezone.now(),
        "sees_units": desk.may(Act.SEE_UNITS),
        "sees_kiosks": desk.may(Act.SEE_KIOSKS),
        "sees_money": desk.may(Act.SEE_MONEY),
        # Who counts a box must not know what to expect in it (blind count).
        "shows_cash": desk.may(Act.SEE_BOX),
    }


def to_signin(request: HttpRequest) -> HttpResponse:
    """Send a person who is not signed in to the sign-in page, and back here afterwards."""
    if request.headers.get("HX-Request"):
        # A refresh that finds the session over must not paste the sign-in page into the old one.
        return HttpResponse(status=204, headers={"HX-Redirect": settings.LOGIN_URL})
    here = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': here})}")


def staff_page(act: Act) -> Callable[[View], View]:
    """A page of one project for those who may ``act`` there: others get 403 inside their project, 404 outside."""

    def wrap(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest, project_code: str, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return to_signin(request)
            try:
                project = project_for(request.user, project_code, act)
            except Http404:
                return missing(request)
            except PermissionDenied:
                return denied(request, Project.objects.get(code=project_code))
            desk = Desk(request.user, project, roles_in(request.user, project.id))
            with timezone.override(project.zone):
                try:
                    return view(request, desk, *args, **kwargs)
                except Http404:
                    return missing(request, desk)
                except PermissionDenied:
                    return denied(request, project)

        return page

    return wrap


def bare(user: Any) -> dict[str, Any]:
    """The context of page.html when there is no project to show."""
    return {"user_name": name_of(user), "role_names": "", "nav": [], "project": None}


def missing(request: HttpRequest, desk: Desk | None = None) -> HttpResponse:
    context = shell(request, desk, "") if desk else bare(request.user)
    return render(request, "office/missing.html", context, status=404)


def denied(request: HttpRequest, project: Project | None = None) -> HttpResponse:
    context = bare(request.user)
    if project is not None:
        context = shell(request, Desk(request.user, project, roles_in(request.user, project.id)), "")
    return render(request, "office/denied.html", context, status=403)
