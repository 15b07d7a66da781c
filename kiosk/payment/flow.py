"""Decide what one event means. Pure: no clock, device or database; all of that is in the arguments and the commands.

``advance`` sends each event to the part of the flow whose business it is, then keeps three rules for all of them: the
acceptor is open exactly while a note may come, every change of what is shown gets the next view number, and a tap made on
anything but the current view means nothing.
"""

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.office_client import events as office
from kiosk.payment import cash, choosing, closing, identify, note_fates, surroundings
from kiosk.payment.availability import blocked_by
from kiosk.payment.commands import AskPaper, Command, DisableCash, EnableCash, LogUnexpected, Show
from kiosk.payment.deadlines import ANSWER_WITH_MONEY_S, INTERRUPTED_S, OUTCOME_S, SHORTEST_ANSWER_S, Deadline, Timer
from kiosk.payment.events import (
    DiskMeasured,
    Event,
    JournalFailed,
    Moment,
    QueueMeasured,
    SelfChecked,
    SettlementWritten,
    TimePassed,
)
from kiosk.payment.state import Phase, State
from kiosk.payment.steps import Step, change, end_visit, go, in_one_commit, rest_idle
from kiosk.payment.views_of import view_of
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone, ScreenPainted, ScreenTapped
from kiosk.views import AnyView, Dialog

MOST_TIMERS_AT_ONCE = 12

_BEFORE_MONEY = frozenset(
    {
        Phase.HOME,
        Phase.BUILDING,
        Phase.ENTRANCE,
        Phase.ROOM,
        Phase.TYPED,
        Phase.LOOKING_UP,
        Phase.VERIFYING,
        Phase.FETCHING_BILLS,
        Phase.PICKING,
        Phase.EXPLAINING,
        Phase.CHOOSING_AMOUNT,
        Phase.CHOOSING_METHOD,
        Phase.GETTING_READY,
        Phase.TROUBLE,
    }
)
_CHOOSING = (
    Phase.PICKING,
    Phase.EXPLAINING,
    Phase.CHOOSING_AMOUNT,
    Phase.CHOOSING_METHOD,
    Phase.GETTING_READY,
)
_CLOSING = (Phase.RESULT, Phase.RECEIPT, Phase.DONE, Phase.INTERRUPTED)


def advance(state: State, event: Event, moment: Moment) -> Step:
    """Return what is known after the event, and what must be done, in order."""
    after, commands = _take(state, event, moment)
    after, more = _next_interrupted(after, moment)
    commands = [*commands, *more]
    if after.phase in _BEFORE_MONEY and after.around.journal_fault:
        after = end_visit(after)
    wanted_before, wanted = faces_wanted(state), faces_wanted(after)
    if wanted != wanted_before:
        commands.append(EnableCash(wanted) if wanted else DisableCash())
    return _numbered(after, commands, moment)


def faces_wanted(state: State) -> frozenset[Fen]:
    """The faces the acceptor must be open for now; none means shut. A note in hand keeps the lease alive."""
    payment = state.payment
    if payment is None or state.around.acceptor is None:
        return frozenset()
    if payment.in_hand is not None or cash.takes_notes(state):
        return frozenset(state.around.usable_faces)
    return frozenset()


