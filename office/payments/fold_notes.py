"""Notes: from escrow to credited, returned or unknown, each note in exactly one place.

Monotonic: a credited or returned note never changes again. ``credited`` alone is money; ``unknown`` widens the range of
the box and gives the payer a claim. Source: journal-and-upload section 3.1, decisions 12 and 13.
"""

import datetime
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import msgspec
from django.db.models import Q

from kiosk.domain.events import UNREADABLE, NoteAcceptIntent, NoteCredited, NoteEscrow, NoteReturned, NoteUnknown
from office.kiosks.models import RawEvent
from office.ledger.posting import Entry
from office.ledger.rules import DIFFERENCE, SUSPENSE, note_credited
from office.payments.boxes import IN_THE_BOX, move
from office.payments.cases import open_case
from office.payments.claim_closing import close_item, credit, look_again, settled_by_people
from office.payments.fold import Fold, Quarantined
from office.payments.fold_payments import new_payment
from office.payments.models import Note, Payment, SuspenseItem
from office.property.models import Unit
from office.rows import derived_id, read_uuid

ON_ITS_WAY = (Note.State.ESCROW, Note.State.INTENT)
_FINAL = (*IN_THE_BOX, Note.State.RETURNED)
_CLAIMED = (Note.State.UNKNOWN, Note.State.NOT_KEPT)  # only evidence moves it on
_LARGEST_FACE_FEN = 10_000


def escrow(fold: Fold, event: NoteEscrow) -> None:
    _move(fold, _note(fold, event, Note.State.ESCROW), Note.State.ESCROW, event.face_fen)


def intent(fold: Fold, event: NoteAcceptIntent) -> None:
    _move(fold, _note(fold, event, Note.State.INTENT), Note.State.INTENT, event.face_fen)


def credited(fold: Fold, event: NoteCredited) -> None:
    note = _note(fold, event, Note.State.CREDITED)
    is_given = _given_by_people(note)
    claim = _forget_claim(fold, note, SuspenseItem.Outcome.FOUND)
    note.recovered = (event.recovered or "")[:16]
    _move(fold, note, Note.State.CREDITED, event.face_fen)
    _post_credit(fold, note, is_given)
    if is_given:
        return  # the payer has it already
    payment = note.payment
    if payment is None or payment.state != Payment.State.OPEN:
        if claim is not None and payment is not None and payment.unit is not None:
            _pay_claim(fold, claim, payment, payment.unit, event.face_fen)
        else:
            _unidentified(fold, note, SuspenseItem.Kind.UNIDENTIFIED, "credited after its payment was over")
        return
    payment.amount_fen += event.face_fen
    payment.received_at = fold.raw.received_at
    payment.save(update_fields=["amount_fen", "received_at"])


@dataclass(frozen=True)
class _Proof:
    """The kiosk's own word that ends a claim: a claim_closing.Cause."""

    ingest_no: int
    at: datetime.datetime


def _pay_claim(fold: Fold, claim: SuspenseItem, payment: Payment, unit: Unit, face_fen: int) -> None:
    """A claim that the kiosk itself answered is paid as a count of the box pays it: nobody needs to decide anything."""
    claim.payment = payment
    claim.kind = SuspenseItem.Kind.UNIDENTIFIED  # known to be in the box, so it stands in 2241.s
    claim.save(update_fields=["kind"])
    credit(fold.stream, _Proof(fold.raw.ingest_no, fold.raw.received_at), claim, unit, face_fen)
    look_again(payment)


def returned(fold: Fold, event: NoteReturned) -> None:
    _went_back(fold, _note(fold, event, Note.State.RETURNED), event.face_fen)


def _went_back(fold: Fold, note: Note, face_fen: int | None) -> None:
    is_given = _given_by_people(note)
    _forget_claim(fold, note, SuspenseItem.Outcome.RETURNED)
    _move(fold, note, Note.State.RETURNED, face_fen)
    if is_given:
        _case(fold, note, "claim_contradicted", {"note_no": note.note_no, "found": "returned"})


def unknown(fold: Fold, event: NoteUnknown) -> None:
    note = _note(fold, event, Note.State.UNKNOWN)
    if note.state == Note.State.UNKNOWN:
        if note.suspense.filter(kind=SuspenseItem.Kind.NOTE_UNKNOWN).exists() or settled_by_people(note):
            raise Quarantined("ratchet")
        _forget_claim(fold, note, "")
    note.claim_no = event.claim_no[:32]
    _move(fold, note, Note.State.UNKNOWN, _plausible(event.face_fen) or note.face_fen)
    item = _suspense(fold, note, SuspenseItem.Kind.NOTE_UNKNOWN, note.face_fen, event.reason)
    told = {"claim_no": event.claim_no, "reason": event.reason, "evidence_lost_by": event.evidence_lost_by}
    _case(fold, note, "note_unknown", told, item)


