"""What the state means for people who look after the kiosk: rows for ``kiosk check``, conditions for the heartbeat."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from kiosk.clock import Clock
from kiosk.domain.backlog import is_behind
from kiosk.hardware.faults import FAULTS
from kiosk.hardware.ports import Paper
from kiosk.office_client.wire import Condition
from kiosk.payment import status
from kiosk.payment.availability import NOT_PAIRED, acceptor_fault, blocked_by
from kiosk.payment.state import Phase, State, Surroundings
from kiosk.payment.status import Row, Status

log = logging.getLogger(__name__)

WRITE_EVERY_S = 5.0


class Reporter:
    """Sees the state after every event; writes the file when a row changes, and every few seconds to say "still here"."""

    def __init__(self, path: Path, clock: Clock, tell: Callable[[Condition], None] = lambda condition: None) -> None:
        self._path, self._clock, self._tell = path, clock, tell
        self._around: Surroundings | None = None
        self._rows: tuple[Row, ...] = ()
        self._condition: Condition | None = None
        self._write_at = 0.0

    def watch(self, state: State) -> None:
        condition = condition_of(state)
        if condition != self._condition:
            self._condition = condition
            self._tell(condition)
        if state.around is not self._around:
            self._around = state.around
            self._write(rows_of(state.around))
        else:
            self._write(self._rows)

    def stands_by(self, code: str, detail: str) -> None:
        """There is no journal, so nothing else has been opened."""
        part = "pairing" if code == NOT_PAIRED else "journal"
        remedy = "kiosk pair --office URL --code CODE" if code == NOT_PAIRED else FAULTS[code].next_step
        self._write((Row(part=part, ready=False, detail=detail, remedy=remedy),))

    def _write(self, rows: tuple[Row, ...]) -> None:
        now = self._clock.monotonic()
        if rows == self._rows and now < self._write_at:
            return
        self._rows, self._write_at = rows, now + WRITE_EVERY_S
        try:
            status.write(self._path, Status(pid=os.getpid(), boot_id=self._clock.boot_id, at=now, rows=rows))
        except OSError as error:
            log.warning("reporting.not_written reason=%s", error)


def rows_of(around: Surroundings) -> tuple[Row, ...]:
    return (_journal(around), _acceptor(around), _printer(around), _office(around), _upload(around), _screen(around))


def condition_of(state: State) -> Condition:
    around = state.around
    serving = "attract" if state.phase is Phase.ATTRACT else "busy"
    acceptor = acceptor_fault(around) or ("ready" if around.acceptor else "starting")
    return Condition(
        state="out_of_service" if blocked_by(around) else serving,
        acceptor=acceptor if around.takes_cash else "none",
        printer=around.printer_fault or ("ready" if around.can_print else "unknown"),
        paper=str(around.paper),
        journal=_journal_fault(around) or "ready",
    )


def _journal_fault(around: Surroundings) -> str:
    return "disk.margin" if around.disk_low else around.journal_fault


def _journal(around: Surroundings) -> Row:
    if fault := _journal_fault(around):
        return _fault_row("journal", fault)
    return Row(part="journal", ready=True, detail=f"writable; {around.self_check or 'no self-check yet'}")


def _acceptor(around: Surroundings) -> Row:
    part = "bill acceptor"
    if not around.takes_cash:
        return Row(part=part, ready=True, detail="none, as the settings say")
    if fault := acceptor_fault(around):
        return _fault_row(part, fault, around.faults.get(f"bill_acceptor {fault}", ""))
    if around.acceptor is None:
        return Row(part=part, ready=False, detail="starting", remedy="Wait a moment.")
    known = around.acceptor
    faces = ", ".join(str(face // 100) for face in around.usable_faces)
    detail = f"{known.protocol} {known.maker} {known.model}, serial {known.serial}, takes {faces} yuan"
    return Row(part=part, ready=True, detail=detail)


def _printer(around: Surroundings) -> Row:
    part = "receipt printer"
    if around.printer_fault:
        return _fault_row(part, around.printer_fault, around.faults.get(f"receipt_printer {around.printer_fault}", ""))
    if not around.can_print:
        return Row(part=part, ready=False, detail="not answered yet", remedy="Wait a moment.")
    near_end = around.paper is Paper.NEAR_END
    return Row(part=part, ready=True, detail="the roll is nearly empty" if near_end else "paper in place")


def _office(around: Surroundings) -> Row:
    if around.refused:
        return _fault_row("office", "office.refused")
    if not around.link_up:
        return _fault_row("office", "office.unreachable")
    return Row(part="office", ready=True, detail=f"answers; this is {around.estate.kiosk_code}")


def _upload(around: Surroundings) -> Row:
    oldest_s = None if around.oldest_unsent_ms is None else around.oldest_unsent_ms // 1000
    if not is_behind(around.unsent, oldest_s):
        return Row(part="upload", ready=True, detail="nothing has waited for long")
    age = "" if oldest_s is None else f", the oldest for {oldest_s // 3600} h"
    detail = f"{around.unsent} entries wait for the office{age}"
    remedy = "Check the network and the office's page of this kiosk; cash goes on, and all of it is kept."
    return Row(part="upload", ready=False, detail=detail, remedy=remedy)


def _screen(around: Surroundings) -> Row:
    if not around.screen_here:
        return Row(part="screen", ready=False, detail="no screen is connected", remedy="kiosk screen --config FILE")
    return Row(part="screen", ready=True, detail="connected")


def _fault_row(part: str, code: str, detail: str = "") -> Row:
    kind = FAULTS[code]
    said = f"{code}: {kind.meaning}" + (f" ({detail})" if detail else "")
    return Row(part=part, ready=False, detail=said, remedy=kind.next_step)
