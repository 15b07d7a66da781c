"""What people decided about something that the kiosk's records answer by themselves, now that a later program folds them: an older
one could not read an entry, or did not draw today's conclusion. What they decided stays on record and moves nothing, but for
money that they gave: it left the office, or somebody else has it, and 1901 and a case say so.
"""

import logging

from office.ledger.models import OfficeCommand, Stream
from office.payments.cases import open_case
from office.payments.claim_closing import is_paid
from office.payments.models import Note, Payment, Resolution, SuspenseItem
from office.rows import derived_id

log = logging.getLogger("office.overtaken")

WHY = "overtaken: as this program reads the kiosk's records, it was answered before"


def told(command: OfficeCommand) -> None:
    """Say in the log that a command found nothing to do any more."""
    log.warning("command_overtaken ingest_no=%s kind=%s", command.ingest_no, command.kind)


def lost_item(stream: Stream, command: OfficeCommand) -> SuspenseItem:
    """Stands for the item of a proposal that is none any more, so that the proposal is kept."""
    return _answered(stream, command, command.body["suspense_id"], command.body["amount_fen"])


def given_beside(stream: Stream, command: OfficeCommand, resolution: Resolution) -> SuspenseItem | None:
    """The item for which a confirmed proposal gives its money all the same, as for a note that nobody found; None where it gives
    none, or the household has the money by the records already: then the proposal is cancelled."""
    told(command)
    note, payment = _asked_about(resolution.suspense)
    is_credit = resolution.outcome == Resolution.Outcome.CREDIT
    is_theirs = payment is not None and payment.unit_id == resolution.unit_id and not payment.suspense_fen
    if resolution.outcome == Resolution.Outcome.NOT_RECEIVED or (
        is_credit and is_theirs and (note is None or is_paid(note))
    ):
        resolution.state, resolution.closed_at, resolution.close_reason = Resolution.State.CANCELLED, command.at, WHY
        resolution.save()
        return None
    kiosk_id = note.kiosk_id if note else payment.kiosk_id if payment else resolution.suspense.kiosk_id
    open_case(
        stream.project_id,
        "claim_overtaken",
        resolution.id,
        at=command.at,
        facts={"outcome": resolution.outcome},
        payment=payment,
        kiosk_id=kiosk_id,
        unit_id=resolution.unit_id,
        amount_fen=resolution.amount_fen,
    )
    item = _answered(stream, command, derived_id(resolution.id, "given"), resolution.amount_fen)
    item.kiosk_id, item.unit_id = kiosk_id, resolution.unit_id
    return item


def _answered(stream: Stream, command: OfficeCommand, item_id: object, amount_fen: int) -> SuspenseItem:
    """An item that stands in no account, has no note, and is closed."""
    return SuspenseItem.objects.create(
        id=item_id,
        project_id=stream.project_id,
        kind=SuspenseItem.Kind.NOTE_UNKNOWN,
        state=SuspenseItem.State.RESOLVED,
        amount_fen=amount_fen,
        reason="overtaken",
        at=command.at,
        closed_at=command.at,
    )


def _asked_about(item: SuspenseItem) -> tuple[Note | None, Payment | None]:
    """The note and the payment that an item was about, also when today's records give no such item: its id tells."""
    if item.note is not None or item.payment is not None:
        return item.note, item.payment
    here = {"project_id": item.project_id}
    for note_id, seq in Note.objects.filter(**here).values_list("id", "seq").iterator():
        if derived_id(note_id, "suspense", seq) == item.id:
            note = Note.objects.select_related("payment").get(id=note_id)
            return note, note.payment
    for payment_id in Payment.objects.filter(**here).values_list("id", flat=True).iterator():
        if derived_id(payment_id, "suspense") == item.id:
            return None, Payment.objects.get(id=payment_id)
    return None, None
