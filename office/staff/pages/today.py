"""Today: money in, what needs a decision, every kiosk's state, alarms; asks itself again each second."""

import datetime
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

from office.kiosks.selectors import settled_on
from office.payments import selectors
from office.payments.models import Tender
from office.property.models import Project
from office.staff.pages import words
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.kiosk_rows import kiosk_rows
from office.staff.pages.payment_rows import payment_rows
from office.staff.permissions import Act


@dataclass(frozen=True)
class TenderSum:
    """Money received by one way of paying."""

    word: words.Word
    payments: int
    amount_fen: int


@dataclass(frozen=True)
class GroupRow:
    """The open cases of one kind, in words."""

    group: selectors.CaseGroup
    state: words.State
    owner: words.Word
    age: datetime.timedelta


def tender_sums(project: Project, day: datetime.date) -> list[TenderSum]:
    """Money received on a day by way of paying; cash is always listed."""
    found = Tender.objects.filter(project=project, payment__in=settled_on(project, day)).values("kind")
    summed = found.annotate(payments=Count("payment", distinct=True), amount=Sum("amount_fen")).order_by("kind")
    rows = {row["kind"]: row for row in summed}
    kinds = ["cash", *(kind for kind in rows if kind != "cash")]
    nothing = {"payments": 0, "amount": 0}
    return [
        TenderSum(words.word(words.TENDER, kind), (row := rows.get(kind, nothing))["payments"], row["amount"])
        for kind in kinds
    ]


def content(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    now = timezone.now()
    day = selectors.today(desk.project, now)
    groups = [
        GroupRow(
            group=group,
            state=words.state(words.CASE, group.kind),
            owner=words.word(words.ROLE, group.owner_role),
            age=now - group.oldest_at,
        )
        for group in day.cases
    ]
    cards = kiosk_rows(day.kiosks)
    # No row of its own stands for a lost kiosk: it is an alarm for as long as it is silent.
    lost = sorted((row for row in cards if row.is_lost), key=lambda row: -(row.card.silent_s or 0))
    return {
        **shell(request, desk, "today"),
        "day": day,
        "groups": groups,
        "cards": cards,
        "lost": lost,
        "alarm_count": len(lost) + len(day.alarms),
        "unacknowledged": len(lost) + day.unacknowledged,
        "box_notes": sum(card.box.notes for card in day.kiosks),
        "tenders": tender_sums(desk.project, day.day),
        "latest": payment_rows(day.latest),
    }


def live_part(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    """The refreshing part, and a fingerprint by which the browser says what it already shows."""
    context = content(request, desk)
    live = render_to_string("office/today_live.html", context, request)
    return {**context, "live": live, "fingerprint": sha256(live.encode()).hexdigest()[:16]}


@staff_page(Act.SEE_MONEY)
def today(request: HttpRequest, desk: Desk) -> HttpResponse:
    return render(request, "office/today.html", live_part(request, desk))


@staff_page(Act.SEE_MONEY)
def today_live(request: HttpRequest, desk: Desk) -> HttpResponse:
    """204 when nothing changed, so that focus and selection stay where they are."""
    context = live_part(request, desk)
    if request.GET.get("seen") == context["fingerprint"]:
        return HttpResponse(status=204)
    return render(request, "office/today_frame.html", {**context, "with_nav": True})