def _take(state: State, event: Event, moment: Moment) -> Step:
    match event:
        case ScreenTapped(tap=tap):
            return _tapped(state, tap, moment)
        case ScreenPainted():
            return state, []
        case TimePassed():
            return _time_passed(state, moment)
        case ports.DeviceEvent():
            return _device(state, event, moment)
        case office.UnitFound():
            return identify.answered(state, event, moment) or _unexpected(state, "look-up answer")
        case office.UnitNotFound():
            step = identify.answered(state, event, moment) or choosing.unit_gone(state, event, moment)
            return step or _unexpected(state, "look-up answer")
        case office.BillsFound():
            return choosing.bills_arrived(state, event, moment) or _unexpected(state, "bills")
        case office.EnquiryFailed():
            step = identify.answered(state, event, moment) or choosing.bills_failed(state, event, moment)
            return step or _unexpected(state, "enquiry failure")
        case office.Acked():
            return closing.acked(state, event, moment), []
        case SettlementWritten():
            return closing.written(state, event), []
        case JournalFailed() | ScreenGone():
            known, commands = surroundings.told(state, event, moment)
            step = cash.let_go(known, moment)
            return step[0], [*commands, *step[1]]
        case ScreenConnected():
            known, commands = surroundings.told(state, event, moment)
            return closing.screen_came(known, moment), commands
        case (
            SelfChecked()
            | DiskMeasured()
            | QueueMeasured()
            | office.LinkChanged()
            | office.EstateTold()
            | office.EstateRefused()
        ):
            return surroundings.told(state, event, moment)


# --- taps ------------------------------------------------------------------------------------------------------


def _tapped(state: State, tap: taps.AnyTap, moment: Moment) -> Step:
    if not state.same_since <= tap.view_no <= state.view_no:
        return _unexpected(state, f"stale tap on view {tap.view_no}, now {state.view_no}")
    dialog = state.visit.dialog
    if dialog is not Dialog.NONE:
        return _dialog_answered(state, tap, moment)
    if isinstance(tap, taps.HelpTapped):
        return change(state, dialog=Dialog.HELP), []
    step = _meaning(state, tap, moment)
    if step is None:
        return _unexpected(state, f"tap {type(tap).__name__}")
    after, commands = step
    return (rest_idle(after, moment) if after.phase is state.phase else after), commands


