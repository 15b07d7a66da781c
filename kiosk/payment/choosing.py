"""What to pay: the open bills, how one was computed, the amount, and the method; then everything is asked anew before cash."""

from datetime import date

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain.billing import BillOwed, in_paying_order
from kiosk.office_client.events import BillsFound, EnquiryFailed, UnitNotFound
from kiosk.payment.availability import cash_reason
from kiosk.payment.cash import open_payment
from kiosk.payment.commands import AskPaper, Command, FetchBills
from kiosk.payment.deadlines import FRESH_PAPER_S, GETTING_READY_S, Timer
from kiosk.payment.events import Moment
from kiosk.payment.identify import OTHER_OR_RETRY
from kiosk.payment.local_time import clock_time
from kiosk.payment.plan import can_pay_plan, choices_of, payable, plan_of
from kiosk.payment.state import Phase, State, Visit
from kiosk.payment.steps import Step, change, go, trouble
from kiosk.views import AmountChoice, Saying

MAX_YUAN_DIGITS = 5


def bills_arrived(state: State, event: BillsFound, moment: Moment) -> Step | None:
    """Open bills for the one who waits for them, or the second look just before cash."""
    if event.request_no != state.visit.request_no:
        return None
    if state.phase is Phase.GETTING_READY:
        return _second_look(state, event, moment)
    if state.phase is not Phase.FETCHING_BILLS:
        return None
    shown = _with_bills(state, event, moment)
    if event.recent_payment is not None and payable(shown.visit):
        recent, zone = event.recent_payment, state.around.estate.time_zone
        saying = Saying("error.e23", {"paid_fen": int(recent.amount_fen), "time": clock_time(recent.paid_at, zone)})
        return trouble(shown, moment, saying, ("trouble.back", "trouble.pay_again"), Phase.PICKING), []
    return shown, []


def bills_failed(state: State, event: EnquiryFailed, moment: Moment) -> Step | None:
    if event.request_no != state.visit.request_no:
        return None
    if state.phase is Phase.GETTING_READY:
        return _maybe_ready(change(state, bills_known=True), moment)
    if state.phase is not Phase.FETCHING_BILLS:
        return None
    return trouble(state, moment, Saying("error.e21"), OTHER_OR_RETRY, Phase.VERIFYING), []


def unit_gone(state: State, event: UnitNotFound, moment: Moment) -> Step | None:
    """The unit was there a moment ago and is closed now: the same words as for any other (E10)."""
    if event.request_no != state.visit.request_no or state.phase not in (Phase.FETCHING_BILLS, Phase.GETTING_READY):
        return None
    return trouble(state, moment, Saying("error.e10"), ("trouble.end", "trouble.other_room"), Phase.HOME), []


