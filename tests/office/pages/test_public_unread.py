"""What the page "Where is my money" says where an office can't read what a later program of the kiosk wrote: never that nothing was
taken while a note of the visit is in the box, or people gave its money."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client

from kiosk.domain.billing import BillOwed
from office.billing.wire import domain_bill
from office.demo import visits
from office.kiosks.replaying import read, replay
from office.payments import claims, services
from office.payments.models import Case, Payment, Resolution, SuspenseItem
from office.public import lookup
from office.staff.models import Role
from tests.office.conftest import point_at
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, exported, settlement_code
from tests.office.pages.desk import person, signed_in
from tests.office.pages.test_public_page import HUNDRED, RECEIPT, text_of
from tests.office.parted_journals import findings
from tests.office.test_overtaken import an_older_office, upgrade

NOTES = ("note.escrow", "note.accept_intent", "note.credited")
BEING_CHECKED = "¥300.00 已收到，收费处正在核对"
BOOKED = "¥300.00 已经入账。"
NOTHING = "没有收您的钱"


@contextmanager
def an_office_that_can_not_read(*kinds: str) -> Iterator[None]:
    with ExitStack() as older:
        for kind in kinds:
            older.enter_context(an_older_office(kind))
        yield


def sentence(browser: Client, estate: Estate) -> str:
    """What the slip's payer is told, up to the facts."""
    text = text_of(browser.get(f"/m/{RECEIPT}/{settlement_code(estate)}"))
    found = re.search(r"我的钱在哪里 (.*?) 流水号", text)
    assert found
    return found[1]


def see_to_the_cases(estate: Estate) -> None:
    """Somebody looks at everything that needs no second person, and closes it."""
    finance = add_person(estate.project, Role.FINANCE_AUDIT)
    for case in Case.objects.filter(state="open").exclude(suspense__state="open"):
        services.close_case(finance, case, "looked at")


def two_people(estate: Estate, outcome: str) -> None:
    """Whatever waits for two people ends in this way."""
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    for item in SuspenseItem.objects.filter(state="open"):
        claims.confirm(finance, claims.propose(clerk, item, outcome, "slip seen", unit=estate.unit))


@both_engines
def test_a_visit_whose_beginning_can_not_be_read_pays_what_its_payer_picked(browser: Client, estate: Estate) -> None:
    with an_office_that_can_not_read("payment.opened"):
        estate.pay(["sep"], [HUNDRED] * 3)
        estate.upload()
        assert BEING_CHECKED in sentence(browser, estate)
        assert (estate.reload("sep").principal_paid_fen, estate.prepaid()) == (24560, 3 * HUNDRED - 24560)
        assert Payment.objects.get().unit == estate.unit
        see_to_the_cases(estate)
        assert BOOKED in sentence(browser, estate)
        assert findings() == []
    upgrade(estate)
    assert (estate.reload("sep").principal_paid_fen, estate.prepaid()) == (24560, 3 * HUNDRED - 24560)
    assert BOOKED in sentence(browser, estate)


def test_so_it_does_where_the_office_comes_back_from_the_kiosks_journal(estate: Estate, tmp_path: Path) -> None:
    connections.close_all()
    shutil.copy(tmp_path / "office.db", tmp_path / "backup.db")
    estate.pay(["sep"], [HUNDRED] * 3)
    point_at(f"sqlite:///{tmp_path / 'backup.db'}")
    with an_office_that_can_not_read("payment.opened"):
        for _ in ("once", "twice changes nothing"):
            replay([read(exported(estate.writer))])
            assert (estate.reload("sep").principal_paid_fen, estate.prepaid()) == (24560, 3 * HUNDRED - 24560)
            assert findings() == []
    upgrade(estate)


@both_engines
@pytest.mark.parametrize(
    ("outcome", "told"), [("credit", BOOKED), ("refund", "¥300.00 已退还现金。")], ids=["credited", "given back"]
)
def test_notes_that_can_not_be_read_are_told_as_received_and_then_as_two_people_placed_them(
    browser: Client, estate: Estate, outcome: str, told: str
) -> None:
    with an_office_that_can_not_read(*NOTES):
        estate.pay([], [HUNDRED] * 3)
        estate.upload()
        assert BEING_CHECKED in sentence(browser, estate)
        see_to_the_cases(estate)
        assert BEING_CHECKED in sentence(browser, estate), "the money still waits for two people"
        two_people(estate, outcome)
        see_to_the_cases(estate)
        assert told in sentence(browser, estate)
        assert findings() == []
    upgrade(estate)
    assert NOTHING not in sentence(browser, estate)


