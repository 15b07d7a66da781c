"""Exported journals into an office, through the same door as an upload: hashes checked, order kept, folded once."""

import base64
import binascii
import datetime
import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from kiosk.domain import chain, events
from kiosk.domain.http_signature import key_id
from office.kiosks import ingest, key_rolls
from office.kiosks.models import Journal, Kiosk, RawEvent
from office.kiosks.rules import moment
from office.ledger import stream as books
from office.payments.models import Payment
from office.property.models import Project
from office.rows import read_uuid

SETTLEMENTS = ("payment.settled", "payment.partial")
SENT_WITHIN_MS = 3_600_000  # by a kiosk that has contact; far less than what makes an upload late


class NotAJournal(Exception):
    """The lines are no kiosk's journal, or another one than the office holds; nothing was stored."""


@dataclass(frozen=True)
class Export:
    """A kiosk's exported journal, from its first entry on and whole in itself."""

    journal_id: str
    genesis: events.JournalGenesis
    entries: Sequence[ingest.SentEvent]


@dataclass(frozen=True)
class Replayed:
    """What the office holds of a journal afterwards."""

    kiosk_code: str
    project_code: str
    events: int
    quarantined: int
    payments: int


def read(lines: Iterable[dict[str, Any]]) -> Export:
    """An export from its lines.

    Raises:
        NotAJournal: no genesis, or a broken chain.
    """
    journal_id, entries, prev = "", [], chain.GENESIS_PREV
    try:
        for line in lines:
            journal_id, entry = str(line["journal_id"]), _entry(line)
            expected = chain.entry_hash(journal_id, len(entries) + 1, entry.header, entry.body, prev)
            if (entry.seq, entry.hash) != (len(entries) + 1, expected):
                raise NotAJournal(f"entry {len(entries) + 1} is missing or not as it was written")
            entries.append(entry)
            prev = entry.hash
        genesis = events.decode(entries[0].body)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise NotAJournal(f"not an exported journal ({type(error).__name__}: {error})") from error
    if not isinstance(genesis, events.JournalGenesis):
        raise NotAJournal("it does not begin with journal.genesis")
    return Export(journal_id, genesis, entries)


def replay(exports: Sequence[Export], project_code: str | None = None) -> list[Replayed]:
    """Store and fold whole exported journals, what each kiosk sent in the order of its own entries and all together in the
    order of their corrected times, then of the kiosks' codes. Doing it twice changes nothing, and neither does an earlier export
    of a journal beside a later one. A kiosk's key is the one to which its entries lead from the one that the office knows.

    Raises:
        NotAJournal: a conflict with what the office holds already.
    """
    exports = _by_age(_latest(exports))
    kiosks: dict[str, Kiosk] = {}
    for export in reversed(exports):  # an office that knows nothing of a kiosk takes the key of its newest journal
        if export.genesis.kiosk_id not in kiosks:
            kiosks[export.genesis.kiosk_id] = _kiosk(export.genesis, project_code)
    for run in _merged(exports):
        _store(kiosks[run.export.genesis.kiosk_id], run)
    for kiosk_id, kiosk in kiosks.items():
        key_rolls.follow(kiosk.id, _rolls(kiosk_id, exports))
    for project_id in {kiosk.project_id for kiosk in kiosks.values()}:
        books.fold(project_id)
    return [_replayed(kiosks[export.genesis.kiosk_id], export) for export in exports]


def _rolls(kiosk_id: str, exports: Sequence[Export]) -> Iterator[bytes]:
    for export in exports:
        if export.genesis.kiosk_id == kiosk_id:
            yield from (entry.body for entry in export.entries if entry.header.kind == "key.rolled")


def _latest(exports: Sequence[Export]) -> list[Export]:
    """Of exports of one journal the longest, where the others are its beginning: their entries would seem to be sent twice, and
    all of the later ones before them. An export that goes another way stays, and is a conflict."""
    kept: list[Export] = []
    for export in sorted(exports, key=lambda one: len(one.entries), reverse=True):
        if not any(_begins_with(one, export) for one in kept):
            kept.append(export)
    return kept


def _begins_with(one: Export, export: Export) -> bool:
    """Each hash covers all entries before it, so the last one tells."""
    last = export.entries[-1]
    return one.journal_id == export.journal_id and one.entries[last.seq - 1].hash == last.hash


def _replayed(kiosk: Kiosk, export: Export) -> Replayed:
    journal = Journal.trunks.get(project_id=kiosk.project_id, journal_id=export.journal_id)
    quarantined = RawEvent.objects.filter(journal=journal, state=RawEvent.State.QUARANTINED).count()
    ended = Payment.objects.filter(journal=journal, settled_seq__isnull=False).exclude(state=Payment.State.CANCELLED)
    return Replayed(kiosk.code, kiosk.project.code, len(export.entries), quarantined, ended.count())


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


