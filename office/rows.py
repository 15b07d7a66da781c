"""What every table of the office has in common: a UUID made by whoever creates the row, and its project."""

import uuid
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models


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
    database = connections[DEFAULT_DB_ALIAS]
    quote = database.ops.quote_name
    fields = [(field.attname, _converter(field, database)) for field in model._meta.concrete_fields]
    columns = ", ".join(quote(field.column) for field in model._meta.concrete_fields)
    places = ", ".join(["%s"] * len(fields))
    with database.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})",
            [[convert(row[name]) if convert else row[name] for name, convert in fields] for row in rows],
        )


def _converter(field: Any, database: Any) -> Callable[[Any], Any] | None:
    """How a value of this field goes to the database; None: as it is."""
    match getattr(field, "target_field", field):
        case models.UUIDField() if not database.features.has_native_uuid_field:
            return attrgetter("hex")
        case models.DateTimeField():
            return database.ops.adapt_datetimefield_value  # type: ignore[no-any-return]
        case _:
            return None
