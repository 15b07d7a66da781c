"""Whatever people, acceptor, printer, office and screen do in whatever order: the money rules hold and nobody is stuck."""

import random
from contextlib import closing

import pytest

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client import events as office
from kiosk.offline_queue.journal import Journal
from kiosk.payment.commands import AcceptNote, Acknowledge, ReadCounters, Record, ReturnNote
from kiosk.payment.flow import faces_wanted
from kiosk.payment.state import Phase
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone
from tests.offline_queue import journals
from tests.payment.walker import AUGUST, SEPTEMBER, UNIT, WATER, Walker, bill

BILLS = (AUGUST, SEPTEMBER, WATER, bill("b-odd", 1_234, WATER.due_on))
STEPS = 1500
SEEDS = range(60)


class Machine:
    """A coarse acceptor: one note at a time, its own counter, its own box."""

    def __init__(self, walker: Walker, chance: random.Random) -> None:
        self.walker, self.chance = walker, chance
        self.escrow: int | None = None
        self.accepted = False
        self.lost = False
        self.stacked = 0
        self.box: list[int] = []
        self.doubtful = 0

    def react(self) -> None:
        """Obey what the flow has just ordered."""
        for command in tuple(self.walker.last):
            if isinstance(command, AcceptNote):
                self.accepted = True
            elif isinstance(command, ReadCounters) and not self.lost:
                counters = ports.AcceptorCounters(stacked=self.stacked, rejected=0)
                self.walker.tell(ports.CountersRead(counters=counters))
            elif isinstance(command, ReturnNote) and not self.lost and self.escrow is not None and not self.accepted:
                self.escrow = None
                if self.chance.random() < 0.25:
                    self.walker.wait(121)  # somebody holds it at the mouth until it has become a claim
                self.tell(ports.NoteReturned(reason="host"))
                return

    def tell(self, event: ports.DeviceEvent) -> None:
        self.walker.tell(event)
        self.react()

    def step(self) -> None:
        if self.lost:
            if self.chance.random() < 0.3:
                self.come_back()
            return
        if self.escrow is None:
            if not faces_wanted(self.walker.state) and self.chance.random() < 0.9:
                return  # a shut acceptor takes a note only in the instant before it shuts
            self.escrow, self.accepted = int(self.chance.choice(NOTE_FACES)), False
            self.tell(ports.NoteEscrowed(face=Fen(self.escrow), channel=1))
        elif self.accepted:
            self.outcome()

    def outcome(self) -> None:
        face, fate = self.escrow, self.chance.random()
        assert face is not None
        if fate < 0.8:
            self.escrow, self.stacked = None, self.stacked + 1
            self.box.append(face)
            self.tell(ports.NoteCredited(face=Fen(face), channel=1))
        elif fate < 0.87:
            self.escrow = None
            self.doubtful += 1
            self.tell(ports.NoteUnclear(face=Fen(face), fault=Fault("acceptor.jam_safe")))
        elif fate < 0.93:
            self.escrow = None
            self.tell(ports.NoteReturned(reason="device"))
        else:
            self.lose()

    def lose(self) -> None:
        self.lost = True
        self.tell(ports.AcceptorLost(fault=Fault("acceptor.silent")))
        if self.chance.random() < 0.2:
            self.walker.wait(121)  # the note has become a claim when it answers again
            self.react()

    def come_back(self) -> None:
        self.lost = False
        face, self.escrow = self.escrow, None
        if face is not None:
            fate = self.chance.random()
            if fate < 0.4 and self.accepted:
                self.stacked += 1
                self.box.append(face)
                self.tell(ports.NoteCredited(face=Fen(face), channel=1, at_power_up=self.chance.random() < 0.5))
            elif fate < 0.5 and self.accepted:
                self.tell(ports.NoteReturned(reason="device", accepted=True))
            elif fate < 0.7 and self.accepted:
                self.stacked += 1  # it says nothing: only its counter knows
                self.box.append(face)
        self.walker.acceptor_ready(stacked=self.stacked)
        self.react()
        self.walker.acceptor_open()


