"""The cashier with a real journal file: what is on disk when a device is told something, and how fast that is."""

import queue
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kiosk import taps, views
from kiosk.clock import SystemClock
from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
from kiosk.domain.money import NOTE_FACES, Fen
from kiosk.domain.receipt import Receipt
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client import events as office
from kiosk.offline_queue.database import is_doubted
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import cashier
from kiosk.payment.cashier import Cashier, Ending, Inbox, PartDied, SlipUnprintable, Stop
from kiosk.payment.deadlines import Deadlines
from kiosk.payment.state import Numbers, State, Surroundings
from kiosk.screen_link.agent_end import ScreenConnected, ScreenTapped
from tests.offline_queue import journals
from tests.payment.walker import ACCEPTOR, BUILDINGS, TODAY, UNIT, bill

PATIENCE_S = 10.0


class Ear:
    """Stands where devices, screen and office stand; remembers every order and what the journal held at that moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.orders: queue.Queue[tuple[str, float, int]] = queue.Queue()
        self.acknowledged: list[ports.DeviceEvent] = []
        self.enabled_at: list[float] = []
        self.kept_traces: queue.Queue[tuple[int, Fault]] = queue.Queue()  # with the journal's head at that moment
        self.requests: queue.Queue[tuple[int, str]] = queue.Queue()
        self.views: queue.Queue[views.AnyView] = queue.Queue()
        self.view: views.AnyView | None = None
        self.receipts: list[Receipt] = []
        self.inbox: Inbox | None = None

    def head(self) -> int:
        with JournalReader(self._path) as reader:
            return reader.head()[0]

    def kinds(self) -> list[str]:
        with JournalReader(self._path) as reader:
            return [entry.header.kind for entry in reader.entries(0, 10_000)]

    # acceptor
    def start(self, *, intent_open: bool = False, before: ports.CountBefore | None = None) -> None: ...
    def stop(self) -> None: ...
    def disable(self) -> None: ...
    def read_counters(self) -> None: ...

    def keep_trace(self, fault: Fault) -> None:
        self.kept_traces.put((self.head(), fault))

    def enable(self, faces: frozenset[Fen]) -> None:
        self.enabled_at.append(time.monotonic())

    def accept(self) -> None:
        self.orders.put(("accept", time.monotonic(), 0))

    def return_note(self) -> None:
        self.orders.put(("return", time.monotonic(), 0))

    def acknowledge(self, event: ports.DeviceEvent) -> None:
        self.acknowledged.append(event)
        self.orders.put(("acknowledge", time.monotonic(), self.head()))

    # printer
    def ask_status(self) -> None:
        if self.inbox is not None:
            self.inbox.put(ports.PrinterStatus(paper=ports.Paper.OK))

    def print(self, job: ports.PrintJob) -> None:
        self.orders.put((f"print {job.job_id}", time.monotonic(), 0))

    # screen, uploads, look-ups
    def show(self, view: views.AnyView) -> None:
        self.view = view
        self.views.put(view)

    def wake(self) -> None: ...
    def cursor_is(self, seq: int) -> None: ...

    def find_unit(self, request_no: int, code: str) -> None:
        self.requests.put((request_no, code))

    def bills(self, request_no: int, unit_id: str) -> None:
        self.requests.put((request_no, unit_id))


class Counter:
    """A cashier on its own thread, and short words for what reaches its inbox."""

    def __init__(self, directory: Path, *, make_job: Any = None, pace: int = 1) -> None:
        self.path = directory / "journal.db"
        clock = SystemClock()
        self.journal = Journal.create(self.path, clock, journals.genesis())
        self.journal.hand_over()
        self.ear = Ear(self.path)
        self.inbox: Inbox = queue.SimpleQueue()
        self.ear.inbox = self.inbox
        around = Surroundings(faces=NOTE_FACES, buildings=BUILDINGS)
        self.cashier = Cashier(
            state=State(numbers=Numbers(kiosk_code="YG01"), around=around, deadlines=Deadlines(pace=pace)),
            inbox=self.inbox,
            journal=self.journal,
            acceptor=self.ear,
            printer=self.ear,
            screen=self.ear,
            uploads=self.ear,
            lookups=self.ear,
            clock=clock,
            make_job=make_job or self._make_job,
            free_mb=lambda: 1000,
            sign=journals.KIOSK_KEY.sign,
        )
        self.ending: Ending | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.ending = self.cashier.run()
        self.journal.hand_over()

    def _make_job(self, receipt: Receipt, job_id: str) -> ports.PrintJob:
        self.ear.receipts.append(receipt)
        return ports.PrintJob(job_id=job_id, data=b"", height_dots=1)

    def join(self) -> Ending | None:
        self._thread.join(PATIENCE_S)
        return self.ending

    def stop(self) -> Ending | None:
        if self._thread.is_alive():
            self.inbox.put(Stop())
        self.join()
        self.journal.close()
        return self.ending

    def wait_view(self, kind: type[Any]) -> Any:
        while not isinstance(self.ear.view, kind):
            self.ear.views.get(timeout=PATIENCE_S)
        return self.ear.view

    def tap(self, kind: type[taps.Tap], **values: Any) -> None:
        assert self.ear.view is not None
        tap = kind(view_no=self.ear.view.frame.view_no, **values)
        self.inbox.put(ScreenTapped(tap))  # type: ignore[arg-type]

    def to_cash(self, *, due: int) -> None:
        for event in (
            ScreenConnected(pid=1),
            ports.AcceptorReady(identity=ACCEPTOR, counters=ports.AcceptorCounters(stacked=0, rejected=0)),
            ports.PrinterStatus(paper=ports.Paper.OK),
        ):
            self.inbox.put(event)
        while not self.wait_view(views.AttractView).methods:
            self.ear.views.get(timeout=PATIENCE_S)
        self.tap(taps.StartTapped)
        self.wait_view(views.HomeView)
        self.tap(taps.TileChosen, tile="pay")
        self.wait_view(views.BuildingView)
        self.tap(taps.TypeInstead)
        for typed in range(1, 8):
            while len(self.wait_view(views.TypedAddressView).typed) < typed - 1:
                self.ear.views.get(timeout=PATIENCE_S)
            self.tap(taps.KeyTapped, key="3-1-502"[typed - 1])
        while self.wait_view(views.TypedAddressView).typed != "3-1-502":
            self.ear.views.get(timeout=PATIENCE_S)
        self.tap(taps.ContinueTapped)
        number, _ = self.ear.requests.get(timeout=PATIENCE_S)
        self.inbox.put(office.UnitFound(request_no=number, unit=UNIT))
        self.wait_view(views.VerifyView)
        self.tap(taps.HouseholdAnswered, right=True)
        number, _ = self.ear.requests.get(timeout=PATIENCE_S)
        bills = (bill("b", due, TODAY),)
        self.inbox.put(
            office.BillsFound(request_no=number, unit=UNIT, bills=bills, as_of=TODAY, applied_seq=0, offline=True)
        )
        self.wait_view(views.BillListView)
        self.tap(taps.ContinueTapped)
        self.wait_view(views.MethodView)
        self.tap(taps.TileChosen, tile="cash")
        self.wait_view(views.InsertCashView)

    def order(self) -> tuple[str, float, int]:
        return self.ear.orders.get(timeout=PATIENCE_S)

    def pay(self, *faces: int) -> None:
        for face in faces:
            self.inbox.put(ports.NoteEscrowed(face=Fen(face), channel=1))
            assert self.order()[0] == "accept"
            self.inbox.put(ports.NoteCredited(face=Fen(face), channel=1))
            assert self.order()[0] == "acknowledge"
        while self.wait_view(views.InsertCashView).counted < sum(faces):
            self.ear.views.get(timeout=PATIENCE_S)

    def ask_for_slip(self) -> None:
        self.tap(taps.ContinueTapped)
        self.wait_view(views.ResultView)
        self.tap(taps.ContinueTapped)
        self.wait_view(views.ReceiptView)
        self.tap(taps.PrintAnswered, wanted=True)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.stop()


def test_the_credit_is_on_disk_when_the_acceptor_is_told_that_it_may_forget(counter):
    counter.to_cash(due=1_200)
    counter.inbox.put(ports.NoteEscrowed(face=Fen(1_000), channel=4))
    assert counter.order()[0] == "accept"
    assert counter.ear.kinds()[-2:] == ["note.escrow", "note.accept_intent"]
    event = ports.NoteCredited(event_no=7, face=Fen(1_000), channel=4)
    counter.inbox.put(event)
    word, _, head = counter.order()
    assert word == "acknowledge"
    assert counter.ear.acknowledged == [event]
    assert counter.ear.kinds()[head - 1] == "note.credited"


def test_what_the_acceptor_said_is_kept_when_only_its_count_shows_a_fault(counter):
    counter.to_cash(due=1500)
    counter.inbox.put(ports.CountersRead(counters=ports.AcceptorCounters(stacked=1, rejected=0)))
    head, fault = counter.ear.kept_traces.get(timeout=PATIENCE_S)
    assert fault == Fault("acceptor.note_lost", "claim YG01-Q000001: counter")
    assert counter.ear.kinds()[head - 2 :] == ["note.unknown", "acceptor.counted"], "on disk before anything else"


def test_the_lease_is_renewed_about_every_half_second_while_cash_may_come(counter):
    counter.to_cash(due=1_200)
    until = time.monotonic() + PATIENCE_S
    while len(counter.ear.enabled_at) < 6:
        assert time.monotonic() < until, "the lease is not renewed"
        threading.Event().wait(0.05)
    gaps = sorted(later - earlier for earlier, later in pairwise(counter.ear.enabled_at))
    assert gaps[len(gaps) // 2] == pytest.approx(0.5, abs=0.4), (
        "half of them, because other tests may hold the processor"
    )


def test_a_note_is_decided_within_fifty_milliseconds_with_the_office_unreachable(counter):
    """Intent commit included; half of them here, because other tests may hold processor and disk. ``make bench`` measures p99."""
    counter.to_cash(due=199_900)
    took = []
    for _ in range(50):
        started = time.monotonic()
        counter.inbox.put(ports.NoteEscrowed(face=Fen(1_000), channel=4))
        word, at, _ = counter.order()
        assert word == "accept"
        took.append(at - started)
        counter.inbox.put(ports.NoteCredited(face=Fen(1_000), channel=4))
        assert counter.order()[0] == "acknowledge"
    took.sort()
    assert took[len(took) // 2] <= 0.050, [round(one * 1000, 1) for one in took[-5:]]


def test_a_slip_carries_the_journal_s_check_code_and_the_number_of_the_settlement(counter):
    counter.to_cash(due=1_200)
    counter.pay(1_000, 100, 100)
    counter.ask_for_slip()
    assert counter.order()[0] == "print YG01-000001/0"
    receipt = counter.ear.receipts[0]
    with JournalReader(counter.path) as reader:
        settled = next(entry for entry in reader.entries(0, 1000) if entry.header.kind == "payment.settled")
    assert receipt.check_code == f"{settled.seq}-{settled.hash.hex()[:8]}"
    assert (receipt.receipt_no, receipt.received, receipt.notes) == ("YG01-000001", 1_200, ((1_000, 1), (100, 2)))
    assert (receipt.unit_words, receipt.masked_name) == ("3栋 1单元 502", "张*")
    assert receipt.lines[0].paid == 1_200


def test_an_english_slip_says_unit_period_and_time_in_english(counter):
    counter.wait_view(views.AttractView)
    counter.tap(taps.LanguageChosen, language="en")
    while counter.wait_view(views.AttractView).frame.language != "en":
        counter.ear.views.get(timeout=PATIENCE_S)
    counter.to_cash(due=1_000)
    counter.pay(1_000)
    counter.ask_for_slip()
    assert counter.order()[0] == "print YG01-000001/0"
    receipt = counter.ear.receipts[0]
    assert (receipt.language, receipt.unit_words) == ("en", "Bldg 3, Entr. 1, Room 502")
    assert "月" not in receipt.paid_at + receipt.printed_at + receipt.lines[0].period


@pytest.mark.parametrize("zone", ["Beijing", "Asia", ""])
def test_a_time_zone_that_nobody_knows_costs_no_payment_its_slip(counter, zone):
    counter.inbox.put(office.EstateTold(estate=Estate(time_zone=zone), buildings=BUILDINGS))
    counter.to_cash(due=1_000)
    counter.pay(1_000)
    counter.ask_for_slip()
    assert counter.order()[0] == "print YG01-000001/0"
    assert counter.ear.receipts[0].paid_at.endswith("+08:00")


def test_a_slip_that_can_not_be_drawn_is_a_failed_slip_and_nothing_else(tmp_path):
    def no_font(receipt: Receipt, job_id: str) -> ports.PrintJob:
        raise SlipUnprintable("the typeface is not installed")

    counter = Counter(tmp_path, make_job=no_font)
    counter.to_cash(due=1_000)
    counter.pay(1_000)
    counter.ask_for_slip()
    while counter.wait_view(views.ReceiptView).state != "failed":
        counter.ear.views.get(timeout=PATIENCE_S)
    assert counter.stop() is Ending.STOPPED
    assert "receipt.failed" in counter.ear.kinds()


def test_stopping_writes_a_checkpoint_and_the_end_but_not_in_the_middle_of_a_payment(tmp_path):
    idle = Counter(tmp_path)
    assert idle.stop() is Ending.STOPPED
    assert idle.ear.kinds()[-2:] == ["checkpoint", "agent.stopped"]
    (tmp_path / "busy").mkdir()
    busy = Counter(tmp_path / "busy")
    busy.to_cash(due=1_000)
    assert busy.stop() is Ending.STOPPED
    assert busy.ear.kinds()[-1] == "payment.opened"


def test_after_a_part_died_a_new_process_takes_over_as_soon_as_nobody_is_served(tmp_path, monkeypatch):
    monkeypatch.setattr(cashier, "PART_DIED_AFTER_S", 0.0)
    counter = Counter(tmp_path)
    counter.to_cash(due=1_000)
    counter.inbox.put(PartDied())
    counter.tap(taps.CancelTapped)
    assert counter.join() is Ending.PART_DIED
    assert counter.ear.kinds()[-3:] == ["payment.cancelled", "checkpoint", "agent.stopped"]
    counter.stop()


def test_a_journal_that_the_upload_can_not_read_ends_all_promises_and_is_checked_by_the_next_process(tmp_path):
    counter = Counter(tmp_path)
    counter.to_cash(due=1_000)
    counter.inbox.put(office.JournalUnreadable(code="journal.damaged", detail="a page is torn"))
    counter.inbox.put(ports.NoteEscrowed(face=Fen(1_000), channel=4))
    while counter.ear.view.frame.code != "E61":
        counter.ear.views.get(timeout=PATIENCE_S)
    assert counter.join() is Ending.JOURNAL_FAILED
    assert "note.accept_intent" not in counter.ear.kinds()
    counter.stop()
    assert is_doubted(counter.path)


def test_after_the_journal_failed_a_deadline_that_would_write_is_tried_once_and_not_for_ever(tmp_path, caplog):
    counter = Counter(tmp_path, pace=20)
    counter.to_cash(due=10_000)
    counter.pay(10_000)
    counter.ask_for_slip()
    job_id = counter.order()[0].removeprefix("print ")
    counter.inbox.put(ports.ReceiptFailed(job_id=job_id, clean=True, fault=Fault("printer.error")))
    while counter.wait_view(views.ReceiptView).state != "failed":
        counter.ear.views.get(timeout=PATIENCE_S)
    # Its time is over within the 3 s for which the screen explains; that nobody took a slip would be written then.
    counter.inbox.put(office.JournalUnreadable(code="journal.damaged", detail="a page is torn"))
    assert counter.join() is Ending.JOURNAL_FAILED
    assert len([one for one in caplog.messages if one.startswith("cashier.journal_failed ")]) == 2
    counter.stop()


def test_an_acknowledgement_moves_the_cursor_only_if_its_hash_is_ours(counter):
    counter.to_cash(due=1_000)
    with JournalReader(counter.path) as reader:
        own = reader.hash_at(2)
    assert own is not None
    counter.inbox.put(office.Acked(ack_seq=1, ack_hash="00" * 32, posted_seq=0))
    counter.inbox.put(office.Acked(ack_seq=2, ack_hash=own.hex(), posted_seq=2))
    until = time.monotonic() + PATIENCE_S
    while True:
        with JournalReader(counter.path) as reader:
            cursor = reader.cursor()
        if cursor.ack_seq:
            break
        assert time.monotonic() < until
    assert (cursor.ack_seq, cursor.posted_seq) == (2, 2)


def test_each_new_configuration_is_an_entry_and_one_that_was_refused_a_fault_until_the_next(counter):
    first, second = (Estate(config_version=number, estate_name=f"{number}") for number in (1, 2))
    for told in (
        office.EstateTold(estate=first, buildings=BUILDINGS),
        office.EstateTold(estate=first, buildings=()),
        office.EstateRefused(config_version=7, why="notes_limit 0"),
        office.EstateRefused(config_version=7, why="notes_limit 0"),
        office.EstateTold(estate=second, buildings=BUILDINGS),
    ):
        counter.inbox.put(told)
    counter.stop()
    with JournalReader(counter.path) as reader:
        written = [entry.event for entry in reader.entries(1, 100)]
    assert written[:4] == [
        journal.ConfigApplied(config_version=1, sha256=first.sha256()),
        journal.DeviceFault(device="office", code="config.unfit", detail="version 7: notes_limit 0"),
        journal.ConfigApplied(config_version=2, sha256=second.sha256()),
        journal.DeviceFaultCleared(device="office", code="config.unfit"),
    ]
