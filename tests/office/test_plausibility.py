"""Payments whose money is booked, and which a person shall look at all the same."""

import datetime
from collections.abc import Iterator

import pytest

from kiosk.domain import events
from office.demo import visits
from office.kiosks import replaying
from office.ledger.digest import books_digest
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_project
from office.payments.models import Case, Payment
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, exported, second_kiosk

pytestmark = both_engines

HUNDRED, TEN_YUAN = 10000, 1000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@pytest.fixture(autouse=True)
def _books_hold(estate: Estate) -> Iterator[None]:
    """Whatever a test did, the invariants hold after it, and a rebuild comes to equal books."""
    yield
    assert [str(finding) for finding in verify_project(estate.project)] == []
    before = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == before


@pytest.fixture
def second(estate: Estate) -> Estate:
    return second_kiosk(estate)


def cases() -> dict[str, dict[str, object]]:
    return {case.kind: case.facts for case in Case.objects.all()}


@pytest.mark.parametrize(("hours", "told"), [(71, {}), (74, {"late_upload": {"hours": 74}})])
def test_a_payment_that_was_three_days_on_its_way_is_a_case(estate: Estate, hours: int, told: dict) -> None:
    estate.upload()
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.writer.pass_time(hours * HOUR_MS)
    estate.upload()
    assert cases() == told
    assert estate.payment(payment_id).state == Payment.State.BOOKED


@pytest.mark.parametrize(("hours", "told"), [(0, {}), (71, {}), (74, {"late_upload": {"hours": 74}})])
def test_a_time_that_is_only_estimated_is_late_when_it_is_late_for_certain(
    estate: Estate, hours: int, told: dict
) -> None:
    estate.upload()
    estate.writer.boot_id, estate.writer.mono_ms, estate.writer.clock = "boot without contact", 0, "unset"
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.writer.pass_time(100 * HOUR_MS)
    estate.writer.boot_id, estate.writer.mono_ms, estate.writer.clock = "boot with contact", 0, "synced"
    if hours:
        estate.writer.append(events.AgentStarted(software="0.1.0", sqlite="3.40.1", clean=False))
        estate.writer.pass_time(hours * HOUR_MS)
    estate.upload()
    assert cases() == told, "it may have been paid just before this boot began, and not later"


@pytest.mark.parametrize("apart_h", [100, 1 / 2], ids=["one long silence", "an event each half hour"])
def test_a_replayed_journal_does_not_seem_to_have_come_late(estate: Estate, apart_h: float) -> None:
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    for _ in range(int(100 / apart_h)):
        estate.writer.pass_time(int(apart_h * HOUR_MS))
        estate.writer.append(events.AgentStarted(software="0.1.0", sqlite="3.40.1", clean=True))
    replaying.replay([replaying.read(exported(estate.writer))])
    assert Payment.objects.get().state == Payment.State.BOOKED
    assert cases() == {}


@pytest.mark.parametrize(("minutes", "is_told"), [(9, True), (11, False)])
def test_the_same_amount_at_two_kiosks_within_ten_minutes_is_a_case(
    estate: Estate, second: Estate, minutes: int, is_told: bool
) -> None:
    first_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.upload()
    paid_ms = estate.writer.wall_ms
    second.writer.pass_time(paid_ms - second.writer.wall_ms + minutes * MINUTE_MS - 20_000)
    second_id = second.pay(["sep"], [HUNDRED, TEN_YUAN])
    second.upload()
    told = {"payment_id": first_id, "receipt_no": estate.payment(first_id).receipt_no}
    assert cases() == ({"duplicate_payment": told} if is_told else {})
    assert all(Case.objects.filter(kind="duplicate_payment", payment_id=second_id).values_list("unit_id", flat=True))
    assert {estate.payment(one).state for one in (first_id, second_id)} == {Payment.State.BOOKED}


def test_paying_twice_at_one_kiosk_is_the_payers_own_choice(estate: Estate) -> None:
    for name in ("water", "sep"):
        estate.pay([name], [HUNDRED, TEN_YUAN])
    estate.upload()
    assert cases() == {}


def test_a_split_that_is_not_its_sum_is_an_exception(estate: Estate) -> None:
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY, due_fen=HUNDRED)
    visits.insert_note(estate.writer, payment_id, HUNDRED)
    estate.writer.append(
        events.PaymentSettled(
            payment_id=payment_id,
            unit_id=str(estate.unit.id),
            receipt_no="YG01-000001",
            receipt_number=1,
            received_fen=HUNDRED,
            notes={str(HUNDRED): 1},
            lines=(),
            prepaid_fen=HUNDRED - 1,
            late_days={},
            business_date=TODAY.isoformat(),
            time_zone="Asia/Shanghai",
            ended="finished",
        )
    )
    estate.upload()
    assert cases() == {"amount_mismatch": {"kiosk_received_fen": HUNDRED, "kiosk_split_fen": HUNDRED - 1}}
    assert estate.payment(payment_id).state == Payment.State.EXCEPTION
    assert estate.prepaid() == HUNDRED, "every fen is in the books all the same"
    assert datetime.timedelta(hours=23) < _time_to_close() <= datetime.timedelta(hours=24)


def _time_to_close() -> datetime.timedelta:
    case = Case.objects.get(kind="amount_mismatch")
    return case.due_at - case.opened_at
