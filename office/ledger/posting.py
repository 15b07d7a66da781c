"""Putting an entry into the books; the only module that writes entries and postings."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from office.ledger.models import Account, LedgerEntry, Posting
from office.ledger.rules import CHART, Line, balanced
from office.rows import derived_id, insert_rows


@dataclass(frozen=True)
class Entry:
    """An entry to post: what happened, to what, and its lines."""

    event: str
    ref_type: str
    ref_id: uuid.UUID
    date: datetime.date
    lines: Sequence[Line]
    payment_id: uuid.UUID | None = None


def account_id(project_id: uuid.UUID, code: str) -> uuid.UUID:
    return derived_id(project_id, "account", code)


def open_accounts(project_id: uuid.UUID) -> None:
    """Give a project its chart of accounts; accounts it already has are left alone."""
    Account.objects.bulk_create(
        [
            Account(
                id=account_id(project_id, code), project_id=project_id, code=code, name=name, name_en=name_en, type=kind
            )
            for code, name, name_en, kind in CHART
        ],
        ignore_conflicts=True,
    )


def post(project_id: uuid.UUID, entries: Iterable[Entry], *, ingest_no: int, at: datetime.datetime) -> None:
    """Post entries, each once: the unique (event, ref) refuses a second time.

    Raises:
        Unbalanced: an entry does not sum to zero; nothing is posted.
    """
    rows, postings = list[dict[str, Any]](), list[dict[str, Any]]()
    for entry in entries:
        lines = balanced(entry.lines)
        if not lines:
            continue
        entry_id = derived_id(project_id, "entry", entry.event, entry.ref_type, entry.ref_id)
        rows.append(
            {
                "id": entry_id,
                "project_id": project_id,
                "ingest_no": ingest_no,
                "date": entry.date,
                "event": entry.event,
                "ref_type": entry.ref_type,
                "ref_id": entry.ref_id,
                "payment_id": entry.payment_id,
                "reverses_id": None,
                "posted_at": at,
            }
        )
        postings += [_posting(project_id, entry_id, n, line) for n, line in enumerate(lines, start=1)]
    insert_rows(LedgerEntry, rows)
    insert_rows(Posting, postings)


def _posting(project_id: uuid.UUID, entry_id: uuid.UUID, n: int, line: Line) -> dict[str, Any]:
    return {
        "id": derived_id(entry_id, n),
        "project_id": project_id,
        "entry_id": entry_id,
        "n": n,
        "account_id": account_id(project_id, line.account),
        "unit_id": line.unit_id,
        "kiosk_id": line.kiosk_id,
        "fee_item_id": line.fee_item_id,
        "bill_id": line.bill_id,
        "amount_fen": line.amount_fen,
    }