def a_tap(walker: Walker, chance: random.Random) -> taps.Tap:
    """Mostly what a person would touch on this view, sometimes anything at all, sometimes too late."""
    number = walker.view.frame.view_no if chance.random() < 0.97 else walker.view.frame.view_no - 1
    if walker.view.frame.dialog is not views.Dialog.NONE:
        tap: taps.Tap = taps.DialogAnswered(go_on=chance.random() < 0.8)
    else:
        tap = sensible(walker.view, chance) if chance.random() < 0.85 else anything(chance)
    return type(tap)(**{field: getattr(tap, field) for field in tap.__struct_fields__} | {"view_no": number})


def sensible(view: views.AnyView, chance: random.Random) -> taps.Tap:
    match view:
        case views.AttractView():
            return taps.StartTapped()
        case views.HomeView():
            return taps.TileChosen(tile="pay")
        case views.BuildingView():
            return taps.BuildingChosen(building="3")
        case views.EntranceView():
            return taps.EntranceChosen(entrance="1")
        case views.RoomView(can_confirm=False):
            return taps.KeyTapped(key=chance.choice("0123456789"))
        case views.VerifyView():
            return taps.HouseholdAnswered(right=chance.random() < 0.9)
        case views.BillListView():
            toggled = taps.BillTapped(bill_id=chance.choice(BILLS).bill_id)
            return toggled if chance.random() < 0.3 else taps.ContinueTapped()
        case views.AmountView(typing=True, can_continue=False):
            return taps.KeyTapped(key=chance.choice("0123456789"))
        case views.AmountView():
            chosen = taps.AmountChosen(choice=chance.choice(view.options).choice)
            return chosen if chance.random() < 0.3 else taps.ContinueTapped()
        case views.MethodView():
            return taps.ContinueTapped() if view.no_receipt else taps.TileChosen(tile="cash")
        case views.HeldNoteView():
            return taps.HeldNoteAnswered(keep=chance.random() < 0.6)
        case views.InsertCashView():
            return taps.CancelTapped() if chance.random() < 0.1 else taps.ContinueTapped()
        case views.TroubleView():
            return taps.ChoiceTapped(choice=chance.choice(view.choices))
        case views.ReceiptView(state="ask"):
            return taps.PrintAnswered(wanted=chance.random() < 0.8)
        case _:
            return taps.ContinueTapped()


def anything(chance: random.Random) -> taps.Tap:
    return chance.choice(
        [
            taps.BackTapped(),
            taps.CancelTapped(),
            taps.HelpTapped(),
            taps.PageTurned(by=1),
            taps.ContinueTapped(),
            taps.KeyTapped(key="clear"),
            taps.ReprintTapped(),
            taps.HeldNoteAnswered(keep=True),
            taps.ChoiceTapped(choice="trouble.finish"),
            taps.LanguageChosen(language="en"),
            taps.StartTapped(),
        ]
    )


def office_answers(walker: Walker) -> None:
    number = walker.state.visit.request_no
    if walker.state.phase is Phase.LOOKING_UP:
        walker.tell(office.UnitFound(request_no=number, unit=UNIT))
    elif walker.state.phase in (Phase.FETCHING_BILLS, Phase.GETTING_READY):
        walker.bills_come(*BILLS)
    elif walker.state.phase is Phase.BOOKING:
        walker.booked()


def printer_answers(walker: Walker, chance: random.Random) -> None:
    run = walker.state.printing
    if run is not None and chance.random() < 0.7:
        walker.tell(ports.ReceiptPrinted(job_id=run.job_id, confirmed=True))
    elif run is not None:
        walker.tell(ports.ReceiptFailed(job_id=run.job_id, clean=chance.random() < 0.5, fault=Fault("printer.error")))
    else:
        walker.printer_says(chance.choice([ports.Paper.OK, ports.Paper.OK, ports.Paper.OUT]))


