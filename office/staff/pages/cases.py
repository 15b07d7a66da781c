"""Cases: what a person must decide, whose it is, how long it waits; taken and closed with a reason."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from office.payments import counting, selectors, services
from office.payments.models import Case
from office.staff.pages import words
from office.staff.pages.case_rows import case_rows
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.payment_rows import masked_names
from office.staff.pages.uploads import whole_number
from office.staff.permissions import Act

PAGE = 50


@staff_page(Act.SEE_MONEY)
def cases(request: HttpRequest, desk: Desk) -> HttpResponse:
    state = "closed" if request.GET.get("state") == "closed" else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in words.CASE else ""
    mine = request.GET.get("mine") == "1"
    first = whole_number(request.GET.get("from", ""))
    listed = selectors.cases(desk.project, state=state, kind=kind, owner=request.user if mine else None)
    if state == "closed":
        listed = listed.order_by("-closed_at", "id")
    listed = listed.select_related("payment", "kiosk", "unit", "owner", "closed_by", "payment__unit", "suspense")
    found = list(listed[first : first + PAGE + 1])
    names = masked_names(case.unit_id for case in found if case.unit_id)
    every = Case.objects.filter(project=desk.project)
    context = {
        **shell(request, desk, "cases"),
        "rows": case_rows(found[:PAGE]),
        "names": names,
        "state": state,
        "kind": kind,
        "mine": mine,
        "kinds": words.CASE.items(),
        "open_count": every.filter(state=Case.State.OPEN).count(),
        "closed_count": every.filter(state=Case.State.CLOSED).count(),
        "next_from": first + PAGE if len(found) > PAGE else None,
        "can_handle": desk.may(Act.HANDLE_CASES),
        "to_count": counting.removals(desk.project) if desk.may(Act.COUNT_BOX) and not desk.may(Act.SEE_BOX) else (),
    }
    return render(request, "office/cases.html", context)


def _back(request: HttpRequest, desk: Desk, case: Case) -> HttpResponse:
    if case.payment_id and request.POST.get("back") == "payment":
        return redirect("office:payment", desk.project.code, case.payment_id)
    return redirect("office:cases", desk.project.code)


@require_POST
@staff_page(Act.HANDLE_CASES)
def take(request: HttpRequest, desk: Desk, case_id: uuid.UUID) -> HttpResponse:
    """Make a case one's own."""
    case = get_object_or_404(Case, project=desk.project, id=case_id)
    try:
        services.assign_case(request.user, case, request.user)
    except services.Stale:
        messages.info(request, gettext("这件事刚被别人办结，已为您更新。"))
    return _back(request, desk, case)


@require_POST
@staff_page(Act.HANDLE_CASES)
def close(request: HttpRequest, desk: Desk, case_id: uuid.UUID) -> HttpResponse:
    """Close a case with a reason; the money stays where it is."""
    case = get_object_or_404(Case, project=desk.project, id=case_id)
    try:
        services.close_case(request.user, case, request.POST.get("why", ""))
    except services.ReasonNeeded:
        messages.error(request, gettext("没有办结：请写明理由。"), extra_tags="bad")
    except services.NeedsTwo:
        messages.error(request, gettext("没有办结：这笔钱要由证据或两个人了结。"), extra_tags="bad")
    except services.Stale:
        messages.info(request, gettext("这件事刚被别人办结，已为您更新。"))
    else:
        messages.success(request, gettext("已办结。账目没有改动。"), extra_tags="ok")
    return _back(request, desk, case)