@dataclass(frozen=True)
class Run:
    """Entries as a kiosk may have sent them in one request, and when the office may have had it."""

    export: Export
    entries: Sequence[ingest.SentEvent]
    sent: ingest.Sent | None
    at_ms: float

    @property
    def at(self) -> datetime.datetime:
        """When the kiosk had its time from the office, then or the next time; else now."""
        now = timezone.now()
        return now if self.at_ms == math.inf else min(moment(int(self.at_ms)), now)


def sent_by(export: Export, first_seq: int) -> list[Run]:
    """The requests in which a kiosk may have sent its entries from ``first_seq`` on."""
    return _in_order(list(_runs_of(export, first_seq)))


def _merged(exports: Sequence[Export]) -> Iterator[Run]:
    """The requests of all kiosks in one order, which files and their order do not change."""
    lanes: dict[tuple[str, str], list[Run]] = {}
    for export in _by_age(exports):
        kiosk = (export.genesis.kiosk_code, export.genesis.kiosk_id)
        lanes.setdefault(kiosk, []).extend(_runs_of(export))
    for lane in lanes.values():
        lane[:] = _in_order(lane)
    return heapq.merge(*(lanes[kiosk] for kiosk in sorted(lanes)), key=lambda run: run.at_ms)


def _by_age(exports: Sequence[Export]) -> list[Export]:
    """Each kiosk's journals as one replaced the other."""
    return sorted(exports, key=lambda one: (_age(one, exports), one.journal_id))


def _age(export: Export, exports: Sequence[Export]) -> int:
    """How many of the journals are older ones of the same kiosk, each replaced by the next."""
    by_id = {one.journal_id: one for one in exports}
    age, known = 0, by_id.pop(export.journal_id)
    while known := by_id.pop(known.genesis.replaces_journal_id or "", None):
        age += 1
    return age


def _runs_of(export: Export, first_seq: int = 1) -> Iterator[Run]:
    for entries in _runs(export.entries[first_seq - 1 :]):
        sent = _contact_in(entries)
        yield Run(export, entries, sent, sent.wall_ms if sent else math.inf)


def _in_order(lane: Sequence[Run]) -> list[Run]:
    """What was written without contact came with the next contact, and nothing after what was written later."""
    at_ms, backwards = math.inf, []
    for run in reversed(lane):
        at_ms = min(at_ms, run.at_ms)
        backwards.append(replace(run, at_ms=at_ms))
    return backwards[::-1]


def _runs(entries: Sequence[ingest.SentEvent]) -> Iterator[list[ingest.SentEvent]]:
    """Batches as a kiosk may have sent them: of one boot, and while it had its time from the office up to each payment's end and
    of an hour. An export does not tell when its entries arrived; without that the first of a long boot would seem to have come
    with its last, and a payment before another kiosk's that was earlier."""
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
    if last.clock != "synced":
        return False
    return last.kind in SETTLEMENTS or head.mono_ms - first.mono_ms > SENT_WITHIN_MS


def _contact_in(run: Sequence[ingest.SentEvent]) -> ingest.Sent | None:
    """The last moment of a run at which the kiosk had its time from the office, as if the run had been sent then."""
    told = next((event.header for event in reversed(run) if event.header.clock == "synced"), None)
    return told and ingest.Sent(told.boot_id, told.mono_ms, told.wall_ms)


def _store(kiosk: Kiosk, run: Run) -> None:
    """As if it had arrived when the kiosk had contact."""
    first, last = run.entries[0].seq, run.entries[-1].seq
    prev = run.export.entries[first - 2].hash if first > 1 else chain.GENESIS_PREV
    journal_id = run.export.journal_id
    if first == 1 and not Journal.trunks.filter(journal_id=journal_id).exists():
        leave_until = timezone.now() + datetime.timedelta(hours=1)  # who replays is the leave; beginning uses it up
        Kiosk.objects.filter(id=kiosk.id).update(may_replace_until=leave_until)
    batch = ingest.Batch(first_seq=first, last_seq=last, prev_hash=prev, events=run.entries, sent=run.sent)
    try:
        ingest.store(kiosk, journal_id, batch, now=run.at)
    except ingest.Conflict as conflict:
        words = f"kiosk {kiosk.code}: it does not fit what the office holds ({type(conflict).__name__} {conflict})"
        raise NotAJournal(words) from conflict
    except ingest.NotYours as foreign:
        raise NotAJournal(f"kiosk {kiosk.code}: the office holds this journal as another kiosk's") from foreign


def _kiosk(genesis: events.JournalGenesis, project_code: str | None) -> Kiosk:
    known = Kiosk.objects.filter(id=read_uuid(genesis.kiosk_id)).select_related("project").first()
    if known is not None:
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
