"""Folding: a kiosk's events become payments, notes, box and balanced books; on both database engines."""

import pytest

from kiosk.domain import events
from kiosk.domain.identifiers import new_id
from office.billing.models import Bill
from office.billing.wire import domain_bill
from office.demo import visits
from office.kiosks.models import Alarm, RawEvent
from office.kiosks.selectors import box_of
from office.ledger.digest import books_digest
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_project
from office.payments.models import Allocation, Case, Note, Payment, SuspenseItem
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate

pytestmark = both_engines

TEN_YUAN, HUNDRED = 1000, 10000


@pytest.fixture(autouse=True)
def _books_hold(estate: Estate):
    """Whatever a test did, the invariants hold after it, and a rebuild comes to equal books."""
    yield
    assert [str(finding) for finding in verify_project(estate.project)] == []
    before = books_digest(estate.project.id)
    rebuild(estate.project.id)
    assert books_digest(estate.project.id) == before


def paid_to(payment_id: str) -> dict[tuple[str, str], int]:
    rows = Allocation.objects.filter(payment_id=payment_id)
    return {(str(row.bill_id), row.component): row.amount_fen for row in rows}


def test_a1_part_of_what_is_due_goes_to_late_fee_then_principal_then_in_proportion(estate: Estate) -> None:
    payment_id = estate.pay(["aug", "sep", "water"], [HUNDRED] * 6)
    estate.upload()
    aug, sep, water = (str(estate.bills[name].id) for name in ("aug", "sep", "water"))
    assert paid_to(payment_id) == {
        (aug, "late_fee"): 332,
        (aug, "principal"): 24560,
        (sep, "principal"): 24248,
        (water, "principal"): 10860,
    }
    assert estate.prepaid() == 0
    still_open = sum(estate.reload(name).principal_open_fen for name in estate.bills)
    assert still_open == 452
    assert estate.reload("aug").status == Bill.Status.PAID
    assert estate.reload("sep").status == Bill.Status.PARTLY_PAID


def test_a2_more_than_is_due_pays_all_bills_and_the_rest_is_prepaid(estate: Estate) -> None:
    payment_id = estate.pay(["aug", "sep", "water"], [HUNDRED] * 6 + [TEN_YUAN])
    taken = estate.upload()
    assert estate.net(payment_id) == {"1009.K": 61000, "1122": -60120, "6301": -332, "2203": -548}
    assert estate.prepaid() == 548
    assert all(estate.reload(name).status == Bill.Status.PAID for name in estate.bills)
    assert [(outcome.payment_id, outcome.state) for outcome in taken.outcomes] == [(payment_id, "booked")]
    assert taken.outcomes[0].receipt_no == "YG01-000001"


def test_a3_only_the_picked_bill_is_paid_and_the_surplus_is_prepaid(estate: Estate) -> None:
    payment_id = estate.pay(["water"], [HUNDRED] * 2)
    estate.upload()
    assert paid_to(payment_id) == {(str(estate.bills["water"].id), "principal"): 11000}
    assert estate.prepaid() == 9000
    assert estate.reload("aug").principal_open_fen == 24560


def test_a4_a_bill_paid_meanwhile_turns_the_money_into_prepaid_balance_with_a_case(estate: Estate) -> None:
    offline = estate.pay(["sep"], [HUNDRED, HUNDRED, 2000, 2000, 500, 100], offline=True)
    again = estate.pay(["sep"], [HUNDRED, HUNDRED, 2000, 2000, 500, 100], offline=True)
    taken = estate.upload()
    assert [outcome.state for outcome in taken.outcomes] == ["booked", "exception"]
    assert estate.net(again) == {"1009.K": 24600, "2203": -24600}
    assert estate.prepaid() == 24600 + 40
    case = Case.objects.get(kind="bill_already_paid")
    assert (str(case.payment_id), case.state, case.owner_role) == (again, "open", "project_manager")
    assert estate.payment(offline).state == Payment.State.BOOKED


def test_a_voided_bill_takes_no_money(estate: Estate) -> None:
    from office.billing.services import void_bill

    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    void_bill(estate.bills["water"], None, "billed twice")
    estate.upload()
    assert estate.payment(payment_id).state == Payment.State.EXCEPTION
    assert Case.objects.filter(kind="bill_void").count() == 1
    assert estate.prepaid() == 11000


