"""Notes whose fate is unclear: each ends by evidence or by two people, with its money in the books, and never twice."""

import datetime
from collections import Counter

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from kiosk.domain import events
from office.demo import visits
from office.kiosks.models import CashBoxFace
from office.kiosks.selectors import box_of
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_everything
from office.payments import claims, counting, services
from office.payments.claim_rules import FACES, weigh
from office.payments.models import BoxCount, Case, Note, Payment, Resolution, SuspenseItem
from office.staff.models import AuditEntry, Role
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person

HUNDRED, FIFTY, TEN = 10000, 5000, 1000
NOTHING = dict.fromkeys(FACES, 0)


@pytest.fixture(autouse=True)
def _books_hold(request: pytest.FixtureRequest):
    """Whatever a test did to an estate, the invariants hold after it, and a rebuild comes to equal books."""
    if "estate" not in request.fixturenames:
        yield
        return
    estate = request.getfixturevalue("estate")
    yield
    assert [str(finding) for finding in verify_everything()] == []
    before = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == before


def lose_sight(estate: Estate, payment_id: str | None, face_fen: int | None = HUNDRED) -> dict:
    """A note is taken in and its fate is unclear; what the kiosk tells of it."""
    note_no = estate.writer.take_note_no()
    told = {"payment_id": payment_id, "note_no": note_no, "acceptor_serial": visits.ACCEPTOR}
    if payment_id and face_fen:
        estate.writer.append(events.NoteEscrow(**told, face_fen=face_fen))
        estate.writer.append(events.NoteAcceptIntent(**told, face_fen=face_fen, protocol="ssp", channel=7))
    claim_no = f"YG01-Q{note_no:06d}"
    estate.writer.append(events.NoteUnknown(**told, face_fen=face_fen, reason="no_evidence", claim_no=claim_no))
    return {**told, "face_fen": face_fen}


def claim(estate: Estate, names: list[str], *, credited: list[int] = (), face_fen: int = HUNDRED) -> SuspenseItem:
    """A visit with some notes credited and one unclear, settled and uploaded."""
    writer, unit = estate.writer, str(estate.unit.id)
    owed = [visits_bill(estate, name) for name in names]
    payment_id = visits.open_payment(writer, unit, owed, TODAY)
    for face in credited:
        visits.insert_note(writer, payment_id, face)
    lose_sight(estate, payment_id, face_fen)
    visits.settle(writer, payment_id, unit, estate.kiosk.code, owed, list(credited), TODAY)
    estate.upload()
    return SuspenseItem.objects.get(note__payment_id=payment_id)


def visits_bill(estate: Estate, name: str):
    from office.billing.wire import domain_bill

    return domain_bill(estate.reload(name), TODAY).owed_on(TODAY)


def balances() -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in Posting.objects.select_related("account"):
        found[row.account.code] += row.amount_fen
    return {code: amount for code, amount in found.items() if amount and code not in ("6001", "2241.t")}


def box_out(estate: Estate) -> None:
    estate.writer.append(events.CashboxRemoved(acceptor_serial=visits.ACCEPTOR))
    estate.upload()


# --- two people --------------------------------------------------------------------------------------------------


@both_engines
def test_two_people_credit_a_note_to_the_bills_the_payer_had_picked_and_the_rest_to_prepaid(
    estate: Estate, cashier, finance
) -> None:
    item = claim(estate, ["aug"], credited=[HUNDRED, FIFTY])
    assert balances() == {"1009.K": 15000, "1122": 60120 - 14668, "6301": -332}
    proposed = claims.propose(cashier, item, "credit", "camera shows it going in", unit=estate.unit)
    assert balances()["1122"] == 60120 - 14668, "a proposal moves nothing"
    claims.confirm(finance, proposed)
    assert balances() == {"1009.K": 15000, "1901": 10000, "1122": 60120 - 24560, "6301": -332, "2203": -108}
    item.refresh_from_db()
    payment = estate.payment(str(item.payment_id))
    assert (item.state, item.outcome) == ("resolved", "credited")
    assert (payment.amount_fen, payment.prepaid_fen, payment.state) == (25000, 108, "booked")
    assert estate.reload("aug").status == "paid"
    assert estate.prepaid() == 108
    box = box_of(estate.kiosk)
    assert (box.low_fen, box.high_fen) == (15000, 25000), "where the note is, still nobody knows"
    case = Case.objects.get(kind="note_unknown")
    assert (case.state, case.closed_by) == ("closed", finance)
    assert list(AuditEntry.objects.order_by("at").values_list("verb", flat=True)) == ["claim.propose", "claim.confirm"]


