"""A bill row as the value that kiosk and office compute with."""

import datetime
import uuid
from collections.abc import Iterable

import msgspec

from kiosk.domain.billing import Bill as DomainBill
from kiosk.domain.billing import Computation
from kiosk.domain.late_fee import LateFeeRule as DomainRule
from kiosk.domain.late_fee import PrincipalStep, Start
from kiosk.domain.money import Fen
from office.billing.models import Bill, LateFeeRule


def domain_rule(rule: LateFeeRule | None) -> DomainRule | None:
    if rule is None:
        return None
    return DomainRule(
        version=rule.version,
        rate_ppm=rule.rate_ppm,
        grace_days=rule.grace_days,
        start=Start(rule.start),
        cap_ppm=rule.cap_ppm,
        cap_fen=rule.cap_fen,
    )


def first_day(bill: Bill) -> datetime.date:
    """From when on the bill's whole principal counts as open."""
    return min(bill.period_from, bill.due_on)


def domain_steps(bill: Bill) -> tuple[PrincipalStep, ...]:
    """The open principal from each date on; a bill on which nothing was paid has only its first step."""
    if not bill.steps:
        return (PrincipalStep(first_day(bill), Fen(bill.amount_fen)),)
    return tuple(PrincipalStep(datetime.date.fromisoformat(since), Fen(left)) for since, left in bill.steps)


def domain_bill(bill: Bill, as_of: datetime.date) -> DomainBill:
    """The bill with the office's own late fee as of a date; needs ``fee_item`` and ``late_rule`` loaded."""
    plain = DomainBill(
        bill_id=str(bill.id),
        unit_id=str(bill.unit_id),
        item_code=bill.fee_item.code,
        item_name=bill.fee_item.name,
        item_name_en=bill.fee_item.name_en,
        category=bill.fee_item.category,
        period_from=bill.period_from,
        period_to=bill.period_to,
        due_on=bill.due_on,
        version=bill.version,
        amount=Fen(bill.amount_fen),
        principal_open=Fen(bill.principal_open_fen),
        late_fee_settled=Fen(bill.late_fee_paid_fen + bill.late_fee_waived_fen),
        rule=domain_rule(bill.late_rule),
        steps=domain_steps(bill),
        computation=msgspec.convert(bill.computation, Computation),
    )
    owed = plain.owed_on(as_of)
    return msgspec.structs.replace(plain, late_fee_quoted=owed.late_fee, late_days_quoted=owed.late_days)


def open_bills(project_id: uuid.UUID, unit_ids: Iterable[uuid.UUID]) -> list[Bill]:
    """Open bills of units, as they are payable at a kiosk, older due date first."""
    rows = Bill.objects.filter(
        project_id=project_id, unit_id__in=list(unit_ids), status__in=Bill.OPEN, fee_item__pay_at_kiosk=True
    )
    return list(rows.select_related("fee_item", "late_rule").order_by("due_on", "id"))
