"""A journal that follows a replaced one: what the old one left open it can't tell any more, so people decide on it.

What was wrong with its devices the kiosk tells anew. Money of a payment that was never settled waits in suspense with a case; a note under way may be in the box, and is a claim.
"""

from kiosk.domain.events import JournalGenesis
from office.kiosks import fold_devices
from office.payments.fold import Fold
from office.payments.fold_notes import ON_ITS_WAY, claim_without_end
from office.payments.fold_payments import end_without_settlement
from office.payments.models import Note, Payment

ENDED = "replaced"


def take_over(fold: Fold, event: JournalGenesis) -> None:
    """End what the journal that this one replaces left open."""
    if not event.replaces_journal_id:
        return
    fold_devices.forgotten(fold)
    old = {
        "project_id": fold.project_id,
        "kiosk_id": fold.raw.kiosk_id,
        "journal__journal_id": event.replaces_journal_id,
    }
    for note in Note.objects.filter(**old, state__in=ON_ITS_WAY).select_related("payment").order_by("note_no"):
        claim_without_end(fold, note)
    for payment in Payment.objects.filter(**old, state=Payment.State.OPEN).order_by("opened_seq", "id"):
        end_without_settlement(fold, payment, ENDED, "its settlement never came")
    fold.known.forget()  # it may know the old journal's payments and notes as they were