@both_engines
def test_two_people_give_the_note_back_in_hand(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [], credited=[TEN])
    claims.confirm(finance, claims.propose(cashier, item, "refund", "the payer stood here"))
    assert balances() == {"1009.K": 1000, "1901": 10000, "1001": -10000, "1122": 60120, "2203": -1000}
    payment = estate.payment(str(item.payment_id))
    assert (payment.amount_fen, payment.refunded_fen) == (11000, 10000)


def test_two_people_write_off_a_note_that_was_never_kept(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [], credited=[TEN])
    before = balances()
    claims.confirm(finance, claims.propose(cashier, item, "not_received", "it was in the tray"))
    assert balances() == before, "it stood in no account"
    assert box_of(estate.kiosk).high_fen == 1000
    assert Note.objects.get(id=item.note_id).state == "not_kept"


def test_nobody_confirms_their_own_proposal_and_the_database_itself_refuses_it(estate: Estate, finance) -> None:
    both = add_person(estate.project, Role.CASHIER)
    both.memberships.create(project=estate.project, role=Role.FINANCE_AUDIT)
    proposed = claims.propose(both, claim(estate, []), "refund", "why")
    with pytest.raises(claims.SamePerson):
        claims.confirm(both, proposed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Resolution.objects.update(state="confirmed", closed_by=both)
    assert Resolution.objects.get().state == "proposed"


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.CASHIER, Role.PROJECT_MANAGER)])
def test_who_may_not_propose_is_refused(estate: Estate, role: Role) -> None:
    item = claim(estate, [])
    with pytest.raises(PermissionDenied):
        claims.propose(add_person(estate.project, role), item, "refund", "why")


@pytest.mark.parametrize("role", [role for role in Role if role != Role.FINANCE_AUDIT])
def test_who_may_not_confirm_is_refused_the_sysadmin_above_all(estate: Estate, cashier, role: Role) -> None:
    proposed = claims.propose(cashier, claim(estate, []), "refund", "why")
    with pytest.raises(PermissionDenied):
        claims.confirm(add_person(estate.project, role), proposed)


def test_a_cancelled_proposal_is_kept_and_another_may_follow(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [])
    first = claims.propose(cashier, item, "not_received", "I think so")
    with pytest.raises(services.Stale):
        claims.propose(cashier, item, "refund", "or rather")
    with pytest.raises(services.ReasonNeeded):
        claims.cancel(finance, first, " ")
    claims.cancel(finance, first, "ask the payer first")
    second = claims.propose(cashier, item, "refund", "the payer was asked")
    with pytest.raises(services.Stale):
        claims.confirm(finance, first)
    claims.confirm(finance, second)
    told = [(row.state, row.closed_by, row.close_reason) for row in Resolution.objects.all()]
    assert told == [("cancelled", finance, "ask the payer first"), ("confirmed", finance, "")]


