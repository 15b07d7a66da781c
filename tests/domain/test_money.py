"""Fen: rounding, sharing, and the two written forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.money import NotMoney, capital_yuan, format_yuan, parse_yuan, round_half_up, share_by_weight


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (9824 * 25000, 10000, 24560),
        (8937 * 28000, 10000, 25024),
        (10137 * 18500, 10000, 18753),
        (8825 * 23400, 10000, 20651),
    ],
)
def test_halves_go_up_as_in_g1_g2_g3_g5(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


def test_s1_and_s2_share_by_largest_remainder() -> None:
    assert share_by_weight(128435, [9824, 8937, 10137, 12050]) == [30814, 28031, 31795, 37795]
    assert share_by_weight(1000, [1, 1, 1]) == [334, 333, 333]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), max_size=12))
def test_shares_add_up_exactly(total: int, weights: list[int]) -> None:
    assert sum(share_by_weight(total, weights)) == (total if sum(weights) else 0)


@given(st.integers(0, 10**11 - 1))
def test_written_yuan_reads_back(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@pytest.mark.parametrize("text", ["-1", "1.234", "abc", "", "1.", "１２", "1e3"])
def test_what_is_not_an_amount_is_refused_in_words(text: str) -> None:
    with pytest.raises(NotMoney, match=r"such as 1234\.50"):
        parse_yuan(text)


@pytest.mark.parametrize(
    ("fen", "capital"),
    [
        (100505, "壹仟零伍元零伍分"),
        (0, "零元整"),
        (10000, "壹佰元整"),
        (10050, "壹佰元伍角整"),
        (5, "伍分"),
        (1000000, "壹万元整"),
        (10000100, "壹拾万零壹元整"),
        (61628, "陆佰壹拾陆元贰角捌分"),
        (100000000, "壹佰万元整"),
        (200002, "贰仟元零贰分"),
    ],
)
def test_capital_numerals(fen: int, capital: str) -> None:
    assert capital_yuan(fen) == capital
