"""What a payment's page says of its money's arrival, by how the payment ended."""

from collections.abc import Callable

import pytest
from django.test import Client

from kiosk.domain.events import PaymentCancelled
from office.demo import visits
from office.payments.models import Payment
from office.staff.models import Role
from tests.office.pages.desk import FIFTY, HUNDRED, BusyDesk, person, signed_in
from tests.office.pages.test_pages_render import text_of
from tests.office.parted_journals import follow

POSTED = ("到达办公室，已按规则入账 ", "Arrived at the office, posted by rule ")
IN_SUSPENSE = ("到达办公室，收到的钱记入待查款项", "Arrived at the office; the money received stands in suspense")
PARTLY = ("，已按规则入账，其中 ¥50.00 记入待查款项", ", posted by rule; of it ¥50.00 stands in suspense")
NOTHING = ("到达办公室，没有收钱，不用入账", "Arrived at the office; nothing was taken, nothing to post")


@pytest.fixture
def readers(desk: BusyDesk) -> tuple[Client, Client]:
    """Who reads Chinese, and who reads English."""
    people = [person(desk.estate.project, Role.FINANCE_AUDIT, name=name) for name in ("lin", "xm")]
    return signed_in(people[0]), signed_in(people[1], "en")


def opened(desk: BusyDesk, *faces: int) -> str:
    """A visit that goes on, with these notes in the box."""
    estate = desk.estate
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], desk.today)
    for face in faces:
        visits.insert_note(estate.writer, payment_id, face)
    return payment_id


def cancelled(desk: BusyDesk, *faces: int) -> str:
    payment_id = opened(desk, *faces)
    desk.estate.writer.append(PaymentCancelled(payment_id=payment_id, reason="payer"))
    desk.estate.upload()
    return payment_id


def cut_off(desk: BusyDesk, *faces: int) -> str:
    payment_id = opened(desk, *faces)
    desk.estate.upload()
    follow(desk.estate, desk.estate.writer.next_receipt)
    desk.estate.upload()
    return payment_id


def of_no_unit(desk: BusyDesk) -> str:
    """Settled for a home that the office does not know."""
    payment_id = visits.pay(desk.estate.writer, "no such unit", desk.estate.kiosk.code, [], [HUNDRED], desk.today)
    desk.estate.upload()
    return payment_id


def with_a_note_too_many(desk: BusyDesk) -> str:
    """The box counted 50 yuan more than the settlement tells."""
    estate, payment_id = desk.estate, opened(desk, HUNDRED, FIFTY)
    visits.settle(estate.writer, payment_id, str(estate.unit.id), estate.kiosk.code, [], [HUNDRED], desk.today)
    estate.upload()
    return payment_id


WAYS: dict[str, tuple[Callable[[BusyDesk], str], tuple[str, str]]] = {
    "settled": (lambda desk: desk.payments["plain"], POSTED),
    "settled, home unknown": (of_no_unit, IN_SUSPENSE),
    "settled, more in the box": (with_a_note_too_many, PARTLY),
    "cancelled, with money in it": (lambda desk: cancelled(desk, HUNDRED), IN_SUSPENSE),
    "cancelled": (cancelled, NOTHING),
    "cut off, with money in it": (lambda desk: cut_off(desk, HUNDRED), IN_SUSPENSE),
    "cut off": (cut_off, NOTHING),
}


def test_where_the_money_went_at_its_arrival_reads_as_it_happened(
    desk: BusyDesk, readers: tuple[Client, Client]
) -> None:
    for way, (happens, said) in WAYS.items():
        page = desk.at(f"payments/{happens(desk)}/")
        for n, reader in enumerate(readers):
            text = f"{text_of(reader, page)} "
            heard = {sentences[n] for sentences in (POSTED, PARTLY, IN_SUSPENSE, NOTHING) if sentences[n] in text}
            assert heard == {said[n]}, way


def test_a_cancelled_payment_says_who_ended_it_in_the_readers_language(
    desk: BusyDesk, readers: tuple[Client, Client]
) -> None:
    page = desk.at(f"payments/{cancelled(desk)}/")
    assert Payment.objects.get(ended="payer").state == Payment.State.CANCELLED
    chinese, english = (text_of(reader, page) for reader in readers)
    assert chinese.count("缴费人取消") == 2, "in what happened, and in the kiosk's own event"
    assert english.count("Cancelled by the payer") == 2
