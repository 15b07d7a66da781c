"""Money that nobody can place stays in 2241.s, as an item with a case."""

import datetime
from typing import Any

from office.payments.cases import open_case
from office.payments.fold import Fold
from office.payments.models import Payment, SuspenseItem
from office.rows import derived_id


def left_in_suspense(
    fold: Fold,
    payment: Payment,
    kind: str,
    facts: dict[str, Any],
    amount_fen: int,
    *,
    at: datetime.datetime | None = None,
) -> None:
    """Leave so much of a payment where its notes put it, and say so. The caller saves the payment.

    ``at``: when it was put in, if that was not when the event was written.
    """
    payment.suspense_fen = amount_fen
    item = SuspenseItem.objects.create(
        id=derived_id(payment.id, "suspense"),
        project_id=fold.project_id,
        kiosk_id=payment.kiosk_id,
        payment=payment,
        unit_id=payment.unit_id,
        kind=SuspenseItem.Kind.UNIDENTIFIED,
        amount_fen=amount_fen,
        reason=kind,
        at=at or fold.raw.corrected_at,
    )
    open_case(
        fold.project_id,
        kind,
        payment.id,
        at=fold.raw.received_at,
        facts=facts,
        payment=payment,
        kiosk_id=payment.kiosk_id,
        unit_id=payment.unit_id,
        suspense=item,
        amount_fen=amount_fen,
    )
