"""The agent process: reads the settings, builds every part, runs the payment thread, and stops all of it cleanly.

Without a usable journal (not paired yet, damaged, disk full) it stands by: the screen says why, no device is opened, and as
soon as a journal can be opened the kiosk goes on by itself. Exit codes: 0 stopped on purpose, 1 another agent is there,
3 the journal failed and a new process must check it, 4 a thread died, or an error that nobody foresaw (both services and
``kiosk run`` start a new one).
"""

import logging
import queue
import random
import signal
import sqlite3
import sys
import threading
from contextlib import ExitStack
from typing import NamedTuple

import msgspec

import kiosk
from kiosk import devices
from kiosk.clock import Clock, SystemClock
from kiosk.domain.estate import Estate
from kiosk.domain.events import AgentStarted, UnknownEvent
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Receipt
from kiosk.hardware.flight_recorder.recorder import FlightRecorder
from kiosk.hardware.ports import PrintJob
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.enquiries import Enquiries
from kiosk.office_client.identity import Identity, IdentityUnusable
from kiosk.offline_queue import database
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.database import JournalUnusable, Room
from kiosk.offline_queue.journal import Journal, JournalUnwritable
from kiosk.offline_queue.network_watch import NetworkWatch
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.sync import Sync
from kiosk.payment import recovery, status
from kiosk.payment.availability import NOT_PAIRED
from kiosk.payment.cashier import Cashier, Ending, Inbox, PartDied, SlipUnprintable, Stop
from kiosk.payment.deadlines import Deadlines
from kiosk.payment.local_time import with_known_zone
from kiosk.payment.night_watch import NightWatch
from kiosk.payment.reporting import Reporter
from kiosk.payment.standby import Standby
from kiosk.payment.state import Numbers, Shape, State, Surroundings, Visit
from kiosk.screen_link.agent_end import AgentEnd
from kiosk.settings import Settings

log = logging.getLogger(__name__)

SHAPES = {"portrait-21.5": Shape(rows=5, buildings=12), "landscape-10.1": Shape(rows=3, buildings=12)}
FAILED = 1
EXPLAIN_S = 3.0  # how long the screen says that the journal failed before a new process comes
# A disk that fails again and again is tried once a minute: a new process each few seconds would wear it out, and systemd
# would give the service up. Only the first failure after a clean stop is followed by a new process at once.
STEADY_S = 60.0
UPLOAD_ANSWERS_S = 10.0  # an office slower than this is "away" on the screen; what it took it will not take twice


class Given(NamedTuple):
    """What an agent has with or without a journal."""

    settings: Settings
    inbox: Inbox
    clock: SystemClock
    cache: Cache
    link: AgentEnd


