"""State to view: what the screen may know now. Pure; the message keys used are those of config/messages/flow.toml.

Keys by view: AttractView.methods and MethodOption.method use ``method.*`` and plain names (cash, scan, card, prepaid);
MethodOption.reason and OutOfServiceView.reason ``reason.*``; errors and notices inside a screen ``error.eNN.line`` and
``notice.*``; TroubleView.saying ``error.eNN`` (its parts .what .money .next) with ``trouble.*`` choices, the main one last;
WaitingView.saying ``waiting.*``; OutOfServiceView.still_works ``works.*``.
"""

from kiosk.domain.identifiers import claim_no
from kiosk.domain.receipt import Claim
from kiosk.hardware.faults import FAULTS
from kiosk.payment import identify
from kiosk.payment.availability import NOT_PAIRED, acceptor_fault, blocked_by, cash_reason
from kiosk.payment.deadlines import Timer
from kiosk.payment.events import Moment
from kiosk.payment.local_time import local_text
from kiosk.payment.state import NoteStage, Phase, State, Surroundings
from kiosk.payment.views_of_money import (
    amount_view,
    bill_list_view,
    cash_place,
    cash_trouble,
    countdown,
    done_view,
    explain_view,
    held_note_view,
    insert_cash_view,
    interrupted_view,
    method_view,
    money_in_view,
    receipt_view,
    result_view,
)
from kiosk.views import (
    AnyView,
    AttractView,
    BuildingView,
    Dialog,
    EntranceView,
    Frame,
    HomeView,
    OutOfServiceView,
    RoomView,
    Saying,
    Step,
    TroubleView,
    TypedAddressView,
    VerifyView,
    WaitingView,
)

_STEPS = {
    Phase.BUILDING: Step.IDENTIFY,
    Phase.ENTRANCE: Step.IDENTIFY,
    Phase.ROOM: Step.IDENTIFY,
    Phase.TYPED: Step.IDENTIFY,
    Phase.LOOKING_UP: Step.IDENTIFY,
    Phase.VERIFYING: Step.VERIFY,
    Phase.FETCHING_BILLS: Step.VERIFY,
    Phase.PICKING: Step.BILLS,
    Phase.EXPLAINING: Step.BILLS,
    Phase.CHOOSING_AMOUNT: Step.BILLS,
    Phase.CHOOSING_METHOD: Step.PAY,
    Phase.GETTING_READY: Step.PAY,
    Phase.INSERTING: Step.PAY,
    Phase.BOOKING: Step.PAY,
    Phase.RESULT: Step.RECEIPT,
    Phase.RECEIPT: Step.RECEIPT,
}
_WITH_BACK = (
    Phase.BUILDING,
    Phase.ENTRANCE,
    Phase.ROOM,
    Phase.TYPED,
    Phase.VERIFYING,
    Phase.PICKING,
    Phase.EXPLAINING,
    Phase.CHOOSING_AMOUNT,
    Phase.CHOOSING_METHOD,
)
_ASKING = (Phase.LOOKING_UP, Phase.FETCHING_BILLS)
_BILLS_SHOWN = (Phase.PICKING, Phase.EXPLAINING, Phase.CHOOSING_AMOUNT, Phase.CHOOSING_METHOD, Phase.INSERTING)
_WAITING = {
    Phase.LOOKING_UP: "waiting.looking_up",
    Phase.FETCHING_BILLS: "waiting.bills",
    Phase.GETTING_READY: "waiting.getting_ready",
    Phase.BOOKING: "waiting.booking",
    Phase.RECOVERING: "waiting.note_outcome",
}


