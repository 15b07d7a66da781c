"""A payment in cash as the person and the acceptor live it."""

from datetime import date

import pytest
from msgspec.structs import replace

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client import events as office
from kiosk.payment import note_fates
from kiosk.payment.commands import (
    AcceptNote,
    Acknowledge,
    AskPaper,
    DisableCash,
    EnableCash,
    PrintSlip,
    ReadCounters,
    Record,
    ReturnNote,
)
from kiosk.payment.events import DiskMeasured
from kiosk.payment.state import Phase, Ticket
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone
from tests.payment.walker import ACCEPTOR, AUGUST, NOW_MS, SEPTEMBER, WATER, Walker, bill

TWELVE = bill("b-12", 1_200, date(2026, 11, 30))


def test_notes_are_counted_one_by_one_until_the_bill_is_covered():
    walker = Walker().ready().to_cash(TWELVE)
    view = walker.sees(views.InsertCashView)
    assert (view.due, view.counted, view.missing, view.state) == (1_200, 0, 1_200, "ready")
    assert view.suggested == ((1000, 1), (100, 2))
    assert not view.can_finish
    walker.insert(10)
    view = walker.sees(views.InsertCashView)
    assert (view.counted, view.missing, view.notes) == (1_000, 200, ((1000, 1),))
    assert view.can_finish
    walker.insert(1, 1)
    view = walker.sees(views.InsertCashView)
    assert view.notice == views.Saying("notice.enough")
    assert DisableCash() in walker.last
    walker.tap(taps.ContinueTapped)
    settled = walker.records(journal.PaymentSettled)[-1]
    assert (settled.received_fen, settled.prepaid_fen, settled.notes) == (1_200, 0, {"1000": 1, "100": 2})
    assert [(line.bill_id, line.component, line.amount_fen) for line in settled.lines] == [("b-12", "principal", 1200)]


def test_the_intent_is_on_disk_before_the_accept_and_the_credit_before_the_acknowledgement():
    walker = Walker().ready().to_cash(TWELVE).note(10)
    kinds = [type(one) for one in walker.last if not isinstance(one, views.View)]
    assert kinds[:2] == [Record, AcceptNote]
    assert [type(event) for event in walker.last[0].events] == [journal.NoteEscrow, journal.NoteAcceptIntent]
    walker.credit(10)
    assert isinstance(walker.last[0], Record)
    assert isinstance(walker.last[0].events[0], journal.NoteCredited)
    assert isinstance(walker.last[1], Acknowledge)


def test_a_note_that_exceeds_what_is_due_by_a_yuan_is_held_and_kept_when_the_person_says_so():
    walker = Walker().ready().to_cash(TWELVE).note(100)
    view = walker.sees(views.HeldNoteView)
    assert (view.face, view.surplus) == (10_000, 8_800)
    assert not walker.ordered(AcceptNote)
    assert not walker.records(journal.NoteAcceptIntent)
    walker.tap(taps.HeldNoteAnswered, keep=True).credit(100).tap(taps.ContinueTapped)
    settled = walker.records(journal.PaymentSettled)[-1]
    assert (settled.received_fen, settled.prepaid_fen) == (10_000, 8_800)


def test_a_held_note_goes_back_when_asked_or_when_nobody_answers():
    walker = Walker().ready().to_cash(TWELVE).note(100).tap(taps.HeldNoteAnswered, keep=False)
    assert ReturnNote() in walker.last
    assert walker.sees(views.InsertCashView).state == "returning"
    walker.tell(ports.NoteReturned(reason="host"))
    assert walker.sees(views.InsertCashView).notice == views.Saying("notice.note_returned_try_smaller")
    walker.note(100).wait(30)
    assert ReturnNote() in walker.done[-3:]
    walker.tell(ports.NoteReturned(reason="host"))
    assert walker.sees(views.InsertCashView).counted == 0
    assert len(walker.records(journal.NoteReturned)) == 2


def test_the_fen_below_a_yuan_are_prepaid_without_a_question():
    odd = bill("b-odd", 1_128, date(2026, 11, 30))
    walker = Walker().ready().to_cash(odd).insert(10, 1, 1).tap(taps.ContinueTapped)
    settled = walker.records(journal.PaymentSettled)[-1]
    assert (settled.received_fen, settled.prepaid_fen) == (1_200, 72)


