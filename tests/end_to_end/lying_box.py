"""A kiosk's box whose clocks lie, boot by boot: the product's journal, cache, upload, flow and cashier; no real device.

Time is the test's: the true time is this machine's plus a shift that the office's process shares (wrong_clocks.py), so a night
passes in an instant. The box sees it only through its own clocks.
"""

import queue
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

import kiosk
from kiosk import taps, views
from kiosk.clock import SystemClock
from kiosk.domain.events import AgentStarted
from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.domain.receipt import Receipt
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.enquiries import Enquiries
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.sync import Link, Sync
from kiosk.payment import recovery
from kiosk.payment.cashier import Cashier, Inbox, Stop
from kiosk.payment.state import State, Surroundings
from kiosk.screen_link.agent_end import ScreenConnected, ScreenTapped

PATIENCE_S = 30.0
MOST_STEPS = 120
QUICK = Timing(first_try_s=0, backoff_base_s=0.05, backoff_cap_s=0.2, retry_spacing_s=0.05, heartbeat_s=5, refresh_s=5)
ACCEPTOR = ports.AcceptorIdentity(
    protocol="ssp",
    maker="ITL",
    model="NV9",
    firmware="1",
    serial="SN1",
    currency="CNY",
    faces=dict(enumerate(sorted(NOTE_FACES), start=1)),
)


class LyingMachine:
    """One boot's clocks. ``wall`` makes the wall clock from the true time and the time since boot, both in milliseconds."""

    def __init__(
        self, boot_id: str, true_ms: Callable[[], int], wall: Callable[[int, int], int], *, has_rtc: bool, ppm: float
    ) -> None:
        self.boot_id, self.has_rtc, self.ppm = boot_id, has_rtc, ppm
        self._true_ms, self.wall = true_ms, wall
        self.began_ms = true_ms()

    def since_boot_ms(self) -> int:
        return round((self._true_ms() - self.began_ms) * (1 + self.ppm / 1e6))

    def monotonic(self) -> float:
        return self.since_boot_ms() / 1000

    def wall_ms(self) -> int:
        return self.wall(self._true_ms(), self.since_boot_ms())

    def ntp_holds(self) -> bool:
        return False

    def true_at(self, mono_ms: int) -> float:
        """When it really was ``mono_ms`` after this boot began."""
        return self.began_ms + mono_ms / (1 + self.ppm / 1e6)


class Slip:
    """A receipt, and what was true when it was made."""

    def __init__(self, receipt: Receipt, true_ms: int, payment_id: str) -> None:
        self.receipt, self.true_ms, self.payment_id = receipt, true_ms, payment_id


class _Devices:
    """An acceptor that does as it is told and a printer that always prints."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._held: Fen | None = None
        self._is_open = False
        self.stacked = 0

    def ready(self, stacked: int | None) -> None:
        self.stacked = stacked or 0
        counters = ports.AcceptorCounters(stacked=self.stacked, rejected=0)
        self._inbox.put(ports.AcceptorReady(identity=ACCEPTOR, counters=counters))

    def insert(self, face: Fen) -> None:
        self._held = face
        self._inbox.put(ports.NoteEscrowed(face=face, channel=1))

    def start(self, *, intent_open: bool = False, before: ports.CountBefore | None = None) -> None: ...
    def stop(self) -> None: ...
    def acknowledge(self, event: ports.DeviceEvent) -> None: ...

    def enable(self, faces: frozenset[Fen]) -> None:
        if not self._is_open:
            self._is_open = True
            self._inbox.put(ports.AcceptorEnabled())

    def disable(self) -> None:
        if self._is_open:
            self._is_open = False
            self._inbox.put(ports.AcceptorDisabled())

    def accept(self) -> None:
        self.stacked += 1
        self._inbox.put(ports.NoteCredited(face=self._held, channel=1))

    def return_note(self) -> None:
        self._inbox.put(ports.NoteReturned(reason="host"))

    def read_counters(self) -> None:
        self._inbox.put(ports.CountersRead(counters=ports.AcceptorCounters(stacked=self.stacked, rejected=0)))

    def keep_trace(self, fault: Fault) -> None: ...

    def ask_status(self) -> None:
        self._inbox.put(ports.PrinterStatus(paper=ports.Paper.OK))

    def print(self, job: ports.PrintJob) -> None:
        self._inbox.put(ports.ReceiptPrinted(job_id=job.job_id, confirmed=True))


class _GatedSync(Sync):
    """The upload, which a test holds between two steps while it lets hours pass: no request is hours on its way."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.gate = threading.Lock()
        super().__init__(*arguments, **options)

    def step(self) -> float:
        with self.gate:
            return super().step()

    def spoke_since(self, began: float) -> bool:
        """Whether a whole exchange has been had since a moment of the box's monotonic clock."""
        return self.link is Link.UP and self._spoke_at >= began


