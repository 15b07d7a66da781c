"""Writing the good rows of a checked file: all of them, or none."""

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from office.billing.models import Bill, FeeStandard
from office.billing.services import issue_bills
from office.importing.checking import Checked, NewBill, NewResident, NewUnit
from office.ledger import stream as books
from office.property.models import Building, Entrance, Occupancy, Party, Project, Unit
from office.property.services import business_date, touch
from office.staff import audit


def commit(checked: Checked, by: Any = None) -> None:
    """Write units, residents and bills of a checked file in one transaction."""
    with transaction.atomic():
        today = business_date(timezone.now(), checked.project.zone)
        added = [_add_unit(checked.project, new, today) for new in checked.units]
        added += [_add_resident(checked.project, new, today) for new in checked.residents]
        if added:
            with books.changing(checked.project.id) as stream:
                touch(stream, {unit.id for unit in added})
        if checked.bills:
            issue_bills(checked.project, _drafts(checked.project, checked.bills), by, note="import")
        counts = {"units": len(checked.units), "residents": len(checked.residents), "bills": len(checked.bills)}
        audit.note(checked.project.id, by, "import", checked.project, refused=len(checked.refusals), **counts)


def _add_unit(project: Project, new: NewUnit, today: datetime.date) -> Unit:
    address = new.address
    building, _ = Building.objects.get_or_create(
        project=project, name=address.building, defaults={"position": int(address.building)}
    )
    entrance, _ = Entrance.objects.get_or_create(project=project, building=building, name=address.entrance)
    unit = Unit.objects.create(
        project=project, building=building, entrance=entrance, room=address.room, code=address.code, area_c=new.area_c
    )
    if new.name:
        _lives_in(project, unit, new.name, new.phone, "owner", today)
    return unit


def _add_resident(project: Project, new: NewResident, today: datetime.date) -> Unit:
    unit = Unit.objects.get(project=project, code=new.code)
    _lives_in(project, unit, new.name, new.phone, new.role, today)
    return unit


def _lives_in(project: Project, unit: Unit, name: str, phone: str, role: str, since: datetime.date) -> None:
    party = Party.objects.create(project=project, name=name, phone=phone)
    Occupancy.objects.create(project=project, unit=unit, party=party, role=role, since=since, pays=role != "tenant")


def _drafts(project: Project, new: list[NewBill]) -> list[Bill]:
    units = {unit.code: unit for unit in Unit.objects.filter(project=project, code__in={bill.code for bill in new})}
    rules = {
        standard.fee_item_id: standard.late_rule
        for standard in FeeStandard.objects.filter(project=project).select_related("late_rule").order_by("version")
    }
    return [
        Bill(
            unit=units[bill.code],
            fee_item=bill.item,
            late_rule=rules.get(bill.item.id),
            period_from=bill.period_from,
            period_to=(bill.period_from + datetime.timedelta(days=32)).replace(day=1),
            due_on=bill.due_on,
            amount_fen=bill.amount_fen,
        )
        for bill in new
    ]
