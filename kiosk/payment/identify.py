"""Which unit (房号) is meant: building, entrance and room by touch, or the whole number typed; then "is this the one?"."""

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain.identifiers import UnitAddress, parse_address
from kiosk.office_client.events import EnquiryFailed, UnitFound, UnitNotFound
from kiosk.payment.commands import FetchBills, FindUnit
from kiosk.payment.deadlines import GIVE_UP_S, SLOW_S, WRONG_LOOKUP_WAITS_S, Deadlines, Timer
from kiosk.payment.events import Moment
from kiosk.payment.state import Phase, State, Visit
from kiosk.payment.steps import Step, change, go, trouble
from kiosk.views import Saying

MAX_ROOM_DIGITS = 4
MAX_TYPED = 16
TYPED_KEYS = frozenset("0123456789-")


def asked_address(visit: Visit) -> UnitAddress | None:
    """The unit that the entries name, if they are complete."""
    if visit.asked_by_typing:
        return parse_address(visit.typed)
    if not (visit.building and visit.entrance and len(visit.digits) >= 2):
        return None
    return parse_address(f"{visit.building}-{visit.entrance}-{visit.digits}")


def may_look_up(state: State) -> bool:
    return asked_address(state.visit) is not None and state.deadlines.get(Timer.WAIT) is None


def entrances_of(state: State, building: str) -> tuple[str, ...]:
    return next((entrances for name, entrances in state.around.buildings if name == building), ())


def begin(state: State, moment: Moment) -> State:
    """First question of the identification; typing is the way when the office never told us any buildings."""
    if state.around.buildings:
        return go(state, moment, Phase.BUILDING, building="", entrance="", digits="", typed="", asked_by_typing=False)
    return go(state, moment, Phase.TYPED, building="", entrance="", digits="", typed="", asked_by_typing=True)


