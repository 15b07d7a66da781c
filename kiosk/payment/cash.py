"""A payment in cash while notes move: escrow, decision, keeping, credit, return, and every way a note can go astray."""

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain import events as journal
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.payment.availability import cash_reason
from kiosk.payment.closing import cancel, settle
from kiosk.payment.commands import AcceptNote, LogUnexpected, Record, ReturnNote
from kiosk.payment.deadlines import HELD_NOTE_S, OUTCOME_S, Timer
from kiosk.payment.events import Moment
from kiosk.payment.note_fates import end_if_due, recount, tell
from kiosk.payment.plan import plan_of
from kiosk.payment.state import CashPayment, NoteInHand, NoteStage, Phase, State
from kiosk.payment.steps import Step, end_visit, go, rest_idle, timed
from kiosk.views import Saying


def open_payment(state: State, moment: Moment) -> Step:
    """Write down what is to be paid; from here on money may come in.

    The business date is the day the screen's late fees were counted to: were it the next one past midnight, the office would
    miss a day's fee that nobody was asked for.
    """
    visit, found = state.visit, state.visit.found
    if visit.unit is None or found is None:
        return state, [LogUnexpected("payment without a unit", state.phase)]
    plan = plan_of(visit)
    opened = journal.PaymentOpened(
        payment_id=moment.spare_id,
        unit_id=visit.unit.unit_id,
        bills=tuple(
            journal.BillPicked(
                bill_id=owed.bill.bill_id,
                version=owed.bill.version,
                principal_fen=owed.bill.principal_open,
                late_fee_fen=owed.late_fee,
                late_days=owed.late_days,
                item_name=owed.bill.item_name,
                item_name_en=owed.bill.item_name_en,
                period_from=owed.bill.period_from.isoformat(),
                period_to=owed.bill.period_to.isoformat(),
                due_on=owed.bill.due_on.isoformat(),
            )
            for owed in plan.bills
        ),
        due_fen=plan.due,
        offline=found.offline,
        bills_as_of_ms=found.cached_at_ms if found.offline else None,
        applied_seq=found.applied_seq,
        business_date=visit.business_date.isoformat() if visit.business_date else None,
        language=visit.language,
        unit_code=visit.unit.code,
        masked_name=visit.unit.masked_name,
        prepaid_before_fen=None if found.offline else visit.unit.prepaid,
    )
    opening = replace(state, payment=CashPayment(opened=opened))
    return go(opening, moment, Phase.INSERTING), [Record((opened,)), *recount(state.around)]


def takes_notes(state: State) -> bool:
    """Whether a note may be taken now; the acceptor is open exactly then (and while a note is in hand)."""
    payment = state.payment
    return (
        state.phase is Phase.INSERTING
        and payment is not None
        and not (payment.ending or payment.shut or payment.over_limit or payment.asks_cancel)
        and payment.received < payment.due
        and state.around.screen_here
        and state.around.acceptor is not None
        and cash_reason(state.around) is None
    )


def escrowed(state: State, event: ports.NoteEscrowed, moment: Moment) -> Step:
    """A note is held: keep it, ask about it, or give it back. This is decided here and now, without the office."""
    payment, acceptor = state.payment, state.around.acceptor
    if payment is None or acceptor is None or payment.in_hand is not None or not takes_notes(state):
        return state, [ReturnNote(), LogUnexpected("note in escrow that can't be taken", state.phase)]
    if refusal := _over_limit(state, payment, event.face):
        told = tell(payment, refusal, code="E36")
        return rest_idle(replace(state, payment=told), moment), [ReturnNote()]
    surplus = payment.received + event.face - payment.due
    asks = surplus >= state.around.estate.held_note_threshold_fen
    note = NoteInHand(
        note_no=state.numbers.note,
        face=event.face,
        channel=event.channel,
        acceptor_serial=acceptor.serial,
        stage=NoteStage.HELD,
        stacked_before=state.around.stacked,
    )
    escrow = journal.NoteEscrow(
        payment_id=payment.opened.payment_id,
        note_no=note.note_no,
        face_fen=note.face,
        acceptor_serial=note.acceptor_serial,
    )
    held = replace(
        state,
        numbers=replace(state.numbers, note=note.note_no + 1),
        payment=replace(payment, in_hand=note, notice=None, notice_code=""),
    )
    held = rest_idle(held, moment)
    if asks:
        return timed(held, Timer.HELD, HELD_NOTE_S, moment), [Record((escrow,))]
    return _keep(held, moment, before=(escrow,))