def test_a_way_out_that_does_not_fit_is_refused(estate: Estate, cashier) -> None:
    other = claim(estate, [])
    with pytest.raises(claims.NotPossible, match="unit"):
        claims.propose(cashier, other, "credit", "whose?")
    with pytest.raises(claims.NotPossible, match="outcome"):
        claims.propose(cashier, other, "keep", "why")
    with pytest.raises(services.ReasonNeeded):
        claims.propose(cashier, other, "refund", "")
    lose_sight(estate, None, None)
    estate.upload()
    nameless = SuspenseItem.objects.get(payment=None)
    with pytest.raises(claims.NotPossible, match="amount"):
        claims.propose(cashier, nameless, "refund", "its face is not known", amount_fen=300)


def test_a_note_of_unknown_face_found_at_start_is_credited_with_the_face_two_people_agree_on(
    estate: Estate, cashier, finance
) -> None:
    lose_sight(estate, None, None)
    estate.upload()
    item = SuspenseItem.objects.get()
    claims.confirm(finance, claims.propose(cashier, item, "credit", "a twenty", unit=estate.unit, amount_fen=2000))
    assert estate.prepaid() == 2000
    assert balances() == {"1122": 60120, "1901": 2000, "2203": -2000}


def test_one_person_cannot_close_the_case_of_a_claim(estate: Estate, finance) -> None:
    claim(estate, [])
    with pytest.raises(services.NeedsTwo):
        services.close_case(finance, Case.objects.get(kind="note_unknown"), "found nothing")


def test_a_claim_waits_while_its_payment_is_still_open(estate: Estate, cashier) -> None:
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY, due_fen=HUNDRED)
    lose_sight(estate, payment_id)
    estate.upload()
    with pytest.raises(services.Stale):
        claims.propose(cashier, SuspenseItem.objects.get(), "refund", "why")


@both_engines
def test_money_that_came_without_a_place_is_credited_by_two_people_too(estate: Estate, cashier, finance) -> None:
    """A payment for a unit that the office does not have: its money waits in 2241.s until somebody finds the unit."""
    visits.pay(estate.writer, "0f0f0f0f-0000-4000-8000-000000000000", estate.kiosk.code, [], [HUNDRED, TEN], TODAY)
    estate.upload()
    item = SuspenseItem.objects.get()
    assert balances()["2241.s"] == -11000
    with pytest.raises(claims.NotPossible, match="outcome"):
        claims.propose(cashier, item, "not_received", "it is in the box, so it was")
    claims.confirm(finance, claims.propose(cashier, item, "credit", "room 502 it was", unit=estate.unit))
    assert balances() == {"1009.K": 11000, "1122": 60120, "2203": -11000}
    payment = Payment.objects.get()
    assert (payment.state, payment.suspense_fen, payment.unit) == ("booked", 0, estate.unit)


# --- the kiosk's own evidence -----------------------------------------------------------------------------------


@both_engines
def test_the_kiosk_finds_out_after_two_people_credited_and_the_payer_is_not_credited_twice(
    estate: Estate, cashier, finance
) -> None:
    item = claim(estate, ["aug"])
    claims.confirm(finance, claims.propose(cashier, item, "credit", "sure", unit=estate.unit))
    told = {"payment_id": str(item.payment_id), "note_no": item.note.note_no, "acceptor_serial": visits.ACCEPTOR}
    estate.writer.append(events.NoteCredited(**told, face_fen=HUNDRED, recovered="counter"))
    estate.upload()
    assert balances() == {"1009.K": 10000, "1122": 60120 - 9668, "6301": -332}, "the difference is gone"
    assert not SuspenseItem.objects.filter(state="open").exists()


def late_credit(estate: Estate, item: SuspenseItem) -> None:
    """The acceptor's answer came after its note had become a claim; the kiosk tells it."""
    told = {"payment_id": str(item.payment_id), "note_no": item.note.note_no, "acceptor_serial": visits.ACCEPTOR}
    estate.writer.append(events.NoteCredited(**told, face_fen=item.note.face_fen, recovered="late_answer"))
    estate.upload()


