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

_IN_THE_BOX = (Note.State.CREDITED, Note.State.SUSPENSE)
_FINAL = (*_IN_THE_BOX, Note.State.RETURNED)
_LARGEST_FACE_FEN = 10_000


def escrow(fold: Fold, event: NoteEscrow) -> None:
    _move(fold, _note(fold, event, Note.State.ESCROW), Note.State.ESCROW, event.face_fen)


def intent(fold: Fold, event: NoteAcceptIntent) -> None:
    _move(fold, _note(fold, event, Note.State.INTENT), Note.State.INTENT, event.face_fen)


def credited(fold: Fold, event: NoteCredited) -> None:
    note = _note(fold, event, Note.State.CREDITED)
    if note.state == Note.State.UNKNOWN:
        _forget_claim(fold, note, "credited")
    note.recovered = (event.recovered or "")[:16]
    _move(fold, note, Note.State.CREDITED, event.face_fen)
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
    _move(fold, note, Note.State.RETURNED, event.face_fen)


def unknown(fold: Fold, event: NoteUnknown) -> None:
    note = _note(fold, event, Note.State.UNKNOWN)
    if note.state == Note.State.UNKNOWN:
        if note.suspense.filter(kind=SuspenseItem.Kind.NOTE_UNKNOWN).exists():
            raise Quarantined("ratchet")
        _forget_claim(fold, note, "told again, readably")
    note.claim_no = event.claim_no[:32]
    _move(fold, note, Note.State.UNKNOWN, _plausible(event.face_fen) or note.face_fen)
    item = _suspense(fold, note, SuspenseItem.Kind.NOTE_UNKNOWN, note.face_fen, event.reason)
    open_case(
        fold.project_id,
        "note_unknown",
        note.id,
        at=fold.raw.received_at,
        facts={"claim_no": event.claim_no, "reason": event.reason, "evidence_lost_by": event.evidence_lost_by},
        payment=note.payment,
        kiosk_id=fold.raw.kiosk_id,
        suspense=item,
        amount_fen=note.face_fen,
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
    face = _plausible(told.face_fen) or note.face_fen
    sure = fold.raw.kind == "note.credited" and face is not None
    if note.state in _IN_THE_BOX or (note.state == Note.State.UNKNOWN and not sure):
        return None  # it counts in the box already
    if note.state == Note.State.UNKNOWN:
        _forget_claim(fold, note, "credited, unreadably")
    note.acceptor_serial = told.acceptor_serial[:40].replace("\0", "")
    _move(fold, note, Note.State.SUSPENSE if sure else Note.State.UNKNOWN, face)
    if sure:
        _post_credit(fold, note)
    return _suspense(fold, note, SuspenseItem.Kind.UNREADABLE, face, "the event could not be understood")


def _plausible(face_fen: int | None) -> int | None:
    """A face that a note can have, else None: nobody knows it."""
    return face_fen if face_fen and 0 < face_fen <= _LARGEST_FACE_FEN else None


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
            state=Note.State.ESCROW,
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


def _move(fold: Fold, note: Note, to: str, face_fen: int | None) -> None:
    """Bring a note to a state and a face, and the box along with it: nothing else changes either of the three."""
    _into_box(fold, note, -1)
    note.state, note.face_fen = to, face_fen
    note.seq, note.at = fold.raw.seq, fold.raw.corrected_at
    note.save()
    _into_box(fold, note, 1)


def _into_box(fold: Fold, note: Note, by: int) -> None:
    """Count a note into its kiosk's box, or out of it; one that is in no box changes nothing."""
    if note.state in _IN_THE_BOX:
        counted = {"confirmed": F("confirmed") + by}
    elif note.state == Note.State.UNKNOWN:
        counted = {"unknown": F("unknown") + by}
    else:
        return
    face_fen = note.face_fen or 0
    face_id = derived_id(fold.raw.kiosk_id, "face", face_fen)
    CashBoxFace.objects.get_or_create(
        id=face_id,
        defaults={"project_id": fold.project_id, "kiosk_id": fold.raw.kiosk_id, "face_fen": face_fen},
    )
    CashBoxFace.objects.filter(id=face_id).update(**counted)


def _forget_claim(fold: Fold, note: Note, found: str) -> None:
    """The kiosk found out after all: the note's claim is answered."""
    for item in note.suspense.filter(state=SuspenseItem.State.OPEN):
        item.state, item.reason = SuspenseItem.State.RESOLVED, found
        item.save(update_fields=["state", "reason"])
        item.cases.filter(state="open").update(
            state="closed", closed_at=fold.raw.received_at, close_reason=f"the kiosk found out: {found}"
        )


def _suspense(fold: Fold, note: Note, kind: str, amount_fen: int | None, reason: str) -> SuspenseItem:
    return SuspenseItem.objects.create(
        id=derived_id(note.id, "suspense", fold.raw.seq),
        project_id=fold.project_id,
        kiosk_id=fold.raw.kiosk_id,
        payment=note.payment,
        note=note,
        unit_id=note.payment.unit_id if note.payment else None,
        kind=kind,
        claim_no=note.claim_no,
        amount_fen=amount_fen,
        reason=reason[:80],
        at=fold.raw.corrected_at,
    )


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
