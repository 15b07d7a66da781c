"""A kiosk's next journal: begun only with a person's leave, and only as the successor of what the office holds.

Otherwise a copied identity would need no more than an empty file to be a second kiosk under the same name. A pairing code is that
leave; the new journal's genesis names the old journal with the last entry that the office holds. Source: journal-and-upload 2 and 4.
"""

import datetime
from dataclasses import dataclass

from django.db.models import Max

from kiosk.domain.events import JournalGenesis, UnknownEvent, decode
from office.kiosks import own_alarms
from office.kiosks.models import Journal, Kiosk, RawEvent


@dataclass(frozen=True)
class Held:
    """The newest journal of a kiosk and the last entry that the office has of it."""

    journal_id: str
    seq: int
    hash: str


def held(kiosk: Kiosk) -> Held | None:
    journal = _newest(kiosk)
    return Held(journal.journal_id, journal.high_seq, bytes(journal.head_hash).hex()) if journal else None


def may_begin(kiosk: Kiosk, genesis: bytes, now: datetime.datetime) -> bool:
    """Whether this first entry may begin a journal of the kiosk; its row is locked and as it is now."""
    before = _newest(kiosk)
    if before is None:
        return True
    try:
        told = decode(genesis)
    except UnknownEvent:
        return False
    leave = kiosk.may_replace_until is not None and now <= kiosk.may_replace_until
    return leave and isinstance(told, JournalGenesis) and _names(told, before)


def _newest(kiosk: Kiosk) -> Journal | None:
    """The one that is not over; begun() leaves no other, and the office's clock has no say in it."""
    return Journal.trunks.filter(kiosk=kiosk).exclude(state=Journal.State.REPLACED).first()


def _names(told: JournalGenesis, before: Journal) -> bool:
    """An entry that we hold, and not only the last: an export of the old file that is replayed first may go on beyond it."""
    rows = RawEvent.objects.filter(project_id=before.project_id, journal=before, seq=told.replaces_seq)
    own = rows.values_list("hash", flat=True).first()
    return told.replaces_journal_id == before.journal_id and own is not None and bytes(own).hex() == told.replaces_hash


def begins_at(kiosk: Kiosk, now: datetime.datetime) -> datetime.datetime:
    """When a journal of the kiosk that begins now did so: after all that it had, also where the office's clock was ahead then."""
    latest = Journal.trunks.filter(kiosk=kiosk).aggregate(at=Max("started_at"))["at"]
    return max(now, latest + datetime.timedelta(microseconds=1)) if latest else now


def begun(kiosk: Kiosk, now: datetime.datetime) -> None:
    """The leave is used up, the old journal is over, and with it the alarms about its history."""
    Journal.trunks.filter(kiosk=kiosk).exclude(state=Journal.State.REPLACED).update(state=Journal.State.REPLACED)
    own_alarms.standing(kiosk).filter(code__startswith="journal.").update(cleared_at=now)
    kiosk.may_replace_until = None
    kiosk.save(update_fields=["may_replace_until"])
