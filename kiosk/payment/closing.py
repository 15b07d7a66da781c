"""The end of a payment: settled in one commit with its receipt number, then the result, the slip, and goodbye."""

from datetime import date

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain import events as journal
from kiosk.domain.allocation import Allocation, allocate
from kiosk.domain.identifiers import receipt_no
from kiosk.domain.receipt import Claim, Outcome
from kiosk.hardware import ports
from kiosk.office_client.events import Acked
from kiosk.payment.commands import AskPaper, Command, LogUnexpected, PrintSlip, ReadCounters, Record
from kiosk.payment.deadlines import (
    BOOKING_S,
    DONE_S,
    INTERRUPTED_S,
    PRINTING_S,
    RESULT_S,
    TAKE_RECEIPT_S,
    Timer,
)
from kiosk.payment.events import Moment, SettlementWritten
from kiosk.payment.state import CashPayment, Finished, Phase, PrintRun, State
from kiosk.payment.steps import Step, change, end_visit, go, timed
from kiosk.views import ReceiptState, Saying

MAX_COPIES = 3
BOOKED = "booked"  # office_client.events.PaymentOutcome.state


def cancel(state: State, moment: Moment, reason: str) -> Step:
    """Nothing was taken: the payment is over, the person may choose again."""
    payment = state.payment
    if payment is None:
        return state, [LogUnexpected("cancel without a payment", state.phase)]
    record = Record((journal.PaymentCancelled(payment_id=payment.opened.payment_id, reason=reason),))
    without = replace(state, payment=None)
    if payment.recovering:
        return end_visit(replace(without, around=replace(state.around, nothing_taken=True))), [record]
    return go(without, moment, Phase.CHOOSING_METHOD, asks_consent=False), [record]


def allocation_of(payment: CashPayment) -> Allocation:
    """Where the money goes: the picked bills in the law's order, the rest to the prepaid balance."""
    if payment.all_to_prepaid:
        return Allocation((), prepayment=payment.received)
    day = payment.opened.business_date
    return allocate(payment.received, payment.owed(), date.fromisoformat(day) if day else None)


def settlement_of(state: State, payment: CashPayment, ended: str) -> journal.Settlement:
    allocation = allocation_of(payment)
    notes: dict[str, int] = {}
    for face in sorted(payment.notes, reverse=True):
        notes[str(int(face))] = notes.get(str(int(face)), 0) + 1
    days = {picked.bill_id: picked.late_days for picked in payment.opened.bills}
    late = {line.bill_id for line in allocation.lines if line.component == "late_fee"}
    kind = journal.PaymentSettled if payment.received >= payment.due else journal.PaymentPartial
    return kind(
        payment_id=payment.opened.payment_id,
        unit_id=payment.opened.unit_id,
        receipt_no=receipt_no(state.numbers.kiosk_code, state.numbers.receipt),
        receipt_number=state.numbers.receipt,
        received_fen=payment.received,
        notes=notes,
        lines=tuple(
            journal.LinePaid(bill_id=line.bill_id, component=str(line.component), amount_fen=line.amount)
            for line in allocation.lines
        ),
        prepaid_fen=allocation.prepayment,
        late_days={bill_id: days[bill_id] for bill_id in sorted(late)},
        business_date=payment.opened.business_date,
        time_zone=state.around.estate.time_zone,
        ended=ended,
        offline=payment.opened.offline or not state.around.link_up,
        claims=tuple(claim.claim_no for claim in payment.claims),
    )


def settle(state: State, moment: Moment, ended: str) -> Step:
    """One commit: lines, prepayment and receipt number. The office is asked only after that."""
    payment = state.payment
    if payment is None or payment.in_hand is not None:
        return state, [LogUnexpected("settlement with a note in hand", state.phase)]
    settlement = settlement_of(state, payment, ended)
    finished = Finished(
        opened=payment.opened,
        settlement=settlement,
        claims=payment.claims,
    )
    after = replace(
        state,
        payment=None,
        finished=finished,
        numbers=replace(state.numbers, receipt=state.numbers.receipt + 1),
    )
    commands: list[Command] = [Record((settlement,))]
    if payment.recovering:
        told, more = _interrupted(after, moment)
        return told, [*commands, *more]
    if not state.around.link_up:
        return _to_result(after, moment), commands
    return timed(go(after, moment, Phase.BOOKING), Timer.BOOKING, BOOKING_S, moment), commands


