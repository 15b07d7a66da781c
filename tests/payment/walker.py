"""A person, an acceptor, a printer and an office as words, so that a test of the flow reads like a visit."""

from datetime import date, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from kiosk import taps
from kiosk.domain import events as journal
from kiosk.domain.billing import Bill, Unit
from kiosk.domain.estate import Estate
from kiosk.domain.late_fee import LateFeeRule, PrincipalStep
from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client import events as office
from kiosk.payment.commands import Command, LogUnexpected, Record, Show
from kiosk.payment.events import Event, Moment, TimePassed
from kiosk.payment.flow import advance
from kiosk.payment.state import Numbers, Phase, State, Surroundings
from kiosk.screen_link.agent_end import ScreenConnected, ScreenTapped
from kiosk.views import AnyView

TODAY = date(2026, 11, 24)
NOW_MS = 1_795_500_000_000
UNIT = Unit(
    unit_id="u-502", code="3-1-502", building="3", entrance="1", room="502", masked_name="张*", prepaid=Fen(8660)
)
ACCEPTOR = ports.AcceptorIdentity(
    protocol="ssp",
    maker="ITL",
    model="NV9",
    firmware="1",
    serial="SN1",
    currency="CNY",
    faces=dict(enumerate(sorted(NOTE_FACES), start=1)),
)
BUILDINGS = (("1", ("1",)), ("3", ("1", "2")))

ViewType = TypeVar("ViewType", bound=AnyView)
CommandType = TypeVar("CommandType", bound=Command)


def bill(bill_id: str, principal: int, due_on: date, *, late_fee_rule: bool = False, version: int = 1) -> Bill:
    return Bill(
        bill_id=bill_id,
        unit_id=UNIT.unit_id,
        item_code="property",
        item_name="物业服务费",
        item_name_en="Property service fee",
        category="property",
        period_from=due_on.replace(day=1),
        period_to=(due_on.replace(day=1) + timedelta(days=32)).replace(day=1),
        due_on=due_on,
        version=version,
        amount=Fen(principal),
        principal_open=Fen(principal),
        rule=LateFeeRule() if late_fee_rule else None,
        steps=(PrincipalStep(due_on - timedelta(days=20), Fen(principal)),),
    )


WATER = bill("b-water", 11_000, date(2026, 11, 30))
AUGUST = bill("b-aug", 24_560, date(2026, 10, 31))
SEPTEMBER = bill("b-sep", 24_560, date(2026, 11, 30))