def test_each_credited_note_is_in_the_box_before_its_payment_is_settled(estate: Estate) -> None:
    from office.demo import visits

    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], estate.bills["aug"].due_on, due_fen=24560)
    visits.insert_note(estate.writer, payment_id, HUNDRED)
    visits.insert_note(estate.writer, payment_id, 5000)
    estate.upload()
    assert box_of(estate.kiosk).low_fen == 15000
    assert estate.payment(payment_id).amount_fen == 15000
    assert estate.net(payment_id) == {"1009.K": 15000, "2241.s": -15000}


def test_an_unknown_note_is_a_claim_and_widens_the_range_of_the_box(estate: Estate) -> None:
    told = {"payment_id": None, "note_no": 9, "face_fen": 2000, "acceptor_serial": "S1"}
    estate.writer.append(events.NoteUnknown(**told, reason="power cut", claim_no="YG01-Q000009"))
    estate.upload()
    box = box_of(estate.kiosk)
    assert (box.low_fen, box.high_fen, box.unknown_notes) == (0, 2000, 1)
    item = SuspenseItem.objects.get()
    assert (item.claim_no, item.amount_fen, item.state) == ("YG01-Q000009", 2000, "open")
    assert Case.objects.get(kind="note_unknown").suspense_id == item.id


def test_an_unknown_note_that_the_kiosk_finds_after_all_is_counted_once(estate: Estate) -> None:
    told = {"note_no": 1, "face_fen": 2000, "acceptor_serial": "S1"}
    from office.demo import visits

    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], estate.bills["aug"].due_on, due_fen=2000)
    estate.writer.append(events.NoteUnknown(**told, payment_id=payment_id, reason="cut", claim_no="YG01-Q000001"))
    estate.writer.append(events.NoteCredited(**told, payment_id=payment_id, recovered="counter"))
    estate.upload()
    box = box_of(estate.kiosk)
    assert (box.low_fen, box.high_fen) == (2000, 2000)
    assert SuspenseItem.objects.get().state == "resolved"
    assert Case.objects.get(kind="note_unknown").state == "closed"


def test_a_note_credited_twice_counts_once_and_the_second_event_is_quarantined(estate: Estate) -> None:
    from office.demo import visits

    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], estate.bills["aug"].due_on, due_fen=5000)
    note_no = visits.insert_note(estate.writer, payment_id, 5000)
    estate.writer.append(
        events.NoteCredited(payment_id=payment_id, note_no=note_no, face_fen=5000, acceptor_serial=visits.ACCEPTOR)
    )
    taken = estate.upload()
    assert taken.rejected == [(len(estate.writer.events), "ratchet")]
    assert box_of(estate.kiosk).low_fen == 5000


def test_a_quarantined_credit_still_counts_in_the_box_as_suspense(estate: Estate) -> None:
    body = b'{"kind":"note.credited","v":2,"payment_id":null,"note_no":5,"face_fen":2000,"acceptor_serial":"S","new":1}'
    estate.writer.append_raw(body, "note.credited", v=2)
    taken = estate.upload()
    assert taken.rejected == [(4, "schema")]
    assert taken.ack_seq == 4
    assert box_of(estate.kiosk).low_fen == 2000
    assert Note.objects.get().state == Note.State.SUSPENSE
    assert SuspenseItem.objects.get().kind == SuspenseItem.Kind.UNREADABLE
    assert Case.objects.get(kind="unreadable_event").amount_fen == 2000


NESTED = b'{"note_no":1,"x":' + b"[" * 1200 + b"]" * 1200 + b"}"


@pytest.mark.parametrize("fate", ["on its way", "a claim", "in the box"])
def test_a_note_that_went_back_by_an_entry_of_a_later_program_is_open_no_more(estate: Estate, fate: str) -> None:
    """Staff see the entry; a note that is in the box stays there, whatever it says."""
    writer = estate.writer
    visit = visits.open_payment(writer, str(estate.unit.id), [], TODAY)
    told = {"payment_id": visit, "note_no": writer.take_note_no(), "face_fen": HUNDRED, "acceptor_serial": "S"}
    writer.append(events.NoteEscrow(**told), events.NoteAcceptIntent(**told, protocol="ssp", channel=7))
    if fate == "a claim":
        writer.append(events.NoteUnknown(**told, reason="jam", claim_no="YG01-Q000001"))
    elif fate == "in the box":
        writer.append(events.NoteCredited(**told))
    writer.append_raw(b'{"kind":"note.returned","v":9,"note_no":%d}' % told["note_no"], "note.returned", 9, visit)
    estate.upload()
    assert Note.objects.get().state == ("credited" if fate == "in the box" else "returned")
    assert not SuspenseItem.objects.filter(state="open").exists()
    assert list(Case.objects.filter(state="open").values_list("kind", flat=True)) == ["unreadable_event"]


