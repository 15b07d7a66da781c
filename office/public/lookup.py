"""A number and a check code from a slip to what became of the money. Read only.

A check code names one journal entry, the settlement that the slip prints: its sequence number and the first 8 hex digits
of its hash (``kiosk.domain.chain.check_code``). The office holds that entry verbatim, so it answers from the bytes the kiosk
wrote, also before they are folded or when they could not be. Whatever is wrong with a question (no such kiosk, no such entry,
another hash, another number), two queries are made, one hash is compared and one body is read, and the answer is None. (Only
a wrong claim number beside a right check code costs a third: who has the code has the slip.)
"""

import datetime
import hmac
import re
import unicodedata
import uuid
from dataclasses import dataclass

import msgspec
from django.db.models import Q, QuerySet, Sum

from kiosk.domain.chain import check_code
from kiosk.domain.events import UNREADABLE, NoteUnknown, PaymentPartial, PaymentSettled, UnknownEvent, decode
from kiosk.domain.receipt import Outcome
from office.kiosks.models import Journal, RawEvent
from office.kiosks.when import When, when
from office.payments.boxes import IN_THE_BOX
from office.payments.claim_closing import GIVEN_BY_PEOPLE, is_paid
from office.payments.fold_branches import CODE as BRANCH
from office.payments.fold_notes import note_id
from office.payments.models import Case, Note, Payment, SuspenseItem
from office.property.models import Project
from office.public.around import Around, around, digest
from office.rows import read_uuid

# Kinds of open cases that mean: it is not yet clear where this money belongs, or whether it is there.
BEING_CHECKED = ("note_unknown", "note_count_mismatch", "amount_mismatch", "unidentified_cash", "unknown_unit")
SETTLEMENTS = (PaymentSettled.__struct_config__.tag, PaymentPartial.__struct_config__.tag)

_NUMBER = re.compile(r"([^\W_]{1,16})-Q?\d{6,15}", re.IGNORECASE)
_CHECK = re.compile(r"(\d{1,15})-?([0-9a-f]{8})")
_DASHES = str.maketrans("‐‑‒–—−", "------")
_MISREAD = str.maketrans("oil", "011")  # hex has none of these letters


@dataclass(frozen=True)
class Question:
    """What a person typed or scanned, in the form the slip prints it."""

    kiosk_code: str
    number: str
    seq: int
    check: str

    @property
    def is_claim(self) -> bool:
        return "-Q" in self.number


_NOTHING = Question("", "", 0, "0-00000000")  # asked in place of what can't be a number: no entry has seq 0


def read_question(number: str, check: str) -> Question:
    """Read both fields, forgiving spaces, letter case, full-width digits and a missing dash."""
    plain = _NUMBER.fullmatch(typed := _plain(number))
    code = _CHECK.fullmatch(_plain(check).lower().translate(_MISREAD))
    if not plain or not code:
        return _NOTHING
    return Question(plain.group(1), typed.upper(), int(code.group(1)), f"{int(code.group(1))}-{code.group(2)}")


def _plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text[:64]).translate(_DASHES))


@dataclass(frozen=True)
class ClaimState:
    """One note whose fate was unclear when the slip was printed. ``found``: empty while it is being checked."""

    claim_no: str
    face_fen: int | None
    since: datetime.datetime
    found: str  # "", in_box, counted (in the box, and part of the payment), returned, credited, refunded, not_received, closed


@dataclass(frozen=True)
class Found:
    """What became of one payment. No name, no room, nothing the slip does not say."""

    outcome: Outcome
    number: str  # as the slip prints it
    project: Project
    kiosk_code: str
    amount_fen: int
    refunded_fen: int
    paid: When
    checked_since: datetime.datetime | None  # since when something is being checked
    claims: tuple[ClaimState, ...]
    around: Around

    @property
    def booked_fen(self) -> int:
        """What is in the books of what the kiosk took and the office found; what went back in hand is not."""
        return self.amount_fen - self.refunded_fen

    @property
    def nothing_taken(self) -> bool:
        """Every note of it was found not to be there: nothing is in the books, and nothing was given back at the desk."""
        return self.outcome is Outcome.BOOKED and not self.amount_fen and not self.refunded_fen

    @property
    def asked(self) -> ClaimState | None:
        """The claim whose number the person asks about."""
        return next((claim for claim in self.claims if claim.claim_no == self.number), None)

    @property
    def open_claims(self) -> int:
        return sum(1 for claim in self.claims if not claim.found)