def test_the_worked_example_a1_is_spread_as_the_law_says():
    august = bill("b-aug", 24_560, date(2026, 10, 10), late_fee_rule=True)
    walker = Walker().ready().to_cash(august, SEPTEMBER, WATER).insert(100, 100, 100, 100, 100, 100)
    walker.tap(taps.ContinueTapped)
    partial = walker.records(journal.PaymentPartial)[-1]
    assert [(line.bill_id, line.component, line.amount_fen) for line in partial.lines] == [
        ("b-aug", "late_fee", 332),
        ("b-aug", "principal", 24_560),
        ("b-sep", "principal", 24_248),
        ("b-water", "principal", 10_860),
    ]
    assert partial.late_days == {"b-aug": 45}
    assert partial.prepaid_fen == 0


def test_cancelling_is_free_before_money_and_a_choice_after_it():
    walker = Walker().ready().to_cash(TWELVE).tap(taps.CancelTapped)
    assert walker.records(journal.PaymentCancelled)[-1].reason == "payer"
    walker.sees(views.AttractView)
    walker = Walker().ready().to_cash(TWELVE).insert(5).tap(taps.CancelTapped)
    view = walker.sees(views.TroubleView)
    assert view.saying == views.Saying("error.no_refund", {"inserted_fen": 500})
    assert DisableCash() in walker.last
    walker.tap(taps.ChoiceTapped, choice="trouble.go_on_inserting")
    assert any(isinstance(one, EnableCash) for one in walker.last)
    walker.tap(taps.CancelTapped).tap(taps.ChoiceTapped, choice="trouble.finish")
    assert walker.records(journal.PaymentPartial)[-1].lines[0].amount_fen == 500
    walker = Walker().ready().to_cash(TWELVE).insert(5).tap(taps.CancelTapped)
    walker.tap(taps.ChoiceTapped, choice="trouble.to_prepaid")
    partial = walker.records(journal.PaymentPartial)[-1]
    assert (partial.lines, partial.prepaid_fen) == ((), 500)


def test_a_note_that_was_on_its_way_when_cancel_was_asked_about_comes_back_with_a_word():
    walker = Walker().ready().to_cash(TWELVE).insert(5).tap(taps.CancelTapped).note(1)
    assert walker.last[0] == ReturnNote()
    walker.tell(ports.NoteReturned(reason="host")).tap(taps.ChoiceTapped, choice="trouble.go_on_inserting")
    view = walker.sees(views.InsertCashView)
    assert (view.notice, view.counted) == (views.Saying("notice.note_returned"), 500)


def test_back_without_money_returns_to_the_methods():
    walker = Walker().ready().to_cash(TWELVE).tap(taps.BackTapped)
    walker.sees(views.MethodView)
    assert DisableCash() in walker.last


def test_silence_with_money_in_finishes_with_what_was_inserted():
    walker = Walker().ready().to_cash(TWELVE).insert(5).wait(60)
    dialog = walker.sees(views.InsertCashView).frame
    assert dialog.dialog is views.Dialog.MORE_TIME
    assert dialog.dialog_countdown is not None
    assert dialog.dialog_countdown.total_s == 30
    walker.wait(30)
    partial = walker.records(journal.PaymentPartial)[-1]
    assert (partial.ended, partial.received_fen) == ("timeout", 500)
    walker.wait(40)
    assert walker.ordered(PrintSlip)


def test_silence_without_money_shuts_the_acceptor_and_clears_the_screen():
    walker = Walker().ready().to_cash(TWELVE).wait(80)
    walker.sees(views.MethodView)
    assert walker.records(journal.PaymentCancelled)[-1].reason == "timeout"
    walker.wait(80)
    walker.sees(views.AttractView)


def test_a_note_keeps_the_time_question_away():
    walker = Walker().ready().to_cash(SEPTEMBER)
    for _ in range(5):
        walker.wait(50).insert(1)
    assert walker.sees(views.InsertCashView).frame.dialog is views.Dialog.NONE


def test_the_cash_limit_of_a_visit_returns_what_exceeds_it():
    rent = bill("b-rent", 300_000, date(2026, 11, 30))
    estate = Estate(kiosk_code="YG01", cash_limit_fen=Fen(25_000))
    walker = Walker(estate=estate).ready().to_cash(rent).insert(100, 100).note(100)
    assert ReturnNote() in walker.last
    assert walker.sees(views.InsertCashView).notice == views.Saying("error.e36.line", {"limit_fen": 25_000})
    walker.tell(ports.NoteReturned(reason="host")).insert(50)
    assert DisableCash() in walker.done
    assert walker.sees(views.InsertCashView).state == "stopped"
    walker.tap(taps.ContinueTapped)
    assert walker.records(journal.PaymentPartial)[-1].received_fen == 25_000


