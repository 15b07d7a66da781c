"""Issuing and voiding bills; each function changes the books in one transaction."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from office.billing.models import Bill, BillLine, BillRun
from office.ledger import stream as books
from office.ledger.models import OfficeCommand, Stream
from office.ledger.posting import Entry, post
from office.ledger.rules import bill_issued, issue_account
from office.property.models import Project
from office.property.services import business_date, touch


class NotAllowed(Exception):
    """The rules of billing forbid it; the message says which and what to do instead."""


def issue_bills(
    project: Project, bills: Sequence[Bill], by: Any, *, note: str = "", at: datetime.datetime | None = None
) -> BillRun:
    """Issue new bills as one run: store them with their lines, post +1122 for each, tell the kiosks' caches.

    ``bills`` are unsaved drafts with ``fee_item`` and ``unit`` set.
    """
    at = at or timezone.now()
    with books.changing(project.id) as stream:
        run = BillRun.objects.create(project=project, note=note, made_at=at)
        for bill in bills:
            bill.project, bill.run = project, run
        Bill.objects.bulk_create(bills, batch_size=500)
        BillLine.objects.bulk_create([line for bill in bills for line in _lines_of(bill)], batch_size=500)
        command = books.record(stream, "bills.issued", {"run_id": str(run.id), "count": len(bills)}, by, at)
        apply_issue(stream, command)
    return run


def apply_issue(stream: Stream, command: OfficeCommand) -> None:
    """Bring the drafts of a run into the books; also done by a rebuild."""
    rows = Bill.objects.filter(project_id=stream.project_id, run_id=command.body["run_id"])
    bills = list(rows.select_related("fee_item").order_by("id"))
    rows.update(status=Bill.Status.ISSUED, version=1, steps=[])
    zone = Project.objects.get(id=stream.project_id).zone
    entries = [_issue_entry(bill, business_date(command.at, zone)) for bill in bills]
    post(stream.project_id, entries, ingest_no=command.ingest_no, at=command.at)
    touch(stream, {bill.unit_id for bill in bills})


def void_bill(bill: Bill, by: Any, reason: str) -> None:
    """Take back an issued bill on which nothing was paid.

    Raises:
        NotAllowed: something was paid, or it is not open.
    """
    with books.changing(bill.project_id) as stream:
        bill.refresh_from_db()
        if bill.status != Bill.Status.ISSUED or bill.late_fee_paid_fen:
            raise NotAllowed("only an issued bill on which nothing was paid can be voided")
        command = books.record(stream, "bill.voided", {"bill_id": str(bill.id), "reason": reason}, by)
        apply_void(stream, command)
    bill.refresh_from_db()


def apply_void(stream: Stream, command: OfficeCommand) -> None:
    bill = Bill.objects.select_related("fee_item").get(project_id=stream.project_id, id=command.body["bill_id"])
    zone = Project.objects.get(id=stream.project_id).zone
    account = issue_account(bill.fee_item.category, third_party=bill.fee_item.third_party)
    lines = bill_issued(-bill.amount_fen, account, **_where(bill))
    entry = Entry("bill_voided", "bill", bill.id, business_date(command.at, zone), lines)
    post(stream.project_id, [entry], ingest_no=command.ingest_no, at=command.at)
    bill.status, bill.version = Bill.Status.VOID, bill.version + 1
    bill.save(update_fields=["status", "version"])
    touch(stream, [bill.unit_id])


def _issue_entry(bill: Bill, date: datetime.date) -> Entry:
    account = issue_account(bill.fee_item.category, third_party=bill.fee_item.third_party)
    return Entry("bill_issued", "bill", bill.id, date, bill_issued(bill.amount_fen, account, **_where(bill)))


def _where(bill: Bill) -> dict[str, uuid.UUID]:
    return {"unit_id": bill.unit_id, "fee_item_id": bill.fee_item_id, "bill_id": bill.id}


def _lines_of(bill: Bill) -> list[BillLine]:
    told = bill.computation.get("lines") or [
        {"text": bill.fee_item.name, "text_en": bill.fee_item.name_en, "amount_fen": bill.amount_fen}
    ]
    return [
        BillLine(
            project_id=bill.project_id,
            bill=bill,
            n=n,
            text=line["text"][:120],
            text_en=line.get("text_en", "")[:160],
            amount_fen=line["amount_fen"],
        )
        for n, line in enumerate(told, start=1)
    ]
