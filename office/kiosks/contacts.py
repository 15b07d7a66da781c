"""The moments at which each boot of a kiosk had contact, kept, and the times of its events by them."""

import datetime
from collections.abc import Sequence

from kiosk.domain.chain import Header
from office.kiosks.models import BootOffset, Journal
from office.kiosks.rules import milliseconds
from office.kiosks.times import Contact, Placed, contact, is_news, place
from office.rows import derived_id


def note(journal: Journal, boot_id: str, mono_ms: int, now: datetime.datetime) -> None:
    """Keep how far a boot's monotonic clock is from ours, once an hour; the events of the hours between are placed by it."""
    known = _kept(journal, {boot_id}).get(boot_id, [])
    if not is_news(known, mono_ms):
        return
    BootOffset.objects.get_or_create(
        id=derived_id(journal.id, "boot", boot_id, mono_ms),
        defaults={
            "project_id": journal.project_id,
            "journal": journal,
            "boot_id": boot_id,
            "mono_ms": mono_ms,
            "offset_ms": contact(known, mono_ms, milliseconds(now)).offset_ms,
            "measured_at": now,
        },
    )


def placed(
    journal: Journal, headers: Sequence[Header], sent: tuple[str, int] | None, now: datetime.datetime
) -> list[Placed]:
    """When events happened that follow those we hold. ``sent``: boot and moment of the request that brought them."""
    boots = {header.boot_id for header in headers}
    contacts = _kept(journal, boots | ({sent[0]} if sent else set()))
    if sent:
        boot_id, mono_ms = sent
        known = contacts.setdefault(boot_id, [])
        if not known or mono_ms > known[-1].mono_ms:
            known.append(contact(known, mono_ms, milliseconds(now)))
    return place(headers, contacts, _last(journal), in_boot=sent[0] if sent else None, now_ms=milliseconds(now))


def _kept(journal: Journal, boots: set[str]) -> dict[str, list[Contact]]:
    rows = BootOffset.objects.filter(journal=journal, boot_id__in=boots).order_by("mono_ms")
    kept: dict[str, list[Contact]] = {}
    for boot_id, mono_ms, offset_ms in rows.values_list("boot_id", "mono_ms", "offset_ms"):
        kept.setdefault(boot_id, []).append(Contact(mono_ms, mono_ms + offset_ms))
    return kept


def _last(journal: Journal) -> Placed | None:
    rows = journal.history().filter(seq=journal.high_seq)
    last = rows.values_list("boot_id", "mono_ms", "corrected_at", "earliest_at").first()
    if last is None:
        return None
    boot_id, mono_ms, at, earliest_at = last
    return Placed(boot_id, mono_ms, milliseconds(at), milliseconds(earliest_at) if earliest_at else None)
