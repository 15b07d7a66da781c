"""Uploads: every payment that came from a kiosk, what needs a decision first, with filters."""

import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from office.kiosks.models import Kiosk
from office.payments import selectors
from office.payments.models import Case, Payment
from office.staff.pages import words
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.payment_rows import payment_rows
from office.staff.permissions import Act

TABS = ("exception", "suspense", "queried", "disputed", "booked", "open")
PERIODS = {"": _("全部日期"), "today": _("今天"), "7": _("近 7 天"), "30": _("近 30 天")}
DAYS_BACK = {"today": 0, "7": 6, "30": 29}
QUEUE = 500


def as_date(text: str) -> datetime.date | None:
    """An ISO date as typed; anything else is no date."""
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        return None


def whole_number(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def chosen_from(query: QueryDict, today: datetime.date) -> selectors.UploadFilter:
    """The filters of the address; one typed day goes before a period."""
    since = until = as_date(query.get("on", ""))
    back = DAYS_BACK.get(query.get("period", ""))
    if since is None and back is not None:
        since = today - datetime.timedelta(days=back)
    tab, kind = query.get("tab", ""), query.get("kind", "")
    return selectors.UploadFilter(
        state=tab if tab in TABS else "",
        kiosk_code=query.get("kiosk", "")[:16].replace("\0", ""),
        case_kind=kind if kind in words.CASE else "",
        since=since,
        until=until,
    )


def address(query: QueryDict, **changed: Any) -> str:
    """This list's query string with some parts changed; empty parts are left out."""
    kept = {key: query.get(key, "") for key in ("tab", "period", "on", "kiosk", "kind")}
    made = QueryDict(mutable=True)
    made.update({key: value for key, value in {**kept, **changed}.items() if value not in ("", None)})
    return f"?{made.urlencode()}"


@staff_page(Act.SEE_MONEY)
def uploads(request: HttpRequest, desk: Desk) -> HttpResponse:
    query, today = request.GET, timezone.localdate(timezone=desk.project.zone)
    chosen = chosen_from(query, today)
    found = selectors.uploads(desk.project, chosen, offset=whole_number(query.get("from", "")))
    tabs = [{"state": None, "count": found.counts["all"], "href": address(query, tab=""), "current": not chosen.state}]
    for tab in TABS:
        state, count = words.PAYMENT[tab], found.counts[tab]
        tabs.append({"state": state, "count": count, "href": address(query, tab=tab), "current": tab == chosen.state})
    context = {
        **shell(request, desk, "uploads"),
        "found": found,
        "rows": payment_rows(found.rows),
        "tabs": tabs,
        "chosen": chosen,
        "period": query.get("period", ""),
        "on": query.get("on", ""),
        "bad_date": bool(query.get("on")) and as_date(query.get("on", "")) is None,
        "is_filtered": any(query.get(key) for key in ("tab", "period", "on", "kiosk", "kind")),
        "kiosks": Kiosk.objects.filter(project=desk.project).values_list("code", flat=True),
        "kinds": words.CASE.items(),
        "periods": PERIODS.items(),
        "next_href": address(query, **{"from": found.next_offset}) if found.next_offset else "",
    }
    return render(request, "office/uploads.html", context)


def neighbours(desk: Desk, payment: Payment) -> dict[str, Any]:
    """The payments before and after this one in the queue of what needs a decision, and its place there."""
    waiting = Case.objects.filter(project=desk.project, state=Case.State.OPEN, payment__isnull=False)
    queue = list(dict.fromkeys(waiting.order_by("opened_at", "id").values_list("payment_id", flat=True)[:QUEUE]))
    if payment.id not in queue:
        return {"next_id": queue[0] if queue else None, "length": len(queue)}
    place = queue.index(payment.id)
    return {
        "place": place + 1,
        "length": len(queue),
        "previous_id": queue[place - 1] if place else None,
        "next_id": queue[place + 1] if place + 1 < len(queue) else None,
    }
