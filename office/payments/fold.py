"""What folding one event has at hand."""

import datetime
import uuid
from dataclasses import dataclass

from office.kiosks.models import Kiosk, RawEvent
from office.ledger.models import Stream
from office.ledger.posting import Entry, post
from office.payments.models import Payment
from office.property.services import business_date
from office.rows import read_uuid


class Quarantined(Exception):
    """The event can't be folded as it is; ``code`` says why, and it waits for staff."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Fold:
    """One event and the locked stream it stands in."""

    stream: Stream
    raw: RawEvent

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
        known = read_uuid(payment_id)
        if known is None:
            raise Quarantined("payment_id")
        found = Payment.objects.filter(id=known).first()
        if found and found.journal_id != self.raw.journal_id:
            raise Quarantined("other_journal")
        return found
