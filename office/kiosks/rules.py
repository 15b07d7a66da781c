"""Rules about kiosks: health from the age of the last heartbeat, severity of faults, corrected time. Pure."""

import datetime
from enum import StrEnum

from kiosk.domain.backlog import BEHIND_S

BOX_OUT = "acceptor.cashbox_removed"
LATE_S = 180
OFFLINE_S = 600
LOST_S = BEHIND_S  # a silent kiosk can't say how much waits in it, but for how long at least
BEHIND = "upload.behind"
DISK_LOW = "disk.margin"

# Codes of kiosk/hardware/faults.py that are not "a person must come now"; a test holds both tables together.
_SEVERITIES = {
    BOX_OUT: "security",
    "acceptor.fraud": "security",
    "journal.fork": "security",
    "journal.ahead": "security",
    "journal.unexpected": "security",
    "printer.near_end": "warn",
    "printer.unconfirmed": "warn",
    "office.unreachable": "warn",
    BEHIND: "warn",
    "config.unfit": "warn",
    "screen.gone": "warn",
}


def severity_of(code: str) -> str:
    return _SEVERITIES.get(code, "now")


class Health(StrEnum):
    """How a kiosk is, computed and never stored. Source: office-domain section 8."""

    OK = "ok"
    LATE = "late"
    OFFLINE = "offline"
    DEGRADED = "degraded"  # a person must come now
    WARNED = "warned"  # a person should come some time; it works
    CATCHING_UP = "catching_up"
    NEVER = "never"
    SUSPENDED = "suspended"


def health(*, state: str, silent_s: float | None, severity: str, unsent: int) -> Health:
    """The one word for a kiosk: silence outweighs alarms, alarms outweigh a queue. ``severity`` is that of the worst open
    alarm, empty without one."""
    if state != "paired":
        return Health.SUSPENDED
    if silent_s is None:
        return Health.NEVER
    if silent_s >= OFFLINE_S:
        return Health.OFFLINE
    if silent_s >= LATE_S:
        return Health.LATE
    if severity in ("now", "security"):
        return Health.DEGRADED
    if severity == "warn":
        return Health.WARNED
    return Health.CATCHING_UP if unsent > 0 else Health.OK


def moment(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC)


def milliseconds(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1000)
