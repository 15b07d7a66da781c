"""What people decided about what an older program of the office could not read, and a later one can: a rebuild never stops at it,
and no fen is lost or given in secret."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db.models import Sum

from kiosk.domain import events
from kiosk.domain.events import AgentStarted, UnknownEvent
from office.demo import visits
from office.kiosks.selectors import box_of
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_everything
from office.payments import claims, fold_notes, folding, services
from office.payments.models import Case, Resolution, SuspenseItem
from office.property.models import Unit
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, add_unit
from tests.office.test_claims import balances, claim, lose_sight

HUNDRED = 10000


@contextmanager
def an_older_office(kind: str) -> Iterator[None]:
    """An office whose program has not heard of this kind of event."""

    known = events.decode

    def decode(body: bytes) -> events.AnyEvent:
        event = known(body)
        if events.kind_of(event) == kind:
            raise UnknownEvent(kind)
        return event

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding.events, "decode", decode)
        yield


def upgrade(estate: Estate) -> None:
    """The program of today rebuilds the books, twice, and finds nothing wrong with them."""
    digests = []
    for _ in range(2):
        rebuild(estate.project.id)
        assert [str(found) for found in verify_everything(fold_again=True)] == []
        digests.append(books_digest(estate.project.id))
    assert len(set(digests)) == 1
    assert Posting.objects.aggregate(sum=Sum("amount_fen"))["sum"] == 0


def unread_note(estate: Estate) -> SuspenseItem:
    """A visit whose one note the office can't read, so that it waits for two people."""
    with an_older_office("note.credited"):
        estate.pay(["sep"], [HUNDRED])
        estate.upload()
    return SuspenseItem.objects.get(kind="unreadable_event")


def test_a_case_that_somebody_closed_and_that_is_none_any_more_holds_nothing_up(estate: Estate) -> None:
    with an_older_office("agent.started"):
        estate.writer.append(AgentStarted(software="2", sqlite="3", clean=True))
        estate.upload()
    case = Case.objects.filter(kind="unreadable_event").last()
    services.assign_case(add_person(estate.project, Role.FINANCE_AUDIT, "first"), case, None)
    services.close_case(add_person(estate.project, Role.FINANCE_AUDIT), case, "seen")
    upgrade(estate)
    assert not Case.objects.exists()


@both_engines
def test_a_note_credited_to_its_household_by_two_people_is_the_households_once(
    estate: Estate, cashier, finance
) -> None:
    item = unread_note(estate)
    claims.confirm(finance, claims.propose(cashier, item, "credit", "the slip says so", unit=estate.unit))
    upgrade(estate)
    assert estate.reload("sep").principal_paid_fen == HUNDRED
    assert estate.prepaid() == 0
    assert balances() == {"1009.K": HUNDRED, "1122": 60120 - HUNDRED}
    assert Resolution.objects.get().state == "cancelled"
    assert not Case.objects.filter(state="open").exists()


@both_engines
@pytest.mark.parametrize("outcome", ["credit", "refund"])
def test_money_that_two_people_gave_and_the_payer_has_besides_stands_in_1901_with_a_case(
    estate: Estate, cashier, finance, outcome: str
) -> None:
    item, neighbour = unread_note(estate), add_unit(estate.project, "3", "1", "503", "王五")
    unit = neighbour if outcome == "credit" else None
    claims.confirm(finance, claims.propose(cashier, item, outcome, "they stood here", unit=unit))
    upgrade(estate)
    assert estate.reload("sep").principal_paid_fen == HUNDRED
    given = {"2203": -HUNDRED} if outcome == "credit" else {"1001": -HUNDRED}
    assert balances() == Counter({"1009.K": HUNDRED, "1122": 60120 - HUNDRED, "1901": HUNDRED}) | given
    neighbour.refresh_from_db()
    assert neighbour.prepaid_fen == (HUNDRED if outcome == "credit" else 0)
    case = Case.objects.get(state="open")
    assert (case.kind, case.owner_role, case.amount_fen) == ("claim_overtaken", "finance_audit", HUNDRED)
    assert case.payment.unit == estate.unit
    assert Resolution.objects.get().state == "confirmed"
    assert box_of(estate.kiosk).low_fen == box_of(estate.kiosk).high_fen == HUNDRED


