"""What pages show about money: today's figures, the list of uploads, one payment with the kiosk's own events, a unit."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Case as Choice
from django.db.models import Count, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet, Sum, When
from django.utils import timezone

from kiosk.domain import chain
from kiosk.domain.billing import BillOwed
from office.billing.models import Bill
from office.billing.wire import domain_bill, open_bills
from office.kiosks.models import Alarm, RawEvent
from office.kiosks.selectors import KioskCard, kiosk_cards, open_alarms, settled_on
from office.ledger.models import Posting
from office.payments import fold_branches
from office.payments.models import Case, Payment, PrepaidEntry, SuspenseItem
from office.property.models import Project, Unit
from office.property.services import business_date

PAGE = 50


@dataclass(frozen=True)
class CaseGroup:
    """Open cases of one kind: the row of "needs a decision"."""

    kind: str
    count: int
    amount_fen: int | None
    oldest_at: datetime.datetime
    owner_role: str
    late: int  # how many are past their time


@dataclass(frozen=True)
class Today:
    """The figures of the Today page."""

    day: datetime.date
    as_of: datetime.datetime
    received_fen: int
    received_count: int
    week_ago_fen: int  # the same weekday a week earlier, up to the same time of day
    to_prepaid_fen: int
    cases: tuple[CaseGroup, ...]
    open_cases: int
    late_cases: int
    oldest_case_at: datetime.datetime | None
    kiosks: tuple[KioskCard, ...]
    boxes_fen: int  # confirmed cash in all boxes
    alarms: tuple[Alarm, ...]
    unacknowledged: int
    unsent: int  # events that kiosks say they still hold
    quarantined: int
    latest: tuple[Payment, ...]


def today(project: Project, now: datetime.datetime | None = None) -> Today:
    """Everything Today shows, in about a dozen queries; cheap enough for every second."""
    now = now or timezone.now()
    day = business_date(now, project.zone)
    sums = settled_on(project, day).aggregate(fen=Sum("amount_fen"), count=Count("id"), prepaid=Sum("prepaid_fen"))
    week = datetime.timedelta(days=7)
    before = settled_on(project, day - week).filter(paid_at__lte=now - week).aggregate(fen=Sum("amount_fen"))
    cases, cards, alarms = case_groups(project, now), kiosk_cards(project, now), tuple(open_alarms(project))
    newest = Payment.objects.filter(project=project, settled_seq__isnull=False).select_related("unit", "kiosk")
    return Today(
        day=day,
        as_of=now,
        received_fen=sums["fen"] or 0,
        received_count=sums["count"],
        week_ago_fen=before["fen"] or 0,
        to_prepaid_fen=sums["prepaid"] or 0,
        cases=cases,
        open_cases=sum(group.count for group in cases),
        late_cases=sum(group.late for group in cases),
        oldest_case_at=min((group.oldest_at for group in cases), default=None),
        kiosks=tuple(cards),
        boxes_fen=sum(card.box.low_fen for card in cards),
        alarms=alarms,
        unacknowledged=sum(1 for alarm in alarms if alarm.acknowledged_at is None),
        unsent=sum(card.status.unsent for card in cards if card.status),
        quarantined=RawEvent.objects.filter(project=project, state=RawEvent.State.QUARANTINED)
        .exclude(reject_code=fold_branches.CODE)
        .count(),
        latest=tuple(newest.exclude(state=Payment.State.CANCELLED).order_by("-ingest_no")[:8]),
    )


def case_groups(project: Project, now: datetime.datetime) -> tuple[CaseGroup, ...]:
    """Open cases by kind, the one that waits longest first."""
    rows = (
        Case.objects.filter(project=project, state=Case.State.OPEN)
        .values("kind", "owner_role")
        .annotate(
            count=Count("id"),
            fen=Sum("amount_fen"),
            oldest=Min("opened_at"),
            late=Count("id", filter=Q(due_at__lt=now)),
        )
        .order_by("oldest")
    )
    return tuple(
        CaseGroup(row["kind"], row["count"], row["fen"], row["oldest"], row["owner_role"], row["late"]) for row in rows
    )


@dataclass(frozen=True)
class UploadFilter:
    """Filters of the uploads list; empty means all. ``state``: exception, suspense, queried, disputed, booked, open."""

    state: str = ""
    kiosk_code: str = ""
    case_kind: str = ""
    since: datetime.date | None = None  # arrival, local days, inclusive
    until: datetime.date | None = None
    from_fen: int | None = None
    to_fen: int | None = None
    text: str = ""  # unit code or receipt number


@dataclass(frozen=True)
class Uploads:
    """One page of uploads: what needs a decision first and longest wait first, then the rest, newest first."""

    rows: tuple[Payment, ...]
    total: int
    total_fen: int
    counts: dict[str, int]  # by state of the tabs, over the whole project
    next_offset: int | None


_TABS: dict[str, Q] = {
    "exception": Q(state=Payment.State.EXCEPTION, suspense_fen=0, review__in=("none", "accepted")),
    "suspense": Q(state=Payment.State.EXCEPTION, suspense_fen__gt=0, review__in=("none", "accepted")),
    "queried": Q(review=Payment.Review.QUERIED),
    "disputed": Q(review=Payment.Review.DISPUTED),
    "booked": Q(state=Payment.State.BOOKED, review__in=("none", "accepted")),
    "open": Q(state=Payment.State.OPEN),
}


def shown_state(payment: Payment) -> str:
    """The one word a list shows for a payment: its tab, or ``cancelled``."""
    if payment.state in (Payment.State.OPEN, Payment.State.CANCELLED):
        return payment.state
    if payment.review in (Payment.Review.QUERIED, Payment.Review.DISPUTED):
        return payment.review
    if payment.state == Payment.State.EXCEPTION:
        return "suspense" if payment.suspense_fen else "exception"
    return "booked"


def uploads(project: Project, chosen: UploadFilter, offset: int = 0, limit: int = PAGE) -> Uploads:
    """A page of the uploads list; cancelled payments, which took nothing, are left out."""
    everything = Payment.objects.filter(project=project).exclude(state=Payment.State.CANCELLED)
    rows = _filtered(project, everything, chosen)
    sums = rows.aggregate(count=Count("id", distinct=True), fen=Sum("amount_fen"))
    decided = ~Exists(Case.objects.filter(payment=OuterRef("pk"), state=Case.State.OPEN))
    open_cases = Prefetch("cases", Case.objects.filter(state=Case.State.OPEN), to_attr="open_cases")
    ordered = (
        rows.annotate(decided=decided)
        .select_related("unit", "kiosk")
        .prefetch_related(open_cases)
        .order_by("decided", Choice(When(decided=False, then=F("ingest_no")), default=-F("ingest_no")))
    )
    page = tuple(ordered[offset : offset + limit])
    counts = everything.aggregate(**{tab: Count("id", filter=tab_is) for tab, tab_is in _TABS.items()})
    counts["all"] = everything.count()
    more = offset + len(page) < sums["count"]
    return Uploads(page, sums["count"], sums["fen"] or 0, counts, offset + len(page) if more else None)


def _filtered(project: Project, rows: QuerySet[Payment], chosen: UploadFilter) -> QuerySet[Payment]:
    if chosen.state in _TABS:
        rows = rows.filter(_TABS[chosen.state])
    if chosen.kiosk_code:
        rows = rows.filter(kiosk__code=chosen.kiosk_code)
    if chosen.case_kind:
        rows = rows.filter(
            Q(id__in=Case.objects.filter(project=project, kind=chosen.case_kind, state="open").values("payment"))
        )
    if chosen.since:
        rows = rows.filter(received_at__gte=_midnight(project, chosen.since))
    if chosen.until:
        rows = rows.filter(received_at__lt=_midnight(project, chosen.until + datetime.timedelta(days=1)))
    if chosen.from_fen is not None:
        rows = rows.filter(amount_fen__gte=chosen.from_fen)
    if chosen.to_fen is not None:
        rows = rows.filter(amount_fen__lte=chosen.to_fen)
    if chosen.text:
        rows = rows.filter(Q(unit__code=chosen.text) | Q(receipt_no__iexact=chosen.text))
    return rows


def _midnight(project: Project, day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, tzinfo=project.zone)


@dataclass(frozen=True)
class ShownEvent:
    """One raw event of a kiosk as the payment page shows it; ``linked`` says whether its hash follows from its bytes."""

    raw: RawEvent
    body: str
    prev_hash: str
    hash: str
    linked: bool


@dataclass(frozen=True)
class NetLine:
    """One account's net of everything a payment posted: debit positive."""

    account_code: str
    account_name: str
    account_name_en: str
    amount_fen: int
    bill: Bill | None