def claim_without_end(fold: Fold, note: Note) -> None:
    """A note under way in a journal that tells no more: it may be in the box, and nobody but people will say so."""
    move(note, Note.State.UNKNOWN, note.face_fen)
    item = _suspense(fold, note, SuspenseItem.Kind.NOTE_UNKNOWN, note.face_fen, "journal_replaced", at=note.at)
    _case(fold, note, "note_unknown", {"claim_no": "", "reason": item.reason}, item)


class _Readable(msgspec.Struct):
    """The little that a quarantined event must tell so that its note is not lost from the box."""

    note_no: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
    face_fen: int | None = None
    claim_no: str = ""
    acceptor_serial: str = ""


def count_unreadable(fold: Fold, reason: str) -> SuspenseItem | None:
    """A quarantined event about a note that is, or may be, in the box still counts there, as suspense (decisions 12)."""
    if fold.raw.kind not in ("note.credited", "note.unknown"):
        return None
    try:
        told = msgspec.json.decode(bytes(fold.raw.body), type=_Readable)
    except UNREADABLE:
        told = _Readable(note_no=-fold.raw.seq)  # no number we can read: one of our own, never a kiosk's
    note, _ = Note.objects.get_or_create(
        id=note_id(fold.raw, told.note_no),
        defaults={
            "project_id": fold.project_id,
            "kiosk_id": fold.raw.kiosk_id,
            "journal_id": fold.raw.journal_id,
            "note_no": told.note_no,
            "state": Note.State.ESCROW,
            "first_seq": fold.raw.seq,
            "seq": fold.raw.seq,
            "at": fold.raw.corrected_at,
        },
    )
    face = _plausible(told.face_fen) or note.face_fen
    sure = fold.raw.kind == "note.credited" and face is not None
    if note.state in IN_THE_BOX or (note.state == Note.State.UNKNOWN and not sure):
        _number(note, told)
        return None  # it counts in the box already
    is_given = _given_by_people(note)
    _forget_claim(fold, note, SuspenseItem.Outcome.FOUND)
    note.acceptor_serial = told.acceptor_serial[:40].replace("\0", "")
    note.claim_no = told.claim_no[:32].replace("\0", "") or note.claim_no
    _move(fold, note, Note.State.SUSPENSE if sure else Note.State.UNKNOWN, face)
    if sure:
        _post_credit(fold, note, is_given)
    if is_given:
        return None
    return _suspense(fold, note, SuspenseItem.Kind.UNREADABLE, face, reason)


def _number(note: Note, told: _Readable) -> None:
    """A claim that began without a number gets the one by which its payer asks."""
    number = told.claim_no[:32].replace("\0", "")
    if number and not note.claim_no:
        note.claim_no = number
        note.save(update_fields=["claim_no"])
        note.suspense.filter(claim_no="").update(claim_no=number)


def answer_unreadable(fold: Fold) -> None:
    """A quarantined event that a note went back ends its way into the box, or the claim that one like it began; it has no say about
    others' notes."""
    with suppress(*UNREADABLE):
        told = msgspec.json.decode(bytes(fold.raw.body), type=_Readable)
        own = Note.objects.filter(journal_id=fold.raw.journal_id, project_id=fold.project_id, note_no=told.note_no)
        if note := own.filter(state__in=(*ON_ITS_WAY, *_CLAIMED)).first():
            _went_back(fold, note, note.face_fen)


def _plausible(face_fen: int | None) -> int | None:
    """A face that a note can have, else None: nobody knows it."""
    return face_fen if face_fen and 0 < face_fen <= _LARGEST_FACE_FEN else None


def note_id(raw: RawEvent, note_no: int) -> uuid.UUID:
    """The id of the one record of a note that an event tells of.

    Numbers count in each journal anew, and so in a branch: two boxes have both used them. But a note of a visit that both
    histories tell is one note. It was in the machine when they parted (a program that starts takes no other note in a visit that it
    finds), or somebody made a file's hashes again. A number of our own, below 0, stands for one event: it is no other history's.
    """
    child = raw.journal
    while note_no >= 0 and (parent := child.branch_of):
        known = {"project_id": raw.project_id, "journal": parent}
        visit = RawEvent.objects.filter(**known, payment_id=raw.payment_id, ingest_no__lt=raw.ingest_no)
        if raw.payment_id and visit.exists():
            of_visit = Q(payment=None) | Q(payment_id=read_uuid(raw.payment_id))
            if Note.objects.filter(of_visit, **known, note_no=note_no).exists():
                return derived_id(parent.id, "note", note_no)
        child = parent
    return derived_id(raw.journal_id, "note", note_no)


