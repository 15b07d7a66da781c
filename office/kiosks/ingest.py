"""Taking in a kiosk's journal: stored verbatim, in order, once. Folding comes after, in its own transactions.

At-least-once delivery, exactly-once effect: the natural key is (journal, seq) with the entry's hash as fingerprint.
Source: journal-and-upload section 4.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from kiosk.domain import chain
from office.kiosks import contacts, new_journals, own_alarms
from office.kiosks.models import Journal, Kiosk, Nonce, RawEvent
from office.kiosks.rules import moment
from office.kiosks.times import Placed
from office.ledger import stream as books
from office.ledger.models import Stream
from office.rows import derived_id, insert_rows, numbered_id

MAX_EVENTS = 500


class Conflict(Exception):
    """The kiosk's journal and the office's copy do not fit together; nothing was stored."""


class Fork(Conflict):
    """Two histories share a sequence number: two devices with one identity, or a journal that was rolled back."""

    alarm = "journal.fork"

    def __init__(self, seq: int, stored_hash: bytes) -> None:
        super().__init__(seq)
        self.seq, self.stored_hash = seq, stored_hash


class Gap(Conflict):
    """Events are missing before these; the kiosk sends again from ``expected_seq``."""

    def __init__(self, expected_seq: int) -> None:
        super().__init__(expected_seq)
        self.expected_seq = expected_seq


class Ahead(Gap):
    """The office holds more of this journal than the kiosk ever wrote: it was restored from an old image."""

    alarm = "journal.ahead"

    def __init__(self, expected_seq: int, head_seq: int) -> None:
        super().__init__(expected_seq)
        self.seq = head_seq  # all that the kiosk has


class NotExpected(Conflict):
    """A new journal of a kiosk that has one, without leave or not as its successor: perhaps a copy of the kiosk."""

    alarm, seq = "journal.unexpected", 1


class BadBatch(Conflict):
    """The batch contradicts itself; ``pointer`` and ``code`` say where and how."""

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{pointer} {code}")
        self.pointer, self.code = pointer, code


class Replayed(Exception):
    """The request's nonce was used before."""


class NotYours(Exception):
    """The journal belongs to another kiosk; for this one it does not exist."""


@dataclass(frozen=True)
class Sent:
    """The kiosk's own times when it sent the request: they give this boot's offset to the office's clock."""

    boot_id: str
    mono_ms: int
    wall_ms: int


class SentEvent(NamedTuple):
    """One event as it travels: its header, the stored bytes of its body, its hash."""

    seq: int
    header: chain.Header
    body: bytes
    hash: bytes


@dataclass(frozen=True)
class Batch:
    """One upload."""

    first_seq: int
    last_seq: int
    prev_hash: bytes
    events: Sequence[SentEvent]
    sent: Sent | None  # None: nobody sent it, so it measures no clock


def store(
    kiosk: Kiosk, journal_id: str, batch: Batch, nonce: str = "", now: datetime.datetime | None = None
) -> Journal:
    """Store what is new of a batch in one durable transaction; the journal as it stands after.

    Raises:
        Fork, Gap, Ahead, NotExpected, BadBatch, Replayed, NotYours: nothing was stored.
    """
    now = now or timezone.now()
    _check(journal_id, batch)
    try:
        with transaction.atomic():
            kiosk = Kiosk.objects.select_for_update(no_key=True).get(id=kiosk.id)  # folding points at the row meanwhile
            _use_nonce(kiosk, nonce, now)
            journal = _journal(kiosk, journal_id, batch, now)
            append(journal, _unheld(journal, batch), batch.sent, now, now)
            return journal
    except (Fork, Ahead, NotExpected) as conflict:
        _raise_alarm(kiosk, journal_id, conflict, now)
        raise


def _check(journal_id: str, batch: Batch) -> None:
    """The batch is gap-free in itself and every hash follows from its bytes and the one before."""
    if len(batch.events) > MAX_EVENTS:
        raise BadBatch("/events", "too_many")
    expected, prev = batch.first_seq, batch.prev_hash
    for index, event in enumerate(batch.events):
        if event.seq != expected:
            raise BadBatch(f"/events/{index}/seq", "not_in_order")
        if chain.entry_hash(journal_id, event.seq, event.header, event.body, prev) != event.hash:
            raise BadBatch(f"/events/{index}/hash", "hash_mismatch")
        expected, prev = expected + 1, event.hash
    if batch.events and batch.last_seq != expected - 1:
        raise BadBatch("/last_seq", "not_last")


def _use_nonce(kiosk: Kiosk, nonce: str, now: datetime.datetime) -> None:
    if not nonce:
        return
    Nonce.objects.filter(kiosk=kiosk, used_at__lt=now - datetime.timedelta(minutes=10)).delete()
    _, is_new = Nonce.objects.get_or_create(
        id=derived_id(kiosk.id, "nonce", nonce),
        defaults={"project_id": kiosk.project_id, "kiosk": kiosk, "nonce": nonce, "used_at": now},
    )
    if not is_new:
        raise Replayed