def test_the_number_of_notes_of_a_visit_is_limited():
    estate = Estate(kiosk_code="YG01", notes_limit=3)
    walker = Walker(estate=estate).ready().to_cash(SEPTEMBER).insert(1, 1, 1)
    view = walker.sees(views.InsertCashView)
    assert view.notice == views.Saying("error.e36.notes", {"limit": 3})
    assert view.state == "stopped"


def test_refused_notes_are_answered_with_better_advice_each_time_and_never_called_false():
    walker = Walker().ready().to_cash(TWELVE)
    said = []
    for _ in range(4):
        walker.tell(ports.NoteRejected(reason="recognition"))
        notice = walker.sees(views.InsertCashView).notice
        said.append(notice.key if notice else "")
    assert said == ["error.e30.line", "notice.turn_note", "notice.try_another_note", "notice.try_another_note"]


def test_a_note_put_in_when_none_can_be_taken_goes_back():
    walker = Walker().ready().note(10)
    assert walker.last[0] == ReturnNote()
    walker.to_cash(TWELVE).insert(10, 5).tap(taps.HeldNoteAnswered, keep=True).credit(5).note(10)
    assert ReturnNote() in walker.last


def test_a_credit_counts_whatever_we_were_doing():
    walker = Walker().ready().to_cash(TWELVE).credit(10)
    assert walker.sees(views.InsertCashView).counted == 1_000
    walker = Walker().ready().credit(10)
    unknown = walker.records(journal.NoteUnknown)[-1]
    assert (unknown.payment_id, unknown.face_fen, unknown.claim_no) == (None, 1_000, "YG01-Q000001")
    assert any(isinstance(one, Acknowledge) for one in walker.last)


def test_a_device_may_forget_nothing_of_which_no_record_was_written():
    state, event = Walker().state, ports.NoteCredited(face=Fen(500), channel=1)
    with pytest.raises(TypeError, match="nothing is on disk yet of NoteCredited"):
        note_fates._on_disk_first((state, [DisableCash(), Record(())]), event)


def test_an_unclear_note_becomes_a_claim_with_a_number_and_stops_cash():
    walker = Walker().ready().to_cash(TWELVE).insert(5).note(5)
    event = ports.NoteUnclear(face=Fen(500), fault=Fault("acceptor.jam_safe"))
    walker.tell(event)
    unknown = walker.records(journal.NoteUnknown)[-1]
    assert (unknown.note_no, unknown.claim_no) == (2, "YG01-Q000002")
    assert walker.last[1] == Acknowledge(event)
    view = walker.sees(views.InsertCashView)
    assert view.notice == views.Saying("error.e32.line")
    assert (view.counted, view.state, view.can_finish) == (500, "stopped", True)
    walker.tap(taps.ContinueTapped).booked()
    assert walker.sees(views.ResultView).claims[0].claim_no == "YG01-Q000002"


def test_a_payment_of_nothing_but_a_claim_still_gets_a_receipt_number():
    walker = Walker().ready().to_cash(TWELVE).note(10)
    walker.tell(ports.NoteUnclear(face=None, fault=Fault("acceptor.fraud"))).tap(taps.ContinueTapped)
    partial = walker.records(journal.PaymentPartial)[-1]
    assert (partial.received_fen, partial.claims, partial.receipt_no) == (0, ("YG01-Q000001",), "YG01-000001")


@pytest.mark.parametrize(("inserted", "said"), [((), "notice.claims_slip_failed"), ((5,), "error.e52.line")])
def test_a_slip_that_failed_speaks_of_safe_money_only_where_some_was_received(inserted, said):
    walker = Walker().ready().to_cash(TWELVE).insert(*inserted).note(5)
    walker.tell(ports.NoteUnclear(face=Fen(500), fault=Fault("acceptor.jam_safe"))).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)
    job = walker.ordered(PrintSlip)[-1]
    walker.tell(ports.ReceiptFailed(job_id=job.job_id, clean=True, fault=Fault("printer.error")))
    view = walker.sees(views.ReceiptView)
    assert view.notice == views.Saying(said)
    (unknown,) = walker.records(journal.NoteUnknown)
    assert [claim.claim_no for claim in view.claims] == [unknown.claim_no], "no slip says by which number to ask"
    assert not walker.tap(taps.ReprintTapped).sees(views.ReceiptView).claims