def view_of(state: State, moment: Moment, view_no: int) -> AnyView:
    """The one view that this state shows, under the number given."""
    frame = _frame(state, moment, view_no)
    visit = state.visit
    match state.phase:
        case Phase.ATTRACT:
            return _attract(state, frame)
        case Phase.HOME:
            return HomeView(frame=frame)
        case Phase.BUILDING:
            return _buildings(state, frame)
        case Phase.ENTRANCE:
            entrances = identify.entrances_of(state, visit.building)
            return EntranceView(frame=frame, building=visit.building, entrances=entrances)
        case Phase.ROOM:
            return RoomView(
                frame=frame,
                building=visit.building,
                entrance=visit.entrance,
                digits=visit.digits,
                max_digits=identify.MAX_ROOM_DIGITS,
                can_confirm=identify.may_look_up(state),
                error=visit.error,
                wait=countdown(state, Timer.WAIT),
            )
        case Phase.TYPED:
            return _typed(state, frame)
        case Phase.VERIFYING if visit.unit is not None:
            unit = visit.unit
            return VerifyView(
                frame=frame,
                building=unit.building,
                entrance=unit.entrance,
                room=unit.room,
                masked_name=unit.masked_name,
            )
        case Phase.PICKING:
            return bill_list_view(state, frame)
        case Phase.EXPLAINING:
            return explain_view(state, frame)
        case Phase.CHOOSING_AMOUNT:
            return amount_view(state, frame)
        case Phase.CHOOSING_METHOD:
            return method_view(state, frame)
        case Phase.INSERTING if state.payment is not None:
            if state.payment.asks_cancel:
                return money_in_view(state, state.payment, frame)
            if state.payment.in_hand is not None and state.payment.in_hand.stage is NoteStage.HELD:
                return held_note_view(state, state.payment.in_hand, frame)
            return insert_cash_view(state, state.payment, frame)
        case Phase.RESULT if state.finished is not None:
            return result_view(state, state.finished, moment, frame)
        case Phase.RECEIPT if state.finished is not None:
            return receipt_view(state, state.finished, frame)
        case Phase.DONE:
            return done_view(state, frame)
        case Phase.INTERRUPTED if state.finished is not None:
            return interrupted_view(state, state.finished, frame)
        case Phase.TROUBLE if visit.trouble is not None:
            return TroubleView(frame=frame, saying=visit.trouble, choices=visit.trouble_choices)
        case phase:
            slow = phase in _ASKING and state.deadlines.get(Timer.SLOW) is None
            return WaitingView(frame=frame, saying=Saying(_WAITING.get(phase, "reason.starting")), slow=slow)


def _frame(state: State, moment: Moment, view_no: int) -> Frame:
    around, visit, phase = state.around, state.visit, state.phase
    estate, payment = around.estate, state.payment
    free = payment is None or (payment.in_hand is None and not payment.asks_cancel)
    asking = phase in _ASKING and state.deadlines.get(Timer.SLOW) is None
    return Frame(
        view_no=view_no,
        language=visit.language,
        can_switch_language=payment is None and state.finished is None,
        estate=estate.estate_name,
        estate_en=estate.estate_name_en,
        kiosk_code=estate.kiosk_code or state.numbers.kiosk_code,
        local_time=moment.local,
        step=_STEPS.get(phase),
        plate=_plate(state),
        phone=estate.service_phone,
        offline=not around.link_up,
        bills_as_of=_bills_as_of(state) if phase in _BILLS_SHOWN else "",
        dialog=visit.dialog,
        dialog_countdown=countdown(state, Timer.ANSWER) if visit.dialog is Dialog.MORE_TIME else None,
        code=_code(state),
        can_cancel=asking or phase in _WITH_BACK or _trouble_can_end(state) or (phase is Phase.INSERTING and free),
        can_go_back=phase in _WITH_BACK or (phase is Phase.INSERTING and free and not _money_in(state)),
    )


def _trouble_can_end(state: State) -> bool:
    """取消 stands beside the ways on, unless one of them says the same."""
    return state.phase is Phase.TROUBLE and "trouble.end" not in state.visit.trouble_choices


def _money_in(state: State) -> bool:
    return state.payment is not None and state.payment.holds_something