@both_engines
def test_a_late_credit_ends_the_claim_by_evidence_and_pays_the_bills_that_were_picked(estate: Estate, cashier) -> None:
    item = claim(estate, ["aug"], credited=[HUNDRED, FIFTY])
    proposed = claims.propose(cashier, item, "not_received", "I think")
    late_credit(estate, item)
    item.refresh_from_db()
    payment = estate.payment(str(item.payment_id))
    assert (item.state, item.outcome, item.note.state) == ("resolved", "found", "credited")
    assert balances() == {"1009.K": 25000, "1122": 60120 - 24560, "6301": -332, "2203": -108}
    assert (payment.amount_fen, payment.prepaid_fen, payment.state) == (25000, 108, "booked")
    assert estate.reload("aug").status == "paid"
    assert box_of(estate.kiosk).low_fen == box_of(estate.kiosk).high_fen == 25000
    assert not Case.objects.filter(state="open").exists(), "nobody has to decide anything"
    proposed.refresh_from_db()
    assert proposed.state == "cancelled"


def test_a_late_credit_after_nothing_was_picked_is_prepaid_balance(estate: Estate) -> None:
    late_credit(estate, claim(estate, []))
    assert balances() == {"1009.K": 10000, "1122": 60120, "2203": -10000}


def test_two_late_credits_of_one_payment_are_both_paid_in_one_upload(estate: Estate) -> None:
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY, due_fen=HUNDRED)
    lost = [lose_sight(estate, payment_id), lose_sight(estate, payment_id, FIFTY)]
    visits.settle(estate.writer, payment_id, str(estate.unit.id), estate.kiosk.code, [], [], TODAY)
    for told in lost:
        estate.writer.append(events.NoteCredited(**told, recovered="late_answer"))
    estate.writer.append(events.ReceiptDeclined(payment_id=payment_id, receipt_no=f"{estate.kiosk.code}-000001"))
    estate.upload()
    assert (estate.prepaid(), estate.payment(payment_id).amount_fen) == (15000, 15000)


def test_a_late_credit_before_the_settlement_is_part_of_it_and_no_mismatch(estate: Estate) -> None:
    unit = str(estate.unit.id)
    payment_id = visits.open_payment(estate.writer, unit, [], TODAY, due_fen=HUNDRED)
    told = lose_sight(estate, payment_id)
    estate.writer.append(events.NoteCredited(**told, recovered="late_answer"))
    visits.settle(estate.writer, payment_id, unit, estate.kiosk.code, [], [HUNDRED], TODAY)
    estate.upload()
    payment = estate.payment(payment_id)
    assert (payment.amount_fen, payment.prepaid_fen, payment.state) == (10000, 10000, "booked")
    assert not Case.objects.filter(state="open").exists()
    assert SuspenseItem.objects.get().outcome == "found"


def test_a_late_credit_told_twice_is_booked_once(estate: Estate) -> None:
    item = claim(estate, [])
    late_credit(estate, item)
    late_credit(estate, item)
    assert Case.objects.get(state="open").kind == "unreadable_event"
    assert balances() == {"1009.K": 10000, "1122": 60120, "2203": -10000}


def test_a_late_credit_for_a_unit_nobody_knows_waits_for_two_people(estate: Estate, cashier, finance) -> None:
    nowhere = "00000000-0000-0000-0000-000000000009"
    payment_id = visits.open_payment(estate.writer, nowhere, [], TODAY, due_fen=HUNDRED)
    lose_sight(estate, payment_id)
    visits.settle(estate.writer, payment_id, nowhere, estate.kiosk.code, [], [], TODAY)
    estate.upload()
    late_credit(estate, SuspenseItem.objects.get(kind="note_unknown"))
    again = SuspenseItem.objects.get(state="open", amount_fen=HUNDRED)
    assert (again.kind, balances()["2241.s"]) == ("unidentified_cash", -10000)
    claims.confirm(finance, claims.propose(cashier, again, "credit", "asked them", unit=estate.unit))
    assert estate.prepaid() == 10000


