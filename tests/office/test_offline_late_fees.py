"""A household that comes back to a kiosk which the office does not hear: both must count the same late fee, to the fen."""

import datetime
import uuid
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from kiosk import taps
from kiosk.domain.billing import Bill, BillOwed
from kiosk.domain.billing import Unit as ToldUnit
from kiosk.domain.estate import Estate as KioskEstate
from kiosk.domain.events import PaymentPartial, PaymentSettled, decode
from kiosk.domain.money import Fen
from kiosk.office_client.events import BillsFound
from kiosk.payment.own_settlements import less_own
from office.billing.models import Bill as BilledRow
from office.billing.wire import domain_bill
from office.demo import visits
from office.ledger.verify import verify_everything
from office.payments.models import Case, Payment
from tests.office.estate import TODAY, Estate, second_kiosk
from tests.payment.walker import NOW_MS, Walker

NOTES = (10_000, 5_000, 2_000, 1_000, 500, 100)
BEARABLE = {"late_upload"}  # the kiosk was away for days, which is true


def days(count: int) -> datetime.timedelta:
    return datetime.timedelta(days=count)


@dataclass
class AwayKiosk:
    """A kiosk that knows of August's bill only what it was told, and of itself what it has settled since."""

    estate: Estate
    told: Bill
    as_of: datetime.date = TODAY
    day: datetime.date = TODAY

    def is_told(self, as_of: datetime.date) -> None:
        """A newer answer of an office that has not heard of our payments yet."""
        self.told, self.as_of = domain_bill(self.estate.reload("aug"), as_of), as_of

    def found(self) -> BillsFound:
        unit = ToldUnit(
            unit_id=str(self.estate.unit.id), code="3-1-502", building="3", entrance="1", room="502", masked_name="*"
        )
        return BillsFound(request_no=1, unit=unit, bills=(self.told,), as_of=self.as_of, offline=True, applied_seq=0)

    def own(self) -> list[PaymentSettled | PaymentPartial]:
        written = (decode(entry.body) for entry in self.estate.writer.events)
        return [event for event in written if isinstance(event, PaymentSettled | PaymentPartial)]

    def owed(self) -> BillOwed:
        return less_own(self.found(), self.own()).bills[0].owed_on(self.day)

    def goes_to(self, day: datetime.date) -> None:
        self.estate.writer.pass_time((day - self.day).days * 86_400_000)
        self.day = day

    def takes(self, fen: int, *, clock_set: bool = True) -> str:
        """A visit that pays August with notes of at least this much."""
        faces, left = list[int](), -(-fen // 100) * 100
        for face in NOTES:
            faces += [face] * (left // face)
            left %= face
        bill, day = self.owed().bill, self.day if clock_set else None
        writer, kiosk = self.estate.writer, self.estate.kiosk
        return visits.pay(writer, bill.unit_id, kiosk.code, [bill], faces, day, offline=True)


def writes(estate: Estate, walker: Walker) -> str:
    """What the walker's flow recorded, in the journal that is uploaded; its payment gets an id as an agent makes them."""
    payment_id = str(uuid.uuid4())
    for event in walker.recorded:
        estate.writer.append(replace(event, payment_id=payment_id) if hasattr(event, "payment_id") else event)
    return payment_id


@pytest.fixture
def kiosk(estate: Estate) -> AwayKiosk:
    return AwayKiosk(estate, domain_bill(estate.reload("aug"), TODAY))


def large(estate: Estate, amount_fen: int) -> AwayKiosk:
    """August's bill over so much; its issue stands in the ledger with the old amount, so nothing may ask that."""
    BilledRow.objects.filter(id=estate.bills["aug"].id).update(amount_fen=amount_fen)
    return AwayKiosk(estate, domain_bill(estate.reload("aug"), TODAY))


def both_agree(kiosk: AwayKiosk) -> BilledRow:
    """Upload everything: what the kiosk asks now is what the office asks."""
    asked = kiosk.owed()
    kiosk.estate.upload()
    row = kiosk.estate.reload("aug")
    office = domain_bill(row, kiosk.day).owed_on(kiosk.day)
    assert (asked.bill.principal_open, asked.late_fee) == (office.bill.principal_open, office.late_fee)
    assert asked.bill.steps == office.bill.steps
    return row


def books_hold(kiosk: AwayKiosk) -> BilledRow:
    """Both agree, and no case speaks of money."""
    row = both_agree(kiosk)
    assert set(Case.objects.values_list("kind", flat=True)) <= BEARABLE
    assert not Payment.objects.exclude(state=Payment.State.BOOKED).exists()
    return row


def test_a_bill_paid_in_full_asks_nothing_of_whoever_comes_back_a_week_later(kiosk: AwayKiosk) -> None:
    assert kiosk.owed().outstanding == 24_560 + 332
    kiosk.takes(24_892)
    kiosk.goes_to(TODAY + days(6))
    assert kiosk.owed().outstanding == 0
    assert books_hold(kiosk).status == BilledRow.Status.PAID
    assert not list(verify_everything())


def test_a_bill_paid_in_parts_on_three_days_is_closed_to_the_fen(kiosk: AwayKiosk) -> None:
    for wait, fen in ((0, 10_000), (6, 7_000), (24, 0)):
        kiosk.goes_to(kiosk.day + days(wait))
        kiosk.takes(fen or kiosk.owed().outstanding)
    row = books_hold(kiosk)
    assert (row.status, row.principal_paid_fen, row.late_fee_waived_fen) == (BilledRow.Status.PAID, 24_560, 0)
    assert not list(verify_everything())


@pytest.mark.parametrize("first_fen", [100_000, 3_000])  # the late fee of the first day is 4,050
def test_a_large_bill_paid_in_part_bears_late_fee_only_on_what_was_left_that_day(
    estate: Estate, first_fen: int
) -> None:
    kiosk = large(estate, 300_000)
    kiosk.takes(first_fen)
    kiosk.goes_to(TODAY + days(6))
    left = 300_000 + 4_050 - first_fen
    principal = min(300_000, left)
    assert kiosk.owed().outstanding == left + round(principal * 6 * 300 / 1_000_000)
    kiosk.takes(kiosk.owed().outstanding)
    assert books_hold(kiosk).status == BilledRow.Status.PAID


@pytest.mark.parametrize("is_told_again", [False, True])
def test_a_small_late_fee_that_the_office_waives_is_not_asked_for_at_the_kiosk(
    kiosk: AwayKiosk, is_told_again: bool
) -> None:
    """With an unset clock the figure that was told is paid; here it is three days old, and the office waives the difference."""
    kiosk.goes_to(TODAY + days(3))
    kiosk.takes(24_892, clock_set=False)
    if is_told_again:
        kiosk.is_told(kiosk.day)
    kiosk.goes_to(TODAY + days(6))
    assert kiosk.owed().outstanding == 0
    kiosk.estate.upload()
    row = kiosk.estate.reload("aug")
    assert (row.status, row.late_fee_waived_fen) == (BilledRow.Status.PAID, 22)


def test_what_was_paid_elsewhere_a_day_later_leaves_the_same_rest_on_both_sides(kiosk: AwayKiosk) -> None:
    kiosk.takes(10_000)
    other, tomorrow = second_kiosk(kiosk.estate), TODAY + days(1)
    visits.pay(other.writer, str(other.unit.id), other.kiosk.code, [kiosk.told], [5_000], tomorrow)
    other.upload()
    kiosk.is_told(tomorrow)
    assert [step.since for step in kiosk.told.steps[1:]] == [tomorrow], "the office does not know ours yet"
    kiosk.goes_to(TODAY + days(6))
    both_agree(kiosk)


def test_a_payer_who_meets_midnight_between_screen_and_notes_owes_nothing_more(estate: Estate) -> None:
    kiosk = large(estate, 500_000)
    settings = KioskEstate(kiosk_code=estate.kiosk.code, cash_limit_fen=Fen(1_000_000))
    walker = Walker(link_up=False, estate=settings).ready()
    walker.day = TODAY
    walker.to_method(kiosk.told, unit=kiosk.found().unit, offline=True, as_of=TODAY, cached_at_ms=NOW_MS)
    walker.day = TODAY + days(1)
    estate.writer.pass_time(86_400_000)
    walker.tap(taps.TileChosen, tile="cash").printer_says().acceptor_open().insert(*[100] * 50, 50, 20)
    walker.tap(taps.ContinueTapped)
    payment_id = writes(estate, walker)
    estate.upload()
    assert walker.records(PaymentSettled)[0].received_fen == 507_000
    assert estate.reload("aug").status == BilledRow.Status.PAID
    assert (estate.payment(payment_id).state, estate.payment(payment_id).prepaid_fen) == (Payment.State.BOOKED, 250)
    assert not Case.objects.exists()
