"""Fee formulas, principal steps and what a bill comes to; pure.

Source: office-domain sections 3 and 4.
"""

import datetime
from collections.abc import Iterable, Sequence

from kiosk.domain.late_fee import LateFeeRule, PrincipalStep, late_fee
from kiosk.domain.money import Fen, round_half_up

WAIVED_GAP_FEN = 100  # a late fee that an offline kiosk could not know of, up to this much, is waived


def area_fee(area_c: int, price_e4: int, months: int = 1) -> int:
    """Area in 0.01 square metres times price in 0.0001 yuan, rounded once (G1: 9824 × 25000 is 24560 fen)."""
    return round_half_up(area_c * price_e4 * months, 10_000)


def metered_fee(quantity_m: int, price_e4: int) -> int:
    """Quantity in 0.001 units times price in 0.0001 yuan (W1: 22 at 5.00 is 11000 fen)."""
    return round_half_up(quantity_m * price_e4, 100_000)


def principal_steps(
    amount_fen: int, since: datetime.date, paid: Iterable[tuple[datetime.date, int]]
) -> list[PrincipalStep]:
    """The open principal from each date on, whatever the order in which the payments arrived."""
    by_date: dict[datetime.date, int] = {}
    for date, part in paid:
        by_date[max(date, since)] = by_date.get(max(date, since), 0) + part
    steps, left = [PrincipalStep(since, Fen(amount_fen))], amount_fen
    for date in sorted(by_date):
        left -= by_date[date]
        steps.append(PrincipalStep(date, Fen(left)))
    return steps


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
