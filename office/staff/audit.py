"""The audit log: written in the transaction of the change it tells of."""

import datetime
import uuid
from typing import Any

from django.utils import timezone

from office.staff.models import AuditEntry


def note(
    project_id: uuid.UUID,
    actor: Any,
    verb: str,
    thing: Any,
    *,
    reason: str = "",
    at: datetime.datetime | None = None,
    **body: Any,
) -> AuditEntry:
    """Say who did what to which row, and why."""
    return AuditEntry.objects.create(
        project_id=project_id,
        at=at or timezone.now(),
        actor=actor if actor is not None and actor.is_authenticated else None,
        verb=verb,
        object_type=thing._meta.model_name,
        object_id=str(thing.pk),
        reason=reason[:400],
        body=body,
    )