def test_trouble_before_any_money_is_in_does_not_speak_of_money_that_is_in():
    walker = Walker().ready().to_cash(TWELVE)
    walker.tell(ports.DeviceFault(device="bill_acceptor", fault=Fault("acceptor.jam_unsafe")))
    notice = walker.sees(views.InsertCashView).notice
    assert notice is not None
    assert notice.key == "error.e31.nothing"


def test_cancelling_while_cash_is_stopped_offers_the_way_back_and_not_another_note():
    walker = Walker().ready().to_cash(TWELVE).insert(5)
    walker.tell(ports.DeviceFault(device="bill_acceptor", fault=Fault("acceptor.jam_unsafe"))).tap(taps.CancelTapped)
    assert walker.sees(views.TroubleView).choices == ("trouble.back", "trouble.to_prepaid", "trouble.finish")
    walker.tap(taps.ChoiceTapped, choice="trouble.back")
    walker.sees(views.InsertCashView)


def test_a_jam_pauses_cash_with_its_reason_and_what_is_in_can_be_finished():
    walker = Walker().ready().to_cash(TWELVE).insert(5)
    walker.tell(ports.DeviceFault(device="bill_acceptor", fault=Fault("acceptor.jam_unsafe")))
    view = walker.sees(views.InsertCashView)
    assert view.notice == views.Saying("error.e31.line", {"inserted_fen": 500})
    assert view.state == "stopped"
    assert walker.records(journal.DeviceFault)[-1].code == "acceptor.jam_unsafe"
    walker.tell(ports.FaultCleared(device="bill_acceptor", code="acceptor.jam_unsafe"))
    assert any(isinstance(one, EnableCash) for one in walker.last)
    walker.tap(taps.ContinueTapped)
    assert walker.records(journal.PaymentPartial)


def test_an_acceptor_that_falls_silent_keeps_the_intent_open_until_it_answers():
    walker = Walker().ready().to_cash(TWELVE).note(10).tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    walker.wait(45)
    assert not walker.records(journal.NoteUnknown)
    walker.tell(ports.NoteCredited(face=Fen(1000), channel=1, at_power_up=True)).acceptor_ready(stacked=1)
    credited = walker.records(journal.NoteCredited)
    assert [(one.note_no, one.recovered) for one in credited] == [(1, "power_up")]
    assert not walker.records(journal.NoteUnknown)


@pytest.mark.parametrize(
    ("stacked", "kind"),
    [(0, journal.NoteUnknown), (1, journal.NoteCredited), (2, journal.NoteUnknown), (None, journal.NoteUnknown)],
)
def test_without_another_answer_the_acceptors_own_counter_decides(stacked, kind):
    walker = Walker().ready().to_cash(TWELVE).note(10).tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    walker.acceptor_ready(stacked=stacked)
    fates = [
        event
        for event in walker.recorded
        if isinstance(event, journal.NoteReturned | journal.NoteCredited | journal.NoteUnknown) and event.note_no == 1
    ]
    assert [type(one) for one in fates] == [kind]


@pytest.mark.parametrize("kept", [True, False])
def test_the_counter_of_another_acceptor_says_nothing_about_a_note(kept):
    walker = Walker().ready().to_cash(TWELVE).note(10 if kept else 50)
    walker.tell(ports.AcceptorLost(fault=Fault("acceptor.port_missing")))
    other = replace(ACCEPTOR, serial="SN2")
    counters = ports.AcceptorCounters(stacked=1, rejected=0)
    walker.tell(ports.AcceptorReady(identity=other, counters=counters))
    assert [one.reason for one in walker.records(journal.NoteUnknown)] == ["another_acceptor"]
    assert not walker.records(journal.NoteCredited) + walker.records(journal.NoteReturned)


def gone_silent_for_too_long() -> tuple[Walker, journal.NoteUnknown]:
    """Ten yuan accepted, and no answer until the note is a claim; the person still stands there."""
    walker = Walker().ready().to_cash(TWELVE).note(10).tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
    walker.wait(121)
    unknown = walker.records(journal.NoteUnknown)[-1]
    assert (unknown.reason, unknown.evidence_lost_by) == ("no_answer", "acceptor.silent")
    return walker, unknown