class _Told(msgspec.Struct):
    """The little of a settlement that is read here, also from a version this office does not know."""

    receipt_no: str = ""
    received_fen: int = 0


def find(question: Question) -> Found | None:
    """The payment whose slip carries this number and this check code; None whatever is wrong."""
    journals = {journal.id: journal for journal in list(_journals(question.kiosk_code)) or [_DECOY.journal]}
    # Named one by one, so that the index of project, journal and sequence number finds the row; unordered for the same reason.
    rows = RawEvent.objects.filter(
        project_id__in={journal.project_id for journal in journals.values()},
        journal_id__in=list(journals),
        seq=question.seq,
    ).order_by()
    answer = None
    for raw in list(rows) or [_DECOY]:
        raw.journal = journals.get(raw.journal_id, _DECOY.journal)  # known already: no query of its own
        same = hmac.compare_digest(check_code(raw.seq, digest(raw.hash)), question.check)
        told = _told(raw)
        if same and raw is not _DECOY and raw.kind in SETTLEMENTS:
            answer = answer or _answer(question, raw, told)
    return answer


def _journals(kiosk_code: str) -> QuerySet[Journal]:
    """All journals that kiosks of this code ever had."""
    spellings = {kiosk_code, kiosk_code.upper(), kiosk_code.lower()}
    return Journal.objects.filter(kiosk__code__in=spellings).select_related("kiosk", "project")


def _told(raw: RawEvent) -> _Told:
    try:
        return msgspec.json.decode(bytes(raw.body), type=_Told)
    except UNREADABLE:
        return _Told()


def _answer(question: Question, raw: RawEvent, told: _Told) -> Found | None:
    if not question.is_claim and told.receipt_no.upper() != question.number:
        return None
    claims = _claims(raw)
    numbers = [told.receipt_no, *(claim.claim_no for claim in claims)]
    number = next((known for known in numbers if known.upper() == question.number), "")
    if not number:
        return None
    payment = Payment.objects.filter(id=read_uuid(raw.payment_id), project_id=raw.project_id).first()
    since = _checked_since(raw, claims)
    placed = _placed_by_people(raw, told, payment) if raw.journal.branch_of_id else _booked(raw, payment)
    if placed == _NONE_OF_IT and told.received_fen:
        placed, since = None, since or raw.received_at  # the slip says otherwise, whoever closed the cases
    outcome = Outcome.ACCEPTED if placed is None else Outcome.BOOKED
    return Found(
        outcome=outcome if since is None else Outcome.PROCESSING,
        number=number,
        project=raw.journal.project,
        kiosk_code=raw.journal.kiosk.code,
        amount_fen=told.received_fen if placed is None else placed.amount_fen,
        refunded_fen=placed.refunded_fen if placed else payment.refunded_fen if payment else 0,
        paid=when(raw),
        checked_since=since,
        claims=claims,
        around=around(raw),
    )


@dataclass(frozen=True)
class _Placed:
    """Where the books have a payment's money: what of it was received, and how much of that went back in hand."""

    amount_fen: int
    refunded_fen: int


_NONE_OF_IT = _Placed(0, 0)


def _booked(raw: RawEvent, payment: Payment | None) -> _Placed | None:
    """None while the settlement is not in the books. A note that turned up later counts as received before people have placed it,
    and so does one that could not be read."""
    if payment is None or payment.settled_seq != raw.seq:
        return None
    alone = SuspenseItem.objects.filter(_of_lone_note(raw, "note__"), payment=None)
    waiting = SuspenseItem.objects.filter(state=SuspenseItem.State.OPEN, note__state__in=IN_THE_BOX)
    waits_fen = _sum_fen(waiting.filter(Q(payment=payment) | Q(id__in=alone.values("id"))))
    refunded_fen = _sum_fen(alone.filter(outcome=SuspenseItem.Outcome.REFUNDED))
    given_fen = refunded_fen + _sum_fen(alone.filter(outcome=SuspenseItem.Outcome.CREDITED))
    return _Placed(payment.amount_fen + waits_fen + given_fen, payment.refunded_fen + refunded_fen)


def _of_lone_note(raw: RawEvent, about: str) -> Q:
    """That something is about a note of the visit that stands beside its payment, because its entries can't be read here."""
    seqs = raw.journal.events.filter(project_id=raw.project_id, payment_id=raw.payment_id).values("seq")
    told = {f"{about}payment": None, f"{about}journal": raw.journal, f"{about}first_seq__in": seqs}
    return Q(**{f"{about}project_id": raw.project_id}, **told)


