"""Search: a room number in any of its forms, a receipt number, or a claim number; the only hit opens at once."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from kiosk.domain.identifiers import parse_address
from office.payments.models import Case, Payment, SuspenseItem
from office.payments.selectors import find_units
from office.property.models import Unit
from office.staff.pages import words
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.payment_rows import PaymentRow, masked_names, payment_rows
from office.staff.permissions import Act

MOST = 20


def find_payments(desk: Desk, text: str) -> list[Payment]:
    """Payments by receipt number (its end will do), by the claim number of something unclear in them, or by the number of a slip
    whose settlement only another history has."""
    if not desk.may(Act.SEE_MONEY):
        return []
    every = Payment.objects.filter(project=desk.project).select_related("unit", "kiosk").order_by("-ingest_no")
    claimed = SuspenseItem.objects.filter(project=desk.project, claim_no__iexact=text).values("payment")
    told = Case.objects.filter(project=desk.project, kind="unidentified_cash", facts__receipt_no=text.upper())
    named = Q(id__in=claimed) | Q(id__in=told.values("payment"))
    return list(every.filter(receipt_no__iendswith=text)[:MOST]) + list(every.filter(named)[:MOST])


def find_items(desk: Desk, text: str) -> list[SuspenseItem]:
    """Money without a payment, by its claim number or by the number of the slip on which another history told of it."""
    if not desk.may(Act.SEE_MONEY):
        return []
    named = Q(claim_no__iexact=text) | Q(cases__kind="branch_note", cases__facts__receipt_no=text.upper())
    found = SuspenseItem.objects.filter(named, project=desk.project, payment=None).select_related("unit")
    return list(found.prefetch_related("cases").order_by("at", "id").distinct()[:MOST])


@dataclass(frozen=True)
class MoneyRow:
    """One line of the answer: a payment, or money without one."""

    url: str
    number: str
    unit_code: str
    masked_name: str
    state: words.State
    at: datetime
    amount_fen: int | None  # nobody knows: a note of unknown face


def payment_row(desk: Desk, row: PaymentRow) -> MoneyRow:
    payment = row.payment
    url = reverse("office:payment", args=[desk.project.code, payment.id])
    return MoneyRow(
        url, payment.receipt_no, row.unit_code, row.masked_name, row.state, payment.received_at, payment.amount_fen
    )


def item_row(desk: Desk, item: SuspenseItem) -> MoneyRow:
    url = reverse("office:claim", args=[desk.project.code, item.id])
    slips = [case.facts.get("receipt_no") for case in item.cases.all()]
    number = item.claim_no or next(filter(None, slips), "")
    state = words.state(words.CLAIM, item.outcome if item.state == SuspenseItem.State.RESOLVED else "open")
    return MoneyRow(url, number, item.unit.code if item.unit else "", "", state, item.at, item.amount_fen)


def units_by(desk: Desk, text: str) -> list[Unit]:
    address = parse_address(text)
    if address:
        return list(Unit.objects.filter(project=desk.project, code=address.code, gone=False))
    return find_units(desk.project, text, MOST)


@staff_page(Act.SEE_UNITS)
def search(request: HttpRequest, desk: Desk) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "").strip()[:60]
    found_units = units_by(desk, text) if text else []
    # Short texts are room numbers; the end of a receipt number is at least four digits.
    payments = find_payments(desk, text) if len(text) >= 4 else []
    items = find_items(desk, text) if len(text) >= 4 else []
    if len(found_units) == 1 and not payments and not items:
        return redirect("office:unit", desk.project.code, found_units[0].code)
    if len(payments) == 1 and not found_units and not items:
        return redirect("office:payment", desk.project.code, payments[0].id)
    names = masked_names(unit.id for unit in found_units)
    context = {
        **shell(request, desk, ""),
        "query": text,
        "units": [{"unit": unit, "masked_name": names.get(unit.id, "")} for unit in found_units],
        "payments": [payment_row(desk, row) for row in payment_rows(payments)],
        "items": [item_row(desk, item) for item in items],
    }
    return render(request, "office/search.html", context)