class LyingBox:
    """One boot of the kiosk in ``state_dir``; ``url`` is the cable to the office."""

    def __init__(
        self, state_dir: Path, machine: LyingMachine, url: str, slips: list[Slip], true_ms: Callable[[], int]
    ) -> None:
        self._state_dir, self.machine, self._true_ms, self._slips = state_dir, machine, true_ms, slips
        self.clock = SystemClock(machine)  # type: ignore[arg-type]
        self.journal = Journal.open(state_dir / "journal.db", self.clock)
        self.clock.go_on_from(self.journal.newest(), self.journal.boots())
        clean = self.journal.stopped_cleanly()
        with JournalReader(self.journal.path) as reader:
            known = recovery.read(self.journal, reader.entries)
        self.journal.append(AgentStarted(software=kiosk.__version__, sqlite=sqlite3.sqlite_version, clean=clean))
        self.journal.hand_over()
        self.inbox: Inbox = queue.SimpleQueue()
        self.cache = Cache(state_dir / "cache.db", self.clock)
        self.cache.keep_only_for(self.journal.journal_id, self.journal.head_seq)
        identity = Identity.load(state_dir / "identity.json")
        self.sync = _GatedSync(
            OfficeClient(url, identity, self.clock),
            self.journal.path,
            self.cache,
            self.clock,
            self.inbox.put,
            software="test",
            timing=QUICK,
            rng=random.Random(1),
        )
        self.enquiries = Enquiries(
            OfficeClient(url, identity, self.clock),
            self.cache,
            self.inbox.put,
            journal_id=self.journal.journal_id,
            answered=self.sync.office_answered,
        )
        self.devices = _Devices(self.inbox)
        self._views: queue.SimpleQueue[views.AnyView] = queue.SimpleQueue()
        self.view: views.AnyView | None = None
        self.cashier = Cashier(
            state=State(
                numbers=known.numbers,
                around=Surroundings(faces=NOTE_FACES, stacked=known.stacked, stacked_serial=known.stacked_serial),
                interrupted=known.interrupted,
                untold=known.untold,
            ),
            inbox=self.inbox,
            journal=self.journal,
            acceptor=self.devices,
            printer=self.devices,
            screen=self,
            uploads=self.sync,
            lookups=self.enquiries,
            clock=self.clock,
            make_job=self._make_job,
            free_mb=lambda: 1000,
            sign=identity.key.sign,
        )
        self._thread = threading.Thread(target=self._work, name="payment")
        self._thread.start()
        self.sync.start()
        self.enquiries.start()
        self.inbox.put(ScreenConnected(pid=1))
        self.devices.ready(known.stacked)

    def _work(self) -> None:
        self.cashier.run()
        self.journal.hand_over()

    def show(self, view: views.AnyView) -> None:
        self.view = view
        self._views.put(view)

    def _make_job(self, receipt: Receipt, job_id: str) -> ports.PrintJob:
        finished = self.cashier.state.finished
        assert finished is not None
        self._slips.append(Slip(receipt, self._true_ms(), finished.opened.payment_id))
        return ports.PrintJob(job_id=job_id, data=b"", height_dots=1)

    # --- what a test does ---------------------------------------------------------------------------------------

    def wait(self, true: Callable[[views.AnyView], bool], within_s: float = PATIENCE_S) -> views.AnyView:
        """The view on show once it is so."""
        until = time.monotonic() + within_s
        while self.view is None or not true(self.view):
            try:
                self._views.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"after {within_s} s still on show: {self.view}") from None
        return self.view

    def upload_all(self) -> None:
        """Until the office has been heard and holds and has folded everything, and the bills are as it told them."""
        began = self.clock.monotonic()
        self.sync.network_changed()
        until = time.monotonic() + PATIENCE_S
        while True:
            with JournalReader(self.journal.path) as reader:
                behind = reader.head()[0] - reader.cursor().posted_seq
            if not behind and self.sync.spoke_since(began) and self.cache.refreshed() is not None:
                return
            assert time.monotonic() < until, f"{behind} entries are not in the books, link {self.sync.link}"
            self.sync.wake()
            time.sleep(0.02)

    def visit(self, home: tuple[str, ...], notes: list[Fen], on_view: Callable[[views.AnyView], None]) -> bool:
        """Somebody pays for their home with these notes, as far as the kiosk lets them; False when nothing could be paid."""
        view = self.wait(
            lambda view: (
                isinstance(view, views.OutOfServiceView) or (isinstance(view, views.AttractView) and bool(view.methods))
            )
        )
        if isinstance(view, views.OutOfServiceView):
            on_view(view)
            return False
        began, paid, seen = False, False, view.frame.view_no
        self._tap(taps.StartTapped())
        for _ in range(MOST_STEPS):
            view = self._settled(seen)
            on_view(view)
            if isinstance(view, views.OutOfServiceView) or (began and isinstance(view, views.AttractView)):
                return paid
            began = not isinstance(view, views.AttractView)  # else it changed just while the finger came down
            paid, seen = paid or isinstance(view, views.ResultView), view.frame.view_no
            if (
                isinstance(view, views.InsertCashView)
                and view.state is views.CashState.READY
                and notes
                and view.missing
            ):
                self.devices.insert(notes.pop())
            else:
                self._tap(self._answer(view, home))
        raise AssertionError(f"the visit does not end; on show: {self.view}")

    def _settled(self, seen: int) -> views.AnyView:
        """A newer view than the one seen, on which a person can do something."""

        def waits(view: views.AnyView) -> bool:
            match view:
                case views.InsertCashView(state=state):
                    done = view.can_finish and not view.missing
                    return state not in (views.CashState.READY, views.CashState.STOPPED) and not done
                case views.ReceiptView(state=state):
                    return state is views.ReceiptState.PRINTING
                case _:
                    return isinstance(view, views.WaitingView)

        return self.wait(lambda view: view.frame.view_no > seen and not waits(view))

    def _answer(self, view: views.AnyView, home: tuple[str, ...]) -> taps.Tap:
        building, entrance, room = home
        match view:
            case views.AttractView():
                return taps.StartTapped()
            case views.HomeView():
                return taps.TileChosen(tile="pay")
            case views.BuildingView(buildings=buildings):
                return taps.BuildingChosen(building=building) if building in buildings else taps.PageTurned(by=1)
            case views.EntranceView():
                return taps.EntranceChosen(entrance=entrance)
            case views.RoomView(digits=digits):
                return taps.ContinueTapped() if digits == room else taps.KeyTapped(key=room[len(digits)])
            case views.TypedAddressView(typed=typed):  # just started: the buildings have not been read yet
                whole = "-".join(home)
                return taps.ContinueTapped() if typed == whole else taps.KeyTapped(key=whole[len(typed)])
            case views.VerifyView():
                return taps.HouseholdAnswered(right=True)
            case views.AmountView(can_continue=False, typing=True):
                return taps.KeyTapped(key="5")
            case views.AmountView(can_continue=False):
                return taps.AmountChosen(choice="other")
            case views.MethodView():
                return taps.TileChosen(tile="cash")
            case views.HeldNoteView():
                return taps.HeldNoteAnswered(keep=True)
            case views.InsertCashView(can_finish=False):
                return taps.CancelTapped()
            case views.ReceiptView(state=views.ReceiptState.ASK):
                return taps.PrintAnswered(wanted=True)
            case views.TroubleView(choices=choices) if "trouble.pay_again" in choices:
                return taps.ChoiceTapped(choice="trouble.pay_again")
            case views.TroubleView():
                return taps.CancelTapped()
            case _:
                return taps.ContinueTapped()

    def _tap(self, tap: taps.Tap) -> None:
        assert self.view is not None
        self.inbox.put(ScreenTapped(replace(tap, view_no=self.view.frame.view_no)))  # type: ignore[arg-type]

    def stop(self) -> None:
        self._leave_office()
        self.inbox.put(Stop())
        self._thread.join(PATIENCE_S)
        self.journal.close()
        self.cache.close()

    def lose_power(self) -> None:
        """Leave the files as they are on the disk this moment; what the programs still write at their end is undone."""
        self._leave_office()
        image = self._state_dir.with_name("image")
        shutil.copytree(self._state_dir, image, ignore=shutil.ignore_patterns("*-shm"))
        self.stop()
        shutil.rmtree(self._state_dir)
        image.rename(self._state_dir)

    def _leave_office(self) -> None:
        self.sync.stop()
        self.enquiries.stop()
