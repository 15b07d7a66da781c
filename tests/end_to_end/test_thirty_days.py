"""Thirty days over twenty boots with wrong clocks: order and money exact, times right where they can be, honest slips."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.thirty_days import (
    Month,
    check_all_of_it_happened,
    check_corrected_times,
    check_order_and_money,
    check_slips,
)

SEED = int(os.environ.get("MENTING_SEED", "20261125"))


def live_a_month(folder: Path, seed: int, *, contacts: bool) -> None:
    with closing(Month(folder, seed, contacts=contacts)) as month:
        month.live()
        check_order_and_money(month)
        worst_ms = check_corrected_times(month)
        check_slips(month)
        check_all_of_it_happened(month)
        print(f"seed {seed}: worst corrected time {worst_ms / 1000:.2f} s off; {dict(sorted(month.did.items()))}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("contacts", [True, False], ids=["some contact", "none but at both ends"])
def test_a_month_of_wrong_clocks_costs_neither_order_nor_money_nor_honesty(tmp_path: Path, contacts: bool) -> None:
    live_a_month(tmp_path, SEED, contacts=contacts)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 6))
@pytest.mark.parametrize("contacts", [True, False], ids=["some contact", "none but at both ends"])
def test_more_months_of_wrong_clocks(tmp_path: Path, seed: int, contacts: bool) -> None:
    live_a_month(tmp_path, seed, contacts=contacts)
