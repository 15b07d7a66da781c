"""When a kiosk's events really happened, from the moments at which its boots had contact. Pure.

Order comes from ``seq`` alone. A boot that had contact gives its events their time by its monotonic clock: between two
contacts in between, so that a quartz that drifts does no harm, and beyond them by the nearest. A boot without contact gives
bounds: it began after the event before it and ended before the next boot began. Source: journal-and-upload section 8;
decisions 17.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kiosk.domain.chain import Header

DRIFT_PPM = 200  # more than any quartz; what a contact is later than this allows was spent on the way
LONGEST_WAY_MS = 120_000
KEEP_EVERY_MS = 3_600_000


@dataclass(frozen=True)
class Contact:
    """The office heard from a boot at ``at_ms`` (UTC), ``mono_ms`` after it began."""

    mono_ms: int
    at_ms: int

    @property
    def offset_ms(self) -> int:
        return self.at_ms - self.mono_ms


@dataclass(frozen=True)
class Placed:
    """When an event happened. Where that was not measured ``earliest_ms`` and ``latest_ms`` hold it for certain."""

    boot_id: str
    mono_ms: int
    at_ms: int
    earliest_ms: int | None = None
    latest_ms: int | None = None

    @property
    def measured(self) -> bool:
        return self.latest_ms is None


def is_news(known: Sequence[Contact], mono_ms: int) -> bool:
    """Whether a contact is worth keeping beside those of its boot."""
    return not known or mono_ms - known[-1].mono_ms >= KEEP_EVERY_MS


def contact(known: Sequence[Contact], mono_ms: int, now_ms: int) -> Contact:
    """A new contact of a boot, less the time that the request can only have spent on its way."""
    if not known:
        return Contact(mono_ms, now_ms)
    last = known[-1]
    latest_ms = last.offset_ms + mono_ms + max(0, mono_ms - last.mono_ms) * DRIFT_PPM // 1_000_000
    late_ms = now_ms - latest_ms
    return Contact(mono_ms, latest_ms if 0 < late_ms <= LONGEST_WAY_MS else now_ms)


def measured_ms(contacts: Sequence[Contact], mono_ms: int) -> int:
    """The time of a moment of a boot that had these contacts, in order."""
    after = next((one for one in contacts if one.mono_ms >= mono_ms), contacts[-1])
    before = next((one for one in reversed(contacts) if one.mono_ms <= mono_ms), contacts[0])
    if after.mono_ms <= before.mono_ms:
        return before.offset_ms + mono_ms
    part = (mono_ms - before.mono_ms) / (after.mono_ms - before.mono_ms)
    return mono_ms + before.offset_ms + round(part * (after.offset_ms - before.offset_ms))


def place(
    headers: Sequence[Header],
    contacts: Mapping[str, Sequence[Contact]],
    before: Placed | None,
    *,
    in_boot: str | None,
    now_ms: int,
) -> list[Placed]:
    """The times of new events, which follow ``before`` in the journal. ``in_boot`` sent them: none of the others is later."""
    latest = _latest(headers, contacts, in_boot, now_ms)
    placed: list[Placed] = []
    for header, latest_ms in zip(headers, latest, strict=True):
        if known := contacts.get(header.boot_id):
            at_ms = min(max(measured_ms(known, header.mono_ms), 0), now_ms)
            before = Placed(header.boot_id, header.mono_ms, at_ms)
        else:
            before = _estimate(header, before, min(latest_ms, now_ms))
        placed.append(before)
    return placed


def _estimate(header: Header, before: Placed | None, latest_ms: int) -> Placed:
    """The kiosk's own word, between the neighbours. A clock that was not set says a time that has passed."""
    latest_ms, earliest_ms, least_ms = max(0, latest_ms), 0, 0
    if before:
        same = before.boot_id == header.boot_id
        ran_ms = max(0, header.mono_ms - before.mono_ms if same else header.mono_ms)
        least_ms = before.at_ms + ran_ms
        earliest_ms = (before.at_ms if before.earliest_ms is None else before.earliest_ms) + ran_ms
    at_ms = min(max(header.wall_ms, least_ms), latest_ms)
    return Placed(header.boot_id, header.mono_ms, at_ms, min(earliest_ms, at_ms), latest_ms)


def _latest(
    headers: Sequence[Header], contacts: Mapping[str, Sequence[Contact]], in_boot: str | None, now_ms: int
) -> list[int]:
    """For each event the time it is certainly not later than, seen from the end of the journal."""
    after = Placed(in_boot or "", 0, now_ms)
    if in_boot in contacts:
        after = replace(after, at_ms=measured_ms(contacts[in_boot], 0))
    latest = []
    for header in reversed(headers):
        if known := contacts.get(header.boot_id):
            at_ms, began_ms = now_ms, measured_ms(known, 0)
        else:
            ran_ms = max(0, after.mono_ms - header.mono_ms) if after.boot_id == header.boot_id else after.mono_ms
            at_ms, began_ms = after.at_ms - ran_ms, 0
        latest.append(at_ms)
        after = Placed(header.boot_id, 0, began_ms) if known else Placed(header.boot_id, header.mono_ms, at_ms)
    return latest[::-1]
