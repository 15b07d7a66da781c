"""Reviews, cases and alarms: nobody's word changes money, every word has a name and a reason, a rebuild keeps them."""

import pytest

from kiosk.domain import events
from office.kiosks.models import Alarm
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_project
from office.payments import services
from office.payments.models import Case, Payment, Review
from office.staff.models import AuditEntry, Role
from tests.office.engines import both_engines
from tests.office.estate import Estate, add_person

HUNDRED, TEN_YUAN = 10000, 1000


@pytest.fixture
def payment(estate: Estate) -> Payment:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.upload()
    return estate.payment(payment_id)


@both_engines
def test_a_dispute_opens_a_case_with_an_owner_and_moves_no_money(estate: Estate, payment: Payment) -> None:
    cashier = add_person(estate.project, Role.CASHIER)
    before = list(Posting.objects.order_by("id").values_list("id", "amount_fen"))
    services.review(cashier, payment, "dispute", "says 200 went in")
    case = Case.objects.get(kind="dispute")
    assert (payment.review, case.owner, case.reason, case.amount_fen) == (
        "disputed",
        cashier,
        "says 200 went in",
        11000,
    )
    assert case.due_at > case.opened_at
    assert list(Posting.objects.order_by("id").values_list("id", "amount_fen")) == before
    assert AuditEntry.objects.get().verb == "payment.dispute"
    services.close_case(cashier, case, "the box was counted: 110")
    payment.refresh_from_db()
    assert (case.state, payment.review) == ("closed", "none")
    digest = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == digest
    assert Review.objects.get().reason == "says 200 went in"
    assert list(verify_project(estate.project)) == []


@pytest.mark.parametrize("decision", ["query", "dispute"])
def test_query_and_dispute_need_a_reason(estate: Estate, payment: Payment, decision: str) -> None:
    cashier = add_person(estate.project, Role.CASHIER)
    with pytest.raises(services.ReasonNeeded):
        services.review(cashier, payment, decision, "  ")
    assert not Review.objects.exists()


def test_accepting_an_exception_books_it_and_closes_its_cases(estate: Estate, payment: Payment) -> None:
    manager = add_person(estate.project, Role.PROJECT_MANAGER)
    estate.pay([], [HUNDRED], printed=False)
    again = estate.pay(["water"], [HUNDRED])
    # The same bill once more: it was paid by then.
    estate.upload()
    settled = estate.payment(again)
    services.review(manager, settled, "accept")
    assert (settled.state, settled.review) == (Payment.State.BOOKED, "accepted")
    assert not settled.cases.filter(state="open").exists()


def test_a_payment_that_is_still_open_cannot_be_reviewed(estate: Estate) -> None:
    from office.demo import visits

    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], estate.bills["aug"].due_on, due_fen=1)
    estate.upload()
    with pytest.raises(services.Stale):
        services.review(add_person(estate.project, Role.CASHIER), estate.payment(payment_id), "accept")


def test_a_case_closes_once_and_only_with_a_reason(estate: Estate, payment: Payment) -> None:
    cashier = add_person(estate.project, Role.CASHIER)
    services.review(cashier, payment, "query", "look at the box")
    case = Case.objects.get()
    with pytest.raises(services.ReasonNeeded):
        services.close_case(cashier, case, " ")
    services.close_case(cashier, case, "done")
    with pytest.raises(services.Stale):
        services.close_case(cashier, case, "done again")


def test_a_case_is_given_to_a_person_of_the_project_only(estate: Estate, payment: Payment) -> None:
    cashier, colleague = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    services.review(cashier, payment, "query", "look")
    case = services.assign_case(cashier, Case.objects.get(), colleague)
    assert case.owner == colleague
    with pytest.raises(ValueError, match="no role"):
        services.assign_case(cashier, case, add_person(None, None))


def test_an_alarm_is_acknowledged_once_and_stays_until_the_kiosk_says_it_is_over(estate: Estate) -> None:
    technician = add_person(estate.project, Role.TECHNICIAN)
    estate.writer.append(events.DeviceFault(device="printer", code="printer.paper_out"))
    estate.upload()
    alarm = services.acknowledge_alarm(technician, Alarm.objects.get(), "on my way")
    assert (alarm.acknowledged_by, alarm.remark, alarm.cleared_at) == (technician, "on my way", None)
    with pytest.raises(services.Stale):
        services.acknowledge_alarm(technician, alarm)
    rebuild(estate.project.id)
    assert Alarm.objects.get().acknowledged_by == technician
