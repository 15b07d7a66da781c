"""What pages show about kiosks. Read only; every function is given the project and looks at nothing else."""

import datetime
from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet, Sum
from django.utils import timezone

from office.kiosks.models import AcceptorCounter, Alarm, CashBoxFace, Journal, Kiosk, KioskStatus, RawEvent
from office.kiosks.presence import last_seen
from office.kiosks.rules import Health, health
from office.ledger.models import Posting
from office.ledger.rules import CASH_IN_KIOSK
from office.payments.models import Note, Payment
from office.property.models import Project
from office.property.services import business_date

SEVERITIES = list(Alarm.Severity)  # from the least to the worst


@dataclass(frozen=True)
class FaceRow:
    """Notes of one face in a box; ``face_fen`` 0 is an unknown note whose face nobody knows."""

    face_fen: int
    confirmed: int
    unknown: int

    @property
    def confirmed_fen(self) -> int:
        return self.face_fen * self.confirmed


@dataclass(frozen=True)
class Box:
    """What must be in a kiosk's box: confirmed … confirmed + unknown."""

    faces: tuple[FaceRow, ...]
    capacity_notes: int
    largest_face_fen: int = 10_000

    @property
    def notes(self) -> int:
        return sum(row.confirmed for row in self.faces)

    @property
    def unknown_notes(self) -> int:
        return sum(row.unknown for row in self.faces)

    @property
    def low_fen(self) -> int:
        return sum(row.confirmed_fen for row in self.faces)

    @property
    def high_fen(self) -> int:
        """A note of unknown face counts as the largest one."""
        return self.low_fen + sum((row.face_fen or self.largest_face_fen) * row.unknown for row in self.faces)

    @property
    def fill_bp(self) -> int:
        """Notes by capacity, in basis points."""
        return 10_000 * (self.notes + self.unknown_notes) // max(1, self.capacity_notes)


@dataclass(frozen=True)
class KioskCard:
    """One kiosk as Today and the list of kiosks show it."""

    kiosk: Kiosk
    health: Health
    status: KioskStatus | None
    seen_at: datetime.datetime | None
    silent_s: float | None
    trouble: Alarm | None  # the worst of its open alarms
    box: Box
    today_fen: int = 0
    today_count: int = 0


@dataclass(frozen=True)
class JournalRow:
    """A journal and what of it is stored, folded and quarantined; "connected" is not "healthy" (JU section 7). Of a branch
    everything is in quarantine, so that its number says nothing and is 0."""

    journal: Journal
    quarantined: int
    pending: int


@dataclass(frozen=True)
class KioskPage:
    """Everything on the page of one kiosk."""

    card: KioskCard
    ledger_fen: int  # balance of 1009.K; equal to box.low_fen, or something is off
    unknown_notes: QuerySet[Note]
    counters: tuple[AcceptorCounter, ...]
    journals: tuple[JournalRow, ...]
    alarms: QuerySet[Alarm]  # open and recent, newest first
    payments: QuerySet[Payment]  # newest first
    events: list[RawEvent] = field(default_factory=list)  # newest first


def box_of(kiosk: Kiosk) -> Box:
    """The expected contents by face, largest first."""
    rows = CashBoxFace.objects.filter(project_id=kiosk.project_id, kiosk=kiosk).order_by("-face_fen")
    return Box(tuple(FaceRow(row.face_fen, row.confirmed, row.unknown) for row in rows), kiosk.box_capacity_notes)


def kiosk_cards(project: Project, now: datetime.datetime | None = None) -> list[KioskCard]:
    """All kiosks of a project, by code, with their health and today's takings."""
    now = now or timezone.now()
    kiosks = Kiosk.objects.filter(project=project).select_related("status")
    taken, troubles = takings_by_kiosk(project, now), _troubles(project)
    return [
        _card(kiosk, now, troubles.get(kiosk.id), *taken.get(kiosk.id, (0, 0))) for kiosk in kiosks.order_by("code")
    ]


