"""What devices, office, screen and disk tell, whatever is on the screen: remembered, and written down when it changes."""

from msgspec.structs import replace

from kiosk.domain import events as journal
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.office_client.events import OUT_OF_SERVICE, EstateRefused, EstateTold, LinkChanged
from kiosk.payment.availability import blocked_by
from kiosk.payment.commands import Command, KeepTrace, LogUnexpected, Record
from kiosk.payment.events import DiskMeasured, JournalFailed, Moment, QueueMeasured, SelfChecked
from kiosk.payment.state import State, Surroundings
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone

ACCEPTOR, PRINTER, OFFICE = "bill_acceptor", "receipt_printer", "office"

# Over as soon as the device answers again; the others last until the device says so.
LINE_FAULTS = (
    "acceptor.port_missing",
    "acceptor.port_busy",
    "acceptor.silent",
    "acceptor.wrong_device",
    "acceptor.protocol",
)
MOST_SWALLOWED = 20  # a larger jump of the counter is another unit or a reset, not notes
_HARMLESS_GOODBYES = ("stopped", "replaced")


def heard_acceptor(around: Surroundings, event: ports.DeviceEvent) -> tuple[Surroundings, list[Command]]:
    """Take in what the acceptor says about itself; what it says about notes is the payment's business."""
    match event:
        case ports.AcceptorReady(identity=identity):
            over = [code for code in LINE_FAULTS if f"{ACCEPTOR} {code}" in around.faults]
            commands: list[Command] = []
            for code in over:
                around, more = fault_over(around, ACCEPTOR, code)
                commands += more
            return replace(around, acceptor=identity, cash_open=False), commands
        case ports.AcceptorLost(fault=fault):
            lost = replace(around, acceptor=None, cash_open=False)
            return new_fault(lost, ACCEPTOR, fault.code, fault.detail)
        case ports.AcceptorEnabled():
            return replace(around, cash_open=True), []
        case ports.AcceptorDisabled(lease_lapsed=lapsed):
            said = [LogUnexpected("acceptor lease lapsed", "any")] if lapsed else []
            return replace(around, cash_open=False), [*said]
        case ports.NoteEscrowed():
            # It takes a note only when it has told all it knew of those before.
            return replace(around, unresolved=()), []
        case ports.NoteCredited():
            return replace(around, stacked=None if around.stacked is None else around.stacked + 1), []
        case ports.NoteUnclear():
            return replace(around, stacked=None), []  # it may be in the box or not: only the next reading tells
        case ports.CashboxRemoved():
            return around, [Record((journal.CashboxRemoved(acceptor_serial=around.acceptor_serial),))]
        case ports.CashboxReplaced():
            return around, [Record((journal.CashboxReplaced(acceptor_serial=around.acceptor_serial),))]
        case _:
            return around, []


def counted(
    around: Surroundings, counters: ports.AcceptorCounters, explained: int | None
) -> tuple[Surroundings, int, list[Command]]:
    """Compare the acceptor's own count with ours; return how many notes it took that nobody accounted for.

    ``explained`` is how many of the difference are accounted for already. Source: bill-acceptors section 1.8.
    """
    serial, expected = around.acceptor_serial, around.stacked
    record = journal.AcceptorCounted(acceptor_serial=serial, stacked=counters.stacked, rejected=counters.rejected)
    known = replace(around, stacked=counters.stacked, stacked_serial=serial)
    if expected is None or explained is None or around.stacked_serial != serial:
        return known, 0, [Record((record,))]
    extra = counters.stacked - expected - explained
    commands: list[Command] = []
    if extra < 0 or extra > MOST_SWALLOWED:
        detail = f"counted {counters.stacked}, expected {expected + explained}"
        fault = journal.DeviceFault(device=ACCEPTOR, code="acceptor.note_lost", detail=detail)
        return known, 0, [Record((fault, record)), KeepTrace(Fault(fault.code, detail))]
    return known, extra, [*commands, Record((record,))]


def heard_printer(around: Surroundings, event: ports.PrinterStatus, now: float) -> tuple[Surroundings, list[Command]]:
    """A reading of the printer; a change of what is wrong is written down."""
    code = event.fault.code if event.fault else _paper_code(event.paper)
    commands: list[Command] = []
    if around.printer_fault and around.printer_fault != code:
        around, more = fault_over(around, PRINTER, around.printer_fault)
        commands += more
    if code:
        around, more = new_fault(around, PRINTER, code, event.fault.detail if event.fault else "")
        commands += more
    return replace(around, paper=event.paper, printer_fault=code, paper_read_at=now), commands


def _paper_code(paper: ports.Paper) -> str:
    return {ports.Paper.OUT: "printer.paper_out", ports.Paper.UNKNOWN: "printer.silent"}.get(paper, "")


def new_fault(around: Surroundings, device: str, code: str, detail: str) -> tuple[Surroundings, list[Command]]:
    if f"{device} {code}" in around.faults:
        return around, []
    faults = around.faults | {f"{device} {code}": detail}
    return replace(around, faults=faults), [Record((journal.DeviceFault(device=device, code=code, detail=detail),))]


def fault_over(around: Surroundings, device: str, code: str) -> tuple[Surroundings, list[Command]]:
    if f"{device} {code}" not in around.faults:
        return around, []
    faults = {key: detail for key, detail in around.faults.items() if key != f"{device} {code}"}
    return replace(around, faults=faults), [Record((journal.DeviceFaultCleared(device=device, code=code),))]


Told = (
    LinkChanged
    | EstateTold
    | EstateRefused
    | DiskMeasured
    | QueueMeasured
    | JournalFailed
    | SelfChecked
    | ScreenConnected
    | ScreenGone
)


def told(state: State, event: Told, moment: Moment) -> tuple[State, list[Command]]:
    """Office, disk, queue, journal and screen."""
    around, commands = state.around, list[Command]()
    match event:
        case LinkChanged(up=up, refused=refused, reason=reason):
            around = replace(around, link_up=up, refused=refused and reason in OUT_OF_SERVICE)
        case EstateTold(estate=estate, buildings=buildings):
            around, commands = fault_over(around, OFFICE, "config.unfit")
            around = replace(around, estate=estate, buildings=buildings)
        case EstateRefused(config_version=version, why=why):
            around, commands = new_fault(around, OFFICE, "config.unfit", f"version {version}: {why}")
        case DiskMeasured(enough=enough):
            around = replace(around, disk_low=not enough)
        case QueueMeasured(unsent=unsent, oldest_age_ms=age):
            around = replace(around, unsent=unsent, oldest_unsent_ms=age)
        case SelfChecked(entries=entries, at=at):
            around = replace(
                around, self_check=f"self-check of {entries} entries at {at or 'an unknown time'}: all as written"
            )
        case JournalFailed(code=code):
            around = replace(around, journal_fault=code)
        case ScreenConnected():
            if around.screen_lost_for:
                commands.append(Record((journal.ScreenRestarted(reason=around.screen_lost_for),)))
            around = replace(around, screen_here=True, screen_lost_for="")
        case ScreenGone(reason=reason):
            lost_for = "" if reason in _HARMLESS_GOODBYES else reason
            around = replace(around, screen_here=False, screen_lost_for=lost_for)
    return replace(state, around=since_when(around, moment)), commands


def since_when(around: Surroundings, moment: Moment) -> Surroundings:
    """Remember since when nothing works, for the person who reads it."""
    if blocked_by(around) is None:
        return replace(around, blocked_since="") if around.blocked_since else around
    return around if around.blocked_since else replace(around, blocked_since=moment.local)
