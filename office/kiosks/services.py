"""Uploads and heartbeats as the API calls them."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kiosk.domain.backlog import is_behind
from office.kiosks import contacts, ingest, own_alarms
from office.kiosks.models import Journal, Kiosk, KioskStatus, RawEvent
from office.kiosks.presence import saw
from office.kiosks.rules import BEHIND, DISK_LOW
from office.ledger import stream as books
from office.payments.models import Payment
from office.property.models import Project
from office.rows import derived_id, read_uuid

FOLD_BUDGET_S = 1.5  # the screen waits two seconds for 已入账
MAX_OUTCOMES = 100  # in one answer; a kiosk that was told nothing for that long has nobody waiting
STATUS_AGE_S = 150  # an unchanged status is written again after this long, well before the kiosk counts as late


@dataclass(frozen=True)
class Outcome:
    """What became of one payment."""

    payment_id: str
    state: str  # booked, exception
    receipt_no: str


@dataclass(frozen=True)
class Taken:
    """The answer to an upload."""

    ack_seq: int
    ack_hash: bytes
    posted_seq: int
    outcomes: list[Outcome]
    rejected: list[tuple[int, str]]
    config_version: int


@dataclass(frozen=True)
class Heard:
    """The answer to a heartbeat: how far the office is with the journal it names; None when it holds nothing of it."""

    ack_seq: int | None
    posted_seq: int
    outcomes: list[Outcome]


def take(
    kiosk: Kiosk,
    journal_id: str,
    batch: ingest.Batch,
    nonce: str,
    now: datetime.datetime | None = None,
    *,
    told_seq: int | None = None,
) -> Taken:
    """Store a batch durably, fold as far as the time allows, and say how far both came. ``told_seq`` is the last
    ``posted_seq`` that reached the kiosk. A full batch is one of a backlog: nobody stands before the kiosk and waits for
    it, so it is stored and left for the folding in the background. What comes behind a backlog can't be in the books in
    time either; it takes along one chunk of it.

    Raises:
        ingest.Conflict, ingest.Replayed, ingest.NotYours: nothing was stored.
    """
    now = now or timezone.now()
    saw(kiosk.id, now)
    ingest.store(kiosk, journal_id, batch, nonce, now)
    if len(batch.events) < ingest.MAX_EVENTS:
        books.fold(kiosk.project_id, 0 if books.is_behind(kiosk.project_id) else FOLD_BUDGET_S)
    journal = Journal.trunks.get(project_id=kiosk.project_id, journal_id=journal_id)
    return Taken(
        ack_seq=journal.high_seq,
        ack_hash=bytes(journal.head_hash),
        posted_seq=journal.posted_seq,
        outcomes=_outcomes(journal, told_seq, {event.header.payment_id for event in batch.events} - {""}),
        rejected=_rejected(journal, batch),
        config_version=Project.objects.values_list("config_version", flat=True).get(id=kiosk.project_id),
    )


def _outcomes(journal: Journal, told_seq: int | None, asked: set[str]) -> list[Outcome]:
    """Folded payments that the kiosk asks for, or that were folded since it was last told; the latest of them."""
    wanted = Q(id__in=[known for known in map(read_uuid, asked) if known])
    if told_seq is not None:
        wanted |= Q(settled_seq__gt=told_seq)
    ended = Payment.objects.filter(
        wanted,
        project_id=journal.project_id,
        journal=journal,
        settled_seq__lte=journal.posted_seq,
        state__in=(Payment.State.BOOKED, Payment.State.EXCEPTION),
    )
    rows = ended.order_by("-settled_seq").values_list("id", "state", "receipt_no")[:MAX_OUTCOMES]
    return [Outcome(str(payment_id), state, receipt_no) for payment_id, state, receipt_no in reversed(rows)]


def _rejected(journal: Journal, batch: ingest.Batch) -> list[tuple[int, str]]:
    rows = RawEvent.objects.filter(
        project_id=journal.project_id,
        journal=journal,
        seq__gte=batch.first_seq,
        seq__lte=batch.last_seq,
        state=RawEvent.State.QUARANTINED,
    )
    return list(rows.order_by("seq").values_list("seq", "reject_code"))


def heartbeat(kiosk: Kiosk, told: dict[str, Any], now: datetime.datetime) -> Heard:
    """Remember how a kiosk is, raise or clear what it says of its queue and its disk, and say how far its journal is. Writes
    only what changed, and a time that lies ahead since the office's clock was put right."""
    saw(kiosk.id, now)
    sent, told_seq, of_journal = told.pop("sent"), told.pop("posted_seq"), told.pop("journal", "")
    own_alarms.follow(kiosk, _troubles(told, of_journal), now)
    told["clock_skew_ms"] = sent["wall_ms"] - int(now.timestamp() * 1000)
    status = KioskStatus.objects.filter(kiosk=kiosk).first()
    if status is None:
        KioskStatus.objects.get_or_create(
            id=derived_id(kiosk.id, "status"),
            defaults={"project_id": kiosk.project_id, "kiosk": kiosk, "seen_at": now, **told},
        )
    elif _news(status, told) or not 0 <= (now - status.seen_at).total_seconds() < STATUS_AGE_S:
        for name, value in told.items():
            setattr(status, name, value)
        status.seen_at = now
        with transaction.atomic():
            status.save()
    journal = Journal.trunks.filter(kiosk=kiosk, journal_id=told["journal_id"]).first()
    if journal is None:
        return Heard(None, 0, [])
    contacts.note(journal, sent["boot_id"], sent["mono_ms"], now)
    fresh = told_seq is not None and told_seq < journal.posted_seq
    return Heard(journal.high_seq, journal.posted_seq, _outcomes(journal, told_seq, set()) if fresh else [])


def _troubles(told: dict[str, Any], of_journal: str) -> dict[str, str | None]:
    """The detail of each alarm that a heartbeat asks for; None where there is no trouble."""
    behind = is_behind(told.get("unsent", 0), told.get("oldest_unsent_s"))
    free_mb = told.get("disk_free_mb")
    room = "" if free_mb is None else f"{free_mb} MB"
    return {BEHIND: "" if behind else None, DISK_LOW: room if of_journal == DISK_LOW else None}


_DRIFTS = ("oldest_unsent_s", "clock_skew_ms", "disk_free_mb")  # change all the time and mean nothing by it


def _news(status: KioskStatus, told: dict[str, Any]) -> bool:
    return any(getattr(status, name) != value for name, value in told.items() if name not in _DRIFTS)
