"""The receipt printer: a thermal printer that speaks ESC/POS, by serial line, USB printer node or pseudo-terminal.

Proven against the simulator. One thread owns the port. It asks for status by itself while idle, so a fault is known
before anybody pays, and never says "printed" because bytes were written: a process-ID answer (GS ( H) counts, then
a fence (GS r), else the slip is unconfirmed. Source: ESC/POS command reference; receipt-printer sections 4 to 7.
"""

import contextlib
import queue
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from kiosk.clock import Clock
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder.tape import Freeze, Tape, not_kept
from kiosk.hardware.ports import (
    LONGEST_PRINT_S,
    DeviceEvent,
    DeviceFault,
    FaultCleared,
    Paper,
    PrinterStatus,
    PrintJob,
    ReceiptFailed,
    ReceiptPrinted,
    Report,
)
from kiosk.hardware.receipt_printer import commands
from kiosk.hardware.receipt_printer.conversation import Conversation
from kiosk.hardware.receipt_printer.patience import COMPLETION_S, until_proved_s
from kiosk.hardware.receipt_printer.pictures import SLICE_ROWS
from kiosk.hardware.receipt_printer.status import Reading
from kiosk.hardware.receipt_printer.stump import Stump
from kiosk.hardware.receipt_printer.transport import Stalled, Transport, TransportGone

DEVICE = "receipt_printer"
LOOK_EVERY_S = 1.0
LOOK_EVERY_PRINTING_S = 0.3
REOPEN_EVERY_S = 1.0
SHORTEST_PAUSE_S = 0.02  # however fast the simulated device runs
CLEAR_AT_OPEN_S = 0.3
PASSING_S = 10.0  # how long an open cover or a hot head may hold up a slip whose payer stands there
IDLE_LINES = 8  # of a look: four questions and their answers
WIDEST_ROW_BYTES = 80
STOP_S = 4.0
FINISH_S = 2.0  # how long a slip that is being printed may hold up stop()

UNCONFIRMED = Fault("printer.unconfirmed")
STOPPED = Fault("printer.unconfirmed", "stopped while printing")
TOO_SLOW = Fault("printer.error", "takes too long")


