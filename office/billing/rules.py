"""Fee formulas and what a bill comes to; pure.

Source: office-domain sections 3 and 4.
"""

import datetime
from collections.abc import Sequence

from kiosk.domain.late_fee import LateFeeRule, PrincipalStep, late_fee
from kiosk.domain.money import round_half_up


def area_fee(area_c: int, price_e4: int, months: int = 1) -> int:
    """Area in 0.01 square metres times price in 0.0001 yuan, rounded once (G1: 9824 × 25000 is 24560 fen)."""
    return round_half_up(area_c * price_e4 * months, 10_000)


def metered_fee(quantity_m: int, price_e4: int) -> int:
    """Quantity in 0.001 units times price in 0.0001 yuan (W1: 22 at 5.00 is 11000 fen)."""
    return round_half_up(quantity_m * price_e4, 100_000)


def late_fee_open(
    rule: LateFeeRule | None,
    due_on: datetime.date,
    steps: Sequence[PrincipalStep],
    settled_fen: int,
    as_of: datetime.date,
) -> tuple[int, int]:
    """Late fee still open on a date, and its days; ``settled_fen`` is what was paid or waived of it."""
    if rule is None:
        return 0, 0
    whole = late_fee(rule, due_on, steps, as_of)
    return max(0, whole.amount - settled_fen), whole.days
