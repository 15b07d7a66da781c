"""Performs what the flow decides, on one thread with one inbox: the journal first, then the device, then the screen.

If a commit fails, nothing that stood behind it is done, and the thread ends with ``JOURNAL_FAILED``: only a new process
that has checked the file may go on. Source: journal-and-upload sections 0 and 1.3; decisions 13 and 14.
"""

import logging
import queue
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from kiosk.clock import Clock
from kiosk.domain import events as journal_events
from kiosk.domain.chain import check_code
from kiosk.domain.estate import Estate
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Receipt
from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import BillAcceptor, PrintJob, ReceiptFailed, ReceiptPrinter
from kiosk.office_client.events import Acked, BillsFound, EstateTold, JournalUnreadable, UnitFound
from kiosk.offline_queue.journal import AckMismatch, Journal, JournalUnwritable
from kiosk.offline_queue.projections import EventRefused
from kiosk.payment import commands as order
from kiosk.payment import slip
from kiosk.payment.clock_watch import ClockWatch
from kiosk.payment.events import (
    DiskMeasured,
    Event,
    JournalFailed,
    QueueMeasured,
    SettlementWritten,
    TimePassed,
)
from kiosk.payment.flow import advance
from kiosk.payment.local_time import moment_of, with_known_zone
from kiosk.payment.night_watch import NightWatch
from kiosk.payment.own_settlements import less_own
from kiosk.payment.state import State
from kiosk.views import AnyView

log = logging.getLogger(__name__)

RENEW_LEASE_S = 0.5
MEASURE_S = 2.0
QUEUE_EVERY = 15  # measurements
LONGEST_WAIT_S = 1.0  # so that the clock on the screen moves
PART_DIED_AFTER_S = 60.0


class Ending(IntEnum):
    """Why the thread ended; the process's exit code follows from it."""

    STOPPED = 0
    JOURNAL_FAILED = 3
    PART_DIED = 4


class Stop:
    """Put into the inbox: finish what is recorded, shut the acceptor, write agent.stopped."""


class PartDied:
    """Put into the inbox: a thread ended by an error. When nobody is served any more, a new process takes over."""


class SlipUnprintable(Exception):
    """The slip can't be drawn on this machine; the message says what is missing."""


class Screen(Protocol):
    """Where views go."""

    def show(self, view: AnyView) -> None: ...


class Uploads(Protocol):
    """The sync thread, as far as the cashier speaks to it."""

    def wake(self) -> None: ...
    def cursor_is(self, seq: int) -> None: ...


class Lookups(Protocol):
    """The thread that asks the office, as far as the cashier speaks to it."""

    def find_unit(self, request_no: int, code: str) -> None: ...
    def bills(self, request_no: int, unit_id: str) -> None: ...


Inbox = queue.SimpleQueue[Event | JournalUnreadable | Stop | PartDied]