def tapped(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    """What a tap means while cash is being taken; None when it means nothing here."""
    payment = state.payment
    if payment is None:
        return None
    note = payment.in_hand
    match tap:
        case taps.HeldNoteAnswered(keep=keep) if note is not None and note.stage is NoteStage.HELD:
            if keep and cash_reason(state.around) is None:
                return _keep(state, moment)
            return _give_back(state, moment, wanted=not keep)
        case taps.ChoiceTapped(choice=choice) if payment.asks_cancel:
            return _cancel_answered(state, payment, choice, moment)
        case taps.ContinueTapped() if note is None and payment.holds_something:
            return settle(state, moment, "finished")
        case taps.CancelTapped() | taps.BackTapped() if note is None and payment.holds_something:
            return replace(state, payment=replace(payment, asks_cancel=True)), []
        case taps.CancelTapped() if note is None:
            cancelled, commands = cancel(state, moment, "payer")
            return end_visit(cancelled), commands
        case taps.BackTapped() if note is None:
            return cancel(state, moment, "payer")
        case _:
            return None


def acceptor_lost(state: State, moment: Moment) -> Step:
    """No replies: a held note goes back by the device itself or stays open until it answers again."""
    payment = state.payment
    if payment is None or payment.in_hand is None or payment.in_hand.stage is not NoteStage.HELD:
        return state, []
    return _give_back(state, moment, wanted=False)


def let_go(state: State, moment: Moment) -> Step:
    """The person can't be asked any more (screen gone, time over, journal dead): a held note goes back."""
    payment = state.payment
    if payment is None or payment.in_hand is None or payment.in_hand.stage is not NoteStage.HELD:
        return state, []
    return _give_back(state, moment, wanted=False)


def time_is_up(state: State, moment: Moment) -> Step:
    """Nobody answered E70: finish with what is in, or with nothing go back to the methods."""
    payment = state.payment
    if payment is None:
        return end_visit(state), []
    ending = replace(payment, ending="timeout", asks_cancel=False)
    step = let_go(replace(state, payment=ending), moment)
    if step[0].payment is not None and step[0].payment.in_hand is not None:
        return step
    return end_if_due(step[0], moment)


# --- pieces ----------------------------------------------------------------------------------------------------


def _keep(state: State, moment: Moment, before: tuple[journal.Event, ...] = ()) -> Step:
    """Record first: if power fails after the accept, the journal must already know the note."""
    payment, acceptor = state.payment, state.around.acceptor
    if payment is None or payment.in_hand is None or acceptor is None:
        return _give_back(state, moment, wanted=False)
    note = replace(payment.in_hand, stage=NoteStage.KEEPING)
    intent = journal.NoteAcceptIntent(
        payment_id=payment.opened.payment_id,
        note_no=note.note_no,
        face_fen=note.face,
        acceptor_serial=note.acceptor_serial,
        protocol=acceptor.protocol,
        channel=note.channel,
        currency=acceptor.currency,
        stacked_before=note.stacked_before,
    )
    keeping = replace(state, payment=replace(payment, in_hand=note), deadlines=state.deadlines.without(Timer.HELD))
    keeping = rest_idle(timed(keeping, Timer.OUTCOME, OUTCOME_S, moment), moment)
    return keeping, [Record((*before, intent)), AcceptNote()]


def _give_back(state: State, moment: Moment, *, wanted: bool) -> Step:
    payment = state.payment
    if payment is None or payment.in_hand is None:
        return state, []
    note = replace(payment.in_hand, stage=NoteStage.RETURNING, wanted_back=wanted)
    giving = replace(state, payment=replace(payment, in_hand=note), deadlines=state.deadlines.without(Timer.HELD))
    return timed(giving, Timer.OUTCOME, OUTCOME_S, moment), [ReturnNote()]


def _cancel_answered(state: State, payment: CashPayment, choice: str, moment: Moment) -> Step | None:
    open_again = replace(payment, asks_cancel=False)
    match choice:
        case "trouble.go_on_inserting" | "trouble.back":
            return rest_idle(replace(state, payment=open_again), moment), []
        case "trouble.finish" if payment.in_hand is None:
            return settle(replace(state, payment=open_again), moment, "finished")
        case "trouble.to_prepaid" if payment.in_hand is None:
            prepaid = replace(open_again, all_to_prepaid=True)
            return settle(replace(state, payment=prepaid), moment, "finished")
        case _:
            return None


def _over_limit(state: State, payment: CashPayment, face: Fen) -> Saying | None:
    estate = state.around.estate
    if payment.received + face > estate.cash_limit_fen:
        return Saying("error.e36.line", {"limit_fen": int(estate.cash_limit_fen)})
    if len(payment.notes) >= estate.notes_limit:
        return Saying("error.e36.notes", {"limit": estate.notes_limit})
    return None