def tapped(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    """What a tap on one of these screens means; None when it means nothing here."""
    match state.phase, tap:
        case (Phase.HOME, taps.TileChosen(tile="pay")):
            return begin(state, moment), []
        case (Phase.HOME, taps.BackTapped()):
            return None
        case (Phase.BUILDING | Phase.ENTRANCE | Phase.ROOM, taps.BuildingChosen(building=building)):
            return _building_chosen(state, building, moment)
        case (Phase.BUILDING, taps.PageTurned(by=by)):
            pages = -(-len(state.around.buildings) // state.around.shape.buildings)
            page = min(max(0, state.visit.building_page + by), max(0, pages - 1))
            return change(state, building_page=page), []
        case (Phase.BUILDING | Phase.ENTRANCE | Phase.ROOM, taps.TypeInstead()):
            return go(state, moment, Phase.TYPED, typed="", asked_by_typing=True), []
        case (Phase.ENTRANCE | Phase.ROOM, taps.EntranceChosen(entrance=entrance)):
            if entrance not in entrances_of(state, state.visit.building):
                return None
            return go(state, moment, Phase.ROOM, entrance=entrance, digits=""), []
        case (Phase.ROOM | Phase.TYPED, taps.KeyTapped(key=key)):
            return _key_tapped(state, key), []
        case (Phase.ROOM | Phase.TYPED, taps.ContinueTapped()):
            return look_up(state, moment)
        case (Phase.VERIFYING, taps.HouseholdAnswered(right=right)):
            return fetch_bills(state, moment) if right else (begin(state, moment), [])
        case (_, taps.BackTapped()):
            return _back(state, moment)
        case _:
            return None


def look_up(state: State, moment: Moment) -> Step | None:
    address = asked_address(state.visit)
    if address is None or not may_look_up(state):
        return None
    request_no = state.numbers.request
    asking = go(state, moment, Phase.LOOKING_UP, request_no=request_no)
    asking = replace(
        asking,
        numbers=replace(state.numbers, request=request_no + 1),
        deadlines=_patience(asking, moment),
    )
    return asking, [FindUnit(request_no, address.code)]


def fetch_bills(state: State, moment: Moment) -> Step | None:
    unit = state.visit.unit
    if unit is None:
        return None
    request_no = state.numbers.request
    asking = go(state, moment, Phase.FETCHING_BILLS, request_no=request_no)
    asking = replace(
        asking,
        numbers=replace(state.numbers, request=request_no + 1),
        deadlines=_patience(asking, moment),
    )
    return asking, [FetchBills(request_no, unit.unit_id)]


def answered(state: State, event: UnitFound | UnitNotFound | EnquiryFailed, moment: Moment) -> Step | None:
    """What the answer to the look-up means; None when nobody waits for it any more."""
    if state.phase is not Phase.LOOKING_UP or event.request_no != state.visit.request_no:
        return None
    match event:
        case UnitFound(unit=unit):
            return go(state, moment, Phase.VERIFYING, unit=unit), []
        case UnitNotFound():
            return _not_found(state, moment), []
        case _:
            return trouble(state, moment, Saying("error.e21"), OTHER_OR_RETRY, _entry_phase(state.visit)), []


def gave_up(state: State, moment: Moment) -> State:
    """Ten seconds without an answer: say so; trying again is one tap."""
    after = _entry_phase(state.visit) if state.phase is Phase.LOOKING_UP else Phase.VERIFYING
    return trouble(state, moment, Saying("error.e20"), OTHER_OR_RETRY, after)


def retry(state: State, moment: Moment) -> Step | None:
    """Ask once more what was asked before the trouble."""
    if state.visit.after_trouble is Phase.VERIFYING:
        return fetch_bills(state, moment)
    return look_up(state, moment) or (go(state, moment, state.visit.after_trouble), [])


OTHER_OR_RETRY = ("trouble.other_room", "trouble.retry")


def _patience(state: State, moment: Moment) -> Deadlines:
    return state.deadlines.with_(Timer.SLOW, moment.mono, SLOW_S).with_(Timer.GIVE_UP, moment.mono, GIVE_UP_S)


def _building_chosen(state: State, building: str, moment: Moment) -> Step | None:
    entrances = entrances_of(state, building)
    if not entrances:
        return None
    if len(entrances) == 1:
        return go(state, moment, Phase.ROOM, building=building, entrance=entrances[0], digits=""), []
    return go(state, moment, Phase.ENTRANCE, building=building, entrance="", digits=""), []


def _key_tapped(state: State, key: str) -> State:
    visit = state.visit
    text = visit.typed if visit.asked_by_typing else visit.digits
    longest = MAX_TYPED if visit.asked_by_typing else MAX_ROOM_DIGITS
    if key == "clear":
        text = ""
    elif key == "backspace":
        text = text[:-1]
    elif len(text) < longest and (key.isdecimal() or (visit.asked_by_typing and key in TYPED_KEYS)) and len(key) == 1:
        text += key
    field = {"typed": text} if visit.asked_by_typing else {"digits": text}
    return change(state, error=None, error_code="", **field)


def _not_found(state: State, moment: Moment) -> State:
    """One answer for every cause (E10), and a short wait that grows with each wrong look-up."""
    wrong = state.visit.wrong_lookups + 1
    wait_s = WRONG_LOOKUP_WAITS_S[min(wrong, len(WRONG_LOOKUP_WAITS_S)) - 1]
    code = "E11" if wait_s else "E10"
    back = go(
        state,
        moment,
        _entry_phase(state.visit),
        wrong_lookups=wrong,
        error=Saying(f"error.{code.lower()}.line"),
        error_code=code,
    )
    return replace(back, deadlines=back.deadlines.with_(Timer.WAIT, moment.mono, wait_s)) if wait_s else back


def _entry_phase(visit: Visit) -> Phase:
    return Phase.TYPED if visit.asked_by_typing else Phase.ROOM


def _back(state: State, moment: Moment) -> Step | None:
    visit = state.visit
    match state.phase:
        case Phase.BUILDING:
            return go(state, moment, Phase.HOME), []
        case Phase.ENTRANCE:
            return go(state, moment, Phase.BUILDING), []
        case Phase.ROOM if len(entrances_of(state, visit.building)) > 1:
            return go(state, moment, Phase.ENTRANCE, digits=""), []
        case Phase.ROOM:
            return go(state, moment, Phase.BUILDING, digits=""), []
        case Phase.TYPED:
            phase = Phase.BUILDING if state.around.buildings else Phase.HOME
            return go(state, moment, phase, typed="", asked_by_typing=False), []
        case Phase.LOOKING_UP | Phase.VERIFYING:
            return go(state, moment, _entry_phase(visit), unit=None), []
        case Phase.FETCHING_BILLS:
            return go(state, moment, Phase.VERIFYING), []
        case _:
            return None
