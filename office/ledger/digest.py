"""Fingerprints of everything derived, column by column, by which two sets of books are compared row by row."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from office.billing.models import Bill
from office.kiosks.models import Alarm, Journal, RawEvent
from office.ledger import stream as books
from office.ledger.rebuild import DERIVED, rebuild
from office.property.models import Project, Unit

# Tables of facts with columns that folding fills.
_CACHES: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Bill, ("status", "version", "principal_paid_fen", "late_fee_paid_fen", "late_fee_waived_fen", "steps")),
    (Unit, ("prepaid_fen",)),
    (Journal, ("posted_seq",)),
    (RawEvent, ("state", "reject_code")),
)

RowKey = tuple[str, uuid.UUID]  # table, primary key
Rows = dict[RowKey, bytes]


def books_digest(project_id: uuid.UUID) -> str:
    """SHA-256 over everything derived, in an order that does not depend on the database: equal books, equal digest."""
    return digest_of(fingerprints(project_id))


def digest_of(rows: Rows) -> str:
    whole = hashlib.sha256()
    for (table, row_id), print_ in sorted(rows.items()):
        whole.update(f"{table}\x1f{row_id}\x1f".encode() + print_)
    return whole.hexdigest()


def folded_otherwise(project: Project) -> Iterator[tuple[str, str]]:
    """Fold the project's whole stream again and undo it; where and how the stored books differ from what it gives.

    Uploads to this project wait meanwhile.
    """
    with transaction.atomic():
        with books.changing(project.id):
            pass  # what has not been folded yet is not a difference
        stored = fingerprints(project.id)
        rebuild(project.id)
        folded = fingerprints(project.id)
        transaction.set_rollback(True)
    for row in differing(stored, folded):
        what = "changed" if row in stored and row in folded else "missing" if row in folded else "made up"
        yield f"{row[0]} {row[1]}", f"{what}: the stream gives another row"


def differing(before: Rows, after: Rows) -> list[RowKey]:
    return sorted(row for row in before.keys() | after.keys() if before.get(row) != after.get(row))


def derived(project_id: uuid.UUID) -> Iterator[tuple[QuerySet[Any], tuple[str, ...]]]:
    """Every table with something derived in it: the project's rows, and which of their columns are."""
    for table in DERIVED:
        yield table._default_manager.filter(project_id=project_id), _columns(table)
    yield Alarm.objects.filter(project_id=project_id, source=Alarm.Source.KIOSK), _columns(Alarm)
    for table, columns in _CACHES:
        yield table._default_manager.filter(project_id=project_id), columns


def fingerprints(project_id: uuid.UUID) -> Rows:
    found: Rows = {}
    for rows, columns in derived(project_id):
        table = table_name(rows)
        for row_id, *values in rows.order_by().values_list("pk", *columns).iterator(2000):
            told = json.dumps(values, ensure_ascii=False, sort_keys=True, default=_text)
            found[table, row_id] = hashlib.sha256(told.encode()).digest()
    return found


def table_name(rows: QuerySet[Any]) -> str:
    return rows.model._meta.model_name or ""


def _columns(table: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in table._meta.concrete_fields if not field.primary_key)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
