"""Claims on the staff pages: a cashier proposes, finance confirms, a cashier counts a box without being told what to expect."""

import re

import pytest
from django.test import Client

from kiosk.domain.events import CashboxRemoved, NoteCredited, NoteUnknown
from office.demo import visits
from office.payments.models import BoxCount, Case, Resolution, SuspenseItem
from office.staff.models import Role
from tests.office.pages.desk import HUNDRED, BusyDesk, person, signed_in


@pytest.fixture
def cashier(desk: BusyDesk) -> Client:
    return signed_in(person(desk.estate.project, Role.CASHIER, name="chen"))


@pytest.fixture
def finance(desk: BusyDesk) -> Client:
    return signed_in(person(desk.estate.project, Role.FINANCE_AUDIT, name="he"))


@pytest.fixture
def item(desk: BusyDesk) -> SuspenseItem:
    return SuspenseItem.objects.get(kind="note_unknown")


def told(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_cashier_proposes_from_the_queue_and_finance_confirms(
    desk: BusyDesk, cashier: Client, finance: Client, item: SuspenseItem
) -> None:
    queue = cashier.get(desk.at("cases/"))
    page = desk.at(f"claims/{item.id}/")
    assert page in queue.content.decode()
    assert item.claim_no in told(queue)
    form = {"way": "refund", "why": "他本人在场"}
    assert "已提出" in told(cashier.post(f"{page}propose/", form, follow=True))
    confirm = desk.at(f"proposals/{Resolution.objects.get().id}/confirm/")
    assert confirm not in cashier.get(page).content.decode()
    assert cashier.post(confirm).status_code == 403
    assert confirm in finance.get(page).content.decode()
    assert "已确认，账目已按此办理" in told(finance.post(confirm, follow=True))
    assert "已退还现金" in told(finance.get(page))
    assert Case.objects.get(kind="note_unknown").state == "closed"


def test_what_is_wrong_with_a_proposal_is_said_in_one_sentence(
    desk: BusyDesk, cashier: Client, finance: Client, item: SuspenseItem
) -> None:
    page = desk.at(f"claims/{item.id}/")
    assert "请写明理由" in told(cashier.post(f"{page}propose/", {"way": "refund"}, follow=True))
    wrong = {"way": "credit", "why": "x", "unit": "9-9-999"}
    assert "写对房号" in told(cashier.post(f"{page}propose/", wrong, follow=True))
    cashier.post(f"{page}propose/", {"way": "not_received", "why": "x"})
    assert "刚有变化" in told(cashier.post(f"{page}propose/", {"way": "refund", "why": "x"}, follow=True))
    cancel = desk.at(f"proposals/{Resolution.objects.get().id}/cancel/")
    assert "记录保留" in told(finance.post(cancel, {"why": "先问缴费人"}, follow=True))
    assert "先问缴费人" in told(cashier.get(page))
    assert "由证据或两个人了结" in told(
        cashier.post(desk.at(f"cases/{item.cases.get().id}/close/"), {"why": "x"}, follow=True)
    )


def test_a_claim_that_the_acceptor_answered_late_says_so_and_that_its_money_is_in_the_payment(
    desk: BusyDesk, finance: Client
) -> None:
    writer, unit = desk.estate.writer, str(desk.estate.unit.id)
    payment_id = visits.open_payment(writer, unit, [], desk.today, due_fen=HUNDRED)
    note = {"payment_id": payment_id, "note_no": writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    writer.append(NoteUnknown(**note, reason="no_answer", claim_no="YG01-Q000077"))
    visits.settle(writer, payment_id, unit, desk.estate.kiosk.code, [], [], desk.today)
    desk.estate.upload()
    address = desk.at(f"claims/{SuspenseItem.objects.get(claim_no='YG01-Q000077').id}/")
    assert "纸币器一直没有回答" in told(finance.get(address))
    writer.append(NoteCredited(**note, recovered="late_answer"))
    desk.estate.upload()
    page = told(finance.get(address))
    assert "已查明：在钞箱内" in page
    assert "钱已记入这笔缴费，去向见缴费页。" in page
    assert "终端后来的记录说，它在钞箱内" in page
    assert "您的提议" not in page


def test_a_cashier_counts_a_box_that_was_taken_out_and_is_never_told_what_to_expect(
    desk: BusyDesk, cashier: Client, finance: Client
) -> None:
    desk.estate.writer.append(CashboxRemoved(acceptor_serial="SSP-4711"))
    desk.estate.upload()
    link = re.search(r"/projects/\w+/counts/[0-9a-f-]+/", cashier.get(desk.at("cases/")).content.decode())
    assert link is not None
    assert link[0] not in finance.get(desk.at("cases/")).content.decode()
    assert finance.get(link[0]).status_code == 403
    form = {f"n{face}": "0" for face in (10000, 5000, 2000, 1000, 500, 100)}
    missing = cashier.post(link[0], {**form, "n500": ""})
    assert (missing.status_code, BoxCount.objects.count()) == (422, 0)
    saved = cashier.post(link[0], form, follow=True)
    assert "清点结果已保存" in told(saved)
    assert Case.objects.get(kind="box_variance").owner_role == "finance_audit"
    assert cashier.get(link[0]).status_code == 404


def test_the_pages_read_in_english(desk: BusyDesk, item: SuspenseItem) -> None:
    reader = signed_in(person(desk.estate.project, Role.CASHIER, name="ann"), "en")
    assert "Credit the household" in told(reader.get(desk.at(f"claims/{item.id}/")))
