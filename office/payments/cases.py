"""Opening a case: which role owns a kind, and how long it may wait.

Source: office-domain section 15.
"""

import datetime
import uuid
from typing import Any

from office.payments.models import Case
from office.rows import derived_id
from office.staff.models import Role

# kind: role that owns it, hours until it is late
KINDS: dict[str, tuple[Role, int]] = {
    "query": (Role.CASHIER, 24),
    "dispute": (Role.PROJECT_MANAGER, 72),
    "bill_already_paid": (Role.PROJECT_MANAGER, 24),
    "bill_void": (Role.PROJECT_MANAGER, 24),
    "amount_mismatch": (Role.FINANCE_AUDIT, 24),
    "late_fee_gap": (Role.FINANCE_AUDIT, 72),
    "note_count_mismatch": (Role.FINANCE_AUDIT, 24),
    "receipt_no_reused": (Role.FINANCE_AUDIT, 24),
    "unknown_unit": (Role.CASHIER, 24),
    "unidentified_cash": (Role.FINANCE_AUDIT, 24),
    "note_unknown": (Role.FINANCE_AUDIT, 72),
    "claim_contradicted": (Role.FINANCE_AUDIT, 24),
    "claim_overtaken": (Role.FINANCE_AUDIT, 24),
    "box_variance": (Role.FINANCE_AUDIT, 24),
    "clock_skew": (Role.TECHNICIAN, 24),
    "unreadable_event": (Role.TECHNICIAN, 24),
    "journal_branch": (Role.TECHNICIAN, 24),
    "branch_note": (Role.FINANCE_AUDIT, 72),
    "receipt_not_printed": (Role.CASHIER, 24),
    "duplicate_payment": (Role.CASHIER, 24),
    "late_upload": (Role.TECHNICIAN, 72),
    "box_unplanned_removal": (Role.PROJECT_MANAGER, 4),
}

# Kinds that make a payment an exception: its money did not go where the payer meant it to go.
EXCEPTIONS = frozenset(
    [
        "bill_already_paid",
        "bill_void",
        "amount_mismatch",
        "note_count_mismatch",
        "unknown_unit",
        "unidentified_cash",
        "receipt_no_reused",
    ]
)


def open_case(
    project_id: uuid.UUID,
    kind: str,
    ref: object,
    *,
    at: datetime.datetime,
    facts: dict[str, Any] | None = None,
    **links: Any,
) -> Case:
    """Open a case; the same kind about the same thing is one case, also after a rebuild."""
    role, hours = KINDS[kind]
    case, _ = Case.objects.get_or_create(
        id=derived_id(project_id, "case", kind, ref),
        defaults={
            "project_id": project_id,
            "kind": kind,
            "owner_role": role,
            "opened_at": at,
            "due_at": at + datetime.timedelta(hours=hours),
            "facts": facts or {},
            **links,
        },
    )
    return case
