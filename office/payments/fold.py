"""What folding one event has at hand."""

import datetime
import uuid
from dataclasses import dataclass, field

from office.kiosks.models import Kiosk, RawEvent
from office.ledger.models import Stream
from office.ledger.posting import Entry, post
from office.payments.models import Note, Payment
from office.property.services import business_date
from office.rows import read_uuid


class Quarantined(Exception):
    """The event can't be folded as it is; ``code`` says why, and it waits for staff."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Known:
    """Payments and notes as the events of one chunk left them, so that the next event of a payment need not read them again.

    True as long as the stream is locked, because nobody else writes them then; forgotten when a fold is undone.
    """

    payments: dict[uuid.UUID, Payment] = field(default_factory=dict)
    notes: dict[uuid.UUID, Note] = field(default_factory=dict)

    def payment(self, payment_id: uuid.UUID) -> Payment | None:
        if payment_id not in self.payments and (found := Payment.objects.filter(id=payment_id).first()):
            self.payments[payment_id] = found
        return self.payments.get(payment_id)

    def note(self, note_id: uuid.UUID) -> Note | None:
        """The note, with the one payment of its that is known here."""
        if note_id not in self.notes and (found := Note.objects.filter(id=note_id).first()):
            found.payment = self.payment(found.payment_id) if found.payment_id else None
            self.notes[note_id] = found
        return self.notes.get(note_id)

    def forget(self) -> None:
        self.payments.clear()
        self.notes.clear()


@dataclass(frozen=True)
class Fold:
    """One event, the locked stream it stands in, and what the events before it left."""

    stream: Stream
    raw: RawEvent
    known: Known

    @property
    def project_id(self) -> uuid.UUID:
        return self.stream.project_id

    @property
    def kiosk(self) -> Kiosk:
        return self.raw.kiosk

    @property
    def date(self) -> datetime.date:
        """The local day of the event, by its corrected time."""
        return business_date(self.raw.corrected_at, self.kiosk.project.zone)

    def post(self, entry: Entry) -> None:
        post(self.project_id, [entry], ingest_no=self.raw.ingest_no, at=self.raw.received_at)

    def payment(self, payment_id: str) -> Payment | None:
        """A payment of this journal; another journal's is none of its business."""
        read = read_uuid(payment_id)
        if read is None:
            raise Quarantined("payment_id")
        found = self.known.payment(read)
        if found and found.journal_id != self.raw.journal_id:
            raise Quarantined("other_journal")
        return found
