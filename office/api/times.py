"""Instants as they travel: RFC 3339 in UTC with milliseconds."""

import datetime

from django.utils import timezone


def wire_time(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def server_time() -> str:
    return wire_time(timezone.now())
