"""Kiosks: all of them as cards, and one with its devices, box, alarms, events, journal and counters."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from kiosk.domain.events import UnknownEvent, decode
from office.kiosks import selectors
from office.kiosks.models import Alarm, Kiosk, RawEvent
from office.payments import services
from office.staff.pages import words
from office.staff.pages.event_text import describe
from office.staff.pages.fault_words import fault
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.kiosk_rows import KioskRow, kiosk_row, kiosk_rows
from office.staff.pages.payment_rows import payment_rows
from office.staff.permissions import Act

ALARMS = PAYMENTS = 12
EVENTS = 24
COUNTS_A_BOX = frozenset({"acceptor.counted", "checkpoint"})


@staff_page(Act.SEE_KIOSKS)
def kiosks(request: HttpRequest, desk: Desk) -> HttpResponse:
    cards = selectors.kiosk_cards(desk.project)
    context = {**shell(request, desk, "kiosks"), "cards": kiosk_rows(cards)}
    return render(request, "office/kiosks.html", context)


def event_row(raw: RawEvent) -> dict[str, Any]:
    """One raw event in words."""
    try:
        content = describe(decode(bytes(raw.body)))
    except UnknownEvent:
        content = gettext("看不懂的记录，原文已保存")
    return {"raw": raw, "word": words.word(words.EVENT, raw.kind), "content": content}


def device_rows(row: KioskRow) -> list[dict[str, Any]]:
    """What each device last said of itself; unknown where the kiosk is silent."""
    status = row.card.status
    unknown = words.State("todo", words.PAPER["unknown"])
    if status is None or not row.is_heard:
        return [{"word": words.DEVICE[device], "state": unknown} for device in ("acceptor", "printer")]
    rows = []
    for device, told in (("acceptor", status.acceptor), ("printer", status.printer)):
        state = fault(told).state if "." in told else (words.State("ok", words.KIOSK["ok"].word) if told else unknown)
        rows.append({"word": words.DEVICE[device], "state": state})
    return rows


@staff_page(Act.SEE_KIOSKS)
def kiosk(request: HttpRequest, desk: Desk, kiosk_code: str) -> HttpResponse:
    page = selectors.kiosk_page(desk.project, kiosk_code)
    if page is None:
        raise Http404
    row = kiosk_row(page.card)
    box = page.card.box
    # The acceptor's own counters tell a person who counts blind nearly as much as the box's table does.
    shows_counters = desk.may(Act.SEE_BOX) or desk.may(Act.PAIR_KIOSKS)
    shown = [raw for raw in page.events if shows_counters or raw.kind not in COUNTS_A_BOX]
    context = {
        **shell(request, desk, "kiosks"),
        "page": page,
        "kiosk": page.card.kiosk,
        "row": row,
        "box": box,
        "box_is_off": page.ledger_fen != box.low_fen,
        "devices": device_rows(row),
        "screen_word": words.word(words.SCREEN, page.card.status.state) if page.card.status else "",
        "clock_word": words.word(words.CLOCK, page.card.status.clock) if page.card.status else "",
        "alarms": page.alarms.select_related("kiosk", "acknowledged_by")[:ALARMS],
        "payments": payment_rows(page.payments.exclude(state="cancelled")[:PAYMENTS])
        if desk.may(Act.SEE_MONEY)
        else [],
        "events": [event_row(raw) for raw in shown[:EVENTS]] if desk.may(Act.SEE_MONEY) else [],
        "shows_counters": shows_counters,
        "can_acknowledge": desk.may(Act.ACKNOWLEDGE),
        "can_pair": desk.may(Act.PAIR_KIOSKS) and page.card.kiosk.state != Kiosk.State.REVOKED,
    }
    return render(request, "office/kiosk.html", context)


@require_POST
@staff_page(Act.ACKNOWLEDGE)
def acknowledge(request: HttpRequest, desk: Desk, alarm_id: uuid.UUID) -> HttpResponse:
    alarm = get_object_or_404(Alarm.objects.select_related("kiosk"), project=desk.project, id=alarm_id)
    try:
        services.acknowledge_alarm(request.user, alarm)
    except services.Stale:
        messages.info(request, gettext("这条警报已经有人确认过。"))
    else:
        messages.success(request, gettext("已确认。设备恢复后警报会自己解除。"), extra_tags="ok")
    return redirect("office:kiosk", desk.project.code, alarm.kiosk.code)