def tapped(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    """What a tap on the bills, the amount or the methods means; None when it means nothing here."""
    match state.phase, tap:
        case (Phase.PICKING, taps.BillTapped(bill_id=bill_id)):
            known = {owed.bill.bill_id for owed in payable(state.visit)}
            if bill_id not in known:
                return None
            return change(state, picked=state.visit.picked ^ {bill_id}, notice=_standing_notice(state.visit)), []
        case (Phase.PICKING, taps.ExplainTapped(bill_id=bill_id)):
            if all(owed.bill.bill_id != bill_id for owed in state.visit.owed):
                return None
            return go(state, moment, Phase.EXPLAINING, explained=bill_id), []
        case (Phase.PICKING, taps.AmountsToggled()):
            return change(state, amounts_shown=not state.visit.amounts_shown), []
        case (Phase.PICKING, taps.PageTurned(by=by)):
            pages = max(1, -(-len(payable(state.visit)) // state.around.shape.rows))
            return change(state, page=min(max(0, state.visit.page + by), pages - 1)), []
        case (Phase.PICKING, taps.ContinueTapped()):
            return _to_amount(state, moment), []
        case (Phase.CHOOSING_AMOUNT, taps.AmountChosen(choice=choice)):
            if choice not in choices_of(state.visit):
                return None
            return change(state, choice=AmountChoice(choice), amount_error=None), []
        case (Phase.CHOOSING_AMOUNT, taps.KeyTapped(key=key)):
            return _amount_key(state, key)
        case (Phase.CHOOSING_AMOUNT, taps.ContinueTapped()):
            return _to_method(state, moment), []
        case (Phase.CHOOSING_METHOD, taps.TileChosen(tile="cash")) if cash_reason(state.around) is None:
            return get_ready(state, moment)
        case (Phase.CHOOSING_METHOD, taps.ContinueTapped() | taps.ChoiceTapped()) if state.visit.asks_consent:
            if cash_reason(state.around) is not None:  # since the question was asked
                return change(state, asks_consent=False), []
            return open_payment(state, moment)
        case (Phase.EXPLAINING, taps.ContinueTapped()) | (_, taps.BackTapped()):
            return _back(state, moment)
        case _:
            return None


def get_ready(state: State, moment: Moment) -> Step:
    """Before cash: is there paper, and are the bills still what they were? Both were last known a while ago."""
    around, visit, commands = state.around, state.visit, list[Command]([AskPaper()])
    numbers, request_no = state.numbers, visit.request_no
    look_again = around.link_up and visit.unit is not None and bool(plan_of(visit).bills)
    if look_again and visit.unit is not None:
        request_no = numbers.request
        numbers = replace(numbers, request=request_no + 1)
        commands.append(FetchBills(request_no, visit.unit.unit_id))
    waiting = go(
        replace(state, numbers=numbers),
        moment,
        Phase.GETTING_READY,
        request_no=request_no,
        paper_known=False,
        bills_known=not look_again,
        asks_consent=False,
    )
    waiting = replace(waiting, deadlines=waiting.deadlines.with_(Timer.READY, moment.mono, GETTING_READY_S))
    step = _maybe_ready(waiting, moment)
    return step[0], commands + step[1]


def paper_known(state: State, moment: Moment) -> Step:
    """A fresh reading has arrived (it is in the surroundings)."""
    if state.phase is not Phase.GETTING_READY:
        return state, []
    return _maybe_ready(change(state, paper_known=True), moment)


def ready_or_not(state: State, moment: Moment) -> Step:
    """The time for asking is over: go on with what is known; a reading that is too old is none, and unknown is not paper."""
    return _maybe_ready(change(state, paper_known=True, bills_known=True), moment)


def _maybe_ready(state: State, moment: Moment) -> Step:
    visit, around = state.visit, state.around
    if not (visit.paper_known and visit.bills_known):
        return state, []
    if cash_reason(around) is not None:
        return go(state, moment, Phase.CHOOSING_METHOD), []
    read_at = around.paper_read_at
    if not around.can_print or read_at is None or moment.mono - read_at > FRESH_PAPER_S:
        return go(state, moment, Phase.CHOOSING_METHOD, asks_consent=True), []
    return open_payment(state, moment)


def _second_look(state: State, event: BillsFound, moment: Moment) -> Step:
    before = {owed.bill.bill_id: (owed.bill.version, owed.outstanding) for owed in plan_of(state.visit).bills}
    now = {owed.bill.bill_id: (owed.bill.version, owed.outstanding) for owed in _owed(event, moment)}
    if event.offline or all(now.get(bill_id) == figures for bill_id, figures in before.items()):
        return _maybe_ready(change(state, bills_known=True), moment)
    updated = _with_bills(state, event, moment)
    return trouble(updated, moment, Saying("error.e22"), ("trouble.see_bills",), Phase.PICKING), []


def _with_bills(state: State, event: BillsFound, moment: Moment) -> State:
    owed = tuple(in_paying_order(list(_owed(event, moment))))
    visit = replace(
        state.visit,
        unit=event.unit,
        found=event,
        owed=owed,
        business_date=_counted_to(event, moment),
        prepay_only=event.prepay_only,
        picked=frozenset(one.bill.bill_id for one in owed),
        page=0,
        choice=AmountChoice.ALL,
        typed_amount="",
        amount_error=None,
        asks_consent=False,
    )
    return go(replace(state, visit=visit), moment, Phase.PICKING, notice=_standing_notice(visit))


def _counted_to(event: BillsFound, moment: Moment) -> date | None:
    """Today; an office that answers knows the date better than a kiosk whose clock is unset."""
    return moment.business_date or (None if event.offline else event.as_of)


def _owed(event: BillsFound, moment: Moment) -> tuple[BillOwed, ...]:
    day = _counted_to(event, moment)
    owed = (bill.owed_on(day) for bill in event.bills)
    return tuple(one for one in owed if one.outstanding > 0)


def _standing_notice(visit: Visit) -> Saying | None:
    if visit.prepay_only:
        return Saying("notice.offline_prepay_only")
    return None if visit.owed else Saying("notice.nothing_to_pay")


def _to_amount(state: State, moment: Moment) -> State:
    visit = state.visit
    bills = payable(visit)
    if bills and not visit.picked:
        return change(state, notice=Saying("notice.pick_one"))
    if len(bills) == 1:
        return go(state, moment, Phase.CHOOSING_METHOD, choice=AmountChoice.ALL)
    choice = choices_of(visit)[0]
    if AmountChoice.PICKED in choices_of(visit):
        choice = AmountChoice.PICKED
    return go(state, moment, Phase.CHOOSING_AMOUNT, choice=choice, typed_amount="", amount_error=None)


def _amount_key(state: State, key: str) -> Step | None:
    if state.visit.choice is not AmountChoice.OTHER:
        return None
    text = state.visit.typed_amount
    if key == "clear":
        text = ""
    elif key == "backspace":
        text = text[:-1]
    elif key.isdecimal() and len(key) == 1 and len(text) < MAX_YUAN_DIGITS:
        text = (text + key).lstrip("0")
    changed = change(state, typed_amount=text, amount_error=None)
    limit = state.around.estate.cash_limit_fen
    if plan_of(changed.visit).due > limit:
        changed = change(changed, amount_error=Saying("notice.amount_maximum", {"limit_fen": int(limit)}))
    return changed, []


def _to_method(state: State, moment: Moment) -> State:
    if not can_pay_plan(state.visit):
        return change(state, amount_error=Saying("notice.amount_minimum"))
    if state.visit.amount_error is not None:
        return state
    return go(state, moment, Phase.CHOOSING_METHOD, asks_consent=False)


def _back(state: State, moment: Moment) -> Step | None:
    visit = state.visit
    match state.phase:
        case Phase.PICKING:
            return go(state, moment, Phase.VERIFYING), []
        case Phase.EXPLAINING | Phase.CHOOSING_AMOUNT:
            return go(state, moment, Phase.PICKING, notice=_standing_notice(visit)), []
        case Phase.CHOOSING_METHOD if visit.asks_consent:
            return change(state, asks_consent=False), []
        case Phase.CHOOSING_METHOD if len(payable(visit)) == 1:
            return go(state, moment, Phase.PICKING, notice=_standing_notice(visit)), []
        case Phase.CHOOSING_METHOD:
            return go(state, moment, Phase.CHOOSING_AMOUNT), []
        case Phase.GETTING_READY:
            return go(state, moment, Phase.CHOOSING_METHOD), []
        case _:
            return None