@dataclass(frozen=True)
class PaymentPage:
    """One payment with everything that explains it."""

    payment: Payment
    state: str
    allocations: tuple  # of payments.models.Allocation, with bill and fee_item
    prepaid: tuple[PrepaidEntry, ...]
    notes: tuple  # of payments.models.Note
    faces: dict[int, int]  # credited notes by face, largest first
    suspense: tuple[SuspenseItem, ...]
    cases: tuple[Case, ...]
    reviews: tuple
    ledger: tuple[NetLine, ...]
    events: tuple[ShownEvent, ...]


def payment_page(project: Project, payment_id: uuid.UUID) -> PaymentPage | None:
    """A payment of this project with its raw events; None when there is none."""
    found = Payment.objects.filter(project=project, id=payment_id)
    payment = found.select_related("unit", "kiosk", "journal").first()
    if payment is None:
        return None
    notes = tuple(payment.notes.order_by("note_no"))
    credited = sorted((note.face_fen for note in notes if note.state == "credited"), reverse=True)
    allocations = payment.allocations.select_related("bill__fee_item", "bill__late_rule", "bill__unit")
    return PaymentPage(
        payment=payment,
        state=shown_state(payment),
        allocations=tuple(allocations.order_by("n")),
        prepaid=tuple(payment.prepaid_entries.all()),
        notes=notes,
        faces={face: credited.count(face) for face in dict.fromkeys(credited)},
        suspense=tuple(payment.suspense.all()),
        cases=tuple(payment.cases.select_related("owner", "closed_by")),
        reviews=tuple(payment.reviews.select_related("by")),
        ledger=_net_lines(payment),
        events=_events_of(payment),
    )