@pytest.mark.parametrize(
    "body", [b"not json", b"\xff\xfe", b"[]", b'{"kind":"note.credited"}', b"{}", b'"' + b"x" * 999, NESTED]
)
def test_whatever_a_poison_event_holds_the_events_behind_it_are_folded(estate: Estate, body: bytes) -> None:
    estate.writer.append_raw(body, "note.credited")
    estate.writer.append_raw(body, "payment.settled")
    estate.writer.append_raw(body, "thing.from_the_future")
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    taken = estate.upload()
    assert [code for _, code in taken.rejected] == ["schema", "schema", "unknown_kind"]
    assert estate.payment(payment_id).state == Payment.State.BOOKED
    assert box_of(estate.kiosk).low_fen == 11000
    assert box_of(estate.kiosk).high_fen == 21000


def test_an_event_whose_header_says_another_kind_than_its_body_is_quarantined(estate: Estate) -> None:
    estate.writer.append_raw(events.encode(events.AgentStopped()), "agent.started")
    assert estate.upload().rejected == [(4, "header_mismatch")]


def settle_as(estate: Estate, inserted: list[int], told: list[int]) -> Payment:
    """The water bill paid with some notes, and a settlement that tells of others."""
    owed = [domain_bill(estate.reload("water"), TODAY).owed_on(TODAY)]
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), owed, TODAY)
    for face in inserted:
        visits.insert_note(estate.writer, payment_id, face)
    visits.settle(estate.writer, payment_id, str(estate.unit.id), "YG01", owed, told, TODAY)
    estate.upload()
    return estate.payment(payment_id)


def test_notes_and_the_kiosks_own_sum_that_differ_open_a_case_and_no_fen_is_lost(estate: Estate) -> None:
    payment = settle_as(estate, [HUNDRED, 5000], [HUNDRED])
    assert (payment.state, payment.amount_fen, payment.suspense_fen) == (Payment.State.EXCEPTION, 15000, 5000)
    assert Case.objects.filter(kind="note_count_mismatch").exists()
    assert estate.net(payment.id) == {"1009.K": 15000, "1122": -10000, "2241.s": -5000}


def test_the_right_sum_in_other_notes_than_were_credited_opens_a_case_too(estate: Estate) -> None:
    payment = settle_as(estate, [5000, 5000], [HUNDRED])
    assert (payment.state, payment.amount_fen, payment.suspense_fen) == (Payment.State.EXCEPTION, 10000, 0)
    told = Case.objects.get(kind="note_count_mismatch").facts
    assert (told["notes"], told["kiosk_notes"]) == ({"5000": 2}, {"10000": 1})


def test_a_payment_for_a_unit_nobody_knows_waits_in_suspense(estate: Estate) -> None:
    from office.demo import visits
    from tests.office.estate import TODAY

    payment_id = visits.pay(estate.writer, "11111111-1111-4111-8111-111111111111", "YG01", [], [5000], TODAY)
    taken = estate.upload()
    assert [outcome.state for outcome in taken.outcomes] == ["exception"]
    assert estate.net(payment_id) == {"1009.K": 5000, "2241.s": -5000}
    assert Case.objects.get(kind="unknown_unit").payment_id == estate.payment(payment_id).id


def test_the_case_of_a_bill_paid_meanwhile_tells_all_the_money_that_was_meant_for_it(estate: Estate) -> None:
    estate.pay(["aug"], [HUNDRED] * 3, offline=True)
    again = estate.pay(["aug"], [HUNDRED] * 3, offline=True)
    estate.upload()
    case = Case.objects.get(kind="bill_already_paid", payment_id=again)
    assert case.amount_fen == 24560 + 332, "principal and late fee"


def test_a_payment_can_settle_only_once(estate: Estate) -> None:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    settled = next(event for event in estate.writer.events if event.header.kind == "payment.settled")
    estate.writer.append_raw(settled.body, "payment.settled", payment_id=payment_id)
    taken = estate.upload()
    assert [code for _, code in taken.rejected] == ["ratchet"]
    assert estate.prepaid() == 0


