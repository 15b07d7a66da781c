"""An exported journal into an office, through the same door as an upload: hashes checked, order kept, folded once."""

import base64
import binascii
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from kiosk.domain import chain, events
from kiosk.domain.http_signature import key_id
from office.kiosks import ingest
from office.kiosks.models import Journal, Kiosk, RawEvent
from office.kiosks.rules import moment
from office.ledger import stream as books
from office.payments.models import Payment
from office.property.models import Project
from office.rows import read_uuid

SENT_WITHIN_MS = 3_600_000  # by a kiosk that has contact; far less than what makes an upload late


class NotAJournal(Exception):
    """The lines are no kiosk's journal, or another one than the office holds; nothing was stored."""


@dataclass(frozen=True)
class Replayed:
    """What the office holds of the journal afterwards."""

    kiosk_code: str
    project_code: str
    events: int
    quarantined: int
    payments: int


def replay(lines: Sequence[dict[str, Any]], project_code: str | None = None) -> Replayed:
    """Store and fold a whole exported journal; doing it twice changes nothing.

    Raises:
        NotAJournal: no genesis, a broken chain, or a conflict with what the office holds already.
    """
    try:
        journal_id, entries = str(lines[0]["journal_id"]), [_entry(line) for line in lines]
        genesis = events.decode(entries[0].body)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise NotAJournal(f"not an exported journal ({type(error).__name__}: {error})") from error
    if not isinstance(genesis, events.JournalGenesis):
        raise NotAJournal("it does not begin with journal.genesis")
    kiosk = _kiosk(genesis, project_code)
    prev = chain.GENESIS_PREV
    for run in _runs(entries):
        batch = ingest.Batch(
            first_seq=run[0].seq,
            last_seq=run[-1].seq,
            prev_hash=prev,
            events=run,
            sent=_contact_in(run),
        )
        prev = run[-1].hash
        _store(kiosk, journal_id, batch)
    books.fold(kiosk.project_id)
    journal = Journal.objects.get(project_id=kiosk.project_id, journal_id=journal_id)
    quarantined = RawEvent.objects.filter(journal=journal, state=RawEvent.State.QUARANTINED).count()
    ended = Payment.objects.filter(journal=journal, settled_seq__isnull=False).exclude(state=Payment.State.CANCELLED)
    return Replayed(kiosk.code, kiosk.project.code, len(entries), quarantined, ended.count())


def _entry(line: dict[str, Any]) -> ingest.SentEvent:
    header = chain.Header(
        payment_id=str(line["payment_id"] or ""),
        kind=str(line["kind"]),
        v=int(line["v"]),
        boot_id=str(line["boot_id"]),
        mono_ms=int(line["mono_ms"]),
        wall_ms=int(line["wall_ms"]),
        clock=str(line["clock"]),
    )
    return ingest.SentEvent(int(line["seq"]), header, str(line["body"]).encode(), bytes.fromhex(line["hash"]))


def _runs(entries: Sequence[ingest.SentEvent]) -> Iterator[list[ingest.SentEvent]]:
    """Batches as a kiosk may have sent them: of one boot, and of an hour once it had its time from the office. An export does
    not tell when its entries arrived; without the hour the first of a long boot would seem to have come with its last."""
    run: list[ingest.SentEvent] = []
    for entry in entries:
        if run and (len(run) == ingest.MAX_EVENTS or _comes_later(run, entry)):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _comes_later(run: Sequence[ingest.SentEvent], entry: ingest.SentEvent) -> bool:
    first, last, head = run[0].header, run[-1].header, entry.header
    if head.boot_id != last.boot_id:
        return True
    return last.clock == "synced" and head.mono_ms - first.mono_ms > SENT_WITHIN_MS


def _contact_in(run: Sequence[ingest.SentEvent]) -> ingest.Sent | None:
    """The last moment of a run at which the kiosk had its time from the office, as if the run had been sent then."""
    told = next((event.header for event in reversed(run) if event.header.clock == "synced"), None)
    return told and ingest.Sent(told.boot_id, told.mono_ms, told.wall_ms)


def _store(kiosk: Kiosk, journal_id: str, batch: ingest.Batch) -> None:
    """As if it had arrived when the kiosk had its time from the office; else now, and the times are estimates."""
    at = moment(batch.sent.wall_ms) if batch.sent else timezone.now()
    try:
        ingest.store(kiosk, journal_id, batch, now=min(at, timezone.now()))
    except ingest.Conflict as conflict:
        raise NotAJournal(f"it does not fit what the office holds ({type(conflict).__name__} {conflict})") from conflict
    except ingest.NotYours as foreign:
        raise NotAJournal("the office holds this journal as another kiosk's") from foreign


def _kiosk(genesis: events.JournalGenesis, project_code: str | None) -> Kiosk:
    known = Kiosk.objects.filter(id=read_uuid(genesis.kiosk_id)).select_related("project").first()
    if known is not None:
        known.may_replace_until = timezone.now() + datetime.timedelta(hours=1)  # who replays is the leave
        known.save(update_fields=["may_replace_until"])
        return known
    try:
        raw = base64.b64decode(genesis.public_key, validate=True)
    except binascii.Error as error:
        raise NotAJournal("the kiosk's public key is not base64") from error
    return Kiosk.objects.create(
        id=read_uuid(genesis.kiosk_id),
        project=_project(genesis.kiosk_code, project_code),
        code=genesis.kiosk_code,
        public_key=genesis.public_key,
        key_id=key_id(raw),
        software=genesis.software[:40],
        paired_at=datetime.datetime.now(tz=datetime.UTC),
    )


def _project(kiosk_code: str, project_code: str | None) -> Project:
    code = project_code or kiosk_code.rstrip("0123456789") or "REPLAY"
    project, _ = Project.objects.get_or_create(code=code[:8], defaults={"name": code})
    books.open_books(project)
    return project