def _troubles(project: Project) -> dict[object, Alarm]:
    """The worst open alarm by kiosk id, the newest of equals."""
    found = Alarm.objects.filter(project=project, cleared_at=None).order_by("raised_at")
    return {alarm.kiosk_id: alarm for alarm in sorted(found, key=lambda alarm: SEVERITIES.index(alarm.severity))}


def takings_by_kiosk(project: Project, now: datetime.datetime) -> dict[object, tuple[int, int]]:
    """Today's settled payments: fen and count by kiosk id."""
    rows = settled_on(project, business_date(now, project.zone)).values("kiosk_id")
    summed = rows.annotate(fen=Sum("amount_fen"), count=Count("id")).order_by("kiosk_id")
    return {row["kiosk_id"]: (row["fen"], row["count"]) for row in summed}


def settled_on(project: Project, day: datetime.date) -> QuerySet[Payment]:
    """Payments with money whose corrected time lies on a local day of the project."""
    start = datetime.datetime.combine(day, datetime.time.min, tzinfo=project.zone)
    return Payment.objects.filter(
        project=project,
        state__in=(Payment.State.BOOKED, Payment.State.EXCEPTION),
        paid_at__gte=start,
        paid_at__lt=start + datetime.timedelta(days=1),
    )


def kiosk_page(project: Project, code: str, now: datetime.datetime | None = None) -> KioskPage | None:
    """The page of one kiosk; None when the project has no such kiosk."""
    now = now or timezone.now()
    kiosk = Kiosk.objects.filter(project=project, code=code).select_related("status").first()
    if kiosk is None:
        return None
    cash = Posting.objects.filter(project=project, kiosk=kiosk, account__code=CASH_IN_KIOSK)
    events = RawEvent.objects.filter(project=project, kiosk=kiosk).order_by("-ingest_no")[:40]
    return KioskPage(
        card=_card(kiosk, now, _troubles(project).get(kiosk.id), *takings_by_kiosk(project, now).get(kiosk.id, (0, 0))),
        ledger_fen=cash.aggregate(sum=Sum("amount_fen"))["sum"] or 0,
        unknown_notes=Note.objects.filter(project=project, kiosk=kiosk, state=Note.State.UNKNOWN).order_by("at"),
        counters=tuple(AcceptorCounter.objects.filter(project=project, kiosk=kiosk)),
        journals=tuple(_journal_row(journal) for journal in kiosk.journals.order_by("-started_at", "first_seq", "id")),
        alarms=Alarm.objects.filter(project=project, kiosk=kiosk).order_by(
            F("cleared_at").desc(nulls_first=True), "-raised_at"
        ),
        payments=Payment.objects.filter(project=project, kiosk=kiosk).select_related("unit").order_by("-ingest_no"),
        events=list(events),
    )


def open_alarms(project: Project) -> QuerySet[Alarm]:
    """Alarms that still stand, the unacknowledged first, then newest first."""
    rows = Alarm.objects.filter(project=project, cleared_at=None).select_related("kiosk", "acknowledged_by")
    return rows.order_by(F("acknowledged_at").asc(nulls_first=True), "-raised_at")


def _card(kiosk: Kiosk, now: datetime.datetime, trouble: Alarm | None, today_fen: int, today_count: int) -> KioskCard:
    status = getattr(kiosk, "status", None)
    seen_at = last_seen(kiosk.id, status, now)
    silent_s = (now - seen_at).total_seconds() if seen_at else None
    severity, unsent = trouble.severity if trouble else "", status.unsent if status else 0
    word = health(state=kiosk.state, silent_s=silent_s, severity=severity, unsent=unsent)
    return KioskCard(kiosk, word, status, seen_at, silent_s, trouble, box_of(kiosk), today_fen, today_count)


def _journal_row(journal: Journal) -> JournalRow:
    aside = 0 if journal.branch_of_id else journal.events.filter(state=RawEvent.State.QUARANTINED).count()
    return JournalRow(journal, aside, journal.pending)
