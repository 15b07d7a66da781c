"""What every table of the office has in common: a UUID made by whoever creates the row, and its project."""

import functools
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


def numbered_id(owner: uuid.UUID, number: int) -> uuid.UUID:
    """The id of the row that has this number among all that an owner has of its kind. In the order of the numbers, so that an
    index of ids grows at its end: with ids as random as a hash each new row is written to a page of its own."""
    return uuid.UUID(int=owner.int >> 64 << 64 | 2 << 62 | number)


def read_uuid(text: str) -> uuid.UUID | None:
    """The UUID that a text is in its usual spelling; None for anything else."""
    try:
        read = uuid.UUID(text)
    except ValueError:
        return None
    return read if str(read) == text else None


def insert_rows(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows given as ``{attname: value}`` with every column. For what comes by the thousand: ``bulk_create`` spends ten
    times as long on making objects and SQL as the database does on the rows. Inside a transaction."""
    database = connections[DEFAULT_DB_ALIAS]
    statement, fields = _insertion(model, database.vendor)
    with database.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                [row[name] if convert is None or row[name] is None else convert(row[name]) for name, convert in fields]
                for row in rows
            ],
        )


@functools.cache
def _insertion(model: type[models.Model], vendor: str) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """The statement, and the columns' names in its order with what makes a value of each fit for this kind of database."""
    database = connections[DEFAULT_DB_ALIAS]
    quote = database.ops.quote_name
    fields = model._meta.concrete_fields
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"
    return statement, [(field.attname, _converter(field, database)) for field in fields]


def _converter(field: Any, database: Any) -> Callable[[Any], Any] | None:
    """How a value of this field goes to the database; None: as it is."""
    match getattr(field, "target_field", field):
        case models.UUIDField() if not database.features.has_native_uuid_field:
            return attrgetter("hex")
        case models.DateTimeField():
            return functools.lru_cache(database.ops.adapt_datetimefield_value)  # many rows have the same few moments
        case models.DateField():
            return database.ops.adapt_datefield_value  # type: ignore[no-any-return]
        case _:
            return None
