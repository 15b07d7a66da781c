"""Ending a suspense item, and giving its money to the payer: to the bills they had picked, to prepaid balance, or in hand."""

import datetime
from typing import Any, Protocol

from kiosk.domain.allocation import allocate
from kiosk.domain.money import Fen
from office.billing.models import Bill
from office.billing.wire import domain_bill
from office.ledger.models import Stream
from office.ledger.posting import Entry, post
from office.ledger.rules import CASH_AT_OFFICE, LATE_FEE_GAIN, PREPAID, RECEIVABLE, Line, claim_answered
from office.payments.bill_caches import bring_up_to_date
from office.payments.boxes import IN_THE_BOX
from office.payments.cases import EXCEPTIONS
from office.payments.models import Allocation, Case, Note, Payment, PrepaidEntry, Resolution, SuspenseItem, Tender
from office.property.models import Project, Unit
from office.property.services import business_date, touch
from office.rows import derived_id, read_uuid

GIVEN_BY_PEOPLE = (SuspenseItem.Outcome.CREDITED, SuspenseItem.Outcome.REFUNDED)


def settled_by_people(note: Note) -> bool:
    """Whether two people gave the payer a note's money before anybody knew where it is."""
    return note.suspense.filter(outcome__in=GIVEN_BY_PEOPLE).exists()


def is_paid(note: Note) -> bool:
    """Whether the money of a note that was a claim has its place by evidence: the note is in the box, and nothing about it is open."""
    waits = any(item.state == SuspenseItem.State.OPEN for item in note.suspense.all())
    return note.state == Note.State.CREDITED and note.payment_id is not None and not waits


def close_item(item: SuspenseItem, outcome: str, *, at: datetime.datetime, why: str, by: Any = None) -> None:
    """The item is answered: its cases are closed, and what somebody had proposed for it is cancelled, not forgotten."""
    item.state, item.outcome, item.closed_at = SuspenseItem.State.RESOLVED, outcome, at
    item.save()
    told = {"closed_at": at, "closed_by": by, "close_reason": why[:400]}
    item.cases.filter(state=Case.State.OPEN).update(state=Case.State.CLOSED, **told)
    item.resolutions.filter(state=Resolution.State.PROPOSED).update(state=Resolution.State.CANCELLED, **told)


class Cause(Protocol):
    """What ends an item: an office command, or a kiosk's own word; by its place in the stream and its time at the office."""

    @property
    def ingest_no(self) -> int: ...
    @property
    def at(self) -> datetime.datetime: ...


def credit(stream: Stream, cause: Cause, item: SuspenseItem, unit: Unit, amount_fen: int) -> None:
    """As if the note had been counted when it was put in: the bills the payer picked, as far as they are still open, with the
    late fee of that day; the rest is prepaid balance. For another unit than the payment's it is all prepaid balance."""
    payment = item.payment
    if payment is not None and payment.unit_id is None:
        payment.unit = unit
    lines = []
    if payment is not None and payment.unit_id == unit.id:
        lines = _to_bills(payment, amount_fen, payment.business_date or _day(stream, item.at))
    prepaid_fen = amount_fen + sum(line.amount_fen for line in lines)
    _to_prepaid(cause, item, unit, prepaid_fen)
    lines.append(Line(PREPAID, -prepaid_fen, unit_id=unit.id))
    _post(stream, cause, item, amount_fen, lines)
    if payment is not None:
        payment.prepaid_fen += prepaid_fen
        _into_payment(payment, item, amount_fen)
    touch(stream, [unit.id])


def refund(stream: Stream, cause: Cause, item: SuspenseItem, amount_fen: int) -> None:
    """The payer gets it back in hand, from the cash at the office."""
    _post(stream, cause, item, amount_fen, [Line(CASH_AT_OFFICE, -amount_fen)])
    if item.payment is not None:
        item.payment.refunded_fen += amount_fen
        _into_payment(item.payment, item, amount_fen)


def look_again(payment: Payment | None) -> None:
    """A payment whose last open question was answered is an exception no more."""
    if payment is None or payment.state not in (Payment.State.EXCEPTION, Payment.State.CANCELLED):
        return
    waits = payment.cases.filter(state=Case.State.OPEN, kind__in=EXCEPTIONS).exists()
    if payment.amount_fen and not payment.suspense_fen and not waits:
        payment.state = Payment.State.BOOKED
        payment.save(update_fields=["state"])


