"""When a kiosk was last heard: the last minutes in the cache, so that a heartbeat that says nothing new writes no disk."""

import datetime
import uuid

from django.core.cache import cache

from office.kiosks.models import KioskStatus

KEPT_S = 3600


def _key(kiosk_id: uuid.UUID) -> str:
    return f"seen:{kiosk_id}"


def saw(kiosk_id: uuid.UUID, at: datetime.datetime) -> None:
    cache.set(_key(kiosk_id), at, KEPT_S)


def last_seen(kiosk_id: uuid.UUID, status: KioskStatus | None, now: datetime.datetime) -> datetime.datetime | None:
    """The later of what the cache and the last written heartbeat say; None when it was never heard. A time ahead of now, of an office
    whose clock was, counts only where there is no other."""
    known = [at for at in (cache.get(_key(kiosk_id)), status.seen_at if status else None) if at]
    return max([at for at in known if at <= now] or known, default=None)