def _plate(state: State) -> tuple[str, ...]:
    """The small plate from the bills on; before that the whole plate is the question."""
    unit = state.visit.unit
    later = state.phase not in (Phase.LOOKING_UP, Phase.VERIFYING, Phase.FETCHING_BILLS, Phase.ATTRACT)
    return (unit.building, unit.room) if unit is not None and later else ()


def _bills_as_of(state: State) -> str:
    found = state.visit.found
    if found is None or not found.offline or found.cached_at_ms is None:
        return ""
    return local_text(found.cached_at_ms, state.around.estate.time_zone)


def _code(state: State) -> str:
    visit, payment = state.visit, state.payment
    if visit.dialog is Dialog.MORE_TIME:
        return "E70"
    match state.phase:
        case Phase.ATTRACT:
            return "E80" if blocked_by(state.around) else _cash_code(state.around)
        case Phase.TROUBLE if visit.trouble is not None:
            return visit.trouble.key.removeprefix("error.").upper()
        case Phase.CHOOSING_METHOD:
            return "E51" if visit.asks_consent else _cash_code(state.around)
        case Phase.INSERTING if payment is not None:
            trouble = cash_trouble(state.around, payment)
            return trouble[1] if trouble else payment.notice_code
        case Phase.INTERRUPTED:
            return "E60"
        case Phase.LOOKING_UP | Phase.FETCHING_BILLS if state.deadlines.get(Timer.SLOW) is None:
            return "E20"
        case Phase.ROOM | Phase.TYPED:
            return visit.error_code
        case _ if state.around.journal_fault:
            return "E61"  # what was said of the money stays true; whoever looks after the kiosk sees why it goes away
        case Phase.RECEIPT if state.finished is not None and state.finished.receipt == "failed":
            return "E52"
        case _:
            return ""


def _cash_code(around: Surroundings) -> str:
    fault = acceptor_fault(around)
    return FAULTS[fault].payer_code if fault else ""


def _attract(state: State, frame: Frame) -> AnyView:
    around = state.around
    if reason := blocked_by(around):
        return OutOfServiceView(
            frame=frame,
            reason=reason,
            cash_place=cash_place(around),
            since=around.blocked_since,
            still_works=("works.help",),
            unsettled=_unsettled(state),
            money_unsure=around.journal_fault not in ("", NOT_PAIRED),
        )
    return AttractView(
        frame=frame,
        methods=_methods_now(around),
        faces=around.usable_faces,
        cash_place=cash_place(around),
        notice=_attract_notice(around),
    )


def _attract_notice(around: Surroundings) -> Saying | None:
    """What the next person, or the last one who has not gone yet, must know."""
    if around.slip_left:
        return Saying("notice.last_slip")
    return Saying("notice.nothing_taken") if around.nothing_taken else None


def _unsettled(state: State) -> tuple[Claim, ...]:
    """Notes whose fate the acceptor still owes us: each has a number that its owner can ask by."""
    code = state.numbers.kiosk_code
    return tuple(Claim(claim_no=claim_no(code, one.note_no), face=one.face) for one in state.around.unresolved)


def _methods_now(around: Surroundings) -> tuple[str, ...]:
    return () if cash_reason(around) else ("method.cash",)


def _buildings(state: State, frame: Frame) -> BuildingView:
    names = tuple(name for name, _ in state.around.buildings)
    per_page = state.around.shape.buildings
    first = state.visit.building_page * per_page
    return BuildingView(
        frame=frame,
        buildings=names[first : first + per_page],
        page=state.visit.building_page,
        pages=max(1, -(-len(names) // per_page)),
    )


def _typed(state: State, frame: Frame) -> TypedAddressView:
    visit = state.visit
    address = identify.asked_address(visit)
    parsed = None
    if address is not None:
        words: dict[str, str | int] = {"building": address.building, "entrance": address.entrance, "room": address.room}
        parsed = Saying("unit.words", words)
    return TypedAddressView(
        frame=frame,
        typed=visit.typed,
        parsed=parsed,
        can_confirm=identify.may_look_up(state),
        error=visit.error,
        wait=countdown(state, Timer.WAIT),
    )