def test_the_kiosk_says_returned_after_two_people_credited_and_a_case_says_so(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [])
    claims.confirm(finance, claims.propose(cashier, item, "refund", "sure"))
    told = {"payment_id": str(item.payment_id), "note_no": item.note.note_no, "acceptor_serial": visits.ACCEPTOR}
    estate.writer.append(events.NoteReturned(**told, face_fen=HUNDRED, reason="power_up"))
    estate.upload()
    assert Case.objects.get(kind="claim_contradicted").owner_role == "finance_audit"
    assert balances()["1901"] == 10000, "a loss that stays visible"


def test_the_kiosk_finds_a_note_that_two_people_thought_was_never_kept(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [])
    claims.confirm(finance, claims.propose(cashier, item, "not_received", "so it seems"))
    told = {"payment_id": str(item.payment_id), "note_no": item.note.note_no, "acceptor_serial": visits.ACCEPTOR}
    estate.writer.append(events.NoteCredited(**told, face_fen=HUNDRED, recovered="counter"))
    estate.upload()
    again = SuspenseItem.objects.get(state="open")
    assert (again.kind, again.amount_fen) == ("unidentified_cash", HUNDRED)
    claims.confirm(finance, claims.propose(cashier, again, "credit", "here it is", unit=estate.unit))
    assert balances() == {"1009.K": 10000, "1122": 60120, "2203": -10000}


def test_evidence_cancels_what_was_proposed_and_keeps_it(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [])
    proposed = claims.propose(cashier, item, "not_received", "I think")
    told = {"payment_id": str(item.payment_id), "note_no": item.note.note_no, "acceptor_serial": visits.ACCEPTOR}
    estate.writer.append(events.NoteReturned(**told, face_fen=HUNDRED, reason="power_up"))
    estate.upload()
    with pytest.raises(services.Stale):
        claims.confirm(finance, proposed)
    item.refresh_from_db()
    assert (item.outcome, Resolution.objects.get().state) == ("returned", "cancelled")


# --- a count of the box ------------------------------------------------------------------------------------------


@both_engines
def test_a_blind_count_that_finds_one_note_too_many_of_that_face_credits_it(estate: Estate, cashier) -> None:
    item = claim(estate, ["aug"], credited=[HUNDRED, FIFTY])
    box_out(estate)
    made = counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {HUNDRED: 2, FIFTY: 1})
    assert (made.differences, made.explained) == ({"10000": 1}, True)
    item.refresh_from_db()
    assert (item.state, item.outcome, item.note.state) == ("resolved", "found", "credited")
    assert balances() == {"1009.K": 25000, "1122": 60120 - 24560, "6301": -332, "2203": -108}
    assert box_of(estate.kiosk).low_fen == box_of(estate.kiosk).high_fen == 25000
    assert estate.payment(str(item.payment_id)).amount_fen == 25000


def test_a_count_that_finds_nothing_more_leaves_the_claim_to_two_people(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [], credited=[FIFTY])
    box_out(estate)
    made = counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {FIFTY: 1})
    assert (made.differences, made.explained) == ({}, True)
    assert SuspenseItem.objects.get(id=item.id).state == "open"
    claims.confirm(finance, claims.propose(cashier, item, "not_received", "the box was counted"))


def test_a_count_that_is_off_elsewhere_proves_nothing_and_is_a_case(estate: Estate, cashier) -> None:
    item = claim(estate, [], credited=[FIFTY])
    box_out(estate)
    counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {HUNDRED: 1})
    assert SuspenseItem.objects.get(id=item.id).state == "open"
    case = Case.objects.get(kind="box_variance")
    assert (case.amount_fen, case.facts["differences"]) == (5000, {"10000": 1, "5000": -1})


