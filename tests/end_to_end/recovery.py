"""What a person sees and does after something died under their hands, until the kiosk serves again."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from kiosk import taps, views
from tests.end_to_end import truth
from tests.end_to_end.parts import Lobby
from tests.end_to_end.robot import number_on

RECOVERED_WITHIN_S = 60.0
LOOK_AGAIN_S = 0.2


def recover(running: Lobby, robot: Any) -> set[str]:
    """After any program was killed and started again: until every payment has its end, somebody has read so, and no note is in
    the path. A person whose visit goes on takes what is offered to end it. Returns the receipt numbers of the payments
    that were told to be interrupted (E60).
    """
    ends_at, told = time.monotonic() + RECOVERED_WITHIN_S, set[str]()
    while True:
        # The journal first: the view on show may still be the dead agent's.
        ended, view = _all_payments_ended(running), robot.view
        if ended and isinstance(view, views.AttractView) and running.acceptor.do("ledger")["path"] is None:
            return told
        assert time.monotonic() < ends_at, f"not recovered; on show: {view}"
        if isinstance(view, views.TroubleView):
            told |= number_on(view)
        if view is not None and (tap := _way_out(view)) is not None:
            robot.tap(tap)
        with contextlib.suppress(AssertionError):  # whatever is waited for besides has no view of its own
            robot.wait(_other_than(view), LOOK_AGAIN_S)


def _way_out(view: views.AnyView) -> taps.AnyTap | None:
    match view:
        case views.View(frame=frame) if frame.dialog:
            return taps.DialogAnswered(go_on=False)
        case views.TroubleView(choices=choices):
            return taps.ChoiceTapped(choice=choices[-1])
        case views.InsertCashView(can_finish=True) | views.ResultView() | views.DoneView():
            return taps.ContinueTapped()
        case views.HeldNoteView():
            return taps.HeldNoteAnswered(keep=False)
        case views.ReceiptView(state=views.ReceiptState.ASK):
            return taps.PrintAnswered(wanted=False)
        case views.ReceiptView(state=views.ReceiptState.PRINTING):
            return None
        case views.ReceiptView():
            return taps.ContinueTapped()
        case views.View(frame=frame) if frame.can_cancel:
            return taps.CancelTapped()
    return None


def _other_than(view: Any) -> Callable[[Any], bool]:
    return lambda now: now is not view


def _all_payments_ended(running: Lobby) -> bool:
    records = truth.read(running.journal)
    return not set(records.opened) - records.settled.keys() - records.cancelled
