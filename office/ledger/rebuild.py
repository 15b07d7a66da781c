"""Forgetting everything derived and folding the stream again, number by number, in one transaction."""

import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import Model

from office.billing.models import Bill
from office.billing.services import apply_issue, apply_void
from office.kiosks.models import AcceptorCounter, Alarm, CashBoxFace, Journal, RawEvent
from office.ledger import stream as books
from office.ledger.models import LedgerEntry, OfficeCommand, Posting, Stream
from office.payments import claims, counting
from office.payments import services as payments
from office.payments.folding import fold_events
from office.payments.models import (
    Allocation,
    BoxCount,
    Case,
    Note,
    Payment,
    PrepaidEntry,
    Resolution,
    Review,
    SuspenseItem,
    Tender,
)
from office.property.models import Unit

APPLY: dict[str, Callable[[Stream, OfficeCommand], object]] = {
    "bills.issued": apply_issue,
    "bill.voided": apply_void,
    "payment.reviewed": payments.apply_review,
    "case.assigned": payments.apply_assign,
    "case.closed": payments.apply_close,
    "alarm.acknowledged": payments.apply_acknowledge,
    "claim.proposed": claims.apply_propose,
    "claim.confirmed": claims.apply_confirm,
    "claim.cancelled": claims.apply_cancel,
    "box.counted": counting.apply_count,
}

# Tables of which nothing is a fact, in an order in which nothing points at what is already gone.
DERIVED: tuple[type[Model], ...] = (
    Posting, LedgerEntry, Review, Case, Resolution, BoxCount, SuspenseItem, PrepaidEntry, Allocation, Tender, Note,
    Payment, CashBoxFace, AcceptorCounter,
)  # fmt: skip

BATCH = 500


def rebuild(project_id: uuid.UUID) -> int:
    """Fold a project's whole stream anew; how many events and commands it holds. All or nothing."""
    with transaction.atomic():
        stream = books.locked(project_id)
        last = stream.last_no
        _forget(stream)
        stream.folded_no, count = 0, 0
        commands = OfficeCommand.objects.filter(project_id=project_id).order_by("ingest_no").iterator(BATCH)
        for command in commands:
            count += _fold_up_to(stream, command.ingest_no - 1)
            stream.folded_no = command.ingest_no
            APPLY[command.kind](stream, command)
            count += 1
        count += _fold_up_to(stream, last)
        stream.folded_no = last
        stream.save()
    return count


def _forget(stream: Stream) -> None:
    project = {"project_id": stream.project_id}
    Alarm.objects.filter(**project, source=Alarm.Source.KIOSK).delete()
    for table in DERIVED:
        table._default_manager.filter(**project)._raw_delete("default")
    Bill.objects.filter(**project).update(
        status=Bill.Status.DRAFT, version=0, principal_paid_fen=0, late_fee_paid_fen=0, late_fee_waived_fen=0, steps=[]
    )
    Unit.objects.filter(**project).update(prepaid_fen=0)
    Journal.objects.filter(**project).update(posted_seq=0)
    RawEvent.objects.filter(**project).update(state=RawEvent.State.STORED, reject_code="")


def _fold_up_to(stream: Stream, last_no: int) -> int:
    count = 0
    while stream.folded_no < last_no:
        pending = RawEvent.objects.filter(
            project_id=stream.project_id, ingest_no__gt=stream.folded_no, ingest_no__lte=last_no
        )
        folded = fold_events(stream, pending, BATCH)
        if not folded:
            break
        count += folded
    return count
