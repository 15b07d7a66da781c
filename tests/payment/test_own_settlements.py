"""Bills minus what this kiosk settled itself. With the office's own books: tests/office/test_offline_late_fees.py."""

from datetime import date, timedelta

from kiosk.domain.billing import Bill, BillOwed
from kiosk.domain.events import LinePaid, PaymentSettled
from kiosk.domain.late_fee import PrincipalStep
from kiosk.domain.money import Fen
from kiosk.office_client.events import BillsFound
from kiosk.payment.own_settlements import less_own
from tests.offline_queue import journals
from tests.payment.walker import AUGUST, SEPTEMBER, TODAY, UNIT, bill

OWING = bill("b", 24_560, date(2026, 10, 10), late_fee_rule=True)  # 45 days late: 332


def found(*bills: Bill) -> BillsFound:
    return BillsFound(request_no=1, unit=UNIT, bills=bills, as_of=TODAY, applied_seq=1, offline=True)


def paid(bill_id: str, day: date | None, prepaid: int = 0, **lines: int) -> PaymentSettled:
    return journals.settled(
        unit_id=UNIT.unit_id,
        lines=tuple(LinePaid(bill_id=bill_id, component=one, amount_fen=fen) for one, fen in lines.items()),
        prepaid_fen=prepaid,
        business_date=day and day.isoformat(),
    )


def left(*own: PaymentSettled, on: date | None, of: Bill = OWING) -> BillOwed:
    return less_own(found(of), own).bills[0].owed_on(on)


def later(days: int) -> date:
    return TODAY + timedelta(days=days)


def test_what_this_kiosk_settled_after_the_offices_answer_is_taken_off_it():
    less = less_own(found(AUGUST, SEPTEMBER), [paid("b-aug", TODAY, 72, principal=20_000)])
    assert [one.owed_on(TODAY).outstanding for one in less.bills] == [4_560, 24_560]
    assert less.unit.prepaid == UNIT.prepaid + 72


def test_the_prepaid_balance_of_another_unit_is_not_this_ones():
    other = journals.settled(unit_id="u-601", lines=(), prepaid_fen=72)
    assert less_own(found(AUGUST), [other]).unit == UNIT


def test_a_bill_paid_in_full_here_owes_nothing_on_any_later_day():
    whole = paid("b", TODAY, late_fee=332, principal=24_560)
    assert [left(whole, on=later(days)).outstanding for days in (0, 1, 6, 30)] == [0, 0, 0, 0]


def test_a_bill_paid_in_part_here_bears_late_fee_on_the_rest_from_that_day_on():
    part = paid("b", TODAY, late_fee=332, principal=14_560)
    assert [left(part, on=later(days)).late_fee for days in (0, 10)] == [0, 30]
    assert left(part, on=TODAY).bill.steps == (*OWING.steps, PrincipalStep(TODAY, Fen(10_000)))


def test_several_settlements_count_each_from_its_own_day():
    parts = paid("b", TODAY, late_fee=332, principal=4_560), paid("b", later(10), late_fee=60, principal=10_000)
    assert left(*parts, on=later(10)).late_fee == 0
    assert left(*parts, on=later(20)).outstanding == 10_000 + 30
    assert [step.since for step in left(*parts, on=TODAY).bill.steps[1:]] == [TODAY, later(10)]


def test_a_part_of_the_late_fee_leaves_its_rest_and_the_whole_principal():
    fee_alone = paid("b", TODAY, late_fee=132)
    assert (left(fee_alone, on=TODAY).late_fee, left(fee_alone, on=TODAY).bill.steps) == (200, OWING.steps)


def test_without_a_date_the_settlement_stands_on_the_day_of_the_figures_it_paid():
    """The clock was unset, so what was paid is what the office had told: from then on it bears nothing, whatever day it is now."""
    undated = paid("b", None, late_fee=332, principal=24_560)
    assert [left(undated, on=day).outstanding for day in (None, TODAY, later(6))] == [0, 0, 0]
    part = paid("b", None, late_fee=332, principal=14_560)
    assert [left(part, on=day).late_fee for day in (None, TODAY, later(10))] == [0, 0, 30]


def test_an_unset_clock_is_told_what_the_office_would_have_quoted():
    quoted = left(paid("b", TODAY, late_fee=132), on=None)
    assert (quoted.late_fee, quoted.late_days) == (200, 45)


def test_more_than_a_bill_has_open_takes_nothing_below_zero():
    assert left(paid("b", TODAY, late_fee=500, principal=30_000), on=later(6)).outstanding == 0


def test_a_bill_whose_steps_were_never_told_is_taken_off_all_the_same():
    bare = Bill(**{name: getattr(AUGUST, name) for name in AUGUST.__struct_fields__ if name != "steps"})
    assert left(paid("b-aug", TODAY, principal=20_000), on=TODAY, of=bare).outstanding == 4_560


def test_an_office_that_knows_all_our_settlements_is_believed_as_it_is():
    told = found(AUGUST)
    assert less_own(told, []) is told
