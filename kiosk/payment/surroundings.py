"""What devices, office, screen and disk tell, whatever is on the screen: remembered, and written down when it changes."""

from msgspec.structs import replace

from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
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
FULL, UNCONFIRMED, UNFIT = "acceptor.stacker_full", "printer.unconfirmed", "config.unfit"
# Told when they begin and not again: silence about them after a restart is not their end, something that proves it is.
TOLD_ONCE = (FULL, UNCONFIRMED)
NO_ANSWER = ("printer.port_missing", "printer.port_busy", "printer.silent")
MOST_SWALLOWED = 20  # a larger jump of the counter is another unit or a reset, not notes
_HARMLESS_GOODBYES = ("stopped", "replaced")


def heard_acceptor(around: Surroundings, event: ports.DeviceEvent) -> tuple[Surroundings, list[Command]]:
    """Take in what the acceptor says about itself; what it says about notes is the payment's business."""
    match event:
        case ports.AcceptorReady(identity=identity):
            return _acceptor_ready(replace(around, acceptor=identity, cash_open=False))
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
            around, commands = _proved_over(around, ACCEPTOR, FULL)
            return replace(around, stacked=None if around.stacked is None else around.stacked + 1), commands
        case ports.NoteUnclear():
            # It may be in the box or not, and no answer about another note tells: only the next reading does.
            tickets = tuple(replace(one, stacked_before=None) for one in around.unresolved)
            return replace(around, stacked=None, unresolved=tickets), []
        case ports.CashboxRemoved() if around.box_carried:
            return replace(around, box_carried=False), []  # it is still out, as the journal says
        case ports.CashboxRemoved():
            return around, [Record((journal.CashboxRemoved(acceptor_serial=around.acceptor_serial),))]
        case ports.CashboxReplaced():
            return _box_back(around)
        case _:
            return around, []


def _acceptor_ready(around: Surroundings) -> tuple[Surroundings, list[Command]]:
    """It answers, and has told what is wrong with it: what an earlier process wrote down and it did not repeat is over."""
    commands: list[Command] = []
    for code in LINE_FAULTS:
        if f"{ACCEPTOR} {code}" in around.faults:
            around, more = fault_over(around, ACCEPTOR, code)
            commands += more
    around, more = _mended_meanwhile(around, ACCEPTOR)
    commands += more
    if around.box_carried:
        around, more = _box_back(around)
        commands += more
    return around, commands


def _box_back(around: Surroundings) -> tuple[Surroundings, list[Command]]:
    """A box is in place, and whoever had it out emptied it or brought another."""
    around, commands = _proved_over(replace(around, box_carried=False), ACCEPTOR, FULL)
    return around, [Record((journal.CashboxReplaced(acceptor_serial=around.acceptor_serial),)), *commands]


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
    if code not in NO_ANSWER:
        around, more = _mended_meanwhile(around, PRINTER)
        commands += more
    return replace(around, paper=event.paper, printer_fault=code, paper_read_at=now), commands


def _paper_code(paper: ports.Paper) -> str:
    return {ports.Paper.OUT: "printer.paper_out", ports.Paper.UNKNOWN: "printer.silent"}.get(paper, "")


def slip_came_out(around: Surroundings, event: ports.ReceiptPrinted) -> tuple[Surroundings, list[Command]]:
    """One that surely did shows that the printer proves its slips again."""
    return _proved_over(around, PRINTER, UNCONFIRMED) if event.confirmed else (around, [])


def new_fault(around: Surroundings, device: str, code: str, detail: str) -> tuple[Surroundings, list[Command]]:
    """It is written down when it begins; one that an earlier process wrote down goes on."""
    key = f"{device} {code}"
    if key in around.faults:
        return around, []
    known = replace(around, faults=around.faults | {key: detail}, carried=around.carried - {key})
    if key in around.carried:
        return known, []
    return known, [Record((journal.DeviceFault(device=device, code=code, detail=detail),))]


def fault_over(around: Surroundings, device: str, code: str) -> tuple[Surroundings, list[Command]]:
    """Its end is written down once, whichever process wrote down that it began."""
    key = f"{device} {code}"
    if key not in around.faults and key not in around.carried:
        return around, []
    faults = {other: detail for other, detail in around.faults.items() if other != key}
    known = replace(around, faults=faults, carried=around.carried - {key})
    return known, [Record((journal.DeviceFaultCleared(device=device, code=code),))]


def _mended_meanwhile(around: Surroundings, device: str) -> tuple[Surroundings, list[Command]]:
    """The device has told what is wrong now: what is still carried of it is over, unless it tells that only once."""
    commands: list[Command] = []
    for key in sorted(around.carried):
        its_device, code = key.split(" ", 1)
        if its_device == device and code not in TOLD_ONCE:
            around, more = fault_over(around, device, code)
            commands += more
    return around, commands


def _proved_over(around: Surroundings, device: str, code: str) -> tuple[Surroundings, list[Command]]:
    """Something shows that a fault which is only carried is over; one that this process heard of ends as the device says."""
    return fault_over(around, device, code) if f"{device} {code}" in around.carried else (around, [])


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
            if _is_fit(around, estate):
                around, commands = fault_over(around, OFFICE, UNFIT)
            around = replace(around, estate=estate, buildings=buildings)
        case EstateRefused(config_version=version, why=why):
            around, commands = new_fault(around, OFFICE, UNFIT, f"version {version}: {why}")
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


def _is_fit(around: Surroundings, estate: Estate) -> bool:
    """Whether a configuration that was refused is over: with a newer one. What an earlier process refused is refused again before
    the office's first answer is told, which is the second that is told here; the first is the cache's."""
    refused, in_use = f"{OFFICE} {UNFIT}", around.estate.config_version
    return in_use > 0 if refused in around.carried else estate.config_version > in_use


def since_when(around: Surroundings, moment: Moment) -> Surroundings:
    """Remember since when nothing works, for the person who reads it."""
    if blocked_by(around) is None:
        return replace(around, blocked_since="") if around.blocked_since else around
    return around if around.blocked_since else replace(around, blocked_since=moment.local)