class Walker:
    """The flow and everything around it; ``done`` holds every command given so far."""

    def __init__(self, *, estate: Estate | None = None, link_up: bool = True, **around: Any) -> None:
        known: dict[str, Any] = {"faces": NOTE_FACES, "link_up": link_up, "buildings": BUILDINGS}
        known["estate"] = estate or Estate(estate_name="和安里小区", kiosk_code="YG01", service_phone="0571-00000123")
        self.state = State(numbers=Numbers(kiosk_code="YG01"), around=Surroundings(**(known | around)))
        self.now = 1000.0
        self.day: date | None = TODAY
        self.done: list[Command] = []
        self.last: list[Command] = []
        self._ids = 0
        self.tell(ScreenConnected(pid=1))

    # --- what happens -----------------------------------------------------------------------------------------

    def tell(self, event: Event) -> "Walker":
        self._ids += 1
        local = "2026-11-24 16:20" if self.day else ""
        moment = Moment(
            mono=self.now,
            wall_ms=NOW_MS + int(self.now * 1000),
            local=local,
            business_date=self.day,
            spare_id=f"id-{self._ids}",
        )
        self.state, self.last = advance(self.state, event, moment)
        self.done += self.last
        return self

    def tap(self, kind: type[taps.Tap], **values: Any) -> "Walker":
        return self.tell(ScreenTapped(kind(view_no=self.view.frame.view_no, **values)))  # type: ignore[arg-type]

    def tell_tap(self, tap: taps.Tap) -> "Walker":
        return self.tell(ScreenTapped(tap))  # type: ignore[arg-type]

    def wait(self, seconds: float) -> "Walker":
        """Let time pass, deadline by deadline, as the cashier does."""
        end = self.now + seconds
        while (at := self.state.deadlines.next_at()) is not None and at <= end:
            self.now = max(self.now, at)
            self.tell(TimePassed())
        self.now = end
        return self.tell(TimePassed())

    # --- devices ----------------------------------------------------------------------------------------------

    def acceptor_ready(self, stacked: int | None = 0) -> "Walker":
        counters = None if stacked is None else ports.AcceptorCounters(stacked=stacked, rejected=0)
        self.tell(ports.AcceptorReady(identity=ACCEPTOR, counters=counters))
        return self

    def acceptor_open(self) -> "Walker":
        return self.tell(ports.AcceptorEnabled())

    def printer_says(self, paper: ports.Paper = ports.Paper.OK, fault: Fault | None = None) -> "Walker":
        return self.tell(ports.PrinterStatus(paper=paper, fault=fault))

    def note(self, yuan: int) -> "Walker":
        return self.tell(ports.NoteEscrowed(face=Fen(yuan * 100), channel=1))

    def credit(self, yuan: int) -> "Walker":
        return self.tell(ports.NoteCredited(face=Fen(yuan * 100), channel=1))

    def insert(self, *yuan: int) -> "Walker":
        for one in yuan:
            self.note(one).credit(one)
        return self

    # --- the walk ---------------------------------------------------------------------------------------------

    def ready(self) -> "Walker":
        return self.acceptor_ready().printer_says()

    def to_room(self) -> "Walker":
        self.tap(taps.StartTapped).tap(taps.TileChosen, tile="pay")
        self.tap(taps.BuildingChosen, building="3").tap(taps.EntranceChosen, entrance="1")
        for key in "502":
            self.tap(taps.KeyTapped, key=key)
        return self

    def to_verify(self) -> "Walker":
        self.to_room().tap(taps.ContinueTapped)
        return self.tell(office.UnitFound(request_no=self.state.visit.request_no, unit=UNIT))

    def to_bills(self, *bills: Bill, **found: Any) -> "Walker":
        self.to_verify().tap(taps.HouseholdAnswered, right=True)
        return self.bills_come(*bills, **found)

    def bills_come(self, *bills: Bill, **found: Any) -> "Walker":
        values: dict[str, Any] = {"unit": UNIT, "bills": bills, "as_of": TODAY, "applied_seq": 1} | found
        return self.tell(office.BillsFound(request_no=self.state.visit.request_no, **values))

    def to_method(self, *bills: Bill, **found: Any) -> "Walker":
        self.to_bills(*bills, **found).tap(taps.ContinueTapped)
        if self.state.phase is Phase.CHOOSING_AMOUNT:
            self.tap(taps.ContinueTapped)
        return self

    def to_cash(self, *bills: Bill, **found: Any) -> "Walker":
        self.to_method(*bills, **found).tap(taps.TileChosen, tile="cash")
        if self.state.phase is Phase.GETTING_READY and not self.state.visit.paper_known:
            self.printer_says(self.state.around.paper)
        if self.state.phase is Phase.GETTING_READY:
            self.bills_come(*bills, **found)
        return self.acceptor_open()

    def booked(self) -> "Walker":
        assert self.state.finished is not None
        outcome = office.PaymentOutcome(payment_id=self.state.finished.opened.payment_id, state="booked")
        return self.tell(office.Acked(ack_seq=9, ack_hash="", posted_seq=9, outcomes=(outcome,)))

    # --- what can be seen -------------------------------------------------------------------------------------

    @property
    def view(self) -> AnyView:
        assert self.state.view is not None
        return self.state.view

    def sees(self, kind: type[ViewType]) -> ViewType:
        assert isinstance(self.view, kind), f"{type(self.view).__name__} is shown, not {kind.__name__}"
        return self.view

    def ordered(self, kind: type[CommandType]) -> list[CommandType]:
        return [one for one in self.done if isinstance(one, kind)]

    @property
    def recorded(self) -> list[journal.Event]:
        return [event for one in self.done if isinstance(one, Record) for event in one.events]

    def records(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.recorded if isinstance(event, kind)]

    @property
    def unexpected(self) -> list[str]:
        return [one.what for one in self.done if isinstance(one, LogUnexpected)]

    @property
    def views(self) -> list[AnyView]:
        return [one.view for one in self.done if isinstance(one, Show)]

    def loses_power(self, *, phase: Phase = Phase.ATTRACT) -> "Walker":
        """What is in memory is gone; only numbers survive, as the journal keeps them."""
        fresh = Walker(estate=self.state.around.estate)
        fresh.state = replace(fresh.state, numbers=self.state.numbers, phase=phase)
        return fresh
