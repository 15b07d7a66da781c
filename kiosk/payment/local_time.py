"""The office's and the machine's instants as the estate's local time, for screens."""

import logging
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from kiosk.domain.estate import Estate

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


def with_known_zone(estate: Estate) -> Estate:
    """The estate with a time zone that screens and slips can use; a wrong one must not cost a payment its slip."""
    if estate.has_known_zone():
        return estate
    log.error("local_time.unknown_zone name=%s", estate.time_zone)
    return replace(estate, time_zone=Estate().time_zone)