def _journal(kiosk: Kiosk, journal_id: str, batch: Batch, now: datetime.datetime) -> Journal:
    """The journal, begun now if this is its first event."""
    journal = Journal.trunks.filter(journal_id=journal_id).first()
    if journal is not None:
        if journal.kiosk_id != kiosk.id:
            raise NotYours
        return journal
    if not batch.events or batch.first_seq != 1:
        raise Gap(1)
    if batch.prev_hash != chain.GENESIS_PREV:
        raise BadBatch("/prev_hash", "not_zero")
    if batch.events[0].header.kind != "journal.genesis":
        raise BadBatch("/events/0/kind", "not_genesis")
    books.locked(kiosk.project_id)  # before the journals' rows, as folding does
    if not new_journals.may_begin(kiosk, batch.events[0].body, now):
        raise NotExpected(journal_id)
    new_journals.begun(kiosk, now)
    return Journal.objects.create(
        id=derived_id(kiosk.project_id, "journal", journal_id),
        project_id=kiosk.project_id,
        kiosk=kiosk,
        journal_id=journal_id,
        started_at=new_journals.begins_at(kiosk, now),
    )


def _unheld(journal: Journal, batch: Batch) -> list[SentEvent]:
    """What of the batch the office does not hold yet; what it holds must be the same to the last bit."""
    if journal.state == Journal.State.REPLACED and batch.last_seq > journal.high_seq:
        raise Fork(journal.high_seq + 1, bytes(journal.head_hash))  # its successor names this end, and no other
    if not batch.events and batch.last_seq < journal.high_seq:
        raise Ahead(journal.high_seq + 1, batch.last_seq)
    if batch.first_seq > journal.high_seq + 1:
        raise Gap(journal.high_seq + 1)
    rows = RawEvent.objects.filter(
        project_id=journal.project_id, journal=journal, seq__gte=batch.first_seq - 1, seq__lte=batch.last_seq
    )
    held = dict(rows.values_list("seq", "hash"))
    before = bytes(held.get(batch.first_seq - 1, chain.GENESIS_PREV))
    if batch.events and batch.prev_hash != before:
        raise Fork(max(1, batch.first_seq - 1), before)
    for event in batch.events:
        stored = held.get(event.seq)
        if stored is not None and bytes(stored) != event.hash:
            raise Fork(event.seq, bytes(stored))
    return [event for event in batch.events if event.seq > journal.high_seq]


def append(
    journal: Journal,
    new: Sequence[SentEvent],
    told: Sent | None,
    sent_at: datetime.datetime,
    received_at: datetime.datetime,
) -> None:
    """Store what follows a journal's newest entry, inside the caller's transaction, which has locked the kiosk and made sure
    that it does follow. The times of the events are those of a request sent at ``sent_at``."""
    sent = (told.boot_id, told.mono_ms) if told else None
    if sent:
        contacts.note(journal, *sent, sent_at)
    if not new:
        return
    stream = books.locked(journal.project_id)
    placed = contacts.placed(journal, [event.header for event in new], sent, sent_at)
    rows = [_row(journal, event, stream, at, received_at) for event, at in zip(new, placed, strict=True)]
    insert_rows(RawEvent, rows)
    stream.save(update_fields=["last_no"])
    journal.high_seq, journal.head_hash, journal.last_ingest_at = new[-1].seq, new[-1].hash, received_at
    journal.save(update_fields=["high_seq", "head_hash", "last_ingest_at"])


def _row(journal: Journal, event: SentEvent, stream: Stream, placed: Placed, now: datetime.datetime) -> dict[str, Any]:
    """The columns of RawEvent."""
    header = event.header
    stream.last_no += 1
    return {
        "id": numbered_id(journal.id, event.seq),
        "project_id": journal.project_id,
        "kiosk_id": journal.kiosk_id,
        "journal_id": journal.id,
        "seq": event.seq,
        "ingest_no": stream.last_no,
        "payment_id": header.payment_id,
        "kind": header.kind,
        "v": header.v,
        "boot_id": header.boot_id,
        "mono_ms": header.mono_ms,
        "wall_ms": header.wall_ms,
        "clock": header.clock,
        "body": event.body,
        "hash": event.hash,
        "received_at": now,
        "corrected_at": moment(placed.at_ms),
        "time_measured": placed.measured,
        "earliest_at": None if placed.earliest_ms is None else moment(placed.earliest_ms),
        "latest_at": None if placed.latest_ms is None else moment(placed.latest_ms),
        "state": RawEvent.State.STORED.value,
        "reject_code": "",
    }


def _raise_alarm(kiosk: Kiosk, journal_id: str, conflict: Fork | Ahead | NotExpected, now: datetime.datetime) -> None:
    """A history that does not fit ours is an alarm of the office's own; the kiosk goes on asking, so it is raised once."""
    with transaction.atomic():
        kiosk = Kiosk.objects.select_for_update(no_key=True).get(id=kiosk.id)
        # Never of a replaced one: that it is over is what keeps out whatever comes for it, at each try.
        journals = Journal.trunks.filter(kiosk=kiosk, journal_id=journal_id, state=Journal.State.ACTIVE)
        journals.update(state=Journal.State.FORKED)
        own_alarms.raise_once(kiosk, "journal", conflict.alarm, f"journal {journal_id} seq {conflict.seq}", now)
