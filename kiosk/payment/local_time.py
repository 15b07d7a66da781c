"""The office's and the machine's instants as the estate's local time, for screens. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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