@pytest.mark.parametrize("at_power_up", [True, False])
@pytest.mark.parametrize("face", [Fen(1000), None])
def test_a_late_credit_after_the_settlement_is_on_disk_and_ends_the_claim_but_changes_no_settled_amount(
    face, at_power_up
):
    walker, unknown = gone_silent_for_too_long()
    walker.tap(taps.ContinueTapped).wait(400).sees(views.AttractView)
    credit = ports.NoteCredited(face=face, channel=1, at_power_up=at_power_up)
    walker.tell(credit)
    (proof,) = walker.records(journal.NoteCredited)
    assert walker.last[:2] == [Record((proof,)), Acknowledge(credit)]
    assert (proof.payment_id, proof.note_no, proof.face_fen) == (unknown.payment_id, unknown.note_no, 1000)
    assert proof.recovered == "late_answer"
    assert [(one.received_fen, one.claims) for one in walker.records(journal.Settlement)] == [(0, (unknown.claim_no,))]
    walker.acceptor_ready(stacked=1).printer_says().to_cash(TWELVE).credit(10)
    assert [one.note_no for one in walker.records(journal.NoteCredited)] == [1, 2]
    assert walker.records(journal.NoteUnknown) == [unknown]


def test_a_late_credit_in_the_open_payment_is_counted_there_and_its_slip_speaks_of_no_claim():
    walker, unknown = gone_silent_for_too_long()
    assert not walker.state.payment.received
    walker.credit(10)
    assert isinstance(walker.last[0], Record)
    assert any(isinstance(one, ReadCounters) for one in walker.last), "the count is void, and another note may come"
    assert walker.sees(views.InsertCashView).counted == 1000
    walker.acceptor_ready(stacked=1).acceptor_open().insert(1, 1).tap(taps.ContinueTapped).booked()
    (settled,) = walker.records(journal.PaymentSettled)
    assert (settled.received_fen, settled.notes, settled.claims) == (1200, {"1000": 1, "100": 2}, ())
    assert not walker.sees(views.ResultView).claims
    assert unknown.note_no == walker.records(journal.NoteCredited)[0].note_no


def test_a_late_credit_takes_no_other_claim_with_it():
    walker = Walker().ready().to_cash(TWELVE).note(10)
    walker.tell(ports.NoteUnclear(face=Fen(1000), fault=Fault("acceptor.fraud")))
    ticket = Ticket(walker.state.payment.opened.payment_id, 7, Fen(500))
    claims = (*walker.state.payment.claims, Claim(claim_no="YG01-Q000007", face=Fen(500)))
    payment = replace(walker.state.payment, claims=claims)
    walker.state = replace(walker.state, payment=payment, around=replace(walker.state.around, unresolved=(ticket,)))
    walker.credit(5)
    assert [one.claim_no for one in walker.state.payment.claims] == ["YG01-Q000001"]
    assert walker.sees(views.InsertCashView).state == "stopped"


@pytest.mark.parametrize("settled", [True, False])
def test_a_note_that_went_back_after_it_had_become_a_claim_is_on_disk_as_well(settled):
    walker, unknown = gone_silent_for_too_long()
    if settled:
        walker.tap(taps.ContinueTapped).wait(400).sees(views.AttractView)
    back = ports.NoteReturned(reason="device", accepted=True)
    walker.tell(back)
    (proof,) = walker.records(journal.NoteReturned)
    assert walker.last[:2] == [Record((proof,)), Acknowledge(back)]
    assert (proof.payment_id, proof.note_no, proof.face_fen) == (unknown.payment_id, unknown.note_no, 1000)
    if not settled:
        told = walker.acceptor_ready().acceptor_open().sees(views.InsertCashView)
        assert (told.notice, told.state) == (views.Saying("notice.note_returned"), "ready")
        walker.tap(taps.CancelTapped)
        assert walker.records(journal.PaymentCancelled)


def held_on_to_for_too_long() -> tuple[Walker, journal.NoteUnknown]:
    """Fifty yuan that the person wants back, and holds at the mouth until they are a claim."""
    walker = Walker().ready().to_cash(TWELVE).note(50).tap(taps.HeldNoteAnswered, keep=False).wait(121)
    (unknown,) = walker.records(journal.NoteUnknown)
    return walker, unknown