class Opened(msgspec.Struct, frozen=True):
    """What a kiosk that may take money has."""

    identity: Identity
    journal: Journal


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; see the module for the exit codes."""
    with ExitStack() as held:
        try:
            for directory in (settings.state_dir, settings.run_dir):
                directory.mkdir(parents=True, exist_ok=True)
            is_first = status.is_first_agent(settings.state_dir, held)
        except OSError as error:
            print(f"kiosk agent: {settings.state_dir}: {error.strerror}; see [kiosk] state_dir", file=sys.stderr)
            return FAILED
        if not is_first:
            print(f"kiosk agent: another agent runs with {settings.state_dir}; stop it first", file=sys.stderr)
            return FAILED
        status.wait_for_devices(settings.state_dir, held)
        return _alone(settings)


def _alone(settings: Settings) -> int:
    inbox: Inbox = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: inbox.put(Stop()))
    threading.excepthook = lambda died: _part_died(died, inbox)
    clock = SystemClock()
    cache = Cache(settings.cache_path, clock)
    link = AgentEnd(settings.screen_socket, inbox.put)
    try:
        link.start()
    except OSError as error:
        print(f"kiosk agent: {settings.screen_socket}: {error.strerror}; see [kiosk] run_dir", file=sys.stderr)
        return FAILED
    try:
        return int(_serve(Given(settings, inbox, clock, cache, link)))
    finally:
        link.stop()
        cache.close()
        settings.status_path.unlink(missing_ok=True)


def _part_died(died: threading.ExceptHookArgs, inbox: Inbox) -> None:
    """A kiosk that lacks a thread would limp on until somebody looked; a new process has them all."""
    name = died.thread.name if died.thread else "?"
    log.critical("agent.part_died thread=%s", name, exc_info=died.exc_value)
    inbox.put(PartDied())


def _serve(given: Given) -> Ending:
    found = _open(given.settings, given.clock)
    opened = found if isinstance(found, Opened) else _stand_by(given, found)
    if isinstance(opened, Ending):
        return opened
    try:
        return _take_payments(given, opened)
    except Exception as error:
        # Nobody foresaw it. The screen speaks, and systemd does not give up a service that ends at once again and again.
        log.critical("agent.failed reason=%s", error, exc_info=True)
        return _give_up(given, JournalUnusable("internal", f"{type(error).__name__}: {error}"), Ending.PART_DIED)
    finally:
        opened.journal.close()


def _open(settings: Settings, clock: SystemClock) -> Opened | JournalUnusable:
    """Identity and journal, or why there is none."""
    try:
        identity = Identity.load(settings.identity_path)
    except IdentityUnusable as error:
        return JournalUnusable(NOT_PAIRED, str(error))
    if not settings.journal_path.exists():
        return JournalUnusable(NOT_PAIRED, f"{settings.journal_path}: there is no journal; pair this kiosk again")
    try:
        room = Room.of_margin_mb(settings.kiosk.disk_margin_mb)
        journal = Journal.open(settings.journal_path, clock, room, kiosk.__version__)
    except JournalUnusable as error:
        return error
    try:
        clock.go_on_from(journal.newest(), journal.boots())
        journal.follow(identity.rolls)
    except JournalUnwritable as error:
        journal.close()
        return JournalUnusable(error.code, str(error))
    return Opened(identity, journal)


def _stand_by(given: Given, why: JournalUnusable) -> Opened | Ending:
    """Say why no money can be taken until that is over. A file that failed at any look is then left to a new process."""
    standby = _standby(given, why)
    path = given.settings.journal_path
    failed = False
    opened: Opened | JournalUnusable = why
    while isinstance(opened, JournalUnusable):
        failed = failed or opened.code.startswith("journal.")
        if failed and not database.is_doubted(path):
            database.doubt(path, opened.detail)
        if (ending := standby.wait(opened.code, opened.detail)) is not None:
            return ending
        opened = _open(given.settings, given.clock)
    if failed:
        opened.journal.close()
        database.doubt(path, "it failed, and was well again")  # to the process that saw it fail
        return Ending.JOURNAL_FAILED
    if standby.lacks_a_part:
        given.inbox.put(PartDied())  # the cashier must know as well
    return opened


def _give_up(given: Given, why: JournalUnusable, then: Ending = Ending.JOURNAL_FAILED) -> Ending:
    """The journal opened, and nothing can be begun with it: say so for a while, and leave it to a new process."""
    standby = _standby(given, why)
    until = given.clock.monotonic() + STEADY_S / given.settings.kiosk.speed
    while given.clock.monotonic() < until:
        if (ending := standby.wait(why.code, why.detail)) is not None:
            return ending
    return then


def _standby(given: Given, why: JournalUnusable) -> Standby:
    log.error("agent.stands_by code=%s detail=%s", why.code, why.detail)
    estate = given.cache.estate()
    around = _surroundings(given.settings)
    if estate:
        around = msgspec.structs.replace(around, estate=estate[0])
    state = State(numbers=Numbers(kiosk_code=""), around=around)
    reporter = Reporter(given.settings.status_path, given.clock)
    return Standby(state, given.inbox, given.link, given.clock, reporter.stands_by)


def _take_payments(given: Given, opened: Opened) -> Ending:
    settings, inbox, clock, cache, link = given
    journal, identity = opened.journal, opened.identity
    cache.keep_only_for(journal.journal_id, journal.head_seq)
    try:
        clean = journal.stopped_cleanly()
        with JournalReader(settings.journal_path) as reader:
            known = recovery.read(journal, reader.entries)
        journal.append(AgentStarted(software=kiosk.__version__, sqlite=sqlite3.sqlite_version, clean=clean))
    except JournalUnwritable as error:
        return _give_up(given, JournalUnusable(error.code, str(error)))
    except (JournalUnusable, sqlite3.Error) as error:
        return _give_up(given, database.in_words(error, settings.journal_path))
    except (
        UnknownEvent
    ) as error:  # not as it was written: the next process looks at the whole file, and says which entry
        database.doubt(settings.journal_path, str(error))
        return _give_up(given, JournalUnusable("journal.damaged", f"{settings.journal_path}: {error}"))
    log.info(
        "agent.started clean=%s interrupted=%d untold=%s intent_open=%s",
        clean,
        len(known.interrupted),
        known.untold is not None,
        known.intent_open,
    )
    night = NightWatch(journal, identity.key.sign, _zone(cache), clock)
    journal.hand_over()
    parts = _Parts(settings, inbox, clock, cache, opened)
    reporter = Reporter(settings.status_path, clock, parts.sync.tell)
    cashier = Cashier(
        state=_first_state(settings, known, screen_here=link.has_screen),
        inbox=inbox,
        journal=journal,
        acceptor=parts.acceptor,
        printer=parts.printer,
        screen=link,
        uploads=parts.sync,
        lookups=parts.enquiries,
        clock=clock,
        make_job=parts.make_job,
        free_mb=lambda: database.free_bytes(settings.state_dir) // database.MIB,
        sign=identity.key.sign,
        explain_s=EXPLAIN_S / settings.kiosk.speed,
        stay_until=0.0 if clean else clock.monotonic() + STEADY_S / settings.kiosk.speed,
        watch=reporter.watch,
        night=night,
    )
    if remembered := night.remembered():
        inbox.put(remembered)
    parts.start(known)
    try:
        return _run(cashier, journal)
    finally:
        parts.stop()
        night.stop()


def _zone(cache: Cache) -> str:
    estate = cache.estate()
    return with_known_zone(estate[0] if estate else Estate()).time_zone


def _run(cashier: Cashier, journal: Journal) -> Ending:
    """The cashier on a thread of its own, so that the main thread is free for signals."""
    endings: list[Ending] = []

    def work() -> None:
        try:
            endings.append(cashier.run())
        finally:
            journal.hand_over()

    thread = threading.Thread(target=work, name="payment")
    thread.start()
    thread.join()
    return endings[0] if endings else Ending.JOURNAL_FAILED


class _Parts:
    """Devices and office threads, built from the settings and stopped together."""

    def __init__(self, settings: Settings, inbox: Inbox, clock: Clock, cache: Cache, opened: Opened) -> None:
        self._settings, identity = settings, opened.identity
        self.recorder = FlightRecorder(
            settings.traces_dir, clock, lambda: _above_margin(settings), software=kiosk.__version__
        )
        self.acceptor = devices.build_acceptor(settings, inbox.put, clock, self.recorder.freeze)
        self.printer = devices.build_printer(settings, inbox.put, clock, self.recorder.freeze)
        office = settings.office
        timing = Timing(
            heartbeat_s=office.heartbeat_s,
            first_try_s=office.first_try_s,
            backoff_cap_s=office.retry_within_s,
        )
        self.sync = Sync(
            OfficeClient(office.url, identity, clock, read_s=UPLOAD_ANSWERS_S),
            settings.journal_path,
            cache,
            clock,
            inbox.put,
            software=kiosk.__version__,
            timing=timing,
            rng=random.Random(),
        )
        self.network = NetworkWatch(self.sync.network_changed)
        self.enquiries = Enquiries(
            OfficeClient(office.url, identity, clock),
            cache,
            inbox.put,
            journal_id=opened.journal.journal_id,
            answered=self.sync.office_answered,
        )

    def start(self, known: recovery.Known) -> None:
        self.recorder.start()
        self.printer.start()
        if self.acceptor:
            self.acceptor.start(intent_open=known.intent_open, before=known.count_before)
        self.sync.start()
        self.network.start()
        self.enquiries.start()

    def stop(self) -> None:
        """All at once: each may wait for its own device or office, and the sum of that would take too long."""
        self.network.stop()
        stops = [self.printer.stop, lambda: self.enquiries.stop(0.5), lambda: self.sync.stop(1.5)]
        if self.acceptor:
            stops.insert(0, self.acceptor.stop)
        threads = [threading.Thread(target=stop, name="stop") for stop in stops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.recorder.stop()

    def make_job(self, receipt: Receipt, job_id: str) -> PrintJob:
        from kiosk.hardware.receipt_printer import layout
        from kiosk.hardware.receipt_printer.fonts import FontMissing

        printer = self._settings.receipt_printer
        try:
            return layout.make_job(receipt, job_id=job_id, width_mm=printer.width_mm, baud=printer.baud)
        except FontMissing as error:
            raise SlipUnprintable(str(error)) from error


def _above_margin(settings: Settings) -> int:
    """Free bytes that money does not need: the disk margin and the ballast in it are not for traces."""
    room = database.Room.of_margin_mb(settings.kiosk.disk_margin_mb)
    return database.free_bytes(settings.state_dir) - room.margin_bytes - room.ballast_bytes


def _surroundings(settings: Settings) -> Surroundings:
    return Surroundings(
        language=settings.kiosk.language,
        shape=SHAPES[settings.screen.panel],
        takes_cash=settings.bill_acceptor.protocol != "none",
        faces=tuple(Fen(face) for face in settings.bill_acceptor.faces_fen),
        refuse_without_receipt=settings.kiosk.cash_without_receipt == "refuse",
    )


def _first_state(settings: Settings, known: recovery.Known, *, screen_here: bool) -> State:
    around = msgspec.structs.replace(
        _surroundings(settings),
        screen_here=screen_here,  # one that came while there was no journal says no second hello
        stacked=known.stacked,
        stacked_serial=known.stacked_serial,
        unresolved=known.unresolved,
        carried=known.faults,
        box_carried=known.box_out,
    )
    return State(
        numbers=known.numbers,
        around=around,
        visit=Visit(language=settings.kiosk.language),
        interrupted=known.interrupted,
        untold=known.untold,
        deadlines=Deadlines(pace=settings.kiosk.speed),
    )
