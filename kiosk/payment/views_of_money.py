"""The views that show money: bills, amounts, notes, results and slips. Pure."""

from datetime import date

from msgspec.structs import replace

from kiosk.domain.allocation import allocate, suggest_notes
from kiosk.domain.billing import BillOwed
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Outcome
from kiosk.hardware.faults import FAULTS
from kiosk.hardware.ports import Paper
from kiosk.payment import closing
from kiosk.payment.availability import acceptor_fault, cash_reason
from kiosk.payment.cash import takes_notes
from kiosk.payment.deadlines import Timer
from kiosk.payment.events import Moment
from kiosk.payment.plan import can_pay_plan, choices_of, payable, plan_of, total
from kiosk.payment.state import CashPayment, Finished, NoteInHand, NoteStage, State, Surroundings
from kiosk.views import (
    AllocationRow,
    AmountChoice,
    AmountOption,
    AmountView,
    AnyView,
    BillListView,
    BillRowView,
    CashPlace,
    CashState,
    Countdown,
    DoneView,
    ExplainView,
    Frame,
    HeldNoteView,
    InsertCashView,
    MethodOption,
    MethodView,
    ReceiptState,
    ReceiptView,
    ResultView,
    Saying,
    TroubleView,
)


def countdown(state: State, timer: Timer) -> Countdown | None:
    deadline = state.deadlines.get(timer)
    return Countdown(ends_at=deadline.at, total_s=deadline.total_s) if deadline else None


def cash_place(around: Surroundings) -> CashPlace:
    desk = around.estate.cash_desk
    return CashPlace(place=desk.place, place_en=desk.place_en, hours=desk.hours)


