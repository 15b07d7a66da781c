"""``kiosk check``: what is ready, what is not, and what to do about it.

Beside a running agent it asks the agent (its status file) rather than open the devices a second time. Otherwise it opens each
itself: no money moves, and an acceptor that may hold the answer to an open note is left alone.
"""

import argparse
import json
import queue
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

import kiosk
from kiosk.clock import SystemClock
from kiosk.hardware import ports
from kiosk.hardware.faults import FAULTS, Fault
from kiosk.hardware.flight_recorder.recorder import stored
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.identity import Identity, IdentityUnusable
from kiosk.offline_queue.database import JournalUnusable, Room
from kiosk.offline_queue.newer import check_known
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import status
from kiosk.payment.status import Row
from kiosk.settings import Settings, SettingsError, load

AGENT_SPEAKS_S = 5.0
ACCEPTOR_ANSWERS_S = 12.0
PRINTER_ANSWERS_S = 4.0
PAIR = "kiosk pair --office URL --code CODE --config FILE"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="kiosk check", description="Say what is ready and what is not.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of this kiosk")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    chosen = parser.parse_args(argv)
    try:
        settings = load(chosen.config)
    except SettingsError as error:
        rows = [Row(part="settings", ready=False, detail=str(error), remedy="Correct the file.")]
    else:
        rows = [Row(part="settings", ready=True, detail=str(chosen.config)), *check(settings), _traces(settings)]
    _print_json(rows) if chosen.json else _print_table(rows)
    lacking = [row.part for row in rows if not row.ready]
    if lacking:
        print(f"kiosk check: not ready: {', '.join(lacking)}", file=sys.stderr)
    return 1 if lacking else 0


def check(settings: Settings) -> list[Row]:
    """Every part but the settings themselves."""
    clock = SystemClock()
    running = _running_agent(settings, clock)
    identity = _pairing(settings)
    if running is not None:
        told = [row for row in running.rows if row.part != identity[0].part]
        return [identity[0], Row(part="agent", ready=True, detail=f"running, process {running.pid}"), *told]
    if status.agent_holds(settings.state_dir):
        starting = Row(
            part="agent", ready=False, detail="running, but says nothing", remedy="Wait a moment; read its log."
        )
        return [identity[0], starting]
    journal, intent_open = _journal(settings)
    return [
        identity[0],
        Row(part="agent", ready=True, detail="not running; devices were asked directly"),
        journal,
        *_devices(settings, clock, intent_open=intent_open),
        _office(settings, clock, identity[1]),
    ]


def _running_agent(settings: Settings, clock: SystemClock) -> status.Status | None:
    """What the running agent says; one that has just been started gets a moment to say it."""
    until = clock.monotonic() + AGENT_SPEAKS_S
    while True:
        told = status.of_running_agent(settings.status_path, clock)
        if told is not None or not status.agent_holds(settings.state_dir) or clock.monotonic() > until:
            return told
        time.sleep(0.1)


def _devices(settings: Settings, clock: SystemClock, *, intent_open: bool) -> list[Row]:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        status.wait_for_devices(settings.state_dir, held)
        return [_acceptor(settings, clock, intent_open=intent_open), _printer(settings, clock)]


def _pairing(settings: Settings) -> tuple[Row, Identity | None]:
    try:
        identity = Identity.load(settings.identity_path)
    except IdentityUnusable as error:
        return Row(part="pairing", ready=False, detail=str(error), remedy=PAIR), None
    return Row(part="pairing", ready=True, detail=f"{identity.kiosk_code} in {identity.project_code}"), identity


def _journal(settings: Settings) -> tuple[Row, bool]:
    """The row, and whether a note's intent may be open."""
    path = settings.journal_path
    if not path.exists():
        return Row(part="journal", ready=False, detail=f"{path}: there is none", remedy=PAIR), False
    try:
        with JournalReader(path) as reader:
            check_known(reader.db, path)
            head, _ = reader.head()
            intent_open = reader.db.execute("SELECT 1 FROM note WHERE state = 'intent'").fetchone() is not None
    except JournalUnusable as error:
        return _fault_row("journal", Fault(error.code, error.detail)), True
    if not Room.of_margin_mb(settings.kiosk.disk_margin_mb).is_left(path):
        return _fault_row("journal", Fault("disk.margin")), intent_open
    return Row(part="journal", ready=True, detail=f"{head} entries"), intent_open


