"""Notes: from escrow to credited, returned or unknown, each note in exactly one place.

Monotonic: a credited or returned note never changes again. ``credited`` alone is money; ``unknown`` widens the range of
the box and gives the payer a claim. Source: journal-and-upload section 3.1, decisions 12 and 13.
"""

from typing import Annotated

import msgspec
from django.db.models import F

from kiosk.domain.events import NoteAcceptIntent, NoteCredited, NoteEscrow, NoteReturned, NoteUnknown
from office.kiosks.models import CashBoxFace
from office.ledger.posting import Entry
from office.ledger.rules import note_credited
from office.payments.cases import open_case
from office.payments.fold import Fold, Quarantined
from office.payments.models import Note, Payment, SuspenseItem
from office.rows import derived_id

_FINAL = (Note.State.CREDITED, Note.State.RETURNED, Note.State.SUSPENSE)
_LARGEST_FACE_FEN = 10_000


def escrow(fold: Fold, event: NoteEscrow) -> None:
    note = _note(fold, event, Note.State.ESCROW)
    note.state = Note.State.ESCROW
    note.save()


def intent(fold: Fold, event: NoteAcceptIntent) -> None:
    note = _note(fold, event, Note.State.INTENT)
    note.state = Note.State.INTENT
    note.save()


def credited(fold: Fold, event: NoteCredited) -> None:
    note = _note(fold, event, Note.State.CREDITED)
    if note.state == Note.State.UNKNOWN:
        _forget_claim(fold, note, "credited")
    note.state, note.face_fen, note.recovered = Note.State.CREDITED, event.face_fen, (event.recovered or "")[:16]
    note.seq, note.at = fold.raw.seq, fold.raw.corrected_at
    note.save()
    _into_box(fold, event.face_fen, confirmed=1)
    _post_credit(fold, note)
    payment = note.payment
    if payment is None or payment.state != Payment.State.OPEN:
        _unidentified(fold, note, SuspenseItem.Kind.UNIDENTIFIED, "credited after its payment was over")
        return
    payment.amount_fen += event.face_fen
    payment.received_at = fold.raw.received_at
    payment.save(update_fields=["amount_fen", "received_at"])


def returned(fold: Fold, event: NoteReturned) -> None:
    note = _note(fold, event, Note.State.RETURNED)
    if note.state == Note.State.UNKNOWN:
        _forget_claim(fold, note, "returned")
    note.state, note.seq, note.at = Note.State.RETURNED, fold.raw.seq, fold.raw.corrected_at
    note.save()


def unknown(fold: Fold, event: NoteUnknown) -> None:
    note = _note(fold, event, Note.State.UNKNOWN)
    if note.state == Note.State.UNKNOWN and note.claim_no:
        raise Quarantined("ratchet")
    note.state, note.claim_no = Note.State.UNKNOWN, event.claim_no[:32]
    note.seq, note.at = fold.raw.seq, fold.raw.corrected_at
    note.save()
    _into_box(fold, event.face_fen or 0, unknown=1)
    item = _suspense(fold, note, SuspenseItem.Kind.NOTE_UNKNOWN, event.face_fen, event.reason)
    open_case(
        fold.project_id,
        "note_unknown",
        note.id,
        at=fold.raw.received_at,
        facts={"claim_no": event.claim_no, "reason": event.reason, "evidence_lost_by": event.evidence_lost_by},
        payment=note.payment,
        kiosk_id=fold.raw.kiosk_id,
        suspense=item,
        amount_fen=event.face_fen,
    )


class _Readable(msgspec.Struct):
    """The little that a quarantined event must tell so that its note is not lost from the box."""

    note_no: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
    face_fen: int | None = None
    claim_no: str = ""
    acceptor_serial: str = ""


def count_unreadable(fold: Fold) -> SuspenseItem | None:
    """A quarantined event about a note that is, or may be, in the box still counts there, as suspense (decisions 12)."""
    if fold.raw.kind not in ("note.credited", "note.unknown"):
        return None
    try:
        told = msgspec.json.decode(bytes(fold.raw.body), type=_Readable)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = _Readable(note_no=-fold.raw.seq)  # no number we can read: one of our own, never a kiosk's
    note, _ = Note.objects.get_or_create(
        id=_note_id(fold, told.note_no),
        defaults={
            "project_id": fold.project_id,
            "kiosk_id": fold.raw.kiosk_id,
            "journal_id": fold.raw.journal_id,
            "note_no": told.note_no,
            "state": Note.State.ESCROW,
            "seq": fold.raw.seq,
            "at": fold.raw.corrected_at,
        },
    )
    if note.state in (Note.State.CREDITED, Note.State.SUSPENSE):
        return None  # it is in the box already
    face = told.face_fen if told.face_fen and 0 < told.face_fen <= _LARGEST_FACE_FEN else note.face_fen
    note.face_fen, note.acceptor_serial = face, told.acceptor_serial[:40].replace("\0", "")
    sure = fold.raw.kind == "note.credited" and face is not None
    note.state = Note.State.SUSPENSE if sure else Note.State.UNKNOWN
    note.save()
    _into_box(fold, face or 0, **({"confirmed": 1} if sure else {"unknown": 1}))
    if sure:
        _post_credit(fold, note)
    return _suspense(fold, note, SuspenseItem.Kind.UNREADABLE, face, "the event could not be understood")


