"""Posting a settlement: the payer's own lines, as far as each bill still has room; the rest becomes prepaid balance.

The office never re-spreads a payer's choice (decisions 18). What was meant for a bill that is closed or void meanwhile
goes to prepaid balance with a case. Source: office-domain sections 4, 6 and 7.2.
"""

import datetime
import uuid
from dataclasses import dataclass, field

from kiosk.domain.events import LinePaid, Settlement
from office.billing.models import Bill
from office.ledger.posting import Entry
from office.ledger.rules import LATE_FEE_GAIN, PREPAID, RECEIVABLE, SUSPENSE, Line
from office.payments.bill_caches import bring_up_to_date, late_fee_open_on
from office.payments.cases import open_case
from office.payments.fold import Fold
from office.payments.models import Allocation, Payment, PrepaidEntry
from office.payments.suspense import left_in_suspense
from office.property.models import Unit
from office.property.services import touch
from office.rows import derived_id, read_uuid


@dataclass
class _Settling:
    """A settlement while it is being posted."""

    fold: Fold
    payment: Payment
    event: Settlement
    date: datetime.date
    left: int  # money not yet placed
    bills: dict[str, Bill] = field(default_factory=dict)
    allocations: list[Allocation] = field(default_factory=list)
    over: dict[tuple[str, str], int] = field(
        default_factory=dict
    )  # (kind of case, bill): money its lines had no room for
    problems: set[str] = field(default_factory=set)


def settle(fold: Fold, payment: Payment, event: Settlement) -> set[str]:
    """Post one settlement whose credited notes stand in suspense; the kinds of the cases it opened."""
    assert payment.business_date is not None
    work = _Settling(fold, payment, event, payment.business_date, payment.amount_fen)
    if payment.unit is None:
        _nowhere_to_go(work, "unknown_unit")
        return work.problems
    _load_bills(work)
    for line in event.lines:
        _pay(work, line)
    for (kind, bill_id), over_fen in work.over.items():
        _case(work, kind, work.bills.get(bill_id), {"bill_id": bill_id, "over_fen": over_fen}, over_fen)
    for bill in work.bills.values():
        _close_up(work, bill)
    # More in the box than the kiosk counted can't have been meant for anything: a person must look at it.
    surplus = max(0, payment.amount_fen - event.received_fen)
    _to_prepaid(work, work.left - min(surplus, work.left))
    if work.left:
        _nowhere_to_go(work, "unidentified_cash")
    Allocation.objects.bulk_create(work.allocations)
    _post(work)
    touch(fold.stream, [payment.unit_id])
    return work.problems


def _load_bills(work: _Settling) -> None:
    wanted = {known for line in work.event.lines if (known := read_uuid(line.bill_id))}
    if not wanted:
        return
    rows = Bill.objects.filter(project_id=work.fold.project_id, unit_id=work.payment.unit_id, id__in=wanted)
    work.bills = {str(bill.id): bill for bill in rows.select_related("late_rule", "fee_item")}


def _pay(work: _Settling, line: LinePaid) -> None:
    """Give one line as much as its bill still has open; the rest stays in ``left``."""
    bill = work.bills.get(line.bill_id)
    room = 0
    if bill is not None and bill.status in Bill.OPEN:
        room = {"principal": bill.principal_open_fen, "late_fee": late_fee_open_on(bill, work.date)}.get(
            line.component, 0
        )
    amount = min(line.amount_fen, room, work.left)
    if over := min(line.amount_fen, work.left) - amount:
        key = _why_no_room(bill, line), line.bill_id
        work.over[key] = work.over.get(key, 0) + over
    if amount == 0 or bill is None:
        return
    work.left -= amount
    if line.component == "principal":
        bill.principal_paid_fen += amount
    else:
        bill.late_fee_paid_fen += amount
    work.allocations.append(
        Allocation(
            id=derived_id(work.payment.id, "allocation", len(work.allocations) + 1),
            project_id=work.fold.project_id,
            payment=work.payment,
            bill=bill,
            n=len(work.allocations) + 1,
            component=line.component,
            amount_fen=amount,
            date=work.date,
            late_days=max(0, work.event.late_days.get(line.bill_id, 0)),
        )
    )


def _why_no_room(bill: Bill | None, line: LinePaid) -> str:
    """The kind of case for a line that could not be paid wholly; its money goes to prepaid balance."""
    if bill is None or bill.status in (Bill.Status.VOID, Bill.Status.DRAFT):
        return "bill_void"
    if line.component == "late_fee" and bill.status in Bill.OPEN:
        return "late_fee_gap"
    return "bill_already_paid"


def _close_up(work: _Settling, bill: Bill) -> None:
    mine = [line for line in work.allocations if line.bill_id == bill.id]
    if mine and (gap := bring_up_to_date(bill, mine, work.date)):
        _case(work, "late_fee_gap", bill, {"gap_fen": gap, "kiosk_late_days": work.event.late_days}, gap)


def _to_prepaid(work: _Settling, amount_fen: int) -> None:
    unit = work.payment.unit
    work.payment.prepaid_fen = amount_fen
    if amount_fen <= 0 or unit is None:
        return
    work.left -= amount_fen
    balance = Unit.objects.values_list("prepaid_fen", flat=True).get(id=unit.id) + amount_fen
    Unit.objects.filter(id=unit.id).update(prepaid_fen=balance)
    PrepaidEntry.objects.create(
        id=derived_id(work.payment.id, "prepaid"),
        project_id=work.fold.project_id,
        unit_id=unit.id,
        payment=work.payment,
        kind="overpay" if work.event.lines else "topup",
        amount_fen=amount_fen,
        balance_fen=balance,
        at=work.fold.raw.corrected_at,
        ingest_no=work.fold.raw.ingest_no,
    )


def _nowhere_to_go(work: _Settling, kind: str) -> None:
    work.problems.add(kind)
    left_in_suspense(work.fold, work.payment, kind, {"unit_id": work.event.unit_id}, work.left)


def _case(work: _Settling, kind: str, bill: Bill | None, facts: dict[str, object], amount_fen: int) -> None:
    work.problems.add(kind)
    open_case(
        work.fold.project_id,
        kind,
        (work.payment.id, bill.id if bill else facts.get("bill_id", "")),
        at=work.fold.raw.received_at,
        facts=facts,
        payment=work.payment,
        kiosk_id=work.payment.kiosk_id,
        unit_id=work.payment.unit_id,
        bill=bill,
        amount_fen=amount_fen,
    )


def _post(work: _Settling) -> None:
    payment, lines = work.payment, list[Line]()
    for part in work.allocations:
        where: dict[str, uuid.UUID] = {
            "unit_id": part.bill.unit_id,
            "fee_item_id": part.bill.fee_item_id,
            "bill_id": part.bill_id,
        }
        lines.append(Line(RECEIVABLE if part.component == "principal" else LATE_FEE_GAIN, -part.amount_fen, **where))
    lines.append(Line(PREPAID, -payment.prepaid_fen, unit_id=payment.unit_id))
    placed = -sum(line.amount_fen for line in lines)
    lines.insert(0, Line(SUSPENSE, placed, kiosk_id=payment.kiosk_id, unit_id=payment.unit_id))
    entry = Entry("payment_settled", "payment", payment.id, work.date, lines, payment_id=payment.id)
    work.fold.post(entry)