def _note(
    fold: Fold, event: NoteEscrow | NoteAcceptIntent | NoteCredited | NoteReturned | NoteUnknown, to: str
) -> Note:
    """The note's one record, which may still move on.

    Raises:
        Quarantined: the note's fate is settled already.
    """
    note = fold.known.note(derived_id(fold.raw.journal_id, "note", event.note_no))
    if note is None:
        note = Note(
            id=derived_id(fold.raw.journal_id, "note", event.note_no),
            project_id=fold.project_id,
            kiosk_id=fold.raw.kiosk_id,
            journal_id=fold.raw.journal_id,
            payment=_payment(fold, event.payment_id) if event.payment_id else None,
            note_no=event.note_no,
            face_fen=event.face_fen,
            state=Note.State.ESCROW,
            acceptor_serial=event.acceptor_serial[:40],
            first_seq=fold.raw.seq,
            seq=fold.raw.seq,
            at=fold.raw.corrected_at,
        )
        fold.known.notes[note.id] = note
    backwards = note.state == Note.State.INTENT and to == Note.State.ESCROW
    unsettles = note.state in _CLAIMED and to in (Note.State.ESCROW, Note.State.INTENT)
    again = note.state == Note.State.NOT_KEPT and to == Note.State.UNKNOWN
    if note.state in _FINAL or backwards or unsettles or again:
        raise Quarantined("ratchet")
    return note


def _payment(fold: Fold, payment_id: str) -> Payment:
    return fold.payment(payment_id) or new_payment(fold, payment_id)


def _given_by_people(note: Note) -> bool:
    """Whether the payer has its money already. Asked before the note moves: one on its way has never had a claim."""
    return note.state not in ON_ITS_WAY and settled_by_people(note)


def _post_credit(fold: Fold, note: Note, is_given: bool) -> None:
    """The note is in the box. Its other side is money to be placed, or what people gave the payer before it was found."""
    unit_id = note.payment.unit_id if note.payment else None
    against = DIFFERENCE if is_given else SUSPENSE
    lines = note_credited(note.face_fen, note.kiosk_id, unit_id, against)
    fold.post(Entry("note_credited", "note", note.id, fold.date, lines, payment_id=note.payment_id))


def _move(fold: Fold, note: Note, to: str, face_fen: int | None) -> None:
    note.seq, note.at = fold.raw.seq, fold.raw.corrected_at
    move(note, to, face_fen)


def _forget_claim(fold: Fold, note: Note, found: str) -> SuspenseItem | None:
    """The kiosk found out after all, or tells it again so that it can be read: what is open about the note is answered.

    Returns the claim of these, if there was one.
    """
    if note.state in ON_ITS_WAY:
        return None
    claim = None
    for item in note.suspense.filter(state=SuspenseItem.State.OPEN):
        item.reason = f"the kiosk told: {found or 'the same, readably'}"
        close_item(item, found, at=fold.raw.received_at, why=item.reason)
        claim = item if item.kind == SuspenseItem.Kind.NOTE_UNKNOWN else claim
    return claim


def _suspense(
    fold: Fold,
    note: Note,
    kind: str,
    amount_fen: int | None,
    reason: str,
    *,
    at: datetime.datetime | None = None,
) -> SuspenseItem:
    """``at``: when the note was in the machine, if that was not when the event was written."""
    # A note that another history tells of, too: histories number their entries alike, so the number alone names no event.
    others = () if fold.raw.journal_id == note.journal_id else (fold.raw.journal_id,)
    return SuspenseItem.objects.create(
        id=derived_id(note.id, "suspense", *others, fold.raw.seq),
        project_id=fold.project_id,
        kiosk_id=fold.raw.kiosk_id,
        payment=note.payment,
        note=note,
        unit_id=note.payment.unit_id if note.payment else None,
        kind=kind,
        claim_no=note.claim_no,
        amount_fen=amount_fen,
        reason=reason[:80],
        at=at or fold.raw.corrected_at,
    )


def _unidentified(fold: Fold, note: Note, kind: str, reason: str) -> None:
    item = _suspense(fold, note, kind, note.face_fen, reason)
    _case(fold, note, "unidentified_cash", {"note_no": note.note_no, "reason": reason}, item)


def _case(fold: Fold, note: Note, kind: str, facts: dict[str, object], item: SuspenseItem | None = None) -> None:
    open_case(
        fold.project_id,
        kind,
        note.id,
        at=fold.raw.received_at,
        facts=facts,
        payment=note.payment,
        kiosk_id=fold.raw.kiosk_id,
        suspense=item,
        amount_fen=note.face_fen,
    )