def test_a_small_late_fee_that_an_offline_kiosk_could_not_know_is_waived(estate: Estate) -> None:
    import datetime

    from office.billing.wire import domain_bill
    from office.demo import visits
    from tests.office.estate import TODAY

    yesterday = TODAY - datetime.timedelta(days=5)
    owed = [domain_bill(estate.reload("aug"), yesterday).owed_on(yesterday)]
    assert owed[0].late_fee == 295
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), owed, TODAY, offline=True)
    for face in [HUNDRED, HUNDRED, 2000, 2000, 500, 500]:
        visits.insert_note(estate.writer, payment_id, face)
    visits.settle(
        estate.writer, payment_id, str(estate.unit.id), "YG01", owed, [HUNDRED, HUNDRED, 2000, 2000, 500, 500], TODAY
    )
    estate.upload()
    bill = estate.reload("aug")
    assert (bill.status, bill.late_fee_paid_fen, bill.late_fee_waived_fen) == (Bill.Status.PAID, 295, 37)
    assert estate.prepaid() == 25000 - 24560 - 295
    assert estate.payment(payment_id).state == Payment.State.BOOKED


def test_device_faults_become_alarms_and_clear_themselves(estate: Estate) -> None:
    estate.writer.append(
        events.DeviceFault(device="printer", code="printer.paper_out"),
        events.DeviceFault(device="printer", code="printer.paper_out"),
        events.CashboxRemoved(acceptor_serial="S1"),
    )
    estate.upload()
    assert sorted(Alarm.objects.values_list("code", "severity")) == [
        ("acceptor.cashbox_removed", "security"),
        ("printer.paper_out", "now"),
    ]
    estate.writer.append(
        events.DeviceFaultCleared(device="printer", code="printer.paper_out"),
        events.CashboxReplaced(acceptor_serial="S1"),
    )
    estate.upload()
    assert not Alarm.objects.filter(cleared_at=None).exists()
    assert Case.objects.filter(kind="box_unplanned_removal", state="open").count() == 1


def test_a_slip_that_did_not_come_out_is_a_case_and_the_money_is_booked_all_the_same(estate: Estate) -> None:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN], printed=False)
    estate.upload()
    payment = estate.payment(payment_id)
    assert (payment.state, payment.slip) == (Payment.State.BOOKED, Payment.Slip.FAILED)
    assert Case.objects.filter(kind="receipt_not_printed", payment=payment).exists()
    estate.writer.append(events.ReceiptDeclined(payment_id=payment_id, receipt_no=payment.receipt_no))
    estate.upload()
    assert estate.payment(payment_id).slip == Payment.Slip.FAILED, "that its person went then is no choice of theirs"


def test_every_raw_event_is_kept_as_sent(estate: Estate) -> None:
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.upload()
    kept = RawEvent.objects.order_by("seq")
    assert [(bytes(row.body), bytes(row.hash)) for row in kept] == [
        (event.body, event.hash) for event in estate.writer.events
    ]
    assert not kept.exclude(state=RawEvent.State.FOLDED).exists()


def test_what_a_quarantined_event_would_have_changed_is_not_kept_with_the_next_one(estate: Estate) -> None:
    """The events of one upload share what they read, and a fold that is undone must not leave its traces there."""
    payment_id = new_id()
    estate.writer.append(
        events.PaymentOpened(payment_id=payment_id, unit_id=str(estate.unit.id), bills=(), due_fen=0),
        events.PaymentPartial(
            payment_id=payment_id,
            unit_id=str(estate.unit.id),
            receipt_no="much too long for any receipt " * 2,
            receipt_number=1,
            received_fen=0,
            notes={},
            lines=(),
            prepaid_fen=0,
            late_days={},
            business_date="2026-10-15",
            time_zone="Asia/Shanghai",
            ended="timeout",
            claims=("YG01-C000001",),
        ),
        events.PaymentCancelled(payment_id=payment_id, reason="cancelled"),
    )
    estate.upload()
    payment = estate.payment(payment_id)
    assert (payment.state, payment.partial, payment.claims) == (Payment.State.CANCELLED, False, [])
    assert Case.objects.filter(kind="unreadable_event").count() == 1
