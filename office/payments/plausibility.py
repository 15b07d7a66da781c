"""What is odd about a payment whose money is booked all the same: each is a case, for a person to look at."""

import datetime

from kiosk.domain.events import Settlement
from office.payments.cases import open_case
from office.payments.fold import Fold
from office.payments.models import Payment

LATE = datetime.timedelta(hours=72)
TWICE_WITHIN = datetime.timedelta(minutes=10)
SKEW_S = 300  # a clock that calls itself right and is off by more than this is a case
_TRUSTED_CLOCKS = ("synced", "rtc")
_ENDED = (Payment.State.BOOKED, Payment.State.EXCEPTION)


def look_at(fold: Fold, payment: Payment, event: Settlement) -> set[str]:
    """Open what the settlement of a payment gives cause for; the kinds of these cases. Source: office-domain section 15."""
    oddities = {
        "amount_mismatch": _amount_mismatch(event),
        "late_upload": _late_upload(fold),
        "duplicate_payment": _paid_twice(fold, payment),
        "clock_skew": _clock_skew(fold),
    }
    kinds = {kind for kind, facts in oddities.items() if facts}
    for kind in sorted(kinds):
        open_case(
            fold.project_id,
            kind,
            payment.id,
            at=fold.raw.received_at,
            facts=oddities[kind],
            payment=payment,
            kiosk_id=payment.kiosk_id,
            unit_id=payment.unit_id,
            amount_fen=payment.amount_fen,
        )
    return kinds


def _amount_mismatch(event: Settlement) -> dict[str, object] | None:
    """The parts into which the kiosk says it split the money are not the money."""
    split_fen = sum(line.amount_fen for line in event.lines) + event.prepaid_fen
    if split_fen == event.received_fen:
        return None
    return {"kiosk_received_fen": event.received_fen, "kiosk_split_fen": split_fen}


def _late_upload(fold: Fold) -> dict[str, object] | None:
    """Late for certain: counted from the latest moment at which it can have been paid."""
    raw = fold.raw
    waited = raw.received_at - (raw.latest_at or raw.corrected_at)
    return {"hours": waited // datetime.timedelta(hours=1)} if waited > LATE else None


def _paid_twice(fold: Fold, payment: Payment) -> dict[str, object] | None:
    """The same amount for the same household at another kiosk, minutes before or after: perhaps two people paid one debt."""
    if payment.unit_id is None or not payment.amount_fen:
        return None
    at = fold.raw.corrected_at
    others = Payment.objects.filter(
        project_id=fold.project_id,
        unit_id=payment.unit_id,
        paid_at__range=(at - TWICE_WITHIN, at + TWICE_WITHIN),
        amount_fen=payment.amount_fen,
        state__in=_ENDED,
    ).exclude(kiosk_id=payment.kiosk_id)
    other = others.order_by("ingest_no").first()
    return {"payment_id": str(other.id), "receipt_no": other.receipt_no} if other else None


def _clock_skew(fold: Fold) -> dict[str, object] | None:
    raw = fold.raw
    skew_s = raw.wall_ms / 1000 - raw.corrected_at.timestamp()
    is_off = raw.time_measured and raw.clock in _TRUSTED_CLOCKS and abs(skew_s) > SKEW_S
    return {"skew_s": round(skew_s)} if is_off else None
