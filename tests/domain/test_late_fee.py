"""The late fee against the worked examples L1 to L5 of office-domain section 4."""

from datetime import date, timedelta

import pytest

from kiosk.domain.late_fee import LateFeeRule, PrincipalStep, Start, late_fee
from kiosk.domain.money import Fen

DUE = date(2026, 6, 30)
PRINCIPAL = (PrincipalStep(date(2026, 6, 1), Fen(24560)),)
RULE = LateFeeRule(rate_ppm=300)


@pytest.mark.parametrize(
    ("rule", "as_of", "expected"),
    [
        pytest.param(RULE, DUE + timedelta(days=45), 332, id="L1: 45 days"),
        pytest.param(RULE, date(2026, 11, 22), 1068, id="L2: 145 days"),
        pytest.param(
            LateFeeRule(rate_ppm=300, grace_days=15, start=Start.AFTER_GRACE),
            date(2026, 11, 22),
            958,
            id="L3: grace excluded",
        ),
        pytest.param(LateFeeRule(rate_ppm=3000, cap_ppm=300_000), date(2026, 11, 22), 7368, id="L4: capped"),
    ],
)
def test_the_worked_examples(rule: LateFeeRule, as_of: date, expected: int) -> None:
    assert late_fee(rule, DUE, PRINCIPAL, as_of).amount == expected


def test_l5_a_part_payment_lowers_the_principal_from_its_day_on() -> None:
    steps = (*PRINCIPAL, PrincipalStep(DUE + timedelta(days=30), Fen(14560)))
    assert late_fee(RULE, DUE, steps, DUE + timedelta(days=75)).amount == 418


def test_nothing_is_owed_on_the_due_date_and_one_day_the_day_after() -> None:
    assert late_fee(RULE, DUE, PRINCIPAL, DUE).days == 0
    assert late_fee(RULE, DUE, PRINCIPAL, DUE).amount == 0
    assert late_fee(RULE, DUE, PRINCIPAL, DUE + timedelta(days=1)).days == 1


def test_within_the_grace_days_nothing_is_owed_and_past_them_days_count_from_the_due_date() -> None:
    rule = LateFeeRule(rate_ppm=300, grace_days=15)
    assert late_fee(rule, DUE, PRINCIPAL, DUE + timedelta(days=15)).amount == 0
    assert late_fee(rule, DUE, PRINCIPAL, DUE + timedelta(days=16)).days == 16


def test_a_fixed_cap_holds() -> None:
    assert late_fee(LateFeeRule(rate_ppm=3000, cap_fen=500), DUE, PRINCIPAL, date(2026, 11, 22)).amount == 500
