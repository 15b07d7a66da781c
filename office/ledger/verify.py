"""The invariants of the books and of the uploads.

Source: office-domain section 7.3.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from kiosk.domain import chain
from office.billing.models import Bill
from office.kiosks.models import CashBoxFace, Journal, RawEvent
from office.ledger.digest import folded_otherwise
from office.ledger.models import LedgerEntry, OfficeCommand, Posting, Stream
from office.ledger.rules import CASH_IN_KIOSK, PREPAID, RECEIVABLE, SUSPENSE
from office.payments.models import Allocation, Note, Payment, PrepaidEntry, SuspenseItem, Tender
from office.payments.selectors import entry_hash
from office.property.models import Project, Unit


@dataclass(frozen=True)
class Finding:
    """One thing that is off: which invariant, where, and how."""

    project: str
    invariant: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.project}: {self.invariant}: {self.where}: {self.what}"

    def told(self) -> dict[str, Any]:
        return {
            "ok": False,
            "project": self.project,
            "invariant": self.invariant,
            "where": self.where,
            "what": self.what,
        }


def verify_everything(*, quick: bool = False, fold_again: bool = False) -> Iterator[Finding]:
    """Check all projects. ``quick`` leaves out what reads every bill, payment or raw event again; ``fold_again`` compares
    every derived row with what the stream gives."""
    for project in Project.objects.order_by("code"):
        yield from verify_project(project, quick=quick)
        if fold_again:
            yield from (Finding(project.code, "folds_to_the_same", *found) for found in folded_otherwise(project))


def verify_project(project: Project, *, quick: bool = False) -> Iterator[Finding]:
    """Check one project."""
    checks = [_entries_balance, _prepaid_agrees, _boxes_agree, _suspense_agrees]
    if not quick:
        checks += [_bills_agree, _payments_add_up, _stream_whole, _journals_whole, _receipts_whole]
    for check in checks:
        for where, what in check(project):
            yield Finding(project.code, check.__name__.strip("_"), where, what)


Found = Iterator[tuple[str, str]]


def _balances(project: Project, account: str, by: str) -> dict[Any, int]:
    rows = Posting.objects.filter(project=project, account__code=account).values(by).annotate(sum=Sum("amount_fen"))
    return {row[by]: row["sum"] for row in rows.order_by(by)}


def _entries_balance(project: Project) -> Found:
    rows = Posting.objects.filter(project=project).values("entry_id").annotate(sum=Sum("amount_fen"))
    for row in rows.filter(~Q(sum=0)).order_by("entry_id"):
        yield f"entry {row['entry_id']}", f"its postings are off by {row['sum']} fen"
    empty = LedgerEntry.objects.filter(project=project, postings=None)
    for entry in empty:
        yield f"entry {entry.id}", "it has no postings"


def _bills_agree(project: Project) -> Found:
    receivable = _balances(project, RECEIVABLE, "bill_id")
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
        if bill.status == Bill.Status.PAID and bill.principal_open_fen:
            yield f"bill {bill.id}", "paid, but something is open"


def _prepaid_agrees(project: Project) -> Found:
    ledger = _balances(project, PREPAID, "unit_id")
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


def _boxes_agree(project: Project) -> Found:
    ledger = _balances(project, CASH_IN_KIOSK, "kiosk_id")
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


def _suspense_agrees(project: Project) -> Found:
    ledger = -sum(_balances(project, SUSPENSE, "kiosk_id").values())
    still_open = (
        Payment.objects.filter(project=project, state=Payment.State.OPEN).aggregate(sum=Sum("amount_fen"))["sum"] or 0
    )
    items = SuspenseItem.objects.filter(project=project, state=SuspenseItem.State.OPEN)
    known = items.exclude(kind=SuspenseItem.Kind.NOTE_UNKNOWN).exclude(note__state=Note.State.UNKNOWN)
    waiting = known.aggregate(sum=Sum("amount_fen"))["sum"] or 0
    if ledger != still_open + waiting:
        yield f"account {SUSPENSE}", f"{ledger} fen, but open payments hold {still_open} and suspense items {waiting}"


def _payments_add_up(project: Project) -> Found:
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


def _stream_whole(project: Project) -> Found:
    stream = Stream.objects.filter(project=project).first()
    if stream is None:
        yield "stream", "the project has none"
        return
    count = RawEvent.objects.filter(project=project).count() + OfficeCommand.objects.filter(project=project).count()
    if count != stream.last_no:
        yield "stream", f"{count} events and commands, but {stream.last_no} numbers were given"
    unfolded = RawEvent.objects.filter(project=project, state=RawEvent.State.STORED, ingest_no__lte=stream.folded_no)
    if unfolded.exists():
        yield "stream", f"{unfolded.count()} events below {stream.folded_no} were passed over"


def _journals_whole(project: Project) -> Found:
    for journal in Journal.objects.filter(project=project).select_related("kiosk"):
        prev, expected = chain.GENESIS_PREV, 1
        for raw in RawEvent.objects.filter(journal=journal).order_by("seq").iterator(500):
            where = f"kiosk {journal.kiosk.code} journal {journal.journal_id} seq {expected}"
            if raw.seq != expected:
                yield where, f"missing; the next one held is {raw.seq}"
                break
            if entry_hash(journal.journal_id, raw, prev) != bytes(raw.hash):
                yield where, "its stored parts do not give its hash"
                break
            prev, expected = bytes(raw.hash), expected + 1
        else:
            if (expected - 1, prev) != (journal.high_seq, bytes(journal.head_hash)):
                yield (
                    f"kiosk {journal.kiosk.code} journal {journal.journal_id}",
                    f"ends at {expected - 1}, the head says {journal.high_seq}",
                )


def _receipts_whole(project: Project) -> Found:
    rows = Payment.objects.filter(project=project, receipt_number__isnull=False).values("kiosk_id", "kiosk__code")
    for row in rows.annotate(low=Min("receipt_number"), high=Max("receipt_number"), count=Count("id")).order_by(
        "kiosk_id"
    ):
        if row["high"] - row["low"] + 1 != row["count"]:
            yield (
                f"kiosk {row['kiosk__code']}",
                f"{row['count']} receipts between numbers {row['low']} and {row['high']}",
            )
