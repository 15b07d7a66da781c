"""What the pages say of a payment's money, by how the payment ended."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import escape

from kiosk.domain.events import PaymentCancelled
from office.demo import visits
from office.payments.models import Payment, SuspenseItem
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


WHY: dict[str, tuple[Callable[[BusyDesk], str], tuple[str, str], tuple[str, str]]] = {
    "cancelled": (
        lambda desk: cancelled(desk, HUNDRED),
        ("收下了纸币，但缴费没有完成", "收下纸币以后，缴费被取消"),
        ("the payment was not completed", "The payment was cancelled after notes were kept"),
    ),
    "cut off": (
        lambda desk: cut_off(desk, HUNDRED),
        ("收下了纸币，但缴费没有完成", "终端的旧记录停用时，缴费还没有完成"),
        ("the payment was not completed", "The kiosk's old records were put away before the payment was completed"),
    ),
    "home unknown": (
        of_no_unit,
        ("终端所报的房号这里没有。", "终端所报的房号这里没有"),
        ("named a unit that does not exist here.", "The kiosk named a unit that does not exist here"),
    ),
    "a note too many": (
        with_a_note_too_many,
        ("终端收下的纸币比它所报的多。", "终端收下的纸币比它所报的多"),
        ("The kiosk kept more than it told.", "The kiosk kept more than it told"),
    ),
}


def test_why_money_has_no_place_reads_as_it_happened_wherever_it_waits(
    desk: BusyDesk, readers: tuple[Client, Client]
) -> None:
    for way, (happens, *said) in WHY.items():
        payment_id = happens(desk)
        item = SuspenseItem.objects.get(payment_id=payment_id, note=None)
        for reader, (what, cause), title in zip(readers, said, ("待查款项", "Suspense"), strict=True):
            assert what in text_of(reader, desk.at(f"payments/{payment_id}/")), way
            assert what in text_of(reader, desk.at("cases/")), way
            page = reader.get(desk.at(f"claims/{item.id}/")).content.decode()
            assert f"<dd>{escape(cause)}</dd>" in page, way
            assert f"<title>{title}" in page, way


def test_whoever_may_only_confirm_reads_who_proposes(desk: BusyDesk, readers: tuple[Client, Client]) -> None:
    item = SuspenseItem.objects.get(payment_id=cancelled(desk, HUNDRED))
    chinese, english = (text_of(reader, desk.at(f"claims/{item.id}/")) for reader in readers)
    assert "待查款项 核实中" in chinese
    assert "等收费员或项目经理提出处理办法" in chinese
    assert "Suspense being checked" in english
    assert "Waits for a cashier or the project manager to propose" in english


def test_a_cancelled_payment_says_who_ended_it_in_the_readers_language(
    desk: BusyDesk, readers: tuple[Client, Client]
) -> None:
    page = desk.at(f"payments/{cancelled(desk)}/")
    assert Payment.objects.get(ended="payer").state == Payment.State.CANCELLED
    chinese, english = (text_of(reader, page) for reader in readers)
    assert chinese.count("缴费人取消") == 2, "in what happened, and in the kiosk's own event"
    assert english.count("Cancelled by the payer") == 2