def _meaning(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    match state.phase, tap:
        case (_, taps.LanguageChosen(language=language)):
            if state.payment is not None or state.finished is not None:
                return None
            chosen = change(state, language=language)
            if state.phase is Phase.ATTRACT:  # nobody stayed to use it: back to the usual language
                deadlines = chosen.deadlines.with_(Timer.LEAVE, moment.mono, INTERRUPTED_S)
                chosen = replace(chosen, deadlines=deadlines)
            return chosen, []
        case (Phase.ATTRACT, taps.StartTapped()):
            if blocked_by(state.around):
                return None
            seen = replace(state, around=replace(state.around, slip_left=False, nothing_taken=False))
            return go(seen, moment, Phase.HOME), []
        case (Phase.LOOKING_UP | Phase.FETCHING_BILLS, taps.CancelTapped()):
            return identify.tapped(state, taps.BackTapped(), moment)
        case (Phase.TROUBLE, _):
            return _trouble_answered(state, tap, moment)
        case (phase, taps.CancelTapped()) if phase in _BEFORE_MONEY:
            return end_visit(state), []
        case (Phase.INSERTING, _):
            return cash.tapped(state, tap, moment)
        case (phase, _) if phase in _CHOOSING:
            return choosing.tapped(state, tap, moment)
        case (phase, _) if phase in _CLOSING:
            return closing.tapped(state, tap, moment)
        case _:
            return identify.tapped(state, tap, moment)


def _dialog_answered(state: State, tap: taps.AnyTap, moment: Moment) -> Step:
    """E70 and help: any touch means "go on", only 结束 ends."""
    asked_for_time = state.visit.dialog is Dialog.MORE_TIME
    if asked_for_time and isinstance(tap, taps.DialogAnswered) and not tap.go_on:
        return _nobody_there(change(state, dialog=Dialog.NONE), moment)
    return rest_idle(change(state, dialog=Dialog.NONE), moment), []


def _trouble_answered(state: State, tap: taps.AnyTap, moment: Moment) -> Step | None:
    visit = state.visit
    match tap:
        case taps.ChoiceTapped(choice=choice) if choice in visit.trouble_choices:
            pass
        case taps.ContinueTapped():
            choice = visit.trouble_choices[-1]
        case taps.CancelTapped():
            choice = "trouble.end"
        case _:
            return None
    match choice:
        case "trouble.retry":
            return identify.retry(state, moment)
        case "trouble.other_room":
            return identify.begin(state, moment), []
        case "trouble.back":
            return go(state, moment, Phase.VERIFYING), []
        case "trouble.end":
            return end_visit(state), []
        case _:
            return go(state, moment, visit.after_trouble), []


# --- devices ---------------------------------------------------------------------------------------------------


def _device(state: State, event: ports.DeviceEvent, moment: Moment) -> Step:
    before = state
    around, commands = surroundings.heard_acceptor(state.around, event)
    state = replace(state, around=around)
    match event:
        case ports.NoteEscrowed():
            step = cash.escrowed(state, event, moment)
        case ports.NoteCredited():
            step = note_fates.credited(state, event, moment)
        case ports.NoteUnclear():
            step = note_fates.unclear(state, event, moment)
        case ports.NoteReturned():
            step = note_fates.returned(state, event, moment)
        case ports.NoteRejected():
            step = note_fates.rejected(state, event, moment)
        case ports.AcceptorReady():
            step = _acceptor_ready(state, event, moment)
        case ports.AcceptorLost():
            step = cash.acceptor_lost(state, moment)
        case ports.CountersRead() if around.acceptor is None:
            step = _unexpected(state, "a count of an acceptor that is lost: it tells another when it is back")
        case ports.CountersRead(counters=counters):
            step = _counted(state, counters, None if _note_in_hand(before) else 0, moment)
        case ports.DeviceFault(device=device, fault=fault):
            around, more = surroundings.new_fault(state.around, device, fault.code, fault.detail)
            step = replace(state, around=around), [*more, *_asks_paper(device)]
        case ports.FaultCleared(device=device, code=code):
            around, more = surroundings.fault_over(state.around, device, code)
            step = replace(state, around=around), [*more, *_asks_paper(device)]
        case ports.PrinterStatus():
            around, more = surroundings.heard_printer(state.around, event, moment.mono)
            step = _paper_known(replace(state, around=around), moment)
            commands = [*commands, *more]
        case ports.ReceiptPrinted():
            around, more = surroundings.slip_came_out(state.around, event)
            step = closing.printed(replace(state, around=around), event, moment)
            commands = [*commands, *more]
        case ports.ReceiptFailed():
            step = closing.print_failed(state, event, moment)
        case _:
            step = state, []
    return step[0], [*commands, *step[1]]


def _acceptor_ready(state: State, event: ports.AcceptorReady, moment: Moment) -> Step:
    """First the note whose fate is open, then the count: what the note does not explain was swallowed."""
    note = state.payment.in_hand if state.payment else None
    after, commands = note_fates.acceptor_ready(state, event, moment)
    # It has told all it knew: a credit from now on is another note than those that became claims for want of an answer.
    after = replace(after, around=replace(after.around, unresolved=()))
    if event.counters is None:
        return after, commands
    explained: int | None = 0
    if note is not None:
        advanced = event.counters.stacked - note.stacked_before if note.stacked_before is not None else None
        explained = None if advanced is None else min(1, max(0, advanced))
    counted, more = _counted(after, event.counters, explained, moment)
    return counted, in_one_commit([*commands, *more])


def _counted(state: State, counters: ports.AcceptorCounters, explained: int | None, moment: Moment) -> Step:
    """The claims before the count that shows them, and with it: a count without them would be believed by the next start."""
    around, swallowed, count = surroundings.counted(state.around, counters, explained)
    after, claims = note_fates.swallowed(replace(state, around=around), swallowed, moment)
    return after, in_one_commit([*claims, *count])


def _paper_known(state: State, moment: Moment) -> Step:
    if state.phase is Phase.GETTING_READY:
        return choosing.paper_known(state, moment)
    return closing.paper_known(state, moment)


def _asks_paper(device: str) -> list[Command]:
    """Something about the printer changed: what it can do now is a question of its own."""
    return [AskPaper()] if device == surroundings.PRINTER else []


def _note_in_hand(state: State) -> bool:
    return state.payment is not None and state.payment.in_hand is not None


# --- time ------------------------------------------------------------------------------------------------------


def _time_passed(state: State, moment: Moment) -> Step:
    commands: list[Command] = []
    for _ in range(MOST_TIMERS_AT_ONCE):
        due = state.deadlines.first_due(moment.mono)
        if due is None:
            break
        state = replace(state, deadlines=state.deadlines.without(due.timer))
        state, more = _due(state, due, moment)
        commands += more
    return state, commands


def _due(state: State, due: Deadline, moment: Moment) -> Step:
    match due.timer:
        case Timer.IDLE:
            return _ask_for_more_time(state, moment)
        case Timer.ANSWER:
            return _nobody_there(state, moment)
        case Timer.GIVE_UP:
            return identify.gave_up(state, moment), []
        case Timer.HELD:
            return cash.let_go(state, moment)
        case Timer.BOOKING:
            return closing.booking_waited(state, moment), []
        case Timer.READY:
            return choosing.ready_or_not(state, moment)
        case Timer.OUTCOME:
            return note_fates.no_outcome(state, moment)
        case Timer.PRINT:
            return closing.printing_took_too_long(state, moment)
        case Timer.LEAVE:
            return closing.left_alone(state, moment)
        case Timer.SLOW | Timer.WAIT:
            return state, []  # their passing alone changes the view


def _ask_for_more_time(state: State, moment: Moment) -> Step:
    if state.phase is Phase.HOME:
        return end_visit(state), []
    if _note_in_hand(state):
        return rest_idle(state, moment), []
    has_money = state.payment is not None and state.payment.holds_something
    seconds = ANSWER_WITH_MONEY_S if has_money else SHORTEST_ANSWER_S
    asked = change(state, dialog=Dialog.MORE_TIME)
    return replace(asked, deadlines=asked.deadlines.with_(Timer.ANSWER, moment.mono, seconds)), []


def _nobody_there(state: State, moment: Moment) -> Step:
    if state.phase is Phase.INSERTING:
        return cash.time_is_up(change(state, dialog=Dialog.NONE), moment)
    return end_visit(state), []


# --- what every event ends with --------------------------------------------------------------------------------


def _next_interrupted(state: State, moment: Moment) -> Step:
    """After a restart: bring the next unfinished payment to its end before anybody may begin a new one.

    Not with a journal that failed: it would be told of a settlement that is on no disk. The next process does it.
    """
    if state.phase is not Phase.ATTRACT or state.payment is not None or state.around.journal_fault:
        return state, []
    if not state.interrupted:
        return closing.tell_what_was_cut(state, moment)
    first, *rest = state.interrupted
    resumed = replace(state, interrupted=tuple(rest), payment=first, phase=Phase.RECOVERING)
    if first.in_hand is not None:
        return replace(resumed, deadlines=resumed.deadlines.with_(Timer.OUTCOME, moment.mono, OUTCOME_S)), []
    return note_fates.end_if_due(resumed, moment)


def _numbered(state: State, commands: list[Command], moment: Moment) -> Step:
    view = view_of(state, moment, state.view_no)
    if view == state.view:
        return state, commands
    new_no = state.view_no + 1
    numbered = replace(view, frame=replace(view.frame, view_no=new_no))
    same_since = state.same_since if _means_the_same(state.view, numbered) else new_no
    return replace(state, view=numbered, same_since=same_since), [*commands, Show(numbered)]


def _means_the_same(old: AnyView | None, new: AnyView) -> bool:
    """Only the clock or the network changed: a finger on its way to the glass still means what it meant."""
    if old is None:
        return False
    was = old.frame
    frame = replace(new.frame, view_no=was.view_no, local_time=was.local_time, offline=was.offline)
    return replace(new, frame=frame) == old


def _unexpected(state: State, what: str) -> Step:
    return state, [LogUnexpected(what, state.phase)]
