"""Payments: opened, cancelled, settled, and what became of the slip."""

import datetime
import uuid

import msgspec
from django.db.models import Max

from kiosk.domain import events
from kiosk.domain.events import (
    PaymentCancelled,
    PaymentOpened,
    ReceiptDeclined,
    ReceiptFailed,
    ReceiptPrinted,
    Settlement,
)
from office.payments.cases import EXCEPTIONS, open_case
from office.payments.fold import Fold, Quarantined
from office.payments.models import Note, Payment, Tender
from office.payments.plausibility import look_at
from office.payments.settling import settle
from office.payments.suspense import left_in_suspense
from office.property.models import Unit
from office.property.services import business_date
from office.rows import derived_id, read_uuid

_LARGEST = 2**53
_ENDS = ("payment.settled", "payment.partial", "payment.cancelled")


def opened(fold: Fold, event: PaymentOpened) -> None:
    if fold.payment(event.payment_id):
        raise Quarantined("ratchet")
    new_payment(
        fold,
        event.payment_id,
        event.unit_id,
        due_fen=event.due_fen,
        offline=event.offline,
        language=event.language[:12],
        picked=msgspec.to_builtins(event.bills),
    )


def cancelled(fold: Fold, event: PaymentCancelled) -> None:
    """Nothing was taken. If notes were credited all the same, their money waits in suspense for a person."""
    payment = _open_payment(fold, event.payment_id)
    _not_settled(fold, payment, event.reason[:12], "cancelled after money was taken", at=fold.raw.corrected_at)
    _ended(fold, payment, at=fold.raw.corrected_at, settled_seq=fold.raw.seq)


def end_without_settlement(fold: Fold, payment: Payment, ended: str, why: str) -> None:
    """No settlement of it can come any more. What it took waits in suspense for a person, as of when it was put in."""
    at = payment.notes.filter(state=Note.State.CREDITED).aggregate(at=Max("at"))["at"] or payment.opened_at
    _not_settled(fold, payment, ended, why, at=at)
    _ended(fold, payment, at=at, settled_seq=None)


def end_unreadably(fold: Fold) -> None:
    """A payment whose end can't be read, and of which nobody knows whose it is: people place its money, not a later program alone."""
    if fold.raw.kind not in _ENDS or (payment_id := read_uuid(fold.raw.payment_id)) is None:
        return
    payment = fold.known.payment(payment_id)
    if payment is None or payment.journal_id != fold.raw.journal_id:
        return
    if payment.state == Payment.State.OPEN and payment.unit_id is None:
        end_without_settlement(fold, payment, "unreadable", "its end could not be read")


def _not_settled(fold: Fold, payment: Payment, ended: str, why: str, *, at: datetime.datetime) -> None:
    payment.state, payment.ended = Payment.State.CANCELLED, ended
    if payment.amount_fen:
        payment.state = Payment.State.EXCEPTION
        left_in_suspense(fold, payment, "unidentified_cash", {"reason": why}, payment.amount_fen, at=at)


def settled(fold: Fold, event: Settlement) -> None:
    """The payer's own choice is posted as far as the bills still allow; everything else goes to prepaid balance."""
    payment = fold.payment(event.payment_id) or new_payment(fold, event.payment_id, event.unit_id)
    if payment.state != Payment.State.OPEN:
        raise Quarantined("ratchet")
    payment.unit = payment.unit or _unit(fold, event.unit_id)
    payment.partial = isinstance(event, events.PaymentPartial)
    payment.offline = payment.offline or event.offline
    payment.ended, payment.claims = event.ended[:12], list(event.claims)
    payment.late_days = event.late_days
    payment.receipt_no, payment.receipt_number = _receipt_no(fold, event), event.receipt_number
    payment.business_date = _business_date(fold, event)
    in_box = Note.objects.filter(payment=payment, state=Note.State.CREDITED)
    counted: dict[str, int] = {}
    for face in in_box.values_list("face_fen", flat=True):
        counted[str(face)] = counted.get(str(face), 0) + 1
    payment.amount_fen = sum(int(face) * count for face, count in counted.items())
    problems = settle(fold, payment, event) | look_at(fold, payment, event)
    if payment.amount_fen != event.received_fen or counted != event.notes:
        told = {"notes": counted, "kiosk_notes": event.notes, "kiosk_received_fen": event.received_fen}
        open_case(
            fold.project_id, "note_count_mismatch", payment.id, at=fold.raw.received_at, facts=told, **_about(payment)
        )
        problems.add("note_count_mismatch")
    if payment.receipt_no != event.receipt_no:
        problems.add("receipt_no_reused")
    payment.state = Payment.State.EXCEPTION if problems & EXCEPTIONS else Payment.State.BOOKED
    Tender.objects.create(
        id=derived_id(payment.id, "tender", 1),
        project_id=fold.project_id,
        payment=payment,
        amount_fen=payment.amount_fen,
        notes=counted,
    )
    _ended(fold, payment, at=fold.raw.corrected_at, settled_seq=fold.raw.seq)