def walk(seed: int) -> tuple[Walker, Machine]:
    chance = random.Random(seed)
    walker = Walker().ready()
    machine = Machine(walker, chance)
    for _ in range(STEPS):
        what = chance.random()
        if what < 0.4:
            tap = a_tap(walker, chance)
            walker.tell_tap(tap)
            machine.react()
        elif what < 0.65:
            machine.step()
        elif what < 0.85:
            office_answers(walker)
        elif what < 0.93:
            printer_answers(walker, chance)
        elif what < 0.96:
            walker.tell(ScreenGone("closed"))
            machine.react()
            walker.tell(ScreenConnected(pid=2))
            walker.acceptor_open()
        else:
            walker.wait(chance.choice([0.5, 3, 35]))
            machine.react()
    return walker, machine


def everyone_leaves(walker: Walker, machine: Machine) -> None:
    for _ in range(12):
        if machine.lost:
            machine.come_back()
        if machine.escrow is not None and machine.accepted:
            machine.outcome()
        walker.wait(130)
        machine.react()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_money_rules_hold_on_a_random_walk(seed, tmp_path):
    walker, machine = walk(seed)
    everyone_leaves(walker, machine)
    walker.sees(views.AttractView)
    check_settlements(walker)
    check_notes(walker, machine)
    check_order(walker)
    with closing(Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())) as book:
        book.append(*walker.recorded)  # refuses what contradicts itself
        assert book.open_payments() == ()


def check_settlements(walker: Walker) -> None:
    """Money in is lines plus prepayment; every payment ends exactly once; numbers have no gaps."""
    opened = [one.payment_id for one in walker.records(journal.PaymentOpened)]
    ended = [one.payment_id for one in walker.records(journal.Settlement)]
    ended += [one.payment_id for one in walker.records(journal.PaymentCancelled)]
    assert sorted(opened) == sorted(ended)
    credited: dict[str, int] = {}
    over: set[str] = set()
    for event in walker.recorded:
        match event:
            case journal.NoteCredited(payment_id=payment) if payment in over:
                assert event.recovered == "late_answer", "what comes after the settlement is no part of it"
            case journal.NoteCredited(payment_id=payment):
                credited[payment] = credited.get(payment, 0) + event.face_fen
            case journal.Settlement(payment_id=payment):
                assert event.received_fen == sum(line.amount_fen for line in event.lines) + event.prepaid_fen
                assert event.received_fen == credited.pop(payment, 0)
                over.add(payment)
    assert credited == {}
    numbers = [one.receipt_number for one in walker.records(journal.Settlement)]
    assert numbers == list(range(1, len(numbers) + 1))


def check_notes(walker: Walker, machine: Machine) -> None:
    """Every note in the box has exactly one record; notes whose evidence was destroyed are claims."""
    credited = sorted(one.face_fen for one in walker.records(journal.NoteCredited))
    answered = {
        event.note_no for event in walker.recorded if isinstance(event, journal.NoteCredited | journal.NoteReturned)
    }
    claims = [claim for claim in walker.records(journal.NoteUnknown) if claim.note_no not in answered]
    unanswered = sum(
        claim.reason in ("no_answer", "no_evidence", "not_counted") for claim in claims
    )  # these may have gone back after all
    assert 0 <= len(credited) + len(claims) - len(machine.box) - machine.doubtful <= unanswered
    assert len(claims) >= machine.doubtful
    left = sorted(machine.box)
    for face in credited:
        left.remove(face)
    fates: dict[int, list[journal.Event]] = {}
    for event in walker.recorded:
        if isinstance(event, journal.NoteCredited | journal.NoteReturned | journal.NoteUnknown):
            fates.setdefault(event.note_no, []).append(event)
    for first, *later in fates.values():
        assert len(later) <= int(isinstance(first, journal.NoteUnknown) and first.reason == "no_answer")
        assert not any(isinstance(event, journal.NoteUnknown) for event in later)
    assert {one.note_no for one in walker.records(journal.NoteEscrow)} <= set(fates)


def check_order(walker: Walker) -> None:
    """No accept without its intent just before, no acknowledgement without its record in the same breath."""
    before: object = None
    for command in walker.done:
        if isinstance(command, AcceptNote):
            assert isinstance(before, Record)
            assert isinstance(before.events[-1], journal.NoteAcceptIntent)
        if isinstance(command, Acknowledge):
            assert isinstance(before, Record)
        before = command