@pytest.mark.parametrize("settled", [True, False])
def test_a_note_to_be_given_back_that_goes_back_late_is_no_claim_any_more(settled):
    walker, unknown = held_on_to_for_too_long()
    if settled:
        walker.tap(taps.ContinueTapped).wait(400).sees(views.AttractView)
    walker.tell(ports.NoteReturned(reason="host"))
    (proof,) = walker.records(journal.NoteReturned)
    assert walker.last[0] == Record((proof,))
    assert (proof.payment_id, proof.note_no, proof.face_fen) == (unknown.payment_id, unknown.note_no, 5000)
    assert not walker.ordered(Acknowledge), "the acceptor waits for nothing"
    if not settled:
        told = walker.acceptor_ready().acceptor_open().sees(views.InsertCashView)
        assert (told.notice, told.state) == (views.Saying("notice.note_returned"), "ready")
        walker.tap(taps.CancelTapped)
        assert walker.records(journal.PaymentCancelled)


def test_an_accepted_note_that_its_acceptor_gives_back_late_at_its_start_is_no_claim_any_more():
    walker, unknown = gone_silent_for_too_long()
    walker.tell(ports.NoteReturned(reason="power_up", at_power_up=True)).acceptor_ready()
    assert [one.note_no for one in walker.records(journal.NoteReturned)] == [unknown.note_no]


def test_another_note_that_goes_back_ends_no_claim():
    walker, _ = gone_silent_for_too_long()
    walker.tell(ports.NoteReturned(reason="host"))
    assert not walker.records(journal.NoteReturned), "the claim's note was to be kept"
    walker, _ = held_on_to_for_too_long()
    walker.note(10).tell(ports.NoteReturned(reason="host"))
    assert not walker.records(journal.NoteReturned), "refused at the mouth, and gone back from there"


def test_a_note_credited_after_the_settlement_is_a_claim_that_its_person_is_told():
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked()
    assert not walker.sees(views.ResultView).claims
    walker.credit(5)
    view = walker.sees(views.ResultView)
    assert [(one.claim_no, one.face) for one in view.claims] == [("YG01-Q000004", 500)]
    assert view.notice == views.Saying("notice.claims", {"count": 1})
    assert view.outcome is Outcome.PROCESSING  # as the slip and the office's page say it
    unknown = walker.records(journal.NoteUnknown)[-1]
    assert unknown.payment_id == walker.records(journal.PaymentSettled)[-1].payment_id


@pytest.mark.parametrize("wanted", [True, False])
def test_a_note_that_only_the_counter_saw_is_told_while_its_person_takes_the_slip(wanted):
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=wanted)
    walker.tell(ports.CountersRead(counters=ports.AcceptorCounters(stacked=4, rejected=0)))
    assert [one.claim_no for one in walker.sees(views.ResultView).claims] == ["YG01-Q000004"]
    if wanted:
        walker.tell(ports.ReceiptPrinted(job_id="YG01-000001/0", confirmed=True))
    walker.wait(300).sees(views.AttractView)
    assert walker.ordered(PrintSlip)[-1].copy_no == int(wanted), "the claim is on paper as well"
    assert walker.state.printing is None or not wanted


def test_a_note_that_only_the_counter_saw_becomes_a_claim():
    walker = Walker().ready()
    walker.tell(ports.AcceptorLost(fault=Fault("acceptor.silent"))).acceptor_ready(stacked=1)
    assert [one.reason for one in walker.records(journal.NoteUnknown)] == ["counter"]


def test_a_counter_that_went_back_or_jumped_is_an_alarm_and_invents_no_notes():
    walker = Walker().acceptor_ready(stacked=500)
    for stacked in (400, 9_000):
        walker.tell(ports.AcceptorLost(fault=Fault("acceptor.silent"))).acceptor_ready(stacked=stacked)
    assert not walker.records(journal.NoteUnknown)
    assert [one.code for one in walker.records(journal.DeviceFault)].count("acceptor.note_lost") == 2


def test_when_the_screen_goes_a_held_note_goes_back_and_when_it_returns_the_same_view_goes_on():
    walker = Walker().ready().to_cash(TWELVE).insert(5)
    before = walker.view
    walker.tell(ScreenGone("silent"))
    assert DisableCash() in walker.last
    walker.wait(3).tell(ScreenConnected(pid=2))
    assert any(isinstance(one, EnableCash) for one in walker.last)
    walker.acceptor_open()
    assert replace(walker.view, frame=before.frame) == before
    assert walker.records(journal.ScreenRestarted)[-1].reason == "silent"
    walker.note(100).tell(ScreenGone("closed"))
    assert ReturnNote() in walker.last


def test_a_note_being_kept_while_the_screen_goes_is_finished():
    walker = Walker().ready().to_cash(TWELVE).note(10).tell(ScreenGone("closed")).credit(10)
    assert walker.records(journal.NoteCredited)
    walker.wait(100)
    assert walker.records(journal.PaymentPartial)[-1].ended == "timeout"


