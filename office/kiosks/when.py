"""When an event happened, as far as it is known: measured, or an estimate between two bounds of which the earlier may be unknown."""

import datetime
from dataclasses import dataclass

from office.kiosks.models import RawEvent

# Times before it come from a clock that counts from 1970: nobody knows them. No kiosk ran before.
NOBODY_KNOWS_BEFORE = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class When:
    """``latest`` None: measured. ``earliest`` None of an estimate: nobody knows."""

    at: datetime.datetime
    earliest: datetime.datetime | None = None
    latest: datetime.datetime | None = None

    @property
    def is_dated(self) -> bool:
        """Whether ``at`` is more than what a clock shows that was never set."""
        return self.at >= NOBODY_KNOWS_BEFORE

    @property
    def at_the_latest(self) -> datetime.datetime:
        return self.latest or self.at


def when(raw: RawEvent) -> When:
    """When this event happened, by the office's clock."""
    if raw.time_measured:
        return When(raw.corrected_at)
    known = raw.earliest_at is not None and raw.earliest_at >= NOBODY_KNOWS_BEFORE
    return When(raw.corrected_at, raw.earliest_at if known else None, raw.latest_at or raw.received_at)