def _acceptor(settings: Settings, clock: SystemClock, *, intent_open: bool) -> Row:
    part = "bill acceptor"
    if intent_open:
        detail = "not asked: a note's outcome is open, and the kiosk itself must hear the answer"
        return Row(part=part, ready=False, detail=detail, remedy="Start the kiosk; it settles the note first.")
    from kiosk.devices import build_acceptor

    heard: queue.SimpleQueue[ports.DeviceEvent] = queue.SimpleQueue()
    acceptor = build_acceptor(settings, heard.put, clock)
    if acceptor is None:
        return Row(part=part, ready=True, detail="none, as the settings say")
    acceptor.start(intent_open=False)
    try:
        event = _wait_for(heard, (ports.AcceptorReady, ports.AcceptorLost), ACCEPTOR_ANSWERS_S, clock.monotonic)
    finally:
        acceptor.stop()
    match event:
        case ports.AcceptorReady(identity=known):
            faces = ", ".join(str(face // 100) for face in sorted(known.faces.values()))
            detail = f"{known.protocol} {known.maker} {known.model}, serial {known.serial}, {faces} yuan"
            return Row(part=part, ready=True, detail=detail)
        case ports.AcceptorLost(fault=fault):
            return _fault_row(part, fault)
        case _:
            return _fault_row(part, Fault("acceptor.silent"))


def _printer(settings: Settings, clock: SystemClock) -> Row:
    from kiosk.devices import build_printer

    part = "receipt printer"
    heard: queue.SimpleQueue[ports.DeviceEvent] = queue.SimpleQueue()
    printer = build_printer(settings, heard.put, clock)
    printer.start()
    printer.ask_status()
    try:
        event = _wait_for(heard, (ports.PrinterStatus,), PRINTER_ANSWERS_S, clock.monotonic)
    finally:
        printer.stop()
    if not isinstance(event, ports.PrinterStatus):
        return _fault_row(part, Fault("printer.silent"))
    if event.can_print:
        return Row(part=part, ready=True, detail=f"paper {event.paper}")
    return _fault_row(part, event.fault or Fault("printer.paper_out"))


def _office(settings: Settings, clock: SystemClock, identity: Identity | None) -> Row:
    part, url = "office", settings.office.url
    if identity is None:
        return Row(part=part, ready=False, detail=f"{url}: not asked, there is no key yet", remedy=PAIR)
    client = OfficeClient(url, identity, clock)
    try:
        told = client.config()
    except Unreachable as error:
        return _fault_row(part, Fault("office.unreachable", f"{url}: {error}"))
    except Refused as error:
        return _fault_row(part, Fault("office.refused", f"{url}: {error}"))
    finally:
        client.close()
    name = told[0].estate_name if told else ""
    return Row(part=part, ready=True, detail=f"{url} answers for {name}")


def _traces(settings: Settings) -> Row:
    """Not a lack: it says that there is something to send when one asks for help."""
    kept = stored(settings.traces_dir)
    if not kept:
        return Row(part="traces", ready=True, detail="no fault has frozen one")
    detail = f"{len(kept)} frozen, the newest of {kept[-1].fault}; kiosk trace show --config FILE"
    return Row(part="traces", ready=True, detail=detail)


def _wait_for(
    heard: "queue.SimpleQueue[ports.DeviceEvent]",
    kinds: tuple[type[ports.DeviceEvent], ...],
    seconds: float,
    now: Callable[[], float],
) -> ports.DeviceEvent | None:
    until = now() + seconds
    while (left := until - now()) > 0:
        try:
            event = heard.get(timeout=left)
        except queue.Empty:
            return None
        if isinstance(event, kinds):
            return event
    return None


def _fault_row(part: str, fault: Fault) -> Row:
    detail = f"{fault.code}: {fault.kind.meaning}" + (f" ({fault.detail})" if fault.detail else "")
    return Row(part=part, ready=False, detail=detail, remedy=FAULTS[fault.code].next_step)


def _print_json(rows: list[Row]) -> None:
    for row in rows:
        print(json.dumps(msgspec.to_builtins(row), ensure_ascii=False))


def _print_table(rows: list[Row]) -> None:
    print(f"Menting kiosk {kiosk.__version__}")
    for row in rows:
        print(f"  {'ready' if row.ready else 'NOT READY':9}  {row.part:15}  {row.detail}")
        if not row.ready and row.remedy:
            print(f"  {'':9}  {'':15}  → {row.remedy}")