@both_engines
def test_one_note_of_three_that_can_not_be_read_is_received_too(browser: Client, estate: Estate) -> None:
    unit, writer = str(estate.unit.id), estate.writer
    payment_id = visits.open_payment(writer, unit, owed(estate), TODAY)
    visits.insert_note(writer, payment_id, HUNDRED)
    estate.upload()
    with an_office_that_can_not_read(*NOTES):
        visits.insert_note(writer, payment_id, HUNDRED)
        estate.upload()
    visits.insert_note(writer, payment_id, HUNDRED)
    visits.settle(writer, payment_id, unit, "YG01", owed(estate), [HUNDRED] * 3, TODAY)
    estate.upload()
    assert BEING_CHECKED in sentence(browser, estate)
    two_people(estate, "credit")
    see_to_the_cases(estate)
    assert BOOKED in sentence(browser, estate)


def owed(estate: Estate) -> list[BillOwed]:
    return [domain_bill(estate.reload("sep"), TODAY).owed_on(TODAY)]


@both_engines
@pytest.mark.parametrize("beginning", ["payment.opened", "payment.opened and notes"])
def test_a_visit_of_which_neither_beginning_nor_end_can_be_read_waits_for_two_people(
    browser: Client, estate: Estate, beginning: str
) -> None:
    notes = NOTES if "notes" in beginning else ()
    with an_office_that_can_not_read("payment.opened", "payment.settled", *notes):
        estate.pay(["sep"], [HUNDRED] * 3)
        estate.upload()
        assert "¥300.00 已收到，收费处正在核对" in sentence(browser, estate)
        assert sum(item.amount_fen or 0 for item in SuspenseItem.objects.filter(state="open")) == 3 * HUNDRED
        two_people(estate, "credit")
        assert estate.prepaid() == 3 * HUNDRED
        assert NOTHING not in sentence(browser, estate)
        assert findings() == []
    upgrade(estate)
    assert BOOKED in sentence(browser, estate)
    assert (estate.reload("sep").principal_paid_fen, estate.prepaid()) == (24560, 3 * HUNDRED - 24560), "once"
    assert {resolution.state for resolution in Resolution.objects.all()} == {"cancelled"}


def test_staff_read_why_that_money_waits(estate: Estate) -> None:
    with an_office_that_can_not_read("payment.opened", "payment.settled"):
        estate.pay(["sep"], [HUNDRED] * 3)
        estate.upload()
        payment = Payment.objects.get()
        desk = signed_in(person(estate.project, Role.FINANCE_AUDIT))
        text = text_of(desk.get(f"/projects/YG/payments/{payment.id}/"))
        assert "缴费结束的记录看不懂" in text
        assert "到达办公室，收到的钱记入待查款项" in text


def test_a_slip_over_money_of_which_the_books_have_nothing_is_never_answered_with_nothing_taken(
    browser: Client, estate: Estate
) -> None:
    """Whoever closed the case of the difference: the kiosk printed that it has the money."""
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    visits.settle(estate.writer, payment_id, str(estate.unit.id), "YG01", [], [HUNDRED] * 3, TODAY)
    estate.upload()
    see_to_the_cases(estate)
    assert BEING_CHECKED in sentence(browser, estate)


def test_a_record_that_comes_while_the_page_is_made_breaks_no_chain(
    browser: Client, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.upload()
    estate.pay([], [HUNDRED])
    journals = lookup._journals

    def then_an_upload(kiosk_code: str) -> list[object]:
        found = list(journals(kiosk_code))
        estate.upload()
        return found

    monkeypatch.setattr(lookup, "_journals", then_an_upload)
    text = text_of(browser.get(f"/m/{RECEIPT}/{settlement_code(estate)}"))
    assert "记录链 完整" in text
    assert "断开" not in text
