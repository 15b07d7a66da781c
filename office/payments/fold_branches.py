"""An event of a journal's branch, which a person took in from a file: kept as it is and never booked as the kiosk meant it, because
which of the two histories is the kiosk's is for people to find out.

Its notes are in a box all the same, or may be. Each counts there as money to be placed and has a case; the branch as a whole
has one more. Everything else of a branch tells nobody to do anything.
"""

import uuid

import msgspec
from django.db.models import Q

from kiosk.domain import events
from office.payments.cases import open_case
from office.payments.fold import Fold
from office.payments.fold_notes import answer_unreadable, count_unreadable
from office.payments.models import Case
from office.property.models import Unit
from office.rows import read_uuid

CODE = "branch"
_SETTLEMENTS = ("payment.settled", "payment.partial")


def set_aside(fold: Fold) -> None:
    """What follows for staff from one event of a branch, whether this office understands it or not."""
    raw = fold.raw
    if raw.seq == raw.journal.first_seq:
        open_case(
            fold.project_id,
            "journal_branch",
            raw.journal_id,
            at=raw.received_at,
            facts={"seq": raw.seq},
            kiosk_id=raw.kiosk_id,
            raw_event_id=raw.id,
        )
    if raw.kind in _SETTLEMENTS:
        _name_the_slip(fold)
    elif raw.kind == "note.returned":
        answer_unreadable(fold)
    elif item := count_unreadable(fold, CODE):
        item.unit_id = _whose(fold)
        item.save(update_fields=["unit_id"])
        open_case(
            fold.project_id,
            "branch_note",
            raw.id,
            at=raw.received_at,
            facts={"note_no": item.note.note_no, "seq": raw.seq},
            kiosk_id=raw.kiosk_id,
            unit_id=item.unit_id,
            raw_event_id=raw.id,
            suspense=item,
            amount_fen=item.amount_fen,
        )


class _Slip(msgspec.Struct):
    receipt_no: str = ""


def _name_the_slip(fold: Fold) -> None:
    """The cases of a visit's notes, and of its money if the payment never settled, get the number by which its payer asks."""
    raw = fold.raw
    try:
        number = msgspec.json.decode(bytes(raw.body), type=_Slip).receipt_no[:32].replace("\0", "")
    except events.UNREADABLE:
        return
    told = raw.journal.history().filter(payment_id=raw.payment_id) if raw.payment_id else ()
    about = Q(kind="branch_note", raw_event__in=told)
    if payment_id := read_uuid(raw.payment_id):
        about |= Q(kind="unidentified_cash", payment_id=payment_id, kiosk_id=raw.kiosk_id)
    for case in Case.objects.filter(about, project_id=fold.project_id):
        case.facts["receipt_no"] = number
        case.save(update_fields=["facts"])


def _whose(fold: Fold) -> uuid.UUID | None:
    """The household that the visit was opened for, if the kiosk said so and we know it."""
    raw = fold.raw
    visit = raw.journal.history().filter(payment_id=raw.payment_id, kind="payment.opened", seq__lt=raw.seq)
    told = visit.order_by("seq").first() if raw.payment_id else None
    try:
        opened = events.decode(bytes(told.body)) if told else None
    except events.UnknownEvent:
        return None
    unit_id = read_uuid(opened.unit_id) if isinstance(opened, events.PaymentOpened) else None
    known = Unit.objects.filter(project_id=fold.project_id, id=unit_id).values_list("id", flat=True)
    return known.first() if unit_id else None