def test_paper_is_asked_just_before_cash():
    walker = Walker().ready().to_method(TWELVE)
    asked = len(walker.ordered(AskPaper))
    walker.tap(taps.TileChosen, tile="cash")
    assert len(walker.ordered(AskPaper)) == asked + 1
    walker.sees(views.WaitingView)


@pytest.mark.parametrize("paper", [ports.Paper.OUT, ports.Paper.UNKNOWN])
def test_without_paper_the_person_is_asked_and_unknown_paper_is_no_paper(paper):
    walker = Walker().acceptor_ready().printer_says(paper).to_cash(TWELVE)
    view = walker.sees(views.MethodView)
    assert view.no_receipt
    assert view.frame.code == "E51"
    assert not walker.records(journal.PaymentOpened)
    walker.tap(taps.BackTapped)
    assert not walker.sees(views.MethodView).no_receipt
    walker.tap(taps.TileChosen, tile="cash").printer_says(paper).bills_come(TWELVE).tap(taps.ContinueTapped)
    walker.acceptor_open()
    walker.insert(10, 1, 1).tap(taps.ContinueTapped).booked().tap(taps.ContinueTapped)
    assert walker.sees(views.ReceiptView).state == "no_paper"
    assert walker.records(journal.ReceiptDeclined)


def test_whoever_agrees_to_go_without_a_slip_pays_only_if_cash_still_works():
    walker = Walker().ready().printer_says(ports.Paper.OUT).to_cash(TWELVE)
    assert walker.sees(views.MethodView).no_receipt
    walker.tell(DiskMeasured(free_mb=1, enough=False)).tap(taps.ContinueTapped)
    view = walker.sees(views.MethodView)
    assert (view.no_receipt, view.options[0].reason) == (False, views.Saying("reason.disk"))
    assert not walker.records(journal.PaymentOpened)


@pytest.mark.parametrize("inserted", [(5,), ()])
def test_a_kiosk_that_the_office_stops_takes_no_more_notes_and_says_what_became_of_those_that_are_in(inserted):
    walker = Walker().ready().to_cash(TWELVE).insert(*inserted)
    walker.tell(office.LinkChanged(up=False, refused=True, reason="key_unknown"))
    assert DisableCash() in walker.last
    view = walker.sees(views.InsertCashView)
    said = views.Saying(f"error.refused.{'line' if inserted else 'nothing'}", {"inserted_fen": 500 if inserted else 0})
    assert (view.state, view.notice, view.frame.code) == (views.CashState.STOPPED, said, "E80")
    walker.note(1)
    assert ReturnNote() in walker.last
    if inserted:
        walker.tap(taps.ContinueTapped)
        assert walker.records(journal.PaymentPartial)[-1].received_fen == 500
        walker.wait(300)
    else:
        walker.tap(taps.BackTapped)
        assert walker.sees(views.MethodView).options[0].reason == views.Saying("reason.refused")
        walker.tap(taps.CancelTapped)
    assert walker.sees(views.OutOfServiceView).reason == views.Saying("reason.refused")
    walker.tell(office.LinkChanged(up=True)).sees(views.AttractView)


def test_a_note_that_is_held_when_the_office_stops_the_kiosk_goes_back_whatever_is_tapped():
    walker = Walker().ready().to_cash(TWELVE).note(100)
    walker.tell(office.LinkChanged(up=False, refused=True, reason="key_unknown"))
    walker.tap(taps.HeldNoteAnswered, keep=True)
    assert ReturnNote() in walker.last
    assert not walker.records(journal.NoteAcceptIntent)


def test_a_printer_that_never_answers_is_waited_for_a_moment_only():
    walker = Walker().acceptor_ready().to_method(TWELVE).tap(taps.TileChosen, tile="cash").bills_come(TWELVE).wait(4)
    assert walker.sees(views.MethodView).no_receipt


def test_cash_is_refused_without_paper_where_the_estate_wants_it_so():
    walker = Walker(refuse_without_receipt=True).acceptor_ready().printer_says(ports.Paper.OUT).to_method(TWELVE)
    assert walker.sees(views.MethodView).options[0].reason == views.Saying("reason.no_paper")


def test_booked_is_said_only_when_the_office_says_so_and_accepted_after_two_seconds():
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped)
    walker.sees(views.WaitingView)
    walker.booked()
    assert walker.sees(views.ResultView).outcome is Outcome.BOOKED
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).wait(2)
    assert walker.sees(views.ResultView).outcome is Outcome.ACCEPTED
    walker.booked()
    assert walker.sees(views.ResultView).outcome is Outcome.BOOKED


