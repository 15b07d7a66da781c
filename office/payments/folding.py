"""One raw event into payments, notes, box, alarms and books. Idempotent: the stream's cursor calls it once per event,
in order, and a rebuild calls it again for every event, with the same outcome.

An event that this office cannot understand, or that contradicts what came before, is quarantined: stored, acknowledged and
shown to staff, and it never holds up the events behind it. So is every event of a journal's branch.
Source: journal-and-upload sections 3 and 7.
"""

import logging
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import QuerySet

from kiosk.domain import events
from kiosk.domain.events import AnyEvent, UnknownEvent
from office.kiosks import fold_devices
from office.kiosks.models import Journal, RawEvent
from office.ledger.models import Stream
from office.payments import fold_branches, fold_notes, fold_payments, fold_successor
from office.payments.cases import open_case
from office.payments.fold import Fold, Known, Quarantined

log = logging.getLogger("office.folding")


def fold_events(stream: Stream, pending: QuerySet[RawEvent], limit: int) -> int:
    """Fold the next events of a locked stream, in order, and note on each whether it was understood; how many there were."""
    events = list(pending.prefetch_related("kiosk__project", "journal").order_by("ingest_no")[:limit])
    known, folded = Known(), []
    for raw in events:
        fold = Fold(stream, raw, known)
        if raw.journal.branch_of_id:
            known.forget()
            _quarantine(fold, fold_branches.CODE, fold_branches.set_aside)
        elif code := _why_not(fold, _into_the_books):
            known.forget()
            _quarantine(fold, code, partial(_tell_staff, code=code))
        else:
            folded.append(raw.id)
        stream.folded_no = raw.ingest_no
    RawEvent.objects.filter(id__in=folded).update(state=RawEvent.State.FOLDED, reject_code="")
    for journal_id, seq in {raw.journal_id: raw.seq for raw in events}.items():
        Journal.objects.filter(id=journal_id).update(posted_seq=seq)
    return len(events)


def _why_not(fold: Fold, act: Callable[[Fold], None]) -> str:
    """Empty when the act is done, else why it can't be; what it had half done is undone."""
    try:
        with transaction.atomic():
            act(fold)
    except Quarantined as refused:
        return refused.code
    except (IntegrityError, DataError):
        log.exception("event_does_not_fit ingest_no=%s kind=%s", fold.raw.ingest_no, fold.raw.kind)
        return "does_not_fit"
    except DatabaseError:
        raise  # the database is in trouble, not the event: the whole chunk is tried again later
    except Exception:
        log.exception("event_not_folded ingest_no=%s kind=%s", fold.raw.ingest_no, fold.raw.kind)
        return "fold_error"
    return ""


def _into_the_books(fold: Fold) -> None:
    _dispatch(fold, _understood(fold.raw))


def _understood(raw: RawEvent) -> AnyEvent:
    try:
        event = events.decode(bytes(raw.body))
    except UnknownEvent as unknown:
        raise Quarantined("unknown_kind" if raw.kind not in events.KINDS else "schema") from unknown
    if events.kind_of(event) != raw.kind or event.v != raw.v or (events.payment_of(event) or "") != raw.payment_id:
        raise Quarantined("header_mismatch")
    return event


def _dispatch(fold: Fold, event: AnyEvent) -> None:
    match event:
        case events.PaymentOpened():
            fold_payments.opened(fold, event)
        case events.PaymentCancelled():
            fold_payments.cancelled(fold, event)
        case events.PaymentSettled() | events.PaymentPartial():
            fold_payments.settled(fold, event)
        case events.ReceiptPrinted() | events.ReceiptFailed() | events.ReceiptDeclined():
            fold_payments.slip(fold, event)
        case events.NoteEscrow():
            fold_notes.escrow(fold, event)
        case events.NoteAcceptIntent():
            fold_notes.intent(fold, event)
        case events.NoteCredited():
            fold_notes.credited(fold, event)
        case events.NoteReturned():
            fold_notes.returned(fold, event)
        case events.NoteUnknown():
            fold_notes.unknown(fold, event)
        case events.JournalGenesis():
            fold_devices.genesis(fold, event)
            fold_successor.take_over(fold, event)
        case events.CashboxRemoved():
            fold_devices.cashbox_removed(fold, event)
        case events.CashboxReplaced():
            fold_devices.cashbox_replaced(fold, event)
        case events.AcceptorCounted():
            fold_devices.counted(fold, event)
        case events.DeviceFault():
            fold_devices.fault(fold, event)
        case events.DeviceFaultCleared():
            fold_devices.fault_cleared(fold, event)
        case _:
            pass  # agent, screen, clock and checkpoint events tell nothing about money; the raw row keeps them


def _quarantine(fold: Fold, code: str, follows: Callable[[Fold], None]) -> None:
    """Set the event aside and do what follows for staff. When that fails too, no case says so, and ``office verify`` does."""
    code = _why_not(fold, follows) or code
    log.warning("event_quarantined ingest_no=%s kind=%s code=%s", fold.raw.ingest_no, fold.raw.kind, code)
    RawEvent.objects.filter(id=fold.raw.id).update(state=RawEvent.State.QUARANTINED, reject_code=code)


def _tell_staff(fold: Fold, code: str) -> None:
    """A case, and the note's money as suspense if the event was about a note; a note that went back is open no more, and neither is
    a payment of which nothing more can be known."""
    if (fold.raw.kind, code) == ("note.returned", "schema"):
        fold_notes.answer_unreadable(fold)
    if code == "schema":
        fold_payments.end_unreadably(fold)
    suspense = fold_notes.count_unreadable(fold, "the event could not be understood")
    open_case(
        fold.project_id,
        "unreadable_event",
        fold.raw.id,
        at=fold.raw.received_at,
        facts={"code": code, "kind": fold.raw.kind, "seq": fold.raw.seq},
        kiosk_id=fold.raw.kiosk_id,
        raw_event_id=fold.raw.id,
        suspense=suspense,
        amount_fen=suspense.amount_fen if suspense else None,
    )
