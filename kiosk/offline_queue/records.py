"""What the journal hands out: entries as stored, and payments and notes as the events so far make them."""

import msgspec

from kiosk.domain.chain import Header
from kiosk.domain.events import AnyEvent, PaymentOpened, PaymentPartial, PaymentSettled, decode


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One journal entry: the exact bytes that are hashed and uploaded, and what stands beside them."""

    seq: int
    header: Header
    body: bytes
    hash: bytes

    @property
    def event(self) -> AnyEvent:
        """The body as a value.

        Raises:
            UnknownEvent: written by a newer program.
        """
        return decode(self.body)


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """What the office holds durably (``ack_*``) and has folded into its books."""

    ack_seq: int
    ack_hash: bytes
    posted_seq: int


class NoteRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One note (纸币) and where it is: escrow, intent, credited, returned or unknown."""

    note_no: int
    payment_id: str | None
    face_fen: int | None
    state: str
    acceptor_serial: str
    channel: int | None = None
    claim_no: str | None = None


class PaymentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One payment with its notes, in note order. ``state`` is open, settled, partial or cancelled."""

    opened: PaymentOpened
    opened_seq: int
    state: str
    notes: tuple[NoteRecord, ...] = ()
    settlement: PaymentSettled | PaymentPartial | None = None
    settlement_seq: int | None = None

    @property
    def credited_fen(self) -> int:
        return sum(note.face_fen or 0 for note in self.notes if note.state == "credited")
