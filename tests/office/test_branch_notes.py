"""Whose notes on a branch are: what a payer's slip is told, how two people end it, what a count proves, what staff see."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from kiosk.domain.chain import check_code
from kiosk.domain.events import (
    AgentStarted,
    CashboxRemoved,
    NoteAcceptIntent,
    NoteCredited,
    NoteEscrow,
    NoteUnknown,
)
from office.demo import visits
from office.kiosks.models import Journal, RawEvent
from office.payments import claims, counting
from office.payments.claim_rules import FACES
from office.payments.models import Note, SuspenseItem
from office.public.lookup import find, read_question
from office.staff.models import Role
from tests.office import test_beancount
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, settlement_code
from tests.office.pages.desk import person, signed_in
from tests.office.pages.test_public_page import text_of
from tests.office.parted_journals import HUNDRED, Parted, box, copied, findings, follow, part


@pytest.fixture
def parted(estate: Estate) -> Parted:
    return part(estate)


# --- the payer ----------------------------------------------------------------------------------------------------


@pytest.fixture
def browser() -> Client:
    return Client(HTTP_ACCEPT_LANGUAGE="zh-CN", REMOTE_ADDR="192.0.2.7")


def people_end(parted: Parted, way: str) -> Iterator[SuspenseItem]:
    """Two people end what is open about the branch, one item after the other."""
    clerk, finance = add_person(parted.real.project, Role.CASHIER), add_person(parted.real.project, Role.FINANCE_AUDIT)
    for item in SuspenseItem.objects.filter(state="open").order_by("amount_fen"):
        claims.confirm(finance, claims.propose(clerk, item, way, "slip and check code seen", unit=parted.real.unit))
        yield item


@both_engines
def test_a_slip_of_the_branch_is_answered_and_the_check_code_says_which_of_two_equal_numbers_is_meant(
    parted: Parted, browser: Client
) -> None:
    number, code = "YG01-000002", settlement_code(parted.copy)
    assert "未找到" in text_of(browser.get(f"/m/{number}/{code}"))
    parted.take_in()
    text = text_of(browser.get(f"/m/{number}/{code}"))
    assert "处理中" in text
    assert "有 1 张纸币正在核实" in text
    assert "其余已确认收到 ¥120.00" in text
    assert f"从第 {parted.at} 号起有两份" in text
    assert "断开" in text
    assert "处理中" in text_of(browser.get(f"/m/YG01-Q000001/{code}")), "by its claim number as well"
    own = text_of(browser.get(f"/m/{number}/{settlement_code(parted.real)}"))
    assert "¥300.00 已经入账" in own
    assert "有两份" not in own
    seq = code.split("-")[0]
    for wrong in (f"{seq}-00000000", check_code(int(seq), parted.real.writer.events[-1].hash)):
        assert browser.get(f"/m/{number}/{wrong}").status_code == 404


def test_the_slip_says_what_two_people_did_with_its_notes(parted: Parted) -> None:
    parted.take_in()
    question = read_question("YG01-000002", settlement_code(parted.copy))
    one, *_ = (item for item in people_end(parted, "refund"))
    found = find(question)
    assert (found.outcome, found.amount_fen, found.refunded_fen) == ("booked", 2 * HUNDRED + 2000, 2 * HUNDRED + 2000)
    assert [claim.found for claim in found.claims] == ["refunded"]
    assert one.amount_fen == 2000
    assert findings() == []


def test_credited_to_the_household_it_is_prepaid_balance_and_the_books_stay_whole(
    parted: Parted, tmp_path: Path
) -> None:
    parted.take_in()
    before, question = parted.real.prepaid(), read_question("YG01-000002", settlement_code(parted.copy))
    ended = people_end(parted, "credit")
    next(ended)
    assert find(question).outcome == "processing", "two notes are left"
    assert len(list(ended)) == 2
    found = find(question)
    assert (found.outcome, found.booked_fen) == ("booked", 2 * HUNDRED + 2000)
    assert parted.real.prepaid() == before + 2 * HUNDRED + 2000
    assert Note.objects.filter(state=Note.State.UNKNOWN).count() == 1, "a count of the box will tell"
    assert findings() == []
    assert test_beancount.bean_check(test_beancount.exported(tmp_path)) == ""


def followed(parted: Parted) -> Estate:
    """The kiosk after ``kiosk journal replace``; its receipt numbers go on after the highest of both."""
    follow(parted.real, max(parted.real.writer.next_receipt, parted.copy.writer.next_receipt))
    return parted.real


def test_a_count_of_the_box_knows_of_the_notes_of_both_histories(parted: Parted) -> None:
    """The old image and the journal that follows it wrote in one box; what is counted there is explained to the note."""
    parted.take_in()
    estate = followed(parted)
    estate.writer.append(CashboxRemoved(acceptor_serial=visits.ACCEPTOR))
    estate.upload()
    assert set(Journal.objects.values_list("state", flat=True)) == {"replaced", "branch", "active"}
    cashier = add_person(estate.project, Role.CASHIER)
    counted = dict.fromkeys(FACES, 0) | {HUNDRED: 6, 2000: 1, 1000: 1}
    made = counting.count_box(cashier, counting.removals(estate.project).get(), counted)
    assert (made.explained, made.differences) == (True, {str(HUNDRED): 1}), "the unclear note is there"
    assert box(estate)[HUNDRED] == (6, 0)
    assert findings() == []


def test_receipt_numbers_that_only_the_branch_gave_are_missed_until_it_is_taken_in(parted: Parted) -> None:
    parted.copy.pay([], [HUNDRED])
    estate = followed(parted)
    estate.pay([], [HUNDRED])
    estate.upload()
    assert findings() == ["YG: receipts_whole: kiosk YG01: 3 receipts between numbers 1 and 4"]
    parted.take_in()
    assert findings() == []


def test_what_the_branch_wrote_without_contact_is_no_older_than_the_entry_where_it_parts(parted: Parted) -> None:
    writer = parted.copy.writer
    writer.events[parted.at - 1 :], writer.head = [], writer.events[parted.at - 2].hash
    writer.boot_id, writer.mono_ms, writer.wall_ms, writer.clock = "boot without contact", 0, 0, "unset"
    parted.copy.pay([], [HUNDRED])
    parted.take_in()
    before = RawEvent.objects.get(journal__branch_of=None, seq=parted.at - 1)
    first = RawEvent.objects.get(journal__state=Journal.State.BRANCH, seq=parted.at)
    assert (first.time_measured, first.earliest_at >= before.corrected_at) == (False, True)
    assert findings() == []


def shared_note(estate: Estate) -> tuple[Parted, dict[str, object]]:
    """A note is in the machine when the histories part. The kiosk's own has a claim for it and settles with nothing else."""
    visit = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    note = {"payment_id": visit, "note_no": estate.writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    estate.writer.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
    estate.upload()
    parted = Parted(estate, copied(estate), len(estate.writer.events) + 1)
    estate.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))
    estate.writer.append(NoteUnknown(**note, reason="no_evidence", claim_no="YG01-Q000001"))
    visits.settle(estate.writer, visit, str(estate.unit.id), "YG01", [], [], TODAY)
    estate.upload()
    return parted, note


