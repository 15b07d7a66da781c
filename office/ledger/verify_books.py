"""Invariants of the books: every balance is the sum of what it stands for. Source: office-domain section 7.3, 1 to 5."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Q, Sum

from office.billing.models import Bill
from office.kiosks.models import CashBoxFace
from office.ledger.models import LedgerEntry, Posting
from office.ledger.rules import (
    CASH_AT_OFFICE,
    CASH_IN_KIOSK,
    DEPOSITS,
    DIFFERENCE,
    LATE_FEE_GAIN,
    PREPAID,
    RECEIVABLE,
    REVENUE,
    SUSPENSE,
    THIRD_PARTY,
)
from office.payments.models import Allocation, Note, Payment, PrepaidEntry, SuspenseItem, Tender
from office.property.models import Project, Unit

Found = Iterator[tuple[str, str]]

_POSTED_TO = frozenset(
    [
        CASH_AT_OFFICE,
        CASH_IN_KIOSK,
        RECEIVABLE,
        DIFFERENCE,
        PREPAID,
        THIRD_PARTY,
        DEPOSITS,
        SUSPENSE,
        REVENUE,
        LATE_FEE_GAIN,
    ]
)


def balances(project: Project, account: str, by: str) -> dict[Any, int]:
    rows = Posting.objects.filter(project=project, account__code=account).values(by).annotate(sum=Sum("amount_fen"))
    return {row[by]: row["sum"] for row in rows.order_by(by)}


def entries_balance(project: Project) -> Found:
    rows = Posting.objects.filter(project=project).values("entry_id").annotate(sum=Sum("amount_fen"))
    for row in rows.filter(~Q(sum=0)).order_by("entry_id"):
        yield f"entry {row['entry_id']}", f"its postings are off by {row['sum']} fen"
    empty = LedgerEntry.objects.filter(project=project, postings=None)
    for entry in empty:
        yield f"entry {entry.id}", "it has no postings"


def accounts_agree(project: Project) -> Found:
    """What was earned is what was issued, late fees are what bills got of them, and no account moves without a reason."""
    rows = Posting.objects.filter(project=project).values("account__code").annotate(sum=Sum("amount_fen"))
    ledger = {row["account__code"]: row["sum"] for row in rows.order_by("account__code")}
    if off := sum(ledger.values()):
        yield "ledger", f"its accounts are off by {off} fen together"
    bills = Bill.objects.filter(project=project)
    issued = bills.filter(status__in=(*Bill.OPEN, Bill.Status.PAID)).aggregate(sum=Sum("amount_fen"))["sum"] or 0
    earned = sum(ledger.get(account, 0) for account in (REVENUE, THIRD_PARTY, DEPOSITS))
    if earned != -issued:
        yield f"accounts {REVENUE}, {THIRD_PARTY}, {DEPOSITS}", f"{-earned} fen, but bills of {issued} are issued"
    late = bills.aggregate(sum=Sum("late_fee_paid_fen"))["sum"] or 0
    if ledger.get(LATE_FEE_GAIN, 0) != -late:
        yield f"account {LATE_FEE_GAIN}", f"{-ledger.get(LATE_FEE_GAIN, 0)} fen, but bills got {late} of late fees"
    for account in ledger.keys() - _POSTED_TO:
        yield f"account {account}", f"{ledger[account]} fen, but nothing posts there yet"


def bills_agree(project: Project) -> Found:
    receivable = balances(project, RECEIVABLE, "bill_id")
    paid = {
        (row["bill_id"], row["component"]): row["sum"]
        for row in Allocation.objects.filter(project=project)
        .values("bill_id", "component")
        .annotate(sum=Sum("amount_fen"))
        .order_by("bill_id")
    }
    for bill in Bill.objects.filter(project=project).order_by("id").iterator(500):
        if bill.principal_open_fen != receivable.get(bill.id, 0):
            yield (
                f"bill {bill.id}",
                f"{bill.principal_open_fen} fen open, but {receivable.get(bill.id, 0)} in {RECEIVABLE}",
            )
        allocated = paid.get((bill.id, "principal"), 0), paid.get((bill.id, "late_fee"), 0)
        if allocated != (bill.principal_paid_fen, bill.late_fee_paid_fen):
            yield (
                f"bill {bill.id}",
                f"allocations of {allocated} fen, but paid {(bill.principal_paid_fen, bill.late_fee_paid_fen)}",
            )
        if bill.status not in _statuses(bill):
            yield f"bill {bill.id}", f"{bill.status}, but {bill.principal_paid_fen} of {bill.amount_fen} fen are paid"


def _statuses(bill: Bill) -> tuple[str, ...]:
    """What a bill may say of itself, by what was paid; with its principal paid, a late fee may keep it open."""
    if not bill.principal_paid_fen and not bill.late_fee_paid_fen:
        return (Bill.Status.ISSUED, Bill.Status.DRAFT, Bill.Status.VOID)
    if bill.principal_paid_fen < bill.amount_fen:
        return (Bill.Status.PARTLY_PAID,)
    return (Bill.Status.PARTLY_PAID, Bill.Status.PAID)


def prepaid_agrees(project: Project) -> Found:
    ledger = balances(project, PREPAID, "unit_id")
    entries = dict(
        PrepaidEntry.objects.filter(project=project)
        .values_list("unit_id")
        .annotate(sum=Sum("amount_fen"))
        .order_by("unit_id")
    )
    for unit in Unit.objects.filter(project=project).order_by("code"):
        figures = unit.prepaid_fen, entries.get(unit.id, 0), -ledger.get(unit.id, 0)
        if len(set(figures)) != 1 or figures[0] < 0:
            yield f"unit {unit.code}", f"prepaid balance {figures[0]}, entries {figures[1]}, ledger {figures[2]} fen"


def boxes_agree(project: Project) -> Found:
    ledger = balances(project, CASH_IN_KIOSK, "kiosk_id")
    faces: dict[uuid.UUID, dict[int, tuple[int, int]]] = {}
    for row in CashBoxFace.objects.filter(project=project):
        faces.setdefault(row.kiosk_id, {})[row.face_fen] = (row.confirmed, row.unknown)
    counted: dict[uuid.UUID, dict[int, tuple[int, int]]] = {}
    sure = Count("id", filter=Q(state__in=(Note.State.CREDITED, Note.State.SUSPENSE)))
    rows = Note.objects.filter(project=project).values("kiosk_id", "face_fen")
    for row in rows.annotate(sure=sure, maybe=Count("id", filter=Q(state=Note.State.UNKNOWN))).order_by("kiosk_id"):
        if row["sure"] or row["maybe"]:
            counted.setdefault(row["kiosk_id"], {})[row["face_fen"] or 0] = (row["sure"], row["maybe"])
    for kiosk_id in ledger.keys() | faces.keys() | counted.keys():
        box = {face: counts for face, counts in faces.get(kiosk_id, {}).items() if counts != (0, 0)}
        if box != counted.get(kiosk_id, {}):
            yield f"kiosk {kiosk_id}", f"the box by face {box} differs from the notes {counted.get(kiosk_id, {})}"
        worth = sum(face * sure for face, (sure, _) in box.items())
        if worth != ledger.get(kiosk_id, 0):
            yield f"kiosk {kiosk_id}", f"the box holds {worth} fen, {CASH_IN_KIOSK} says {ledger.get(kiosk_id, 0)}"


def suspense_agrees(project: Project) -> Found:
    ledger = -sum(balances(project, SUSPENSE, "kiosk_id").values())
    still_open = (
        Payment.objects.filter(project=project, state=Payment.State.OPEN).aggregate(sum=Sum("amount_fen"))["sum"] or 0
    )
    items = SuspenseItem.objects.filter(project=project, state=SuspenseItem.State.OPEN)
    known = items.exclude(kind=SuspenseItem.Kind.NOTE_UNKNOWN).exclude(note__state=Note.State.UNKNOWN)
    waiting = known.aggregate(sum=Sum("amount_fen"))["sum"] or 0
    if ledger != still_open + waiting:
        yield f"account {SUSPENSE}", f"{ledger} fen, but open payments hold {still_open} and suspense items {waiting}"


def payments_add_up(project: Project) -> Found:
    allocated = dict(
        Allocation.objects.filter(project=project)
        .values_list("payment_id")
        .annotate(sum=Sum("amount_fen"))
        .order_by("payment_id")
    )
    tendered = dict(
        Tender.objects.filter(project=project)
        .values_list("payment_id")
        .annotate(sum=Sum("amount_fen"))
        .order_by("payment_id")
    )
    settled = Payment.objects.filter(project=project, state__in=(Payment.State.BOOKED, Payment.State.EXCEPTION))
    for payment in settled.exclude(receipt_no="", receipt_number=None).order_by("ingest_no").iterator(500):
        placed = allocated.get(payment.id, 0) + payment.prepaid_fen + payment.suspense_fen + payment.refunded_fen
        if not payment.amount_fen == placed == tendered.get(payment.id, 0):
            yield (
                f"payment {payment.id}",
                f"{payment.amount_fen} fen received, {tendered.get(payment.id, 0)} tendered, {placed} placed",
            )


def tenders_are_their_notes(project: Project) -> Found:
    """A cash tender is worth its notes, and what a settled payment was given in notes is in the box."""
    for tender in Tender.objects.filter(project=project, kind="cash").order_by("id").iterator(500):
        worth = sum(int(face) * count for face, count in tender.notes.items())
        if worth != tender.amount_fen:
            yield f"payment {tender.payment_id}", f"{tender.amount_fen} fen in cash, but its notes are {worth}"
