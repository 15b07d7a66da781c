"""Room numbers as people type them, receipt numbers, and what of a name may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.identifiers import UnitAddress, claim_no, parse_address, receipt_no
from kiosk.domain.masking import mask_name, mask_phone


@pytest.mark.parametrize(
    "typed", ["3-1-502", "3栋1单元502", "03010502", "030105 02", "3栋1单元502室", "３－１－５０２", " 3 - 1 - 502 "]
)
def test_one_dwelling_typed_in_many_forms(typed: str) -> None:
    assert parse_address(typed) == UnitAddress("3", "1", "502")


@pytest.mark.parametrize("typed", ["", "3-1", "502", "3-1-5", "abc", "3-1-502-1", "3-1-50200"])
def test_what_is_no_room_number_is_none(typed: str) -> None:
    assert parse_address(typed) is None


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_none_and_never_an_error(typed: str) -> None:
    parsed = parse_address(typed)
    assert parsed is None or parse_address(parsed.code) == parsed


def test_numbers_on_paper() -> None:
    assert receipt_no("YG01", 123) == "YG01-000123"
    assert receipt_no("YG01", 1234567) == "YG01-1234567"
    assert claim_no("YG01", 7) == "YG01-Q000007"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("欧阳小明", "欧阳**"),
        ("欧阳", "欧*"),
        ("Smith", "S***"),
        ("王小明", "王**"),
        ("", ""),
        ("司徒乐", "司徒*"),
    ],
)
def test_the_surname_stays_and_the_rest_hides(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=8))
def test_no_given_name_survives_masking(name: str) -> None:
    assert mask_name(name)[-1] == "*"
    assert len(mask_name(name)) == len(name)


def test_phones() -> None:
    assert mask_phone("138 1234 5678") == "138****5678"
    assert mask_phone("12345") == "****"
