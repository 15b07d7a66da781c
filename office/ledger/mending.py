"""A rebuild that tells what it changed: the rows that had not been what the stream gives, by names a bookkeeper knows."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import transaction

from office.ledger import stream as books
from office.ledger.digest import RowKey, derived, differing, digest_of, fingerprints, table_name
from office.ledger.rebuild import rebuild
from office.property.models import Project

SHOWN = 3  # differing rows of each table that are told in full

# What names a row to people; the primary key only tells programs.
_RECEIPT = ("payment__receipt_no", "payment__unit__code")
_NAMED_BY: dict[str, tuple[str, ...]] = {
    "posting": ("entry__event", "entry__payment__receipt_no", "unit__code", "fee_item__code", "account__code", "n"),
    "ledgerentry": ("event", "payment__receipt_no", "postings__unit__code", "date"),
    "review": (*_RECEIPT, "decision"),
    "case": ("kind", *_RECEIPT, "unit__code", "kiosk__code"),
    "resolution": ("suspense__claim_no", "outcome"),
    "boxcount": ("kiosk__code", "removal__seq"),
    "suspenseitem": ("claim_no", "kind", "kiosk__code", "note__note_no"),
    "prepaidentry": ("unit__code", "payment__receipt_no", "kind"),
    "allocation": (*_RECEIPT, "bill__fee_item__code", "bill__period_from", "component"),
    "tender": (*_RECEIPT, "kind", "n"),
    "note": ("kiosk__code", "note_no"),
    "payment": ("receipt_no", "kiosk__code", "unit__code", "opened_seq"),
    "cashboxface": ("kiosk__code", "face_fen"),
    "acceptorcounter": ("kiosk__code", "acceptor_serial"),
    "alarm": ("kiosk__code", "code", "raised_at"),
    "bill": ("unit__code", "fee_item__code", "period_from"),
    "unit": ("code",),
    "journal": ("kiosk__code", "journal_id"),
    "rawevent": ("kiosk__code", "seq"),
}


@dataclass(frozen=True)
class Mended:
    """One row that was not what the stream gives, and the columns in which it was not. ``was`` None: it had been missing;
    ``now`` None: somebody had made it up."""

    table: str
    row: str
    was: dict[str, Any] | None
    now: dict[str, Any] | None

    def __str__(self) -> str:
        if self.was is None:
            return f"{self.table} {self.row}: was missing, is there again"
        if self.now is None:
            return f"{self.table} {self.row}: nothing in the stream gives it, is gone"
        parts = [f"{column} was {self.was[column]}, is {value}" for column, value in self.now.items()]
        return f"{self.table} {self.row}: {'; '.join(parts)}"

    def told(self) -> dict[str, Any]:
        return {"mended": self.table, "row": self.row, "was": self.was, "now": self.now}


@dataclass(frozen=True)
class Rebuilt:
    """How a project's books came out of a rebuild. ``differed``: rows by table; ``mended``: the first of each table."""

    folded: int
    digest: str
    differed: Counter[str]
    mended: list[Mended]


_Row = tuple[str, dict[str, Any]]  # its name, its derived columns


def rebuild_and_compare(project: Project) -> Rebuilt:
    """Rebuild a project's books in one transaction and compare every derived row with what it was before.

    The rows' values are read only where they differ, by going back and folding once more, so that a large estate costs no
    more memory than a fingerprint of each row.
    """
    books.fold(project.id)  # in short transactions; what comes meanwhile is little
    with transaction.atomic():
        with books.changing(project.id):
            pass  # what has not been folded yet is not a difference
        before = fingerprints(project.id)
        as_it_was = transaction.savepoint()
        count = rebuild(project.id)
        after = fingerprints(project.id)
        rows = differing(before, after)
        shown = [row for _, of_table in groupby(rows, lambda row: row[0]) for row in list(of_table)[:SHOWN]]
        mended: list[Mended] = []
        if rows:
            now = _read(project.id, shown)
            transaction.savepoint_rollback(as_it_was)
            was = _read(project.id, shown)
            rebuild(project.id)
            mended = [_mended(row[0], was.get(row), now.get(row)) for row in shown]
    return Rebuilt(count, digest_of(after), Counter(table for table, _ in rows), mended)


def _read(project_id: uuid.UUID, wanted: Iterable[RowKey]) -> dict[RowKey, _Row]:
    ids = {table: [row_id for _, row_id in keys] for table, keys in groupby(wanted, lambda row: row[0])}
    found: dict[RowKey, _Row] = {}
    for rows, columns in derived(project_id):
        table = table_name(rows)
        named_by = _NAMED_BY[table]
        for row_id, *values in rows.filter(pk__in=ids.get(table, [])).values_list("pk", *named_by, *columns):
            name = " ".join(str(value) for value in values[: len(named_by)] if value not in (None, ""))
            found[table, row_id] = (name, dict(zip(columns, values[len(named_by) :], strict=True)))
    return found


def _mended(table: str, was: _Row | None, now: _Row | None) -> Mended:
    name = (now or was or ("", {}))[0]
    if was is None or now is None:
        return Mended(table, name, was and was[1], now and now[1])
    columns = [column for column, value in now[1].items() if was[1][column] != value]
    return Mended(table, name, {c: was[1][c] for c in columns}, {c: now[1][c] for c in columns})