def _net_lines(payment: Payment) -> tuple[NetLine, ...]:
    net: dict[tuple, int] = {}
    rows = Posting.objects.filter(entry__payment=payment).select_related("account", "bill__fee_item")
    for row in rows.order_by("account__code", "entry__ingest_no", "n"):
        key = (row.account.code, row.account.name, row.account.name_en, row.bill)
        net[key] = net.get(key, 0) + row.amount_fen
    return tuple(NetLine(*key[:3], amount, key[3]) for key, amount in net.items() if amount)


def _events_of(payment: Payment) -> tuple[ShownEvent, ...]:
    rows = RawEvent.objects.filter(
        project_id=payment.project_id, journal_id=payment.journal_id, payment_id=str(payment.id)
    )
    events = list(rows.order_by("seq"))
    before = {row.seq: bytes(row.hash) for row in RawEvent.objects.filter(
        project_id=payment.project_id, journal_id=payment.journal_id, seq__in=[event.seq - 1 for event in events]
    )}  # fmt: skip
    return tuple(_shown(payment, raw, before.get(raw.seq - 1, chain.GENESIS_PREV)) for raw in events)


def _shown(payment: Payment, raw: RawEvent, prev: bytes) -> ShownEvent:
    journal_id = payment.journal.journal_id if payment.journal else ""
    linked = entry_hash(journal_id, raw, prev) == bytes(raw.hash)
    return ShownEvent(raw, bytes(raw.body).decode("utf-8", "replace"), prev.hex(), bytes(raw.hash).hex(), linked)


def entry_hash(journal_id: str, raw: RawEvent, prev: bytes) -> bytes:
    """The hash an entry must have, from its stored parts."""
    header = chain.Header(
        payment_id=raw.payment_id,
        kind=raw.kind,
        v=raw.v,
        boot_id=raw.boot_id,
        mono_ms=raw.mono_ms,
        wall_ms=raw.wall_ms,
        clock=raw.clock,
    )
    # Whoever changes a row by hand may leave text where bytes belong; that is a finding, not a failure.
    body = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body)
    return chain.entry_hash(journal_id, raw.seq, header, body, prev)


@dataclass(frozen=True)
class UnitPage:
    """One unit: what it owes today, what it paid, who lives there."""

    unit: Unit
    as_of: datetime.date
    open_bills: tuple[tuple[Bill, BillOwed], ...]
    closed_bills: tuple[Bill, ...]
    open_fen: int
    overdue_count: int
    payments: tuple[Payment, ...]
    prepaid: tuple[PrepaidEntry, ...]
    occupancies: tuple
    cases: tuple[Case, ...]


def unit_page(project: Project, code: str, now: datetime.datetime | None = None) -> UnitPage | None:
    """The page of one unit by its code (3-1-502); None when the project has no such unit."""
    unit = Unit.objects.filter(project=project, code=code).select_related("building", "entrance").first()
    if unit is None:
        return None
    as_of = business_date(now or timezone.now(), project.zone)
    owed = tuple((bill, domain_bill(bill, as_of).owed_on(as_of)) for bill in open_bills(project.id, [unit.id]))
    closed = Bill.objects.filter(project=project, unit=unit).exclude(status__in=(*Bill.OPEN, Bill.Status.DRAFT))
    return UnitPage(
        unit=unit,
        as_of=as_of,
        open_bills=owed,
        closed_bills=tuple(closed.select_related("fee_item").order_by("-due_on")[:60]),
        open_fen=sum(item.outstanding for _, item in owed),
        overdue_count=sum(1 for _, item in owed if item.overdue),
        payments=tuple(unit.payments.exclude(state="cancelled").select_related("kiosk").order_by("-ingest_no")[:60]),
        prepaid=tuple(unit.prepaid_entries.order_by("-ingest_no")[:60]),
        occupancies=tuple(unit.occupancies.select_related("party").order_by("-since")),
        cases=tuple(unit.cases.filter(state=Case.State.OPEN)),
    )


def find_units(project: Project, text: str, limit: int = 20) -> list[Unit]:
    """Units whose code begins with a text, or whose people's name is exactly it."""
    by_code = Q(code__startswith=text) | Q(occupancies__party__name=text)
    return list(Unit.objects.filter(by_code, project=project, gone=False).distinct()[:limit])


def cases(project: Project, *, state: str = "open", kind: str = "", owner: object = None) -> QuerySet[Case]:
    """Cases, longest wait first."""
    rows = Case.objects.filter(project=project, state=state)
    rows = rows.filter(kind=kind) if kind else rows
    rows = rows.filter(owner=owner) if owner else rows
    return rows.select_related("payment", "kiosk", "unit", "owner", "suspense", "bill__fee_item").order_by(
        "opened_at", "id"
    )
