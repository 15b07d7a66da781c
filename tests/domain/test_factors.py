"""How a computation's factors read in English."""

import pytest

from kiosk.domain.factors import in_english


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("1 个月", "1 month"),
        ("3 个月", "3 months"),
        ("2.50 元/㎡·月", "¥2.50/m²·month"),
        ("98.24 ㎡", "98.24 m²"),
        ("1,284.35 元", "¥1,284.35"),
        ("20 吨", "20 t"),
        ("2.65%", "2.65%"),
    ],
)
def test_a_factor_reads_in_english(chinese: str, english: str) -> None:
    assert in_english(chinese) == english
