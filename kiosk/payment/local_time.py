"""The office's and the machine's instants as the estate's local time, for the flow and its screens."""

import logging
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from kiosk.clock import Clock
from kiosk.domain.estate import Estate
from kiosk.domain.identifiers import new_id
from kiosk.payment.events import Moment

log = logging.getLogger(__name__)

LOCAL_FORMAT = "%Y-%m-%d %H:%M"


def local_text(wall_ms: int, time_zone: str) -> str:
    """Milliseconds of UTC as 2026-11-24 16:20."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(ZoneInfo(time_zone)).strftime(LOCAL_FORMAT)


def clock_time(instant: str, time_zone: str) -> str:
    """An RFC 3339 instant as 16:20; empty if it is none."""
    try:
        moment = datetime.fromisoformat(instant)
    except ValueError:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(time_zone)).strftime("%H:%M")


def moment_of(clock: Clock, zone: ZoneInfo) -> Moment:
    """Now, for the flow; without a local time while nothing vouches for the clock."""
    now = clock.reading()
    if not now.trusted:
        return Moment(mono=clock.monotonic(), wall_ms=now.wall_ms, spare_id=new_id())
    local = datetime.fromtimestamp(now.wall_ms / 1000, UTC).astimezone(zone)
    return Moment(
        mono=clock.monotonic(),
        wall_ms=now.wall_ms,
        local=local.strftime(LOCAL_FORMAT),
        business_date=local.date(),
        spare_id=new_id(),
    )


def with_known_zone(estate: Estate) -> Estate:
    """The estate with a time zone that screens and slips can use; a wrong one must not cost a payment its slip."""
    if estate.has_known_zone():
        return estate
    log.error("local_time.unknown_zone name=%s", estate.time_zone)
    return replace(estate, time_zone=Estate().time_zone)