def test_a_home_that_is_entered_after_two_people_placed_its_money_has_it_once(estate: Estate, cashier, finance) -> None:
    """Base data are no part of the stream: a rebuild meets the home that the kiosk had named."""
    home = add_unit(estate.project, "3", "1", "504", "赵六")
    told = home.id
    home.occupancies.all().delete()
    home.delete()
    visits.pay(estate.writer, str(told), estate.kiosk.code, [], [HUNDRED], TODAY)
    estate.upload()
    item = SuspenseItem.objects.get(reason="unknown_unit")
    entered = Unit.objects.create(id=told, project=estate.project, building=estate.unit.building,
                                  entrance=estate.unit.entrance, room="504", code="3-1-504")  # fmt: skip
    claims.confirm(finance, claims.propose(cashier, item, "credit", "entered now", unit=entered))
    upgrade(estate)
    entered.refresh_from_db()
    assert entered.prepaid_fen == HUNDRED
    assert balances() == {"1009.K": HUNDRED, "1122": 60120, "2203": -HUNDRED}
    assert not Case.objects.exists()


def test_money_given_for_a_visit_that_turns_out_to_have_been_open_is_no_part_of_it(
    estate: Estate, cashier, finance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kiosk settles by what it knows, after the two people and without them."""
    writer, home = estate.writer, str(estate.unit.id)
    with an_older_office("payment.opened"), monkeypatch.context() as older:
        older.setattr(fold_notes, "_payment", lambda fold, told: fold.payment(told))  # none without its opening
        payment_id = visits.open_payment(writer, home, [], TODAY)
        visits.insert_note(writer, payment_id, HUNDRED)
        lose_sight(estate, payment_id)
        estate.upload()
        item = SuspenseItem.objects.get(kind="note_unknown")
        claims.confirm(finance, claims.propose(cashier, item, "credit", "camera", unit=estate.unit))
        visits.settle(writer, payment_id, home, estate.kiosk.code, [], [HUNDRED], TODAY)
        estate.upload()
    upgrade(estate)
    payment = estate.payment(payment_id)
    assert (payment.state, payment.amount_fen, payment.prepaid_fen) == ("booked", HUNDRED, HUNDRED)
    assert balances() == {"1009.K": HUNDRED, "1122": 60120, "1901": HUNDRED, "2203": -2 * HUNDRED}
    assert sorted(Case.objects.filter(state="open").values_list("kind", flat=True)) == [
        "claim_overtaken",
        "note_unknown",
    ]


@pytest.mark.parametrize("then", ["waits", "was taken back"])
def test_a_proposal_about_what_is_answered_is_kept_and_cancelled(estate: Estate, cashier, then: str) -> None:
    proposed = claims.propose(cashier, unread_note(estate), "refund", "why")
    if then != "waits":
        claims.cancel(cashier, proposed, "a mistake")
    upgrade(estate)
    assert Resolution.objects.get().state == "cancelled"
    assert balances() == {"1009.K": HUNDRED, "1122": 60120 - HUNDRED}


@pytest.mark.parametrize("outcome", ["credit", "refund"])
def test_a_late_credit_that_two_people_placed_before_the_office_did_so_itself(
    estate: Estate, cashier, finance, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = claim(estate, ["sep"]).note
    told = {"payment_id": str(found.payment_id), "note_no": found.note_no, "acceptor_serial": found.acceptor_serial}
    with monkeypatch.context() as older:
        older.setattr(
            fold_notes,
            "_pay_claim",
            lambda fold, item, *_: fold_notes._unidentified(fold, item.note, "unidentified_cash", "late"),
        )
        estate.writer.append(events.NoteCredited(**told, face_fen=HUNDRED, recovered="late_answer"))
        estate.upload()
    item = SuspenseItem.objects.get(state="open")
    unit = estate.unit if outcome == "credit" else None
    claims.confirm(finance, claims.propose(cashier, item, outcome, "late", unit=unit))
    upgrade(estate)
    assert estate.reload("sep").principal_paid_fen == HUNDRED
    given = {} if outcome == "credit" else {"1901": HUNDRED, "1001": -HUNDRED}
    assert balances() == {"1009.K": HUNDRED, "1122": 60120 - HUNDRED} | given
    assert Case.objects.filter(state="open", kind="claim_overtaken").count() == (1 if given else 0)