def bill_list_view(state: State, frame: Frame) -> BillListView:
    visit, rows_a_page = state.visit, state.around.shape.rows
    bills = payable(visit)
    picked = [owed for owed in bills if owed.bill.bill_id in visit.picked]
    first = visit.page * rows_a_page
    return BillListView(
        frame=frame,
        rows=tuple(_row(owed, owed.bill.bill_id in visit.picked) for owed in bills[first : first + rows_a_page]),
        page=visit.page,
        pages=max(1, -(-len(bills) // rows_a_page)),
        count=len(bills),
        overdue_count=sum(owed.overdue for owed in bills),
        picked_count=len(picked),
        picked_total=total(picked),
        amounts_shown=visit.amounts_shown,
        prepaid=visit.unit.prepaid if visit.unit else Fen(0),
        notice=visit.notice,
    )


def _row(owed: BillOwed, picked: bool) -> BillRowView:
    bill = owed.bill
    return BillRowView(
        bill_id=bill.bill_id,
        item_name=bill.item_name,
        item_name_en=bill.item_name_en,
        category=bill.category,
        period_from=bill.period_from,
        period_to=bill.period_to,
        due_on=bill.due_on,
        amount=owed.outstanding,
        late_fee=owed.late_fee,
        overdue=owed.overdue,
        picked=picked,
    )


def explain_view(state: State, frame: Frame) -> AnyView:
    owed = next((one for one in state.visit.owed if one.bill.bill_id == state.visit.explained), None)
    if owed is None:
        return bill_list_view(state, frame)
    bill, estate = owed.bill, state.around.estate
    return ExplainView(
        frame=frame,
        item_name=bill.item_name,
        item_name_en=bill.item_name_en,
        period_from=bill.period_from,
        period_to=bill.period_to,
        due_on=bill.due_on,
        factors=tuple((one.value, one.caption, one.caption_en) for one in bill.computation.factors),
        lines=tuple((one.text, one.text_en, one.amount) for one in bill.computation.lines),
        late_fee=owed.late_fee,
        late_days=owed.late_days,
        late_rate_ppm=bill.rule.rate_ppm if bill.rule else 0,
        total=owed.outstanding,
        basis=bill.computation.basis,
        payee=estate.payee,
        complaint=estate.complaint,
    )


def amount_view(state: State, frame: Frame) -> AmountView:
    visit, most = state.visit, state.around.shape.rows
    plan = plan_of(visit)
    allocation = allocate(plan.due, plan.bills, visit.business_date)
    rows = [
        _allocation_row(owed, allocation.paid_to(owed.bill.bill_id))
        for owed in plan.bills
        if allocation.paid_to(owed.bill.bill_id) > 0
    ]
    typing = visit.choice is AmountChoice.OTHER
    return AmountView(
        frame=frame,
        options=tuple(_option(state, choice) for choice in choices_of(visit)),
        chosen=visit.choice if visit.choice in choices_of(visit) else choices_of(visit)[0],
        typing=typing,
        typed=visit.typed_amount,
        error=visit.amount_error,
        rows=tuple(rows[:most]),
        more_rows=max(0, len(rows) - most),
        to_prepaid=allocation.prepayment,
        amount=plan.due,
        can_continue=can_pay_plan(visit) and visit.amount_error is None,
    )


def _option(state: State, choice: AmountChoice) -> AmountOption:
    plan = plan_of(state.visit, choice)
    untyped = choice is AmountChoice.OTHER and not state.visit.typed_amount
    return AmountOption(choice=choice, amount=None if untyped else plan.due, bill_count=len(plan.bills))


def _allocation_row(owed: BillOwed, paid: Fen) -> AllocationRow:
    bill = owed.bill
    return AllocationRow(
        item_name=bill.item_name,
        item_name_en=bill.item_name_en,
        period_from=bill.period_from,
        period_to=bill.period_to,
        amount=paid,
        cleared=paid == owed.outstanding,
    )


def method_view(state: State, frame: Frame) -> MethodView:
    around, visit = state.around, state.visit
    plan = plan_of(visit)
    paid = allocate(plan.due, plan.bills, visit.business_date)  # an amount of one's own may reach only some of them
    later = Saying("reason.not_yet")
    return MethodView(
        frame=frame,
        due=plan.due,
        bill_count=len({line.bill_id for line in paid.lines}),
        options=(
            MethodOption(method="cash", reason=cash_reason(around)),
            MethodOption(method="scan", reason=later),
            MethodOption(method="card", reason=later),
            MethodOption(method="prepaid", reason=later),
        ),
        faces=around.usable_faces,
        cash_place=cash_place(around),
        no_receipt=visit.asks_consent,
    )


def insert_cash_view(state: State, payment: CashPayment, frame: Frame) -> InsertCashView:
    missing = Fen(max(0, payment.due - payment.received))
    suggested = suggest_notes(missing, state.around.usable_faces)
    in_suggested = sum(face * count for face, count in suggested.items())
    notice, calm = _cash_notice(state, payment)
    return InsertCashView(
        frame=frame,
        due=payment.due,
        counted=payment.received,
        notes=notes_by_face(payment.notes),
        suggested=tuple(suggested.items()),
        surplus_if_suggested=Fen(max(0, in_suggested - missing)),
        faces=state.around.usable_faces,
        state=_cash_state(state, payment),
        can_finish=payment.holds_something and payment.in_hand is None,
        notice=notice,
        notice_is_calm=calm,
    )


def notes_by_face(notes: tuple[Fen, ...]) -> tuple[tuple[Fen, int], ...]:
    """Face and count, largest first."""
    return tuple((face, notes.count(face)) for face in sorted(set(notes), reverse=True))


def _cash_state(state: State, payment: CashPayment) -> CashState:
    note = payment.in_hand
    if cash_reason(state.around) is not None and state.around.acceptor is None:
        starting = cash_reason(state.around) == Saying("reason.cash_starting")
        return CashState.GETTING_READY if starting else CashState.STOPPED
    if note is not None:
        return CashState.KEEPING if note.stage is NoteStage.KEEPING else CashState.RETURNING
    if takes_notes(state):
        return CashState.READY if state.around.cash_open else CashState.GETTING_READY
    return CashState.STOPPED if state.around.screen_here else CashState.GETTING_READY


def _cash_notice(state: State, payment: CashPayment) -> tuple[Saying | None, bool]:
    """What is wrong now comes before what was said about the last note."""
    if trouble := cash_trouble(state.around, payment):
        return trouble[0], False
    return payment.notice, payment.notice_is_calm


def cash_trouble(around: Surroundings, payment: CashPayment) -> tuple[Saying, str] | None:
    """Why no more notes can go in now, with its code; None when nothing is wrong."""
    if around.journal_fault:
        return Saying("error.e61.line"), "E61"
    if payment.claims:  # that shut the slot first, and its word stands whatever else is wrong now
        return Saying("error.e32.line"), "E32"
    if around.disk_low:
        said, code = "e80", "E80"
    elif around.refused:
        said, code = "refused", "E80"
    elif fault := acceptor_fault(around):
        code = FAULTS[fault].payer_code
        said = code.lower()
    elif cash_reason(around) == Saying("reason.no_paper"):
        said, code = "no_slips", "E51"
    else:
        return None
    # Where no money is in, the sentence must not speak of any.
    part = "line" if payment.holds_something else "nothing"
    return Saying(f"error.{said}.{part}", {"inserted_fen": int(payment.received)}), code


def held_note_view(state: State, note: NoteInHand, frame: Frame) -> AnyView:
    payment = state.payment
    counted, due = (payment.received, payment.due) if payment else (Fen(0), Fen(0))
    return HeldNoteView(
        frame=frame,
        face=note.face,
        due=due,
        counted=counted,
        surplus=Fen(counted + note.face - due),
        countdown=countdown(state, Timer.HELD) or Countdown(ends_at=0.0, total_s=1.0),
    )


def money_in_view(state: State, payment: CashPayment, frame: Frame) -> TroubleView:
    """取消 with money in: it can't come back out, so it goes to the bills or to the prepaid balance."""
    finish = ("trouble.finish",) if payment.opened.bills else ()
    go_on = (
        "trouble.go_on_inserting"
        if takes_notes(replace(state, payment=replace(payment, asks_cancel=False)))
        else "trouble.back"
    )
    if not payment.received:  # only a note whose fate is unclear
        saying = Saying("error.e32")
    else:
        key = "error.no_refund" if finish else "error.no_refund_prepay"
        saying = Saying(key, {"inserted_fen": int(payment.received)})
    return TroubleView(
        frame=frame,
        saying=saying,
        choices=(go_on, "trouble.to_prepaid", *finish),
        amount=payment.received or None,
        claims=payment.claims,
    )


def result_view(state: State, finished: Finished, moment: Moment, frame: Frame) -> ResultView:
    settlement, before = finished.settlement, finished.opened.prepaid_before_fen
    return ResultView(
        frame=frame,
        outcome=finished.told_outcome,
        received=Fen(settlement.received_fen),
        to_bills=finished.to_bills,
        bill_count=len({line.bill_id for line in settlement.lines}),
        to_prepaid=Fen(settlement.prepaid_fen),
        prepaid_after=None if before is None else Fen(before + settlement.prepaid_fen),
        left_open=finished.left_open,
        receipt_no=settlement.receipt_no,
        can_print=state.around.can_print,
        claims=finished.claims,
        notice=_result_notice(finished, moment.business_date),
        countdown=countdown(state, Timer.LEAVE),
    )


def _result_notice(finished: Finished, today: date | None) -> Saying | None:
    if finished.claims:
        return Saying("notice.claims", {"count": len(finished.claims)})
    if finished.outcome is Outcome.PROCESSING:
        return Saying("notice.in_review")
    if finished.settlement.ended == "timeout":
        return Saying("notice.timed_out")
    return Saying("notice.clock_unset") if today is None else None


def receipt_view(state: State, finished: Finished, frame: Frame) -> ReceiptView:
    without_slip = finished.receipt in (ReceiptState.FAILED, ReceiptState.NO_PAPER)
    return ReceiptView(
        frame=frame,
        state=finished.receipt,
        outcome=finished.told_outcome,
        received=Fen(finished.settlement.received_fen),
        receipt_no=finished.settlement.receipt_no,
        notice=finished.receipt_notice,
        countdown=countdown(state, Timer.LEAVE),
        can_reprint=closing.can_reprint(state),
        check_code=finished.check_code if without_slip else "",
        claims=finished.claims if without_slip else (),
    )


def done_view(state: State, frame: Frame) -> DoneView:
    took = state.finished is not None and state.finished.receipt is ReceiptState.PRINTED
    return DoneView(
        frame=frame,
        took_receipt=took,
        countdown=countdown(state, Timer.LEAVE) or Countdown(ends_at=0.0, total_s=1.0),
    )


def interrupted_view(state: State, finished: Finished, frame: Frame) -> TroubleView:
    """E60: what became of the payment that a restart cut; nothing of that visit is shown but money and number."""
    settlement = finished.settlement
    values: dict[str, str | int] = {"inserted_fen": settlement.received_fen, "receipt_no": settlement.receipt_no}
    key = "error.e60"
    if finished.claims:
        values["count"] = len(finished.claims)
        key = "error.e60_claims" if settlement.received_fen else "error.e60_claims_alone"
    without_slip = bool(finished.check_code) and _no_slip_comes(state.around, finished)
    return TroubleView(
        frame=frame,
        saying=Saying(key, values),
        choices=("trouble.print_slip", "trouble.ok") if closing.may_ask_for_slip(state) else ("trouble.ok",),
        amount=Fen(settlement.received_fen) or None,
        claims=finished.claims,
        next_step=_note_the_numbers(finished) if without_slip else None,
        check_code=finished.check_code if without_slip else "",
    )


def _no_slip_comes(around: Surroundings, finished: Finished) -> bool:
    """Whether surely no slip comes: a printer that has not said yet what paper it has may still print."""
    if finished.receipt is ReceiptState.ASK:
        return bool(around.printer_fault) or around.paper is Paper.OUT
    return finished.receipt is ReceiptState.FAILED


def _note_the_numbers(finished: Finished) -> Saying:
    if finished.claims and not finished.settlement.received_fen:
        return Saying("error.e60_no_slip_claim.next")
    return Saying("error.e60_no_slip.next", {"receipt_no": finished.settlement.receipt_no})