def _sum_fen(items: QuerySet[SuspenseItem]) -> int:
    return items.aggregate(fen=Sum("amount_fen"))["fen"] or 0


def _placed_by_people(raw: RawEvent, told: _Told, payment: Payment | None) -> _Placed | None:
    """What people did with the notes of a visit on a branch. Only a visit during which the histories parted has a payment."""
    if raw.state == RawEvent.State.STORED or (payment and payment.state == Payment.State.OPEN):
        return None
    visit = raw.journal.history().filter(payment_id=raw.payment_id)
    about = Case.objects.filter(project_id=raw.project_id, kind="branch_note", raw_event__in=visit)
    items = list(SuspenseItem.objects.filter(id__in=about.values("suspense_id")))
    alone = [item for item in items if item.payment_id is None]  # what people gave for others is in their payment
    given = {out: sum(item.amount_fen or 0 for item in alone if item.outcome == out) for out in GIVEN_BY_PEOPLE}
    placed_fen, refunded_fen = sum(given.values()), given[SuspenseItem.Outcome.REFUNDED]
    if payment:
        placed_fen, refunded_fen = placed_fen + payment.amount_fen, refunded_fen + payment.refunded_fen
    is_left = any(item.state == SuspenseItem.State.OPEN for item in items)
    return _Placed(told.received_fen if is_left else placed_fen, refunded_fen)


def _claims(raw: RawEvent) -> tuple[ClaimState, ...]:
    """Every claim of the payment, also one that came up after its settlement, as the kiosk wrote them."""
    rows = (
        raw.journal.history()
        .filter(payment_id=raw.payment_id, kind="note.unknown")
        .order_by("seq")
        .select_related("journal")
    )
    claims = []
    for row in rows if raw.payment_id else ():
        try:
            event = decode(bytes(row.body))
        except UnknownEvent:
            continue
        if isinstance(event, NoteUnknown):
            found = _what_was_found(row, event.note_no)
            claims.append(ClaimState(event.claim_no, event.face_fen, _waits_since(row), found))
    return tuple(claims)


def _waits_since(raw: RawEvent) -> datetime.datetime:
    """From when on a person waits; where only the latest time is known, for certain since then."""
    known = when(raw)
    return known.at if known.is_dated else known.at_the_latest


def _what_was_found(raw: RawEvent, note_no: int) -> str:
    note = Note.objects.filter(id=note_id(raw, note_no)).prefetch_related("suspense").first()
    if note is None:
        return ""
    given = [item.outcome for item in note.suspense.all() if item.outcome in GIVEN_BY_PEOPLE]
    if given:
        return given[0]
    if note.state in (Note.State.CREDITED, Note.State.SUSPENSE):
        return "counted" if is_paid(note) else "in_box"
    if note.state == Note.State.RETURNED:
        return "returned"
    items = note.suspense.all()
    if not items or any(item.state == SuspenseItem.State.OPEN for item in items):
        return ""
    return next((item.outcome for item in items if item.outcome), "closed")


def _checked_since(raw: RawEvent, claims: tuple[ClaimState, ...]) -> datetime.datetime | None:
    """Since when anything about this payment's money is unclear; None when nothing is."""
    visit = raw.journal.history().filter(payment_id=raw.payment_id)
    mine = Q(raw_event__in=visit)
    if payment_id := read_uuid(raw.payment_id):
        mine |= Q(payment_id=payment_id, kind__in=BEING_CHECKED)
        mine |= Q(suspense__payment_id=payment_id)  # also about a note of its that another history tells of
        mine |= _of_lone_note(raw, "suspense__note__")
    cases = Case.objects.filter(mine, project_id=raw.project_id, state=Case.State.OPEN) if raw.payment_id else ()
    times = [claim.since for claim in claims if not claim.found]
    # A claim's own time is when the note was in the machine; its case is opened when the office hears of it.
    times += [case.opened_at for case in cases if case.kind not in ("note_unknown", "journal_branch")]
    if raw.state == RawEvent.State.QUARANTINED and raw.reject_code != BRANCH:
        times.append(raw.received_at)
    return min(times, default=None)


_DECOY = RawEvent(
    journal=Journal(journal_id="", project_id=uuid.UUID(int=0)),
    seq=0,
    body=msgspec.json.encode({"receipt_no": "", "received_fen": 0, "lines": ["x" * 500]}),
    hash=bytes.fromhex("00" * 31 + "01"),
)
