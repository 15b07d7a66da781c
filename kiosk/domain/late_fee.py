"""The late fee (违约金): simple interest per day on unpaid principal, rounded once per bill."""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise

import msgspec

from kiosk.domain.money import MILLION, Fen, round_half_up

WAIVED_GAP_FEN = 100  # with the principal paid, so much late fee that an offline kiosk could not know of is waived


class Start(StrEnum):
    """From which day the days count."""

    AFTER_DUE = "after_due"
    AFTER_GRACE = "after_grace"


class LateFeeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract says about late payment; ``version`` travels with every figure made from it."""

    version: int = 1
    rate_ppm: int = 300  # of the unpaid principal, a day
    grace_days: int = 0
    start: Start = Start.AFTER_DUE
    cap_ppm: int | None = 300_000  # of the bill's original principal; None means no cap
    cap_fen: int | None = None


class PrincipalStep(msgspec.Struct, frozen=True):
    """From ``since`` on, this much principal was open (at the end of that day)."""

    since: date
    open_fen: Fen


class LateFee(msgspec.Struct, frozen=True):
    """The whole late fee of a bill up to a date, and the days from due date (or grace end) to it."""

    amount: Fen
    days: int


def late_fee(rule: LateFeeRule, due_on: date, steps: Sequence[PrincipalStep], as_of: date) -> LateFee:
    """Compute the late fee of one bill up to and including ``as_of``.

    ``steps`` are in date order; the first one holds the bill's original principal and may begin before ``due_on``.
    Within the grace days nothing is owed; past them, days count from the due date or from the end of grace as
    the rule says. Source: office-domain section 4, examples L1 to L5.
    """
    late_days = (as_of - due_on).days
    if not steps or late_days <= rule.grace_days:
        return LateFee(Fen(0), 0)
    skipped = rule.grace_days if rule.start is Start.AFTER_GRACE else 0
    day_fen = sum(
        step.open_fen * _days_between(step.since, until, due_on, skipped)
        for step, until in zip(steps, [following.since for following in steps[1:]] + [as_of], strict=True)
    )
    amount = round_half_up(day_fen * rule.rate_ppm, MILLION)
    if rule.cap_ppm is not None:
        amount = min(amount, round_half_up(steps[0].open_fen * rule.cap_ppm, MILLION))
    if rule.cap_fen is not None:
        amount = min(amount, rule.cap_fen)
    return LateFee(Fen(amount), late_days - skipped)


def steps_after(steps: Sequence[PrincipalStep], paid: Iterable[tuple[date, int]]) -> list[PrincipalStep]:
    """The steps when these parts of the principal were paid as well, each on its day, in whatever order they became known."""
    if not steps:
        return []
    first, falls = steps[0], dict[date, int]()
    for before, after in pairwise(steps):
        falls[after.since] = falls.get(after.since, 0) + before.open_fen - after.open_fen
    for day, part in paid:
        since = max(day, first.since)
        falls[since] = falls.get(since, 0) + part
    made, left = [first], first.open_fen
    for since in sorted(falls):
        left = Fen(left - falls[since])
        made.append(PrincipalStep(since, left))
    return made


def _days_between(since: date, until: date, due_on: date, skipped: int) -> int:
    """Chargeable days in (since, until], counting only days later than the due date plus the skipped ones."""
    first = max((since - due_on).days, skipped)
    last = max((until - due_on).days, skipped)
    return max(0, last - first)
