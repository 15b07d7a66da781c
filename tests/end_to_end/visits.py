"""Random visits: a payer who knows what to do on every screen, hesitates, errs and leaves, in a lobby where things happen."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from kiosk import taps, views
from tests.end_to_end.mischief import AgentKilled, Mischief, Odds, repair
from tests.end_to_end.parts import Lobby
from tests.end_to_end.recovery import recover
from tests.end_to_end.robot import Robot

MOST_STEPS = 400
MOST_TROUBLES = 4
MOST_YUAN_DIGITS = 3
VISIT_WITHIN_S = 120.0
SETTLE_S = 20.0
REACTS_WITHIN_S = 10.0


class Household(msgspec.Struct, frozen=True):
    """A dwelling of the demo estate."""

    building: str
    entrance: str
    room: str


class VisitFailed(AssertionError):
    """The visit did not come to an end; the message holds the seed's place and the last view."""


class Payer:
    """One person in front of one kiosk. ``did`` counts what happened, so that a run can show that all of it did."""

    def __init__(
        self,
        robot: Robot,
        lobby: Lobby,
        chance: random.Random,
        homes: list[Household],
        odds: Odds = Odds(),
    ) -> None:
        self.robot, self.lobby, self.chance = robot, lobby, chance
        self.homes, self.odds = homes, odds
        self.did: Counter[str] = Counter()
        self.refused = False  # the slot did not pull the note in
        self.troubles = 0  # in this visit
        self.mischief = Mischief(lobby, chance, odds, self.did)
        self._answers: dict[type[Any], Callable[[Any], taps.Tap | None]] = {
            views.HomeView: lambda view: taps.TileChosen(tile="pay"),
            views.BuildingView: self._building,
            views.EntranceView: lambda view: taps.EntranceChosen(entrance=self.home.entrance),
            views.RoomView: self._room,
            views.TypedAddressView: self._typed,
            views.WaitingView: lambda view: None,
            views.VerifyView: lambda view: taps.HouseholdAnswered(right=self.chance.random() > 0.05),
            views.BillListView: self._bills,
            views.ExplainView: lambda view: taps.BackTapped(),
            views.AmountView: self._amount,
            views.MethodView: lambda view: taps.TileChosen(tile="cash"),
            views.InsertCashView: self._cash,
            views.HeldNoteView: self._held,
            views.ResultView: self._result,
            views.ReceiptView: self._receipt,
            views.DoneView: lambda view: (
                None if self.odds.timeout and self.chance.random() < 0.5 else taps.ContinueTapped()
            ),
            views.TroubleView: self._trouble,
            views.OutOfServiceView: self._out_of_service,
        }

    def visit(self) -> None:
        """From attract to attract, whatever happens in between."""
        repair(self.lobby)
        try:
            self.go_on(self.start())
        except AgentKilled:
            repair(self.lobby)
            recover(self.lobby, self.robot)
        self.did["visits"] += 1

    def go_on(self, view: views.AnyView) -> None:
        """From this view to attract."""
        ends_at = time.monotonic() + VISIT_WITHIN_S
        for _ in range(MOST_STEPS):
            if isinstance(view, views.AttractView):
                return
            if time.monotonic() > ends_at:
                break
            view = self.step(view)
        raise VisitFailed(f"the visit does not end; on show: {view}")

    def start(self) -> views.AnyView:
        """Most people come when all works, some before the mended devices are back."""
        self.home = self.chance.choice(self.homes)
        self.notes_left = self.chance.randint(0, 10)
        self.troubles = 0
        if self.robot.wait_for(views.AttractView, timeout_s=SETTLE_S).frame.code == "E35":
            self.did["restarted after tricks"] += (
                1  # three in a short time stay a fault until the device is started anew
            )
            for state in ("off", "on"):
                self.lobby.acceptor.do("power", **{"is": state})
        patient = self.chance.random() < 0.9
        self.robot.wait(
            lambda view: isinstance(view, views.AttractView) and bool(view.methods or not patient), SETTLE_S
        )
        ends_at = time.monotonic() + REACTS_WITHIN_S
        while time.monotonic() < ends_at:
            view = self._next_view(self.robot.tap(taps.StartTapped()))
            if not isinstance(view, views.AttractView):
                return view
        raise VisitFailed(f"the visit does not begin; on show: {self.robot.view}")

    def leave(self) -> None:
        """Everything is mended, and the kiosk rests with nobody in front of it and no note under way."""
        repair(self.lobby)
        self.robot.wait(lambda view: isinstance(view, views.AttractView) and bool(view.methods), SETTLE_S)

    def step(self, view: views.AnyView) -> views.AnyView:
        """Do what this person does on this view; the view after it, which may be the same one."""
        self.mischief.at_the_cable()
        if view.frame.dialog:
            tap: taps.Tap | None = taps.DialogAnswered(go_on=self.chance.random() < 0.6)
        elif view.frame.can_cancel and self.chance.random() < self.odds.cancel:
            self.did["cancel"] += 1
            tap = taps.CancelTapped()
        elif self.chance.random() < self.odds.timeout:
            self.did["timeout"] += 1
            tap = None
        else:
            tap = self._answers[type(view)](view)
        if tap is None and self.refused:
            self.refused = False
            return self._next_view(view)  # and then tries again
        if tap is None:
            return self.robot.wait_change(view, VISIT_WITHIN_S)
        touched = self.robot.tap(tap)  # type: ignore[arg-type]
        return self._next_view(touched)

    def _next_view(self, touched: views.AnyView) -> views.AnyView:
        """The view after a tap. A tap may rightly change nothing (a key too many), so silence is the same view again."""
        try:
            return self.robot.wait_change(touched, 0.5)
        except AssertionError:
            self.did["no change"] += 1
            view = self.robot.view
            assert view is not None
            return view

    # --- what a person does on each screen ---------------------------------------------------------------------

    def _building(self, view: views.BuildingView) -> taps.Tap:
        if self.home.building in view.buildings:
            return taps.BuildingChosen(building=self.home.building)
        return taps.PageTurned(by=1)

    def _room(self, view: views.RoomView) -> taps.Tap | None:
        if view.wait is not None:
            return None
        if not view.digits and self.chance.random() < 0.1:
            return taps.KeyTapped(key="9")  # the wrong room
        if self.home.room.startswith(view.digits) and view.digits != self.home.room:
            return taps.KeyTapped(key=self.home.room[len(view.digits)])
        if view.can_confirm and (view.digits == self.home.room or (view.error is None and self.chance.random() < 0.5)):
            return taps.ContinueTapped()
        return taps.KeyTapped(key="clear")

    def _typed(self, view: views.TypedAddressView) -> taps.Tap | None:
        if view.wait is not None:
            return None
        wanted = f"{self.home.building}-{self.home.entrance}-{self.home.room}"
        if view.typed == wanted and view.can_confirm:
            return taps.ContinueTapped()
        if wanted.startswith(view.typed):
            return taps.KeyTapped(key=wanted[len(view.typed)])
        return taps.KeyTapped(key="clear")

    def _bills(self, view: views.BillListView) -> taps.Tap:
        chance = self.chance.random()
        if view.rows and chance < 0.15:
            return taps.BillTapped(bill_id=self.chance.choice(view.rows).bill_id)
        if view.rows and chance < 0.2:
            return taps.ExplainTapped(bill_id=self.chance.choice(view.rows).bill_id)
        return taps.AmountsToggled() if chance < 0.25 else taps.ContinueTapped()

    def _amount(self, view: views.AmountView) -> taps.Tap:
        if view.typing:
            if view.can_continue and self.chance.random() < 0.7:
                return taps.ContinueTapped()
            too_much = len(view.typed) >= MOST_YUAN_DIGITS
            return taps.KeyTapped(key="clear" if too_much else self.chance.choice("123456789"))
        if view.options and self.chance.random() < 0.2:
            return taps.AmountChosen(choice=str(self.chance.choice(view.options).choice))
        return taps.ContinueTapped() if view.can_continue else taps.BackTapped()

    def _cash(self, view: views.InsertCashView) -> taps.Tap | None:
        if view.state is not views.CashState.READY:
            return None if view.state is not views.CashState.STOPPED else self._stopped(view)
        if self.mischief.at_the_acceptor():
            return None
        done = self.notes_left <= 0 or (view.can_finish and (view.missing == 0 or self.chance.random() < 0.1))
        if done:
            self.did["finish" if view.can_finish else "gives up"] += 1
            return taps.ContinueTapped() if view.can_finish else taps.CancelTapped()
        self.refused = not self.mischief.insert()
        self.notes_left -= not self.refused
        return None

    def _stopped(self, view: views.InsertCashView) -> taps.Tap | None:
        return taps.ContinueTapped() if view.can_finish else taps.CancelTapped()

    def _held(self, view: views.HeldNoteView) -> taps.Tap | None:
        if self.chance.random() < self.odds.held_timeout:
            self.did["held note times out"] += 1
            return None
        keep = self.chance.random() < 0.5
        self.did["surplus kept" if keep else "note given back"] += 1
        return taps.HeldNoteAnswered(keep=keep)

    def _result(self, view: views.ResultView) -> taps.Tap:
        self.did[f"result {view.outcome}"] += 1
        self.mischief.at_the_printer()
        return taps.ContinueTapped()

    def _receipt(self, view: views.ReceiptView) -> taps.Tap | None:
        if view.state is views.ReceiptState.ASK:
            return taps.PrintAnswered(wanted=self.chance.random() < 0.8)
        if view.state is views.ReceiptState.PRINTING:
            return None
        if view.can_reprint and self.chance.random() < 0.2:
            return taps.ReprintTapped()
        return taps.ContinueTapped()

    def _trouble(self, view: views.TroubleView) -> taps.Tap | None:
        """Nobody tries for ever: an office that does not answer, for a kiosk that knows no bills yet, sends people home."""
        self.troubles += 1
        if self.troubles > MOST_TROUBLES and view.frame.can_cancel:
            return taps.CancelTapped()
        return taps.ChoiceTapped(choice=self.chance.choice(view.choices)) if view.choices else None

    def _out_of_service(self, view: views.OutOfServiceView) -> taps.Tap | None:
        repair(self.lobby)
        return None

    # --- what happens in the lobby -----------------------------------------------------------------------------
