"""Allocation against A1 to A3 of office-domain section 6 (A3 as decisions section 20 amends it), and its invariants."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.allocation import Allocation, Component, allocate, suggest_notes
from kiosk.domain.billing import Bill, BillOwed, in_paying_order
from kiosk.domain.late_fee import LateFeeRule, PrincipalStep
from kiosk.domain.money import NOTE_FACES, Fen

TODAY = date(2026, 10, 15)


def bill(bill_id: str, fen: int, due_on: date, rule: LateFeeRule | None = None) -> Bill:
    return Bill(
        bill_id=bill_id,
        unit_id="unit",
        item_code="F",
        item_name="物业服务费",
        item_name_en="Property service fee",
        category="property",
        period_from=date(2026, 8, 1),
        period_to=date(2026, 9, 1),
        due_on=due_on,
        version=1,
        amount=Fen(fen),
        principal_open=Fen(fen),
        rule=rule,
        steps=(PrincipalStep(date(2026, 8, 1), Fen(fen)),),
    )


AUGUST = bill("aug", 24560, date(2026, 8, 31), LateFeeRule(rate_ppm=300)).owed_on(TODAY)
SEPTEMBER = bill("sep", 24560, date(2026, 9, 30)).owed_on(TODAY)
WATER = bill("water", 11000, date(2026, 9, 30)).owed_on(TODAY)
ALL = (AUGUST, SEPTEMBER, WATER)


def given_to(allocation: Allocation, bill_id: str, component: Component) -> int:
    return sum(line.amount for line in allocation.lines if (line.bill_id, line.component) == (bill_id, component))


def test_august_bears_45_days_of_late_fee() -> None:
    assert (AUGUST.late_fee, AUGUST.late_days) == (332, 45)


def test_a1_part_payment_goes_late_fee_first_then_oldest_then_in_proportion() -> None:
    paid = allocate(Fen(60000), ALL, TODAY)
    assert given_to(paid, "aug", Component.LATE_FEE) == 332
    assert given_to(paid, "aug", Component.PRINCIPAL) == 24560
    assert given_to(paid, "sep", Component.PRINCIPAL) == 24248
    assert given_to(paid, "water", Component.PRINCIPAL) == 10860
    assert paid.prepayment == 0


def test_a2_what_is_left_over_becomes_prepaid_balance() -> None:
    paid = allocate(Fen(61000), ALL, TODAY)
    assert paid.prepayment == 548
    assert all(paid.paid_to(owed.bill.bill_id) == owed.outstanding for owed in ALL)


def test_a3_surplus_over_the_picked_bill_goes_to_prepaid_balance_not_to_other_bills() -> None:
    paid = allocate(Fen(20000), (WATER,), TODAY)
    assert (paid.paid_to("water"), paid.prepayment) == (11000, 9000)


def test_nothing_picked_is_all_prepayment() -> None:
    assert allocate(Fen(5000), (), TODAY) == Allocation((), Fen(5000))


def test_bills_not_yet_due_come_after_due_ones() -> None:
    later = bill("nov", 1000, date(2026, 11, 30)).owed_on(TODAY)
    assert allocate(Fen(11000), (later, WATER), TODAY).paid_to("nov") == 0


@st.composite
def owed_bills(draw: st.DrawFn) -> list[BillOwed]:
    count = draw(st.integers(0, 8))
    return [
        bill(
            f"b{number}",
            draw(st.integers(0, 200_000)),
            draw(st.dates(date(2026, 1, 1), date(2026, 12, 31))),
            draw(st.sampled_from([None, LateFeeRule(rate_ppm=300), LateFeeRule(rate_ppm=3000)])),
        ).owed_on(TODAY)
        for number in range(count)
    ]


@given(st.integers(0, 500_000), owed_bills())
def test_lines_and_prepayment_add_up_and_no_bill_gets_more_than_is_open(paid: int, bills: list[BillOwed]) -> None:
    allocation = allocate(Fen(paid), bills, TODAY)
    assert sum(line.amount for line in allocation.lines) + allocation.prepayment == paid
    assert all(line.amount > 0 for line in allocation.lines)
    assert all(allocation.paid_to(owed.bill.bill_id) <= owed.outstanding for owed in bills)
    if allocation.prepayment:
        assert all(allocation.paid_to(owed.bill.bill_id) == owed.outstanding for owed in bills)


@given(owed_bills())
def test_the_order_on_the_glass_is_overdue_first_and_stable(bills: list[BillOwed]) -> None:
    ordered = in_paying_order(bills)
    flags = [owed.overdue for owed in ordered]
    assert flags == sorted(flags, reverse=True)
    assert in_paying_order(list(reversed(bills))) == ordered


@given(st.integers(0, 300_000))
def test_suggested_notes_cover_what_is_missing_with_less_than_a_yuan_left(missing: int) -> None:
    suggested = sum(face * count for face, count in suggest_notes(Fen(missing), NOTE_FACES).items())
    assert 0 <= suggested - missing < 100


def test_without_small_notes_there_is_no_suggestion_rather_than_a_wrong_one() -> None:
    assert suggest_notes(Fen(3000), (Fen(10000), Fen(5000))) == {}