def test_another_payments_booking_says_nothing_about_ours():
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped)
    other = office.PaymentOutcome(payment_id="other", state="booked")
    walker.tell(office.Acked(ack_seq=1, ack_hash="", posted_seq=1, outcomes=(other,)))
    walker.sees(views.WaitingView)


def test_offline_the_result_is_accepted_at_once():
    walker = Walker(link_up=False).ready().to_cash(TWELVE, offline=True, cached_at_ms=NOW_MS).insert(10, 1, 1)
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.ResultView).outcome is Outcome.ACCEPTED
    assert walker.records(journal.PaymentSettled)[-1].offline


def test_the_slip_is_printed_once_and_again_only_as_a_copy():
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.ReceiptView).state == "ask"
    walker.tap(taps.PrintAnswered, wanted=True)
    job = walker.ordered(PrintSlip)[-1]
    assert (job.copy_no, job.outcome) == (0, Outcome.BOOKED)
    walker.tell(ports.ReceiptPrinted(job_id=job.job_id, confirmed=True))
    assert walker.sees(views.ReceiptView).state == "printed"
    walker.tap(taps.ReprintTapped)
    assert walker.ordered(PrintSlip)[-1].copy_no == 1
    walker.tell(ports.ReceiptPrinted(job_id=walker.ordered(PrintSlip)[-1].job_id, confirmed=True))
    walker.tap(taps.ContinueTapped)
    assert walker.sees(views.DoneView).took_receipt
    walker.wait(5)
    walker.sees(views.AttractView)
    assert [one.copy_no for one in walker.records(journal.ReceiptPrinted)] == [0, 1]


@pytest.mark.parametrize(("clean", "copy_no"), [(True, 0), (False, 1)])
def test_a_slip_that_failed_does_not_touch_the_money_and_is_a_copy_if_paper_moved(clean, copy_no):
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)
    job = walker.ordered(PrintSlip)[-1]
    walker.tell(ports.ReceiptFailed(job_id=job.job_id, clean=clean, fault=Fault("printer.paper_out")))
    view = walker.sees(views.ReceiptView)
    assert (view.state, view.notice, view.frame.code) == ("failed", views.Saying("error.e52.line"), "E52")
    walker.tap(taps.ReprintTapped)
    assert walker.ordered(PrintSlip)[-1].copy_no == copy_no


def test_a_person_who_walks_away_from_the_result_leaves_a_printed_proof_and_a_clean_screen():
    walker = Walker().ready().to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked().wait(30)
    job = walker.ordered(PrintSlip)[-1]
    walker.tell(ports.ReceiptPrinted(job_id=job.job_id, confirmed=True)).wait(60)
    assert walker.sees(views.AttractView).notice == views.Saying("notice.last_slip")
    assert walker.state.finished is None


def test_receipt_numbers_and_note_numbers_have_no_gaps():
    walker = Walker().ready()
    for _ in range(3):
        walker.to_cash(TWELVE).insert(10, 1, 1).tap(taps.ContinueTapped).booked().wait(300)
        walker.printer_says()
    assert [one.receipt_number for one in walker.records(journal.PaymentSettled)] == [1, 2, 3]
    assert [one.note_no for one in walker.records(journal.NoteEscrow)] == list(range(1, 10))


def test_the_acceptor_is_shut_whenever_no_note_may_come():
    walker = Walker().ready().to_cash(TWELVE)
    assert walker.ordered(EnableCash)[-1].faces == frozenset(ACCEPTOR.faces.values())
    walker.insert(10, 1, 1).tap(taps.ContinueTapped)
    switches = [one for one in walker.done if isinstance(one, EnableCash | DisableCash)]
    assert isinstance(switches[-1], DisableCash)
    assert walker.state.phase is Phase.BOOKING


def test_taps_that_mean_nothing_here_are_said_in_the_log():
    walker = Walker().ready().to_cash(TWELVE).tap(taps.PrintAnswered, wanted=True)
    assert walker.unexpected[-1] == "tap PrintAnswered"


def test_overdue_bills_come_first_when_less_is_put_in():
    walker = Walker().ready().to_cash(AUGUST, SEPTEMBER).insert(100).tap(taps.ContinueTapped)
    assert [line.bill_id for line in walker.records(journal.PaymentPartial)[-1].lines] == ["b-aug"]