class Cashier:
    """Owns the flow's state and the journal while run() runs; everyone else only puts events into the inbox."""

    def __init__(
        self,
        *,
        state: State,
        inbox: Inbox,
        journal: Journal,
        acceptor: BillAcceptor | None,
        printer: ReceiptPrinter,
        screen: Screen,
        uploads: Uploads,
        lookups: Lookups,
        clock: Clock,
        make_job: Callable[[Receipt, str], PrintJob],
        free_mb: Callable[[], int],
        sign: Callable[[bytes], bytes],
        explain_s: float = 3.0,
        stay_until: float = 0.0,
        watch: Callable[[State], None] = lambda state: None,
        night: NightWatch | None = None,
    ) -> None:
        """``watch`` sees the state after every event; ``make_job`` raises SlipUnprintable. When the journal fails, the screen
        says so for ``explain_s`` and not shorter than until ``stay_until``; then the process is to be replaced."""
        self.state = state
        self._inbox = inbox
        self._journal = journal
        self._acceptor, self._printer, self._screen = acceptor, printer, screen
        self._uploads, self._lookups = uploads, lookups
        self._clock = clock
        self._make_job, self._free_mb, self._sign, self._watch = make_job, free_mb, sign, watch
        self._zone = ZoneInfo(state.around.estate.time_zone)
        self._armed: frozenset[Fen] = frozenset()
        self._renew_at = 0.0
        self._measure_at = 0.0
        self._measurements = 0
        self._explain_s, self._stay_until = explain_s, stay_until
        self._night = night
        self._leave_at: float | None = None  # set when the journal has failed
        self._part_died_at: float | None = None
        self._clock_watch = ClockWatch(clock)

    def run(self) -> Ending:
        """Until Stop arrives or the journal fails."""
        self._handle(TimePassed())
        self._printer.ask_status()
        while True:
            event = self._next()
            if isinstance(event, Stop):
                return self._stop()
            if isinstance(event, PartDied):
                self._part_died_at = self._clock.monotonic()
            else:
                self._handle(event)
            self._keep_house()
            if self._is_to_be_replaced():
                ending = self._stop()
                return Ending.PART_DIED if ending is Ending.STOPPED else ending
            if self._leave_at is not None and self._clock.monotonic() >= self._leave_at:
                return Ending.JOURNAL_FAILED

    # --- one event ---------------------------------------------------------------------------------------------

    def _next(self) -> Event | JournalUnreadable | Stop | PartDied:
        try:
            return self._inbox.get(timeout=self._until_due())
        except queue.Empty:
            return TimePassed()

    def _until_due(self) -> float:
        now = self._clock.monotonic()
        due = [now + LONGEST_WAIT_S, self._measure_at]
        if self._armed:
            due.append(self._renew_at)
        if self._leave_at is not None:
            due.append(self._leave_at)
        if (deadline := self.state.deadlines.next_at()) is not None:
            due.append(deadline)
        return max(0.0, min(due) - now)

    def _handle(self, told: Event | JournalUnreadable) -> None:
        try:
            event = self._prepared(told)
        except JournalUnwritable as error:
            self._journal_failed(self.state, error)
            return
        before = self.state
        self.state, orders = advance(before, event, moment_of(self._clock, self._zone))
        for command in orders:
            try:
                self._perform(command)
            except (JournalUnwritable, EventRefused) as error:
                self._journal_failed(before, error)
                return
        self._watch(self.state)

    def _prepared(self, event: Event | JournalUnreadable) -> Event:
        """What the journal has to do with an event before the flow sees it."""
        match event:
            case Acked():
                self._take_ack(event)
            case BillsFound():
                if event.offline:
                    self._uploads.wake()
                return less_own(event, self._journal.settlements_after(event.applied_seq))
            case EstateTold(estate=estate):
                known = with_known_zone(estate)
                self._zone = ZoneInfo(known.time_zone)
                self._write_applied(estate)
                return replace(event, estate=known)
            case JournalUnreadable(code=code, detail=detail):
                self._journal.condemn(detail)
                raise JournalUnwritable(code, detail)
            case UnitFound(offline=True):
                self._uploads.wake()  # the office did not answer a look-up: let the thread that knows find out
            case _:
                pass
        return event

    def _write_applied(self, estate: Estate) -> None:
        """Which configuration a payment was made under can be told from the journal alone."""
        applied = journal_events.ConfigApplied(config_version=estate.config_version, sha256=estate.sha256())
        before = self._journal.latest("config.applied")
        if before is None or before.event != applied:
            self._journal.append(applied)
            self._uploads.wake()

    def _take_ack(self, acked: Acked) -> None:
        try:
            self._journal.advance_cursor(acked.ack_seq, acked.ack_hash, acked.posted_seq)
        except AckMismatch as error:
            log.error("cashier.ack_mismatch detail=%s", error)
            return
        self._uploads.cursor_is(acked.ack_seq)
        self._measurements = 0  # a kiosk that was offline for too long serves again at the next one

    def _perform(self, command: order.Command) -> None:
        match command:
            case order.Record(events=events):
                self._record(events)
            case order.AcceptNote() if self._acceptor:
                self._acceptor.accept()
            case order.ReturnNote() if self._acceptor:
                self._acceptor.return_note()
            case order.Acknowledge(event=event) if self._acceptor:
                self._acceptor.acknowledge(event)
            case order.EnableCash(faces=faces):
                self._armed = faces
                self._renew_lease()
            case order.DisableCash():
                self._armed = frozenset()
                if self._acceptor:
                    self._acceptor.disable()
            case order.ReadCounters() if self._acceptor:
                self._acceptor.read_counters()
            case order.KeepTrace(fault=fault) if self._acceptor:
                self._acceptor.keep_trace(fault)
            case order.FindUnit(request_no=request_no, code=code):
                self._lookups.find_unit(request_no, code)
            case order.FetchBills(request_no=request_no, unit_id=unit_id):
                self._lookups.bills(request_no, unit_id)
            case order.AskPaper():
                self._printer.ask_status()
            case order.PrintSlip():
                self._print(command)
            case order.Show(view=view):
                self._screen.show(view)
            case order.LogUnexpected(what=what, phase=phase):
                log.info("flow.unexpected phase=%s what=%s", phase, what)
            case _:
                log.warning("cashier.no_acceptor command=%s", type(command).__name__)

    def _record(self, events: tuple[journal_events.Event, ...]) -> None:
        for entry in self._journal.append(*events):
            match entry.event:
                case journal_events.CashboxRemoved():
                    self._journal.checkpoint(self._sign)  # what must be in the box, stated before anybody counts it
                case journal_events.PaymentSettled(payment_id=paid) | journal_events.PaymentPartial(payment_id=paid):
                    self._inbox.put(SettlementWritten(paid, check_code(entry.seq, entry.hash)))
                case _:
                    pass
        self._uploads.wake()

    def _print(self, command: order.PrintSlip) -> None:
        """Drawing takes some ten milliseconds; no note moves while a slip is asked for."""
        try:
            receipt = slip.receipt_for(
                self._journal.entries_of(command.payment_id),
                estate=self.state.around.estate,
                kiosk_code=self._journal.kiosk_code,
                copy_no=command.copy_no,
                outcome=command.outcome,
                printed=self._clock.reading(),
            )
            job = self._make_job(receipt, command.job_id)
        except (SlipUnprintable, slip.NotSettled) as error:
            log.error("cashier.slip_unprintable payment=%s reason=%s", command.payment_id, error)
            fault = Fault("printer.error", str(error))
            self._inbox.put(ReceiptFailed(job_id=command.job_id, clean=True, fault=fault))
            return
        self._printer.print(job)

    def _journal_failed(self, before: State, error: Exception) -> None:
        """Back to what was known before the event; what the failed commit would have allowed is not done, and a deadline that asked
        for it is not due again."""
        log.critical("cashier.journal_failed reason=%s", error)
        code = error.code if isinstance(error, JournalUnwritable) else "internal"
        self._leave_at = self._leave_at or max(self._clock.monotonic() + self._explain_s, self._stay_until)
        moment = moment_of(self._clock, self._zone)
        before = replace(before, deadlines=before.deadlines.after(moment.mono))
        self.state, orders = advance(before, JournalFailed(code, str(error)), moment)
        for command in orders:
            if not isinstance(command, order.Record):
                self._perform(command)
        self._watch(self.state)

    # --- beside the events -------------------------------------------------------------------------------------

    def _is_to_be_replaced(self) -> bool:
        """Not while somebody is served, and not so soon that a part which dies at every start keeps the kiosk busy."""
        died_at = self._part_died_at
        due = died_at is not None and self._clock.monotonic() >= died_at + PART_DIED_AFTER_S
        return due and self.state.is_idle

    def _keep_house(self) -> None:
        now = self._clock.monotonic()
        if self._armed and now >= self._renew_at:
            self._renew_lease()
        if now < self._measure_at or self._leave_at is not None:
            return
        self._measure_at = now + MEASURE_S
        self._measurements += 1
        self._handle(DiskMeasured(free_mb=self._free_mb(), enough=self._journal.has_room()))
        if self._measurements % QUEUE_EVERY == 1:
            self._measure_queue()
        self._watch_clock()
        if self.state.is_idle and self._leave_at is None:
            self._checkpoint_if_due()
        if self._night is not None and self._leave_at is None:
            self._look_at_night(self._night)

    def _measure_queue(self) -> None:
        try:
            unsent, oldest_ms = self._journal.unsent()
        except JournalUnwritable as error:
            self._journal_failed(self.state, error)
            return
        self._handle(QueueMeasured(unsent=unsent, oldest_age_ms=oldest_ms))

    def _checkpoint_if_due(self) -> None:
        try:
            if self._journal.checkpoint_due():
                self._journal.checkpoint(self._sign)
                self._uploads.wake()
        except JournalUnwritable as error:
            self._journal_failed(self.state, error)

    def _look_at_night(self, night: NightWatch) -> None:
        try:
            checked = night.look(idle=self.state.is_idle)
        except JournalUnwritable as error:
            self._uploads.wake()
            self._journal_failed(self.state, error)
            return
        if checked is not None:
            self._uploads.wake()
            self._handle(checked)

    def _watch_clock(self) -> None:
        stepped = self._clock_watch.look()
        if stepped is None:
            return
        try:
            self._record((stepped,))
        except JournalUnwritable as error:
            self._journal_failed(self.state, error)

    def _renew_lease(self) -> None:
        self._renew_at = self._clock.monotonic() + RENEW_LEASE_S
        if self._acceptor:
            self._acceptor.enable(self._armed)

    def _stop(self) -> Ending:
        """Nothing new begins; a payment that is under way stays so in the journal, and the next start ends it or tells of it."""
        self._armed = frozenset()
        if self._acceptor:
            self._acceptor.disable()
        if self._leave_at is not None:
            return Ending.JOURNAL_FAILED
        if self.state.under_way:
            log.warning("cashier.stopped_in_payment payment=%s", self.state.under_way)
            return Ending.STOPPED
        try:
            self._journal.checkpoint(self._sign)
            self._journal.append(journal_events.AgentStopped())
        except JournalUnwritable as error:
            log.critical("cashier.journal_failed_at_stop reason=%s", error)
            return Ending.JOURNAL_FAILED
        self._uploads.wake()
        return Ending.STOPPED
