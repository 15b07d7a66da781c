"""Units: the rooms of a building, and one unit with its household, bills, payments and prepaid balance."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from kiosk.domain.masking import mask_name, mask_phone
from office.billing.models import Bill
from office.payments import selectors
from office.property.models import Building, Unit
from office.staff.pages import words
from office.staff.pages.bill_rows import bill_words, owed_row
from office.staff.pages.case_rows import case_rows
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.payment_rows import masked_names, payment_rows
from office.staff.permissions import Act


@staff_page(Act.SEE_UNITS)
def units(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The units of one building: a building is what a clerk thinks of first, and its list is short."""
    buildings = list(Building.objects.filter(project=desk.project))
    wanted = request.GET.get("building", "")
    building = next((one for one in buildings if one.name == wanted), buildings[0] if buildings else None)
    today = timezone.localdate(timezone=desk.project.zone)
    is_open = Q(bills__status__in=Bill.OPEN)
    found = Unit.objects.filter(project=desk.project, building=building, gone=False).annotate(
        open_bills=Count("bills", filter=is_open), overdue=Count("bills", filter=is_open & Q(bills__due_on__lt=today))
    )
    rooms = list(found.order_by("entrance__name", "room"))
    names = masked_names(unit.id for unit in rooms)
    context = {
        **shell(request, desk, "units"),
        "buildings": buildings,
        "building": building,
        "rows": [{"unit": unit, "masked_name": names.get(unit.id, "")} for unit in rooms],
    }
    return render(request, "office/units.html", context)


def household(page: selectors.UnitPage) -> list[dict[str, Any]]:
    """Who lives there now, masked."""
    return [
        {
            "name": mask_name(one.party.name),
            "phone": mask_phone(one.party.phone) if one.party.phone else "",
            "role": words.word(words.OCCUPANCY, one.role),
            "pays": one.pays,
            "since": one.since,
        }
        for one in page.occupancies
        if one.until is None
    ]


@staff_page(Act.SEE_UNITS)
def unit(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    page = selectors.unit_page(desk.project, code)
    if page is None:
        raise Http404
    owed = [owed_row(bill, owes, (page.as_of - bill.due_on).days) for bill, owes in page.open_bills]
    sees_money = desk.may(Act.SEE_MONEY)
    context = {
        **shell(request, desk, "units"),
        "page": page,
        "unit": page.unit,
        "masked_name": masked_names([page.unit.id]).get(page.unit.id, ""),
        "owed": owed,
        "sum_amount_fen": sum(row.bill.bill.amount_fen for row in owed),
        "sum_paid_fen": sum(row.bill.bill.principal_paid_fen for row in owed),
        "sum_late_fee_fen": sum(row.late_fee_fen for row in owed),
        "closed": [bill_words(bill) for bill in page.closed_bills],
        "payments": payment_rows(page.payments) if sees_money else [],
        "prepaid": [{"entry": entry, "word": words.word(words.PREPAID, entry.kind)} for entry in page.prepaid],
        "household": household(page),
        "kind": words.word(words.UNIT_KIND, page.unit.kind),
        "area": f"{page.unit.area_c // 100:,}.{page.unit.area_c % 100:02d}" if page.unit.area_c else "",
        "cases": case_rows(page.cases),
    }
    return render(request, "office/unit.html", context)