@both_engines
def test_a_slip_is_not_told_that_nothing_was_taken_while_the_branch_has_its_note_in_the_box(
    estate: Estate, browser: Client
) -> None:
    parted, note = shared_note(estate)
    link = f"/m/YG01-Q000001/{settlement_code(estate)}"
    assert "有 1 张纸币正在核实" in text_of(browser.get(link))
    parted.copy.writer.append(NoteCredited(**note, recovered="counter"))
    parted.take_in()
    text = text_of(browser.get(link))
    assert "没有收您的钱" not in text
    assert "¥100.00 已收到，收费处正在核对" in text
    assert "已查明：在钞箱内" in text
    list(people_end(parted, "credit"))
    assert "¥100.00 已经入账。" in text_of(browser.get(link))
    assert findings() == []


@pytest.mark.parametrize(("way", "refunded_fen"), [("credit", 0), ("refund", HUNDRED)])
def test_a_branchs_slip_counts_a_note_of_both_histories_once(estate: Estate, way: str, refunded_fen: int) -> None:
    """What people gave for it stands in the payment that the kiosk's own history opened, and nowhere else."""
    parted, note = shared_note(estate)
    parted.copy.writer.append(NoteCredited(**note, recovered="counter"))
    visits.settle(parted.copy.writer, str(note["payment_id"]), str(estate.unit.id), "YG01", [], [HUNDRED], TODAY)
    parted.take_in()
    list(people_end(parted, way))
    for slip in (parted.copy, estate):
        found = find(read_question("YG01-000001", settlement_code(slip)))
        assert (found.outcome, found.amount_fen, found.refunded_fen) == ("booked", HUNDRED, refunded_fen)
    assert findings() == []


def test_a_slip_of_a_visit_without_a_proper_number_does_not_wait_for_others_money(parted: Parted) -> None:
    nobodys = {"payment_id": None, "note_no": parted.real.writer.take_note_no(), "acceptor_serial": "S"}
    parted.real.writer.append(NoteCredited(**nobodys, face_fen=HUNDRED))
    parted.real.upload()
    told = parted.copy.writer.append_raw(b'{"receipt_no":"YG01-000099"}', "payment.settled", 9, "not a uuid")
    parted.take_in()
    assert find(read_question("YG01-000099", check_code(told.seq, told.hash))).checked_since is None


# --- the staff ----------------------------------------------------------------------------------------------------


@both_engines
def test_staff_find_the_money_by_the_number_on_the_slip_beside_the_payment_that_has_the_same(parted: Parted) -> None:
    parted.take_in()
    finance = signed_in(person(parted.real.project, Role.FINANCE_AUDIT))
    found = finance.get("/projects/YG/search/", {"q": "yg01-000002"})
    assert "300.00" in text_of(found)
    items = re.findall(r"/projects/YG/claims/[0-9a-f-]{36}/", found.content.decode())
    assert len(set(items)) == 3
    page = text_of(finance.get(items[0]))
    for words in (
        "另一份记录里有这张纸币",
        "核对流水号和校验码",
        "YG01-000002",
        "3-1-502",
        "只有终端的另一份记录知道它",
    ):
        assert words in page
    assert "YG01-000002" in text_of(finance.get("/projects/YG/cases/?kind=branch_note"))
    assert "终端有两份记录" in text_of(finance.get("/projects/YG/today/"))
    kiosk = text_of(finance.get("/projects/YG/kiosks/YG01/"))
    assert f"第 {parted.at} 号起的另一份" in kiosk
    assert "未入账" not in kiosk