def _day(stream: Stream, at: datetime.datetime) -> datetime.date:
    return business_date(at, Project.objects.get(id=stream.project_id).zone)


def _post(stream: Stream, cause: Cause, item: SuspenseItem, amount_fen: int, lines: list[Line]) -> None:
    debit = claim_answered(amount_fen, in_books=item.in_books, kiosk_id=item.kiosk_id, unit_id=item.unit_id)
    day = _day(stream, cause.at)
    entry = Entry("claim_answered", "suspense", item.id, day, [debit, *lines], payment_id=item.payment_id)
    post(stream.project_id, [entry], ingest_no=cause.ingest_no, at=cause.at)


def _to_bills(payment: Payment, amount_fen: int, date: datetime.date) -> list[Line]:
    """What the payer picked and is still open, whether or not a kiosk may still take money for it: a rebuild must find it again."""
    picked = [known for told in payment.picked if (known := read_uuid(told.get("bill_id", "")))]
    rows = Bill.objects.filter(project_id=payment.project_id, unit_id=payment.unit_id, id__in=picked)
    bills = {str(bill.id): bill for bill in rows.filter(status__in=Bill.OPEN).select_related("fee_item", "late_rule")}
    owed = [domain_bill(bill, date).owed_on(date) for bill in bills.values()]
    n = payment.allocations.count()
    made: list[Allocation] = []
    for part in allocate(Fen(amount_fen), owed, date).lines:
        n += 1
        made.append(_allocation(payment, bills[part.bill_id], n, part.component.value, part.amount, date))
    for bill in {part.bill_id: part.bill for part in made}.values():
        bring_up_to_date(bill, [part for part in made if part.bill_id == bill.id], date)
    Allocation.objects.bulk_create(made)
    return [_line(part) for part in made]


def _allocation(
    payment: Payment, bill: Bill, n: int, component: str, amount_fen: int, date: datetime.date
) -> Allocation:
    if component == "principal":
        bill.principal_paid_fen += amount_fen
    else:
        bill.late_fee_paid_fen += amount_fen
    return Allocation(
        id=derived_id(payment.id, "allocation", n),
        project_id=payment.project_id,
        payment=payment,
        bill=bill,
        n=n,
        component=component,
        amount_fen=amount_fen,
        date=date,
        late_days=max(0, (date - bill.due_on).days) if component == "late_fee" else 0,
    )


def _line(part: Allocation) -> Line:
    account = RECEIVABLE if part.component == "principal" else LATE_FEE_GAIN
    bill = part.bill
    return Line(account, -part.amount_fen, unit_id=bill.unit_id, fee_item_id=bill.fee_item_id, bill_id=bill.id)


def _to_prepaid(cause: Cause, item: SuspenseItem, unit: Unit, amount_fen: int) -> None:
    if not amount_fen:
        return
    balance = Unit.objects.values_list("prepaid_fen", flat=True).get(id=unit.id) + amount_fen
    Unit.objects.filter(id=unit.id).update(prepaid_fen=balance)
    PrepaidEntry.objects.create(
        id=derived_id(item.id, "prepaid"),
        project_id=item.project_id,
        unit_id=unit.id,
        payment=item.payment,
        kind="claim",
        amount_fen=amount_fen,
        balance_fen=balance,
        at=cause.at,
        ingest_no=cause.ingest_no,
    )


def _into_payment(payment: Payment, item: SuspenseItem, amount_fen: int) -> None:
    """An item without a note is part of what the payment received already; a note comes on top of it."""
    if item.note is None:
        payment.suspense_fen -= amount_fen
    else:
        n = payment.tenders.count() + 1
        is_cash = item.note.state in IN_THE_BOX
        Tender.objects.create(
            id=derived_id(payment.id, "tender", n),
            project_id=payment.project_id,
            payment=payment,
            n=n,
            kind="cash" if is_cash else "claim",
            amount_fen=amount_fen,
            notes={str(amount_fen): 1} if is_cash else {},
        )
        payment.amount_fen += amount_fen
    payment.save()