class PrintingStopped(Exception):
    """The job can't go on; the fault says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class EscposReceiptPrinter:
    """Implements ports.ReceiptPrinter. ``process_id`` False: this printer does not know GS ( H, so fences must do.

    ``stump_path`` tells the next process that this one was killed half-way through a slip.
    """

    def __init__(
        self,
        port: str,
        report: Report,
        clock: Clock,
        *,
        baud: int = 115200,
        speed: int = 1,
        process_id: bool = True,
        freeze: Freeze = not_kept,
        stump_path: Path | None = None,
    ) -> None:
        self._tape = Tape(DEVICE, "escpos", clock, speed=speed, period=IDLE_LINES, freeze=freeze)
        self._port, self._baud, self._speed = port, baud, speed
        self._report, self._clock, self._process_id = report, clock, process_id
        self._orders: queue.SimpleQueue[PrintJob | None] = queue.SimpleQueue()  # None: say how you are
        self._jobs: deque[PrintJob] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=DEVICE, daemon=True)
        self._talk: Conversation | None = None
        self._port_fault = Fault("printer.port_missing", f"{port}: not opened yet")
        self._faults: dict[str, Fault] = {}
        self._event_no = 0
        self._look_at = self._open_at = self._finish_by = self._give_up_at = 0.0
        self._must_clear = True  # the printer may hold bytes that no job of ours owns any more
        self._stump = Stump(stump_path)
        self._begun = False  # bytes of the current job have left

    # --- ports.ReceiptPrinter: called by the payment thread ------------------------------------------------------

    def start(self) -> None:
        self._tape.ordered("start", stump=self._stump.may_hang)
        self._thread.start()

    def ask_status(self) -> None:
        self._tape.ordered("ask_status")
        self._order(None)

    def print(self, job: PrintJob) -> None:
        self._tape.ordered("print", job_id=job.job_id, size=len(job.data), height_dots=job.height_dots)
        self._order(job)

    def stop(self) -> None:
        if self._stopping.is_set():
            return
        self._tape.ordered("stop")
        self._finish_by = self._clock.monotonic() + FINISH_S
        self._stopping.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        if not self._thread.is_alive():
            self._wake_reader.close()
            self._wake_writer.close()

    def _order(self, order: PrintJob | None) -> None:
        self._orders.put(order)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # enough wake-ups wait already
            self._wake_writer.send(b"x")

    def _pause(self, seconds: float) -> float:
        return max(seconds / self._speed, SHORTEST_PAUSE_S)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except TransportGone as gone:
                self._lose(gone.fault)
        for job in [*self._jobs, *self._undelivered()]:
            self._tell(ReceiptFailed, job_id=job.job_id, clean=True, fault=STOPPED)
        if self._talk is not None:
            self._talk.transport.close()

    def _undelivered(self) -> Iterator[PrintJob]:
        while not self._orders.empty():
            if (order := self._orders.get()) is not None:
                yield order

    def _serve(self) -> None:
        """One round: connect, orders, a job, a look, then wait for something to happen."""
        if self._talk is None and self._clock.monotonic() >= self._open_at:
            self._connect()
        self._attend()
        if self._jobs:
            self._report_job(self._jobs.popleft())
        elif self._talk is not None and (self._talk.news or self._clock.monotonic() >= self._look_at):
            self._look()
        else:
            self._wait((self._look_at if self._talk is not None else self._open_at) - self._clock.monotonic())

    def _wait(self, seconds: float) -> None:
        """Until an order, a byte from the printer, or the time is up."""
        poller = select.poll()
        poller.register(self._wake_reader, select.POLLIN)
        if self._talk is not None:
            poller.register(self._talk.transport.fileno(), select.POLLIN)
        ready = {fd for fd, _ in poller.poll(max(0.0, seconds) * 1000)}
        if self._wake_reader.fileno() in ready:
            self._wake_reader.recv(4096)
            ready.discard(self._wake_reader.fileno())
        if ready and self._talk is not None:
            self._talk.listen(0)

    def _connect(self) -> Reading:
        """Open the port and find out how the printer is.

        Raises:
            TransportGone: it can't be opened.
        """
        self._open_at = self._clock.monotonic() + self._pause(REOPEN_EVERY_S)
        self._talk = Conversation(Transport(self._port, self._baud, self._tape), self._clock, self._speed)
        # Before the first question: inside a half-sent image it would be taken for pixels.
        self._must_clear = not self._talk.clear_buffers(CLEAR_AT_OPEN_S)
        return self._look()

    def _lose(self, fault: Fault) -> None:
        if self._talk is not None:
            self._talk.transport.close()
            self._talk = None
            self._open_at = self._clock.monotonic() + self._pause(REOPEN_EVERY_S)
        self._port_fault = fault
        self._note(Reading(Paper.UNKNOWN, fault))

    def _attend(self) -> None:
        """Take orders; also between the slices of a job, so that nobody waits 3 s for a status."""
        asked = 0
        while not self._orders.empty():
            order = self._orders.get()
            if order is None:
                asked += 1
            else:
                self._jobs.append(order)
        if asked:
            reading = self._look_or_fault()
            for _ in range(asked):
                self._tell(PrinterStatus, paper=reading.paper, fault=reading.fault)

    # --- status --------------------------------------------------------------------------------------------------

    def _look_or_fault(self) -> Reading:
        """A fresh reading whatever happens."""
        try:
            return self._look() if self._talk is not None else self._connect()
        except TransportGone as gone:
            self._lose(gone.fault)
            return Reading(Paper.UNKNOWN, gone.fault)

    def _look(self) -> Reading:
        talk = self._open_talk()
        talk.news = False
        reading = talk.look()
        self._look_at = self._clock.monotonic() + self._pause(LOOK_EVERY_S)
        self._note(reading)
        return reading

    def _open_talk(self) -> Conversation:
        if self._talk is None:
            raise TransportGone(self._port_fault)
        return self._talk

    def _note(self, reading: Reading) -> None:
        """Report what began and what ended since the last reading."""
        now = {reading.fault.code: reading.fault} if reading.fault is not None else {}
        if reading.paper is Paper.NEAR_END:
            now["printer.near_end"] = Fault("printer.near_end")
        if UNCONFIRMED.code in self._faults:
            now[UNCONFIRMED.code] = UNCONFIRMED
        self._change_faults(now)

    def _change_faults(self, now: dict[str, Fault]) -> None:
        before, self._faults = self._faults, now
        for code in before.keys() - now.keys():
            self._tell(FaultCleared, device=DEVICE, code=code)
        for code in now.keys() - before.keys():
            self._tell(DeviceFault, device=DEVICE, fault=now[code])

    def _tell(self, event: Callable[..., DeviceEvent], **facts: object) -> None:
        self._event_no += 1
        told = event(event_no=self._event_no, **facts)
        self._tape.reported(told)
        self._report(told)

    # --- a job ---------------------------------------------------------------------------------------------------

    def _report_job(self, job: PrintJob) -> None:
        """Print, and say how it ended; every job gets exactly one answer."""
        self._begun = False
        self._give_up_at = self._clock.monotonic() + max(LONGEST_PRINT_S / self._speed, min(LONGEST_PRINT_S, 60.0))
        try:
            confirmed = self._print_slip(job)
        except PrintingStopped as stop:
            self._fail(job, stop.fault)
        except TransportGone as gone:
            self._lose(gone.fault)
            self._fail(job, gone.fault)
        else:
            faults = {code: fault for code, fault in self._faults.items() if code != UNCONFIRMED.code}
            self._change_faults(faults if confirmed else faults | {UNCONFIRMED.code: UNCONFIRMED})
            self._tell(ReceiptPrinted, job_id=job.job_id, confirmed=confirmed)
        self._look_at = 0.0

    def _fail(self, job: PrintJob, fault: Fault) -> None:
        """Nothing of a failed slip may come out later, on somebody else's."""
        if self._begun:
            self._must_clear = True
            if self._talk is not None:
                self._try_to_clear(self._talk)
        self._tell(ReceiptFailed, job_id=job.job_id, clean=not self._begun, fault=fault)

    def _try_to_clear(self, talk: Conversation) -> None:
        try:
            self._must_clear = not talk.clear_buffers()
            if self._stopping.is_set() and not self._must_clear:
                self._cut_off(talk)  # whoever drives the printer next may not know of the stump
        except Stalled:
            return
        except TransportGone as gone:
            self._lose(gone.fault)

    def _cut_off(self, talk: Conversation) -> None:
        """Part the remains of a failed slip from the next one."""
        talk.send(commands.INITIALISE + commands.feed_and_cut())

    def _print_slip(self, job: PrintJob) -> bool:
        """Carry one job to its end; whether the printer confirmed it.

        Raises:
            PrintingStopped: it can't be printed, or not to its end.
            TransportGone: the port vanished.
        """
        reading = self._look_or_fault()
        if reading.fault is not None or not reading.can_print:
            raise PrintingStopped(reading.fault or Fault("printer.silent"))
        talk = self._open_talk()
        if self._must_clear:
            self._clear(talk)
            self._attend_to(talk)
        body, tag = commands.split_tag(job.data)
        proof = commands.process_id(tag) if tag is not None and self._process_id else None
        hangs, missed = self._stump.may_hang, talk.missed
        self._stump.begins()
        self._begun = True
        try:
            if hangs:
                self._cut_off(talk)
            for piece in commands.pieces(body):
                talk.send(piece)
                self._check(talk)
            proved = self._wait_for_proof(talk, job, tag if proof else None, proof)
            if talk.missed == missed:
                self._stump.is_off()
                return proved
            # A printer that was off for a moment forgets rows and still answers what is asked after it.
            self._must_clear = True
            return False
        except Stalled:
            reading = self._look()
            raise PrintingStopped(reading.fault or Fault("printer.error", "takes no more data")) from None

    def _clear(self, talk: Conversation) -> None:
        """Forget older jobs: by command, else by filling up whatever image the printer may be waiting for."""
        if not talk.clear_buffers():
            try:
                talk.send(bytes(WIDEST_ROW_BYTES * SLICE_ROWS) + commands.INITIALISE)
            except Stalled:
                raise PrintingStopped(Fault("printer.error", "takes no data; power it off and on")) from None
        self._must_clear = False

    def _check(self, talk: Conversation) -> None:
        """Between slices: orders, then whether printing can go on."""
        self._attend_to(talk)
        if talk.still_online():
            return
        ends_at = self._clock.monotonic() + talk.scaled(PASSING_S, at_least=1.0)
        while True:
            self._attend_to(talk)
            reading = self._look()
            if reading.can_print:
                return
            if not reading.passing or self._clock.monotonic() > ends_at:
                raise PrintingStopped(reading.fault or Fault("printer.silent"))
            self._wait(self._pause(LOOK_EVERY_PRINTING_S))

    def _attend_to(self, talk: Conversation) -> None:
        """Take orders in the middle of a job, and see that the port is still the one it began on."""
        self._attend()
        if self._talk is not talk:
            raise PrintingStopped(self._port_fault)
        if self._stopping.is_set() and self._clock.monotonic() > self._finish_by:
            raise PrintingStopped(STOPPED)
        if self._clock.monotonic() > self._give_up_at:
            raise PrintingStopped(TOO_SLOW)

    # --- did it print? -------------------------------------------------------------------------------------------

    def _wait_for_proof(self, talk: Conversation, job: PrintJob, tag: str | None, proof: bytes | None) -> bool:
        """The process ID, else the fence; neither within its time is no proof, and no failure either."""
        seconds = until_proved_s(job, self._baud)
        if proof is not None and tag is not None:
            talk.printed.discard(tag)
            talk.send(proof)
            if self._await(talk, lambda: tag in talk.printed, seconds):
                return True
        fences = talk.fences
        talk.expect_fence()
        talk.send(commands.PAPER_FENCE)
        return self._await(talk, lambda: talk.fences > fences, seconds if proof is None else COMPLETION_S)

    def _await(self, talk: Conversation, come: Callable[[], bool], seconds: float) -> bool:
        ends_at = min(self._give_up_at, self._clock.monotonic() + talk.scaled(seconds, at_least=2.0))
        look_at = self._clock.monotonic() + self._pause(LOOK_EVERY_PRINTING_S)
        while not come():
            now = self._clock.monotonic()
            if now > ends_at:
                return False
            if now >= look_at:
                self._check(talk)
                look_at = self._clock.monotonic() + self._pause(LOOK_EVERY_PRINTING_S)
            else:
                self._wait(min(look_at, ends_at) - now)
        return True