def written(state: State, event: SettlementWritten) -> State:
    """The settlement is on disk: its check code can be told to whoever gets no slip."""
    finished = state.finished
    if finished is None or finished.opened.payment_id != event.payment_id:
        return state
    return replace(state, finished=replace(finished, check_code=event.check_code))


def tell_what_was_cut(state: State, moment: Moment) -> Step:
    """After a restart: whoever paid just before it may not have read so."""
    if state.untold is None:
        return state, []
    return _interrupted(replace(state, finished=state.untold, untold=None), moment)


def screen_came(state: State, moment: Moment) -> State:
    """What became of the money is told from when it can be read: its time begins with the screen."""
    match state.phase:
        case Phase.RESULT:
            return timed(state, Timer.LEAVE, RESULT_S, moment)
        case Phase.RECEIPT:
            return timed(state, Timer.LEAVE, TAKE_RECEIPT_S, moment)
        case Phase.INTERRUPTED:
            return _stays(state, moment)
        case _:
            return state


def acked(state: State, event: Acked, moment: Moment) -> State:
    """The office has folded some payments; if ours is among them, say so, also on a screen that is already shown."""
    finished = state.finished
    if finished is None:
        return state
    mine = [one for one in event.outcomes if one.payment_id == finished.opened.payment_id]
    if not mine:
        return state
    outcome = Outcome.BOOKED if mine[-1].state == BOOKED else Outcome.PROCESSING
    known = replace(state, finished=replace(finished, outcome=outcome))
    return _to_result(known, moment) if state.phase is Phase.BOOKING else known


def claimed(state: State, claim: Claim, moment: Moment) -> State:
    """A note turned up after the settlement while its person may still be here: say so, and on paper as well."""
    finished = state.finished
    if finished is None:
        return state
    known = replace(state, finished=replace(finished, claims=(*finished.claims, claim), on_record=False))
    if state.phase is Phase.INTERRUPTED:
        return _stays(known, moment)
    return _to_result(known, moment) if state.phase in (Phase.RECEIPT, Phase.DONE) else known


def booking_waited(state: State, moment: Moment) -> State:
    """Two seconds without the office's word: 已受理，待入账."""
    return _to_result(state, moment)