def _note_id(fold: Fold, note_no: int):
    return derived_id(fold.raw.journal_id, "note", note_no)


def _note(
    fold: Fold, event: NoteEscrow | NoteAcceptIntent | NoteCredited | NoteReturned | NoteUnknown, to: str
) -> Note:
    """The note's one record, which may still move on.

    Raises:
        Quarantined: the note's fate is settled already.
    """
    note = Note.objects.select_related("payment").filter(id=_note_id(fold, event.note_no)).first()
    if note is None:
        return Note(
            id=_note_id(fold, event.note_no),
            project_id=fold.project_id,
            kiosk_id=fold.raw.kiosk_id,
            journal_id=fold.raw.journal_id,
            payment=fold.payment(event.payment_id) if event.payment_id else None,
            note_no=event.note_no,
            face_fen=event.face_fen,
            state=to,
            acceptor_serial=event.acceptor_serial[:40],
            seq=fold.raw.seq,
            at=fold.raw.corrected_at,
        )
    backwards = note.state == Note.State.INTENT and to == Note.State.ESCROW
    unsettles = note.state == Note.State.UNKNOWN and to in (Note.State.ESCROW, Note.State.INTENT)
    if note.state in _FINAL or backwards or unsettles:
        raise Quarantined("ratchet")
    return note


def _post_credit(fold: Fold, note: Note) -> None:
    unit_id = note.payment.unit_id if note.payment else None
    lines = note_credited(note.face_fen, note.kiosk_id, unit_id)
    fold.post(Entry("note_credited", "note", note.id, fold.date, lines, payment_id=note.payment_id))


def _into_box(fold: Fold, face_fen: int, *, confirmed: int = 0, unknown: int = 0) -> None:
    face_id = derived_id(fold.raw.kiosk_id, "face", face_fen)
    CashBoxFace.objects.get_or_create(
        id=face_id,
        defaults={"project_id": fold.project_id, "kiosk_id": fold.raw.kiosk_id, "face_fen": face_fen},
    )
    CashBoxFace.objects.filter(id=face_id).update(confirmed=F("confirmed") + confirmed, unknown=F("unknown") + unknown)


def _forget_claim(fold: Fold, note: Note, found: str) -> None:
    """The kiosk found out after all: the note leaves the unknown ones, its claim is answered."""
    _into_box(fold, note.face_fen or 0, unknown=-1)
    for item in note.suspense.filter(state=SuspenseItem.State.OPEN):
        item.state, item.reason = SuspenseItem.State.RESOLVED, found
        item.save(update_fields=["state", "reason"])
        item.cases.filter(state="open").update(
            state="closed", closed_at=fold.raw.received_at, close_reason=f"the kiosk found out: {found}"
        )


def _suspense(fold: Fold, note: Note, kind: str, amount_fen: int | None, reason: str) -> SuspenseItem:
    item, _ = SuspenseItem.objects.get_or_create(
        id=derived_id(note.id, "suspense", kind),
        defaults={
            "project_id": fold.project_id,
            "kiosk_id": fold.raw.kiosk_id,
            "payment": note.payment,
            "note": note,
            "unit_id": note.payment.unit_id if note.payment else None,
            "kind": kind,
            "claim_no": note.claim_no,
            "amount_fen": amount_fen,
            "reason": reason[:80],
            "at": fold.raw.corrected_at,
        },
    )
    return item


def _unidentified(fold: Fold, note: Note, kind: str, reason: str) -> None:
    item = _suspense(fold, note, kind, note.face_fen, reason)
    open_case(
        fold.project_id,
        "unidentified_cash",
        note.id,
        at=fold.raw.received_at,
        facts={"note_no": note.note_no, "reason": reason},
        payment=note.payment,
        kiosk_id=fold.raw.kiosk_id,
        suspense=item,
        amount_fen=note.face_fen,
    )