def test_notes_put_in_after_the_box_was_taken_out_are_not_looked_for_in_it(estate: Estate, cashier) -> None:
    claim(estate, [], credited=[FIFTY])
    box_out(estate)
    later = claim(estate, [], credited=[HUNDRED])
    counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {FIFTY: 1, HUNDRED: 1})
    assert CashBoxFace.objects.get(face_fen=HUNDRED).confirmed == 2
    assert SuspenseItem.objects.get(state="open").id == later.id


def test_a_count_takes_back_the_difference_of_a_note_two_people_had_credited(estate: Estate, cashier, finance) -> None:
    item = claim(estate, [])
    claims.confirm(finance, claims.propose(cashier, item, "credit", "sure", unit=estate.unit))
    box_out(estate)
    counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {HUNDRED: 1})
    assert balances() == {"1009.K": 10000, "1122": 60120, "2203": -10000}


def test_two_unclear_notes_of_one_payment_are_both_credited_by_one_count(estate: Estate, cashier) -> None:
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY, due_fen=HUNDRED)
    lose_sight(estate, payment_id)
    lose_sight(estate, payment_id, FIFTY)
    visits.settle(estate.writer, payment_id, str(estate.unit.id), estate.kiosk.code, [], [], TODAY)
    box_out(estate)
    counting.count_box(cashier, counting.removals(estate.project).get(), NOTHING | {HUNDRED: 1, FIFTY: 1})
    assert estate.prepaid() == 15000
    assert estate.payment(payment_id).amount_fen == 15000


def test_a_box_is_counted_once_completely_and_by_somebody_who_does_not_know_what_to_expect(
    estate: Estate, cashier, finance
) -> None:
    box_out(estate)
    removal = counting.removals(estate.project).get()
    knows = add_person(estate.project, Role.CASHIER)
    knows.memberships.create(project=estate.project, role=Role.PROJECT_MANAGER)
    for user in (finance, knows, add_person(estate.project, Role.SYSADMIN)):
        with pytest.raises(PermissionDenied):
            counting.count_box(user, removal, NOTHING)
    for bad in ({HUNDRED: 1}, NOTHING | {HUNDRED: -1}, NOTHING | {300: 1}):
        with pytest.raises(counting.BadCount):
            counting.count_box(cashier, removal, bad)
    counting.count_box(cashier, removal, NOTHING)
    with pytest.raises(services.Stale):
        counting.count_box(cashier, removal, NOTHING)
    assert BoxCount.objects.get().counted["10000"] == 0


@pytest.mark.parametrize(
    ("counted", "booked", "unclear", "found", "explained"),
    [
        ({HUNDRED: 3}, {HUNDRED: 2}, {HUNDRED: 1}, {HUNDRED}, True),
        ({HUNDRED: 2}, {HUNDRED: 2}, {HUNDRED: 1}, set(), True),
        ({HUNDRED: 3}, {HUNDRED: 2}, {HUNDRED: 2}, set(), True),  # one of two: which, nobody knows
        ({HUNDRED: 4}, {HUNDRED: 2}, {HUNDRED: 2}, {HUNDRED}, True),
        ({HUNDRED: 5}, {HUNDRED: 2}, {HUNDRED: 2}, set(), False),
        ({HUNDRED: 3, FIFTY: 1}, {HUNDRED: 2, FIFTY: 2}, {HUNDRED: 1}, set(), False),
        ({HUNDRED: 3}, {HUNDRED: 2}, {HUNDRED: 1, 0: 1}, set(), True),  # it may be the one of unknown face
        ({HUNDRED: 1}, {}, {}, set(), False),
        ({}, {}, {}, set(), True),
    ],
)
def test_what_a_count_proves(counted, booked, unclear, found, explained) -> None:
    weighed = weigh(counted, booked, unclear)
    assert (weighed.found, weighed.explained) == (found, explained)


def test_a_claim_is_owned_and_late_after_three_days(estate: Estate) -> None:
    item = claim(estate, [])
    case = item.cases.get()
    assert (case.owner_role, case.due_at - case.opened_at) == ("finance_audit", datetime.timedelta(hours=72))
