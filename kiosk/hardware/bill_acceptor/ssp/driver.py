"""ITL SSP note validators (NV9 USB, NV10 USB, BV20, BV50, BV100, NV200 without payout), plain, protocol 7 or 6.

Proven against ``kiosk-sim bill-acceptor``; on real devices not yet. Source: ITL GA138 and GA973, as in
bill-acceptors section 1; wiring and settings in docs/devices/bill-acceptor-ssp.md.
"""

import logging
import threading
from pathlib import Path

import msgspec

from kiosk.clock import Clock
from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.fault_book import FaultBook
from kiosk.hardware.bill_acceptor.orders import NO_FACES, Decision, Orders
from kiosk.hardware.bill_acceptor.ssp.frames import UnusableReply
from kiosk.hardware.bill_acceptor.ssp.link import LinkLost, SspLink
from kiosk.hardware.bill_acceptor.ssp.recall import RecallFile
from kiosk.hardware.bill_acceptor.ssp.session import LOST_CODES, SspSession, StartAgain, Stopped, WrongDevice
from kiosk.hardware.faults import Fault
from kiosk.hardware.flight_recorder.tape import Freeze, Tape, not_kept
from kiosk.hardware.flight_recorder.trace import facts_of
from kiosk.hardware.ports import AcceptorLost, CountBefore, DeviceEvent, Report

log = logging.getLogger(__name__)

RETRY_S = 1.0
SHORTEST_RETRY_S = 0.1
JOIN_S = 4.0


class SspBillAcceptor:
    """ports.BillAcceptor over SSP. Its thread owns the port; callers only leave orders."""

    def __init__(
        self,
        port: str,
        report: Report,
        clock: Clock,
        *,
        speed: int = 1,
        recall_path: Path,
        freeze: Freeze = not_kept,
    ) -> None:
        self._report = report
        self._clock = clock
        self._tape = Tape("bill_acceptor", "ssp", clock, speed=speed, freeze=freeze)
        self._wanted: frozenset[Fen] | None = None  # as last put on the tape: a lease is renewed twice a second
        self._retry_s = max(RETRY_S / speed, SHORTEST_RETRY_S)
        self._event_no = 0
        self._lost: Fault | None = None
        self._orders = Orders(clock)
        self._faults = FaultBook(self._emit)
        self._link = SspLink(port, self._tape, speed=speed, stopping=lambda: self._orders.stopping)
        self._link.on_silent = self._report_lost
        self._recall = RecallFile(recall_path, clock.boot_id)
        self._session = SspSession(self._link, self._orders, self._recall, self._faults, self._emit, clock, speed)
        self._thread = threading.Thread(target=self._run, name="bill-acceptor", daemon=True)

    # --- ports.BillAcceptor

    def start(self, *, intent_open: bool, before: CountBefore | None = None) -> None:
        memory = facts_of(self._recall.read())
        journal = facts_of(before) if before else None
        self._tape.ordered("start", intent_open=intent_open, before=journal, recall=memory)
        self._session.remember(intent_open=intent_open, before=before)
        self._thread.start()

    def enable(self, faces: frozenset[Fen]) -> None:
        self._want(faces)
        self._orders.enable(faces)

    def disable(self) -> None:
        self._want(NO_FACES)
        self._orders.disable()

    def accept(self) -> None:
        self._tape.ordered("accept")
        self._orders.decide(Decision.ACCEPT)

    def return_note(self) -> None:
        self._tape.ordered("return_note")
        self._orders.decide(Decision.RETURN)

    def acknowledge(self, event: DeviceEvent) -> None:
        self._tape.ordered("acknowledge")
        self._orders.acknowledge(event.event_no)

    def read_counters(self) -> None:
        self._tape.ordered("read_counters")
        self._orders.ask_counters()

    def keep_trace(self, fault: Fault) -> None:
        self._tape.freeze(fault)

    def stop(self) -> None:
        """End the thread within 4 s; a credit nobody acknowledged stays with the device for the next start."""
        self._tape.ordered("stop")
        self._orders.stop()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        if not self._thread.is_alive():
            self._recall.close()

    def _want(self, faces: frozenset[Fen]) -> None:
        if faces == self._wanted:
            return
        self._wanted = faces
        if faces:
            self._tape.ordered("enable", faces_fen=sorted(faces))
        else:
            self._tape.ordered("disable")

    # --- the thread

    def _run(self) -> None:
        try:
            while not self._orders.stopping:
                self._converse()
        except BaseException as error:
            # The process is about to learn of it by the thread's own hook; the flow must too, or it would wait.
            self._report_lost(Fault("internal", f"{type(error).__name__}: {error}"))
            raise
        finally:
            self._link.close()

    def _converse(self) -> None:
        """Open, connect, serve; come back to begin again after whatever ended it."""
        try:
            self._link.open()
            self._session.connect()
            self._lost = None
            self._session.serve()
        except StartAgain:
            log.info("ssp.start_again")
        except LinkLost as lost:
            self._start_over(lost.fault)
        except (UnusableReply, WrongDevice) as error:
            self._start_over(Fault("acceptor.wrong_device", str(error)))
        except Stopped:
            self._shut()

    def _shut(self) -> None:
        if self._session.waits_for_disk:
            return  # any frame would tell the device that the credit is safe
        try:
            self._session.shut()
        except (LinkLost, Stopped) as error:
            log.info("ssp.stopped_without_answer reason=%s", error)

    def _start_over(self, fault: Fault) -> None:
        self._report_lost(fault)
        self._link.close()
        until = self._clock.monotonic() + self._retry_s
        while not self._orders.stopping and self._clock.monotonic() < until:
            self._orders.wait(until)

    def _report_lost(self, fault: Fault) -> None:
        if self._lost is not None and self._lost.code == fault.code:
            return
        log.warning("ssp.lost code=%s detail=%s", fault.code, fault.detail)
        self._lost = fault
        self._faults.clear(*(code for code in LOST_CODES if code != fault.code))
        self._faults.raise_fault(fault)
        self._emit(AcceptorLost(fault=fault))

    def _emit(self, event: DeviceEvent) -> int:
        self._event_no += 1
        self._tape.reported(event)
        self._report(msgspec.structs.replace(event, event_no=self._event_no))
        return self._event_no
