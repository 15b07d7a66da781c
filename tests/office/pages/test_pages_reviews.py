"""Decisions: accept, query, dispute; cases taken and closed; alarms acknowledged. The books never change by any of them."""

import pytest
from django.test import Client

from office.kiosks.models import Alarm
from office.ledger.models import Posting
from office.payments.models import Case, Payment, Review
from office.property.models import Unit
from office.staff.models import AuditEntry, Role
from tests.office.pages.desk import BusyDesk, person, signed_in


def books(desk: BusyDesk) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Every posting and every prepaid balance."""
    postings = (
        Posting.objects.filter(project=desk.estate.project).order_by("id").values_list("id", "account", "amount_fen")
    )
    return list(postings), list(Unit.objects.order_by("id").values_list("id", "prepaid_fen"))


@pytest.fixture(autouse=True)
def _no_decision_changes_the_books(desk: BusyDesk):
    before = books(desk)
    yield
    assert books(desk) == before


@pytest.fixture
def clerk(desk: BusyDesk) -> Client:
    return signed_in(person(desk.estate.project, Role.CASHIER, last_name="陈", first_name="国栋"))


def decide(client: Client, desk: BusyDesk, name: str, **form: str):
    return client.post(f"{desk.payment_page(name)}review/", {"seen": "0", **form})


def test_no_decision_is_preselected(desk: BusyDesk, clerk: Client) -> None:
    page = clerk.get(desk.payment_page("twice")).content.decode()
    assert 'value="accept"' in page
    assert "checked" not in page


def test_accepting_closes_the_case_and_books_the_exception(desk: BusyDesk, clerk: Client) -> None:
    answer = decide(clerk, desk, "twice", d="accept", then="stay")
    assert answer.status_code == 302
    assert answer.url == desk.payment_page("twice")
    assert desk.payment("twice").state == Payment.State.BOOKED
    assert desk.payment("twice").review == Payment.Review.ACCEPTED
    assert not desk.payment("twice").cases.filter(state=Case.State.OPEN).exists()
    assert "决定已记下" in clerk.get(answer.url).content.decode()


def test_a_query_needs_a_reason_and_opens_a_case_of_ones_own(desk: BusyDesk, clerk: Client) -> None:
    refused = decide(clerk, desk, "plain", d="query", why="  ")
    assert refused.status_code == 422
    assert "核实和争议要写明理由" in refused.content.decode()
    assert Review.objects.count() == 0
    assert decide(clerk, desk, "plain", d="query", why="金额待问").status_code == 302
    case = desk.payment("plain").cases.get(state=Case.State.OPEN)
    assert (case.kind, case.reason, case.owner.username) == ("query", "金额待问", "lin")
    page = clerk.get(desk.payment_page("plain")).content.decode()
    assert "核实中：金额待问" in page


def test_a_dispute_is_the_managers(desk: BusyDesk, clerk: Client) -> None:
    decide(clerk, desk, "plain", d="dispute", why="缴费人称投入 500 元")
    assert desk.payment("plain").review == Payment.Review.DISPUTED
    listed = clerk.get(desk.at("uploads/?tab=disputed")).content.decode()
    assert "3-1-601" in listed


def test_a_form_sent_twice_decides_once(desk: BusyDesk, clerk: Client) -> None:
    assert decide(clerk, desk, "plain", d="query", why="一次").status_code == 302
    again = decide(clerk, desk, "plain", d="query", why="一次")
    assert again.status_code == 409
    assert "已为您更新" in again.content.decode()
    assert desk.payment("plain").reviews.count() == 1
    assert desk.payment("plain").cases.count() == 1


def test_a_form_without_a_decision_or_with_a_strange_one_decides_nothing(desk: BusyDesk, clerk: Client) -> None:
    for form in ({}, {"d": "refund"}, {"d": "accept", "seen": "x" * 40}):
        answer = decide(clerk, desk, "plain", **{"seen": "7", **form})
        assert answer.status_code in (409, 422)
    assert Review.objects.count() == 0


def test_going_on_to_the_next_item_opens_the_one_that_waits_longest(desk: BusyDesk, clerk: Client) -> None:
    answer = decide(clerk, desk, "no_slip", d="accept", then="next")
    assert answer.url == desk.payment_page("twice")


def test_only_posts_change_something_and_only_with_the_pages_token(desk: BusyDesk) -> None:
    user = person(desk.estate.project, Role.CASHIER, name="careful")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    refused = strict.post(f"{desk.payment_page('plain')}review/", {"d": "accept", "seen": "0"})
    assert refused.status_code == 403
    assert "没有生效" in refused.content.decode()
    assert strict.get(f"{desk.payment_page('plain')}review/").status_code == 405
    assert Review.objects.count() == 0


def test_a_role_that_may_not_review_sees_no_form_and_is_refused(desk: BusyDesk) -> None:
    admin = signed_in(person(desk.estate.project, Role.BUSINESS_ADMIN, name="biz"))
    assert 'name="d"' not in admin.get(desk.payment_page("twice")).content.decode()
    assert decide(admin, desk, "twice", d="accept").status_code == 403
    assert Review.objects.count() == 0


def test_a_case_is_taken_and_closed_with_a_reason(desk: BusyDesk, clerk: Client) -> None:
    case = Case.objects.get(kind="receipt_not_printed")
    assert clerk.post(desk.at(f"cases/{case.id}/take/")).status_code == 302
    case.refresh_from_db()
    assert case.owner.username == "lin"
    clerk.post(desk.at(f"cases/{case.id}/close/"), {"why": ""})
    case.refresh_from_db()
    assert case.state == Case.State.OPEN
    assert "请写明理由" in clerk.get(desk.at("cases/")).content.decode()
    clerk.post(desk.at(f"cases/{case.id}/close/"), {"why": "清点后找到"})
    case.refresh_from_db()
    assert (case.state, case.close_reason) == (Case.State.CLOSED, "清点后找到")
    assert "清点后找到" in clerk.get(desk.at("cases/?state=closed")).content.decode()
    assert AuditEntry.objects.filter(object_id=str(case.id)).exists()


def test_an_alarm_is_acknowledged_once(desk: BusyDesk, clerk: Client) -> None:
    alarm = Alarm.objects.get(code="printer.near_end")
    page = clerk.get(desk.at("kiosks/YG01/")).content.decode()
    assert f"/alarms/{alarm.id}/acknowledge/" in page
    for _ in range(2):
        assert clerk.post(desk.at(f"alarms/{alarm.id}/acknowledge/")).status_code == 302
    alarm.refresh_from_db()
    assert alarm.acknowledged_by.username == "lin"
    assert "陈国栋" in clerk.get(desk.at("kiosks/YG01/")).content.decode()
