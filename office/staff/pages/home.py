"""The front door: the first page a person may see; a choice when they work for several projects."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from office.staff.pages.frame import Desk, bare, denied, nav_of, project_name, role_names, to_signin
from office.staff.permissions import projects_of, roles_in


@dataclass(frozen=True)
class Door:
    href: str
    name: str
    roles: str


def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_signin(request)
    doors = []
    for project in projects_of(request.user):
        desk = Desk(request.user, project, roles_in(request.user, project.id))
        pages = nav_of(desk, "")
        if pages:
            doors.append(Door(pages[0].href, project_name(project), role_names(desk.roles)))
    if not doors:
        return denied(request)
    if len(doors) == 1:
        return HttpResponseRedirect(doors[0].href)
    return render(request, "office/home.html", {**bare(request.user), "doors": doors})
