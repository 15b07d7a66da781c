"""A note whose fate is unclear, or money without a place: what is known, what was proposed, and the two people who end it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from office.payments import claims, services
from office.payments.claim_closing import is_paid
from office.payments.claim_rules import FACES, ways_out
from office.payments.models import BoxCount, Resolution, SuspenseItem
from office.property.models import Unit
from office.staff.pages import words
from office.staff.pages.case_rows import case_rows
from office.staff.pages.claim_words import cause
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.people import name_of
from office.staff.pages.uploads import whole_number
from office.staff.permissions import Act


@staff_page(Act.SEE_MONEY)
def claim(request: HttpRequest, desk: Desk, item_id: uuid.UUID) -> HttpResponse:
    rows = SuspenseItem.objects.select_related("note", "payment", "kiosk", "unit")
    item = get_object_or_404(rows, project=desk.project, id=item_id)
    told = [_proposal(one) for one in item.resolutions.select_related("by", "closed_by", "unit")]
    live = next((one for one in told if one["row"].state == Resolution.State.PROPOSED), None)
    is_open = item.state == SuspenseItem.State.OPEN
    case = next(iter(case_rows(item.cases.select_related("owner", "closed_by"))), None)
    context = {
        **shell(request, desk, "cases"),
        "item": item,
        "cause": cause(item.reason, case.case.facts.get("reason", "") if case else ""),
        "case": case,
        "state": words.state(words.CLAIM, item.outcome if not is_open else "open"),
        "is_open": is_open,
        "is_paid": item.outcome == SuspenseItem.Outcome.FOUND and item.note is not None and is_paid(item.note),
        "proposals": told,
        "live": live,
        "ways": [(way, words.CLAIM_WAY[way]) for way in ways_out(in_books=item.in_books)],
        "in_books": item.in_books,
        "faces": FACES if item.amount_fen is None else (),
        "counts": BoxCount.objects.filter(project=desk.project, kiosk=item.kiosk, at__gte=item.at)
        if desk.may(Act.SEE_BOX)
        else (),
        "can_propose": is_open and live is None and desk.may(Act.PROPOSE_CLAIM),
        "is_mine": live is not None and live["row"].by_id == request.user.pk,
        "can_confirm": live is not None and live["row"].by_id != request.user.pk and desk.may(Act.CONFIRM_CLAIM),
    }
    return render(request, "office/claim.html", context)


def _proposal(one: Resolution) -> dict[str, Any]:
    return {
        "row": one,
        "way": words.CLAIM_WAY[one.outcome],
        "state": words.state(words.PROPOSAL, one.state),
        "by": name_of(one.by),
        "closed_by": name_of(one.closed_by) if one.closed_by else "",
    }


def _done(request: HttpRequest, desk: Desk, item_id: uuid.UUID, deed: Callable[[], object], said: str) -> HttpResponse:
    """Do it, and say in one sentence what came of it."""
    try:
        deed()
    except services.ReasonNeeded:
        messages.error(request, gettext("没有提交：请写明理由。"), extra_tags="bad")
    except claims.SamePerson:
        messages.error(request, gettext("没有确认：提出的人不能自己确认，请另一位有权的同事确认。"), extra_tags="bad")
    except claims.NotPossible:
        messages.error(
            request, gettext("没有提交：请选处理办法；转给住户时写对房号，面额不明时选面额。"), extra_tags="bad"
        )
    except services.Stale:
        messages.info(request, gettext("这件事刚有变化，已为您更新，请再看一次。"))
    else:
        messages.success(request, said, extra_tags="ok")
    return redirect("office:claim", desk.project.code, item_id)


@require_POST
@staff_page(Act.PROPOSE_CLAIM)
def propose(request: HttpRequest, desk: Desk, item_id: uuid.UUID) -> HttpResponse:
    item = get_object_or_404(SuspenseItem, project=desk.project, id=item_id)
    unit = Unit.objects.filter(project=desk.project, code=request.POST.get("unit", "").strip()).first()
    face = whole_number(request.POST.get("face", ""), otherwise=0) or None
    way, why = request.POST.get("way", ""), request.POST.get("why", "")
    said = gettext("已提出，等另一位同事确认。账目还没有改动。")
    return _done(
        request, desk, item_id, lambda: claims.propose(request.user, item, way, why, unit=unit, amount_fen=face), said
    )


@require_POST
@staff_page(Act.CONFIRM_CLAIM)
def confirm(request: HttpRequest, desk: Desk, resolution_id: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(Resolution, project=desk.project, id=resolution_id)
    said = gettext("已确认，账目已按此办理。")
    return _done(request, desk, one.suspense_id, lambda: claims.confirm(request.user, one), said)


@require_POST
@staff_page(Act.SEE_MONEY)
def cancel(request: HttpRequest, desk: Desk, resolution_id: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(Resolution, project=desk.project, id=resolution_id)
    said = gettext("提议已撤销，记录保留。账目没有改动。")
    why = request.POST.get("why", "")
    return _done(request, desk, one.suspense_id, lambda: claims.cancel(request.user, one, why), said)