def tapped(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    """What a tap on result, receipt or goodbye means; None when it means nothing here."""
    finished = state.finished
    match state.phase, tap:
        case (Phase.DONE, taps.ContinueTapped() | taps.StartTapped()):
            return end_visit(state), []
        case (Phase.INTERRUPTED, taps.ChoiceTapped(choice="trouble.print_slip")) if may_ask_for_slip(state):
            return _print(_stays(state, moment), moment)
        case (Phase.INTERRUPTED, taps.ChoiceTapped() | taps.ContinueTapped()):
            return _was_told(state)
        case (Phase.RESULT, taps.ContinueTapped()):
            return _to_receipt(state, moment)
        case (Phase.RECEIPT, taps.PrintAnswered(wanted=wanted)) if finished and finished.receipt is ReceiptState.ASK:
            return _print(state, moment) if wanted else _to_done(state, moment)
        case (Phase.RECEIPT, taps.ReprintTapped()) if finished and can_reprint(state):
            return _print(state, moment)
        case (Phase.RECEIPT, taps.ContinueTapped()) if finished and finished.receipt in _OVER:
            return _to_done(state, moment)
        case _:
            return None


def can_reprint(state: State) -> bool:
    finished = state.finished
    return (
        finished is not None
        and finished.receipt in (ReceiptState.PRINTED, ReceiptState.FAILED)
        and finished.copies_out < MAX_COPIES
        and state.around.can_print
    )


def left_alone(state: State, moment: Moment) -> Step:
    """Nobody touches the end of the payment: print the proof all the same, then clear the screen."""
    finished = state.finished
    if state.waits_for_a_screen:
        return _unread(state, moment)
    match state.phase:
        case Phase.RESULT if finished and _is_to_print_unasked(state, finished):
            return _print(state, moment)
        case Phase.RESULT:
            return _to_receipt(state, moment)
        case Phase.RECEIPT if finished and finished.receipt is ReceiptState.ASK:
            return _print(state, moment)
        case Phase.RECEIPT if finished and finished.receipt is ReceiptState.PRINTING:
            return timed(state, Timer.LEAVE, TAKE_RECEIPT_S, moment), []  # however long the printer takes
        case Phase.RECEIPT:
            left = finished is not None and finished.receipt is ReceiptState.PRINTED
            return _to_done(replace(state, around=replace(state.around, slip_left=left)), moment)
        case Phase.INTERRUPTED if finished and finished.receipt is ReceiptState.PRINTING:
            return _stays(state, moment), []
        case Phase.INTERRUPTED:
            return _was_told(state)
        case _:
            return end_visit(state), []


def _is_to_print_unasked(state: State, finished: Finished) -> bool:
    """A slip that came out while there was no screen is not printed again; one that lacks a note that turned up later is."""
    wanted = finished.receipt is ReceiptState.ASK or bool(finished.claims)
    return wanted and state.around.can_print and state.printing is None


def _unread(state: State, moment: Moment) -> Step:
    """Without a screen nobody reads it and nobody declines: the proof is printed if it can be, and the rest stays to be told."""
    finished, staying = state.finished, _stays(state, moment)
    first = finished is not None and finished.receipt is ReceiptState.ASK and not finished.copies_out
    return _print(staying, moment) if first and state.around.can_print else (staying, [])


def paper_known(state: State, moment: Moment) -> Step:
    """After a restart the slip (E60) comes out as soon as the printer says that it can."""
    finished = state.finished
    if state.phase is not Phase.INTERRUPTED or finished is None or finished.receipt is not ReceiptState.ASK:
        return state, []
    return _print(state, moment) if state.around.can_print and not finished.copies_out else (state, [])


def may_ask_for_slip(state: State) -> bool:
    """After a restart: another slip is for whoever asks for it, where one may be out already or lacks a claim that was found later."""
    finished = state.finished
    if finished is None or not finished.copies_out or not state.around.can_print:
        return False
    lacks_a_claim = finished.claimed_late and finished.copies_out < MAX_COPIES
    return finished.receipt is ReceiptState.ASK or (lacks_a_claim and finished.receipt in _OVER)


def printed(state: State, event: ports.ReceiptPrinted, moment: Moment) -> Step:
    run = _run_of(state, event.job_id)
    if run is None:
        return state, [LogUnexpected(f"printed job {event.job_id} that nobody waits for", state.phase)]
    record = journal.ReceiptPrinted(
        payment_id=run.payment_id, receipt_no=run.receipt_no, copy_no=run.copy_no, confirmed=event.confirmed
    )
    notice = Saying("notice.take_receipt" if event.confirmed else "notice.receipt_unconfirmed")
    after = _slip_ended(state, run, ReceiptState.PRINTED, notice, moment, reached_paper=True)
    return _on_record(after, run.payment_id) if event.confirmed else after, [Record((record,))]


def print_failed(state: State, event: ports.ReceiptFailed, moment: Moment) -> Step:
    run = _run_of(state, event.job_id)
    if run is None:
        return state, [LogUnexpected(f"failed job {event.job_id} that nobody waits for", state.phase)]
    return _failed(state, run, event.fault.code, moment, clean=event.clean)


def printing_took_too_long(state: State, moment: Moment) -> Step:
    """The driver always answers; if it did not, a slip may be out, so a second one is a copy."""
    run = state.printing
    if run is None:
        return state, []
    after, commands = _failed(state, run, "printer.silent", moment, clean=False)
    return replace(after, unanswered=(*after.unanswered, run)), commands


def _run_of(state: State, job_id: str) -> PrintRun | None:
    """The slip that an answer is about, also one that was given up: what came out of the printer is never dropped."""
    runs = (*state.unanswered, state.printing)
    return next((run for run in runs if run is not None and run.job_id == job_id), None)


_OVER = (ReceiptState.PRINTED, ReceiptState.FAILED, ReceiptState.NO_PAPER)


def _failed(state: State, run: PrintRun, code: str, moment: Moment, *, clean: bool) -> Step:
    record = journal.ReceiptFailed(
        payment_id=run.payment_id, receipt_no=run.receipt_no, copy_no=run.copy_no, fault=code
    )
    nothing_in = state.finished is not None and not state.finished.settlement.received_fen
    notice = Saying("notice.claims_slip_failed" if nothing_in else "error.e52.line")
    after = _slip_ended(state, run, ReceiptState.FAILED, notice, moment, reached_paper=not clean)
    return after, [Record((record,))]


def _slip_ended(
    state: State, run: PrintRun, to: ReceiptState, notice: Saying, moment: Moment, *, reached_paper: bool
) -> State:
    after = replace(state, unanswered=tuple(one for one in state.unanswered if one != run))
    if run == state.printing:
        after = replace(after, printing=None, deadlines=state.deadlines.without(Timer.PRINT))
    finished = state.finished
    if after.printing is not None or finished is None or finished.opened.payment_id != run.payment_id:
        return after
    finished = replace(
        finished, receipt=to, receipt_notice=notice, copies_out=run.copy_no + 1 if reached_paper else run.copy_no
    )
    after = replace(after, finished=finished)
    if state.phase is Phase.INTERRUPTED:
        return _stays(after, moment)
    return timed(after, Timer.LEAVE, TAKE_RECEIPT_S, moment) if state.phase is Phase.RECEIPT else after


def _to_result(state: State, moment: Moment) -> State:
    return timed(go(state, moment, Phase.RESULT), Timer.LEAVE, RESULT_S, moment)


def _to_receipt(state: State, moment: Moment) -> Step:
    finished = state.finished
    if finished is None:
        return end_visit(state), []
    asking = timed(go(state, moment, Phase.RECEIPT), Timer.LEAVE, TAKE_RECEIPT_S, moment)
    if state.around.can_print or finished.receipt is not ReceiptState.ASK:
        return asking, []
    without = replace(
        finished, receipt=ReceiptState.NO_PAPER, receipt_notice=Saying("notice.keep_number"), on_record=True
    )
    return replace(asking, finished=without), [_without_slip(finished)]


def _interrupted(state: State, moment: Moment) -> Step:
    """E60: what became of the payment that a restart cut."""
    after, commands = paper_known(_stays(go(state, moment, Phase.INTERRUPTED), moment), moment)
    return after, [AskPaper(), *commands]


def _stays(state: State, moment: Moment) -> State:
    return timed(state, Timer.LEAVE, INTERRUPTED_S, moment)


def _was_told(state: State) -> Step:
    """Written down, so that no later start tells it to a stranger."""
    return end_visit(state), _closed(state.finished)


def _closed(finished: Finished | None) -> list[Command]:
    """Whose slip did not surely come out goes without one: from here on nothing is owed to them, and the disk says so."""
    return [] if finished is None or finished.on_record else [_without_slip(finished)]


def _without_slip(finished: Finished) -> Record:
    declined = journal.ReceiptDeclined(payment_id=finished.opened.payment_id, receipt_no=finished.settlement.receipt_no)
    return Record((declined,))


def _on_record(state: State, payment_id: str) -> State:
    """A slip surely came out. Whether it names a claim that was found after the settlement, the journal could not tell."""
    finished = state.finished
    if finished is None or finished.opened.payment_id != payment_id or finished.claimed_late:
        return state
    return replace(state, finished=replace(finished, on_record=True))


def _print(state: State, moment: Moment) -> Step:
    finished = state.finished
    if finished is None:
        return end_visit(state), []
    number = finished.settlement.receipt_no
    run = PrintRun(
        payment_id=finished.opened.payment_id,
        receipt_no=number,
        copy_no=finished.copies_out,
        job_id=f"{number}/{finished.copies_out}",
    )
    printing = replace(finished, receipt=ReceiptState.PRINTING, receipt_notice=None)
    before = () if state.printing is None else (state.printing,)  # of somebody who has gone
    after = replace(state, finished=printing, printing=run, unanswered=(*state.unanswered, *before))
    if state.phase is not Phase.INTERRUPTED and not state.waits_for_a_screen:
        after = go(after, moment, Phase.RECEIPT)
    after = timed(after, Timer.PRINT, PRINTING_S, moment)
    return after, [PrintSlip(run.payment_id, run.copy_no, finished.outcome, run.job_id)]


def _to_done(state: State, moment: Moment) -> Step:
    finished = state.finished
    if finished is None:
        return end_visit(state), []
    done = change(go(state, moment, Phase.DONE), typed="", digits="")
    done = replace(done, finished=replace(finished, on_record=True))
    return timed(done, Timer.LEAVE, DONE_S, moment), [*_closed(finished), ReadCounters()]