def slip(fold: Fold, event: ReceiptPrinted | ReceiptFailed | ReceiptDeclined) -> None:
    payment = fold.payment(event.payment_id)
    if payment is None:
        raise Quarantined("unknown_payment")
    match event:
        case ReceiptPrinted():
            payment.slip = Payment.Slip.PRINTED if event.confirmed else Payment.Slip.UNCONFIRMED
            payment.copies += 1
        case ReceiptDeclined():
            if payment.slip == Payment.Slip.NONE:  # else its person went after a slip that failed or is not sure
                payment.slip = Payment.Slip.DECLINED
        case ReceiptFailed():
            if payment.slip != Payment.Slip.PRINTED:
                payment.slip = Payment.Slip.FAILED
            told = {"fault": event.fault, "receipt_no": event.receipt_no}
            open_case(
                fold.project_id,
                "receipt_not_printed",
                payment.id,
                at=fold.raw.received_at,
                facts=told,
                **_about(payment),
            )
    payment.save(update_fields=["slip", "copies"])


def _unit(fold: Fold, unit_id: str) -> Unit | None:
    known = read_uuid(unit_id)
    return Unit.objects.filter(project_id=fold.project_id, id=known).first() if known else None


def new_payment(fold: Fold, payment_id: str, unit_id: str = "", **told: object) -> Payment:
    """A payment begins with its payment.opened; where that can't be read, with the next entry that names it."""
    payment = Payment.objects.create(
        id=uuid.UUID(payment_id),
        project_id=fold.project_id,
        kiosk_id=fold.raw.kiosk_id,
        journal_id=fold.raw.journal_id,
        unit=_unit(fold, unit_id),
        opened_at=fold.raw.corrected_at,
        received_at=fold.raw.received_at,
        opened_seq=fold.raw.seq,
        ingest_no=fold.raw.ingest_no,
        clock=fold.raw.clock,
        **told,
    )
    fold.known.payments[payment.id] = payment
    return payment


def _open_payment(fold: Fold, payment_id: str) -> Payment:
    payment = fold.payment(payment_id)
    if payment is None:
        raise Quarantined("unknown_payment")
    if payment.state != Payment.State.OPEN:
        raise Quarantined("ratchet")
    return payment


def _ended(fold: Fold, payment: Payment, *, at: datetime.datetime, settled_seq: int | None) -> None:
    payment.paid_at, payment.received_at = at, fold.raw.received_at
    payment.settled_seq, payment.ingest_no, payment.clock = settled_seq, fold.raw.ingest_no, fold.raw.clock
    payment.save()


def _about(payment: Payment) -> dict[str, object]:
    return {
        "payment": payment,
        "kiosk_id": payment.kiosk_id,
        "unit_id": payment.unit_id,
        "amount_fen": payment.amount_fen,
    }


def _receipt_no(fold: Fold, event: Settlement) -> str:
    """A receipt number belongs to one payment; a second payment with it stays without one, and a case says so."""
    if len(event.receipt_no) > 32 or event.receipt_number > _LARGEST:
        raise Quarantined("receipt_no")
    if not Payment.objects.filter(project_id=fold.project_id, receipt_no=event.receipt_no).exists():
        return event.receipt_no
    told = {"receipt_no": event.receipt_no}
    open_case(
        fold.project_id,
        "receipt_no_reused",
        event.payment_id,
        at=fold.raw.received_at,
        facts=told,
        kiosk_id=fold.raw.kiosk_id,
    )
    return ""


def _business_date(fold: Fold, event: Settlement) -> datetime.date:
    """The day late fees are counted to: the kiosk's own, unless it lies more than a day outside of what is possible."""
    measured, raw = fold.date, fold.raw
    try:
        told = datetime.date.fromisoformat(event.business_date or "")
    except ValueError:
        return measured
    zone, a_day = fold.kiosk.project.zone, datetime.timedelta(days=1)
    earliest, latest = (business_date(at or raw.corrected_at, zone) for at in (raw.earliest_at, raw.latest_at))
    return told if earliest - a_day <= told <= latest + a_day else measured
