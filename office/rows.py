"""What every table of the office has in common: a UUID made by whoever creates the row, and its project."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection, models


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


def insert_rows(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows given as ``{attname: value}`` with every column. For what comes by the thousand: ``bulk_create`` spends ten
    times as long on making objects and SQL as the database does on the rows."""
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns, places = ", ".join(quote(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    converted = (models.UUIDField, models.DateTimeField, models.BinaryField)  # the others travel as they are
    converting = {field.attname for field in fields if isinstance(getattr(field, "target_field", field), converted)}
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})",
            [
                [
                    field.get_db_prep_save(row[field.attname], connection)
                    if field.attname in converting
                    else row[field.attname]
                    for field in fields
                ]
                for row in rows
            ],
        )
