"""Moves that every part of the flow makes: to another question, to a trouble, to the end of the visit."""

from typing import Any

from msgspec.structs import replace

from kiosk.payment.commands import Command, Record
from kiosk.payment.deadlines import Timer
from kiosk.payment.events import Moment
from kiosk.payment.state import Phase, State, Visit
from kiosk.views import Dialog, Saying

Step = tuple[State, list[Command]]

# How long a screen waits before it asks whether more time is needed; phases not named here never ask.
IDLE_S = {
    Phase.HOME: 30.0,
    Phase.BUILDING: 60.0,
    Phase.ENTRANCE: 60.0,
    Phase.ROOM: 60.0,
    Phase.TYPED: 60.0,
    Phase.VERIFYING: 60.0,
    Phase.PICKING: 60.0,
    Phase.EXPLAINING: 60.0,
    Phase.CHOOSING_AMOUNT: 60.0,
    Phase.CHOOSING_METHOD: 60.0,
    Phase.INSERTING: 60.0,
    Phase.TROUBLE: 60.0,
}

_OUTLIVE_A_PHASE = (Timer.WAIT, Timer.OUTCOME, Timer.PRINT)


def rest_idle(state: State, moment: Moment) -> State:
    """Somebody is there: begin the idle time anew and drop the question about it."""
    deadlines = state.deadlines.without(Timer.IDLE, Timer.ANSWER)
    if state.phase in IDLE_S:
        deadlines = deadlines.with_(Timer.IDLE, moment.mono, IDLE_S[state.phase])
    visit = state.visit
    if visit.dialog is Dialog.MORE_TIME:
        visit = replace(visit, dialog=Dialog.NONE)
    return replace(state, deadlines=deadlines, visit=visit)


def go(state: State, moment: Moment, phase: Phase, **visit_changes: Any) -> State:
    """Ask the next question; what the last one said in passing is gone."""
    changes: dict[str, Any] = {"error": None, "error_code": "", "notice": None, "dialog": Dialog.NONE} | visit_changes
    kept = state.deadlines.only(*_OUTLIVE_A_PHASE)
    moved = replace(state, phase=phase, visit=replace(state.visit, **changes), deadlines=kept)
    return rest_idle(moved, moment)


def timed(state: State, timer: Timer, seconds: float, moment: Moment) -> State:
    """Let a timer run from now."""
    return replace(state, deadlines=state.deadlines.with_(timer, moment.mono, seconds))


def trouble(state: State, moment: Moment, saying: Saying, choices: tuple[str, ...], after: Phase) -> State:
    """Say in three parts what is wrong and offer the ways on; ``after`` is where the main one leads."""
    return go(state, moment, Phase.TROUBLE, trouble=saying, trouble_choices=choices, after_trouble=after)


def end_visit(state: State) -> State:
    """Wipe everything about this person."""
    return replace(
        state,
        phase=Phase.ATTRACT,
        visit=Visit(language=state.around.language),
        payment=None,
        finished=None,
        deadlines=state.deadlines.only(),
    )


def change(state: State, **visit_changes: Any) -> State:
    """Change something about the visit without leaving the question."""
    return replace(state, visit=replace(state.visit, **visit_changes))


def in_one_commit(commands: list[Command]) -> list[Command]:
    """The same commands with everything that they write down in their first record: all of it is on disk, or nothing."""
    records = [command for command in commands if isinstance(command, Record)]
    if len(records) < 2:
        return commands
    others = [command for command in commands if not isinstance(command, Record)]
    before = commands.index(records[0])
    whole = Record(tuple(event for record in records for event in record.events))
    return [*others[:before], whole, *others[before:]]
