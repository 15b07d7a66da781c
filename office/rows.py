"""What every table of the office has in common: a UUID made by whoever creates the row, and its project."""

import uuid

from django.db import models


class ProjectRow(models.Model):
    """Base of all business rows. Nothing is ever ordered by the id (decisions 6)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("property.Project", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


def derived_id(*parts: object) -> uuid.UUID:
    """The same id for the same thing every time the stream is folded, so that a rebuild gives equal rows."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "\x1f".join(str(part) for part in parts))


def read_uuid(text: str) -> uuid.UUID | None:
    """The UUID that a text is in its usual spelling; None for anything else."""
    try:
        read = uuid.UUID(text)
    except ValueError:
        return None
    return read if str(read) == text else None
