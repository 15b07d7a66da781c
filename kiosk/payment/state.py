"""All that the flow knows, as frozen values: the surroundings, one visit, one payment."""

from datetime import date
from enum import StrEnum

import msgspec

from kiosk.domain.billing import Bill, BillOwed, Unit
from kiosk.domain.estate import Estate
from kiosk.domain.events import PaymentOpened, Settlement
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome
from kiosk.hardware.ports import AcceptorIdentity, Paper
from kiosk.office_client.events import BillsFound
from kiosk.payment.deadlines import Deadlines
from kiosk.views import AmountChoice, AnyView, Dialog, ReceiptState, Saying


class Phase(StrEnum):
    """Which question is being asked."""

    ATTRACT = "attract"
    HOME = "home"
    BUILDING = "building"
    ENTRANCE = "entrance"
    ROOM = "room"
    TYPED = "typed"
    LOOKING_UP = "looking_up"
    VERIFYING = "verifying"
    FETCHING_BILLS = "fetching_bills"
    PICKING = "picking"
    EXPLAINING = "explaining"
    CHOOSING_AMOUNT = "choosing_amount"
    CHOOSING_METHOD = "choosing_method"
    GETTING_READY = "getting_ready"
    INSERTING = "inserting"
    BOOKING = "booking"
    RESULT = "result"
    RECEIPT = "receipt"
    DONE = "done"
    TROUBLE = "trouble"
    RECOVERING = "recovering"  # after a restart: a note's fate is being asked of the acceptor
    INTERRUPTED = "interrupted"  # E60: what became of the payment that the restart cut


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How much fits on this panel."""

    rows: int = 5
    buildings: int = 12


class Ticket(msgspec.Struct, frozen=True):
    """A note that became a claim without an answer; a credit that comes before the acceptor is ready again is that note."""

    payment_id: str
    note_no: int
    face: Fen
    accepted: bool = True  # the acceptor was ordered to keep it; else to give it back
    stacked_before: int | None = None  # its count without this note; None: nobody can tell


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the estate and the devices; outlives every visit."""

    estate: Estate = Estate()
    buildings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    language: str = "zh-Hans"
    shape: Shape = Shape()
    takes_cash: bool = True  # the settings name an acceptor
    faces: tuple[Fen, ...] = ()
    refuse_without_receipt: bool = False
    link_up: bool = False
    refused: bool = False
    screen_here: bool = False
    screen_lost_for: str = ""
    acceptor: AcceptorIdentity | None = None  # None: not ready
    stacked: int | None = None  # the acceptor's own count as it must stand now
    stacked_serial: str = ""  # whose count that is
    cash_open: bool = False  # the device confirmed that it takes notes
    faults: dict[str, str] = {}  # "device code" to detail, of everything that is wrong now
    carried: frozenset[str] = frozenset()  # "device code" that the journal says is wrong and no device has told yet
    box_carried: bool = False  # the journal says that the cash box is out, and the acceptor has not told yet
    paper: Paper = Paper.UNKNOWN
    printer_fault: str = ""
    paper_read_at: float | None = None
    journal_fault: str = ""
    self_check: str = ""  # what the last one found, in words for `kiosk check`
    disk_low: bool = False
    unsent: int = 0  # entries that the office does not hold
    oldest_unsent_ms: int | None = None
    unresolved: tuple[Ticket, ...] = ()
    blocked_since: str = ""
    slip_left: bool = False  # nobody was there when the last slip came out
    nothing_taken: bool = False  # a restart cut a payment into which no money had gone; its person may still stand here

    @property
    def acceptor_serial(self) -> str:
        return self.acceptor.serial if self.acceptor else ""

    @property
    def usable_faces(self) -> tuple[Fen, ...]:
        """The faces that the settings allow and the device knows, largest first."""
        known = set(self.acceptor.faces.values()) if self.acceptor else set(self.faces)
        return tuple(sorted((face for face in self.faces if face in known), reverse=True))

    @property
    def can_print(self) -> bool:
        return not self.printer_fault and self.paper in (Paper.OK, Paper.NEAR_END)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One person's dealings; nothing durable, wiped at the end."""

    language: str = "zh-Hans"
    building: str = ""
    building_page: int = 0
    entrance: str = ""
    digits: str = ""
    typed: str = ""
    asked_by_typing: bool = False
    wrong_lookups: int = 0
    error: Saying | None = None
    error_code: str = ""
    request_no: int = 0
    unit: Unit | None = None
    found: BillsFound | None = None
    owed: tuple[BillOwed, ...] = ()
    business_date: date | None = None  # the day ``owed`` was counted to, also past midnight; None: clock unset
    prepay_only: bool = False  # bills too old or none: cash goes to the prepaid balance
    picked: frozenset[str] = frozenset()
    amounts_shown: bool = False
    page: int = 0
    explained: str = ""
    notice: Saying | None = None
    choice: AmountChoice = AmountChoice.ALL
    typed_amount: str = ""
    amount_error: Saying | None = None
    paper_known: bool = False  # while getting ready
    bills_known: bool = False
    asks_consent: bool = False  # E51
    trouble: Saying | None = None
    trouble_choices: tuple[str, ...] = ()
    after_trouble: Phase = Phase.ATTRACT
    dialog: Dialog = Dialog.NONE


class NoteStage(StrEnum):
    """Where the note in hand is."""

    HELD = "held"  # in escrow, the person is asked
    KEEPING = "keeping"  # intent on disk, accept ordered
    RETURNING = "returning"


class NoteInHand(msgspec.Struct, frozen=True, kw_only=True):
    """The one note that is neither in the box nor with the person."""

    note_no: int
    face: Fen
    channel: int
    acceptor_serial: str = ""  # the unit that has it
    stage: NoteStage
    stacked_before: int | None = None
    wanted_back: bool = False  # the person said so, so the notice may propose a smaller note


class CashPayment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment in cash, from payment.opened to its last event."""

    opened: PaymentOpened
    notes: tuple[Fen, ...] = ()
    claims: tuple[Claim, ...] = ()
    in_hand: NoteInHand | None = None
    refused_in_row: int = 0
    notice: Saying | None = None
    notice_is_calm: bool = False
    notice_code: str = ""
    asks_cancel: bool = False  # money is in: pay the bills, prepay, or go on
    over_limit: bool = False
    shut: bool = False  # no more notes: one of this payment's is unclear
    ending: str = ""  # why it ends once no note is in hand: timeout, restart, fault
    all_to_prepaid: bool = False
    recovering: bool = False

    @property
    def received(self) -> Fen:
        return Fen(sum(self.notes))

    @property
    def due(self) -> Fen:
        return Fen(self.opened.due_fen)

    @property
    def holds_something(self) -> bool:
        """Money, or a claim to money, that must end in a settlement."""
        return bool(self.notes or self.claims)

    def owed(self) -> tuple[BillOwed, ...]:
        """The picked bills as payment.opened wrote them down: the same before and after a restart."""
        return tuple(picked_as_owed(self.opened, index) for index in range(len(self.opened.bills)))


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A settled payment while its person still stands here."""

    opened: PaymentOpened
    settlement: Settlement
    check_code: str = ""  # from when the settlement is on disk
    claims: tuple[Claim, ...] = ()
    outcome: Outcome = Outcome.ACCEPTED
    receipt: ReceiptState = ReceiptState.ASK
    copies_out: int = 0
    receipt_notice: Saying | None = None
    on_record: bool = False  # written down: a slip that surely came out, or that its person goes without one

    @property
    def claimed_late(self) -> bool:
        """A note turned up after the settlement, which does not name its claim."""
        return any(claim.claim_no not in self.settlement.claims for claim in self.claims)

    @property
    def to_bills(self) -> Fen:
        return Fen(sum(line.amount_fen for line in self.settlement.lines))

    @property
    def left_open(self) -> Fen:
        """What stays open on the picked bills after this payment."""
        owed = sum(picked.principal_fen + picked.late_fee_fen for picked in self.opened.bills)
        return Fen(max(0, owed - self.to_bills))

    @property
    def told_outcome(self) -> Outcome:
        """What screen and slip say: while a note is being checked, the office's page says no more of the payment either."""
        return Outcome.PROCESSING if self.claims else self.outcome


class PrintRun(msgspec.Struct, frozen=True, kw_only=True):
    """A slip on its way through the printer; it may come out after its person has gone."""

    payment_id: str
    receipt_no: str
    copy_no: int
    job_id: str


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The next number of everything that is numbered; the journal's own at start."""

    kiosk_code: str
    note: int = 1
    receipt: int = 1
    request: int = 1


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. ``view`` is on the screen; views since ``same_since`` differ from it in no place a finger could mean."""

    numbers: Numbers
    around: Surroundings = Surroundings()
    phase: Phase = Phase.ATTRACT
    visit: Visit = Visit()
    payment: CashPayment | None = None
    finished: Finished | None = None
    printing: PrintRun | None = None
    unanswered: tuple[PrintRun, ...] = ()  # slips before it that the printer may still tell about
    interrupted: tuple[CashPayment, ...] = ()  # after a restart: payments to bring to an end, in order
    untold: Finished | None = None  # after a restart: settled before it, and perhaps nobody was told
    deadlines: Deadlines = Deadlines()
    view: AnyView | None = None
    same_since: int = 0

    @property
    def under_way(self) -> str:
        """The payment that is open, or settled while it is not on record that its person knows; empty when there is none."""
        if self.payment is not None:
            return self.payment.opened.payment_id
        finished = self.finished
        if finished is not None and (not finished.on_record or finished.receipt is ReceiptState.PRINTING):
            return finished.opened.payment_id
        return ""

    @property
    def is_idle(self) -> bool:
        """Nobody is served. What waits to be told on a screen that is not there waits for the next process as well."""
        prints = self.finished is not None and self.finished.receipt is ReceiptState.PRINTING
        return self.phase is Phase.ATTRACT or (self.waits_for_a_screen and not prints)

    @property
    def waits_for_a_screen(self) -> bool:
        """What became of somebody's money is to be read, and there is nothing to read it on."""
        return self.phase in (Phase.RESULT, Phase.RECEIPT, Phase.INTERRUPTED) and not self.around.screen_here

    @property
    def view_no(self) -> int:
        return self.view.frame.view_no if self.view else 0


def picked_as_owed(opened: PaymentOpened, index: int) -> BillOwed:
    """One picked bill of a payment, rebuilt from the journal's words."""
    picked = opened.bills[index]
    day = date.fromisoformat(picked.due_on) if picked.due_on else date.min
    bill = Bill(
        bill_id=picked.bill_id,
        unit_id=opened.unit_id,
        item_code="",
        item_name=picked.item_name,
        item_name_en=picked.item_name_en,
        category="",
        period_from=day,
        period_to=day,
        due_on=day,
        version=picked.version,
        amount=Fen(picked.principal_fen),
        principal_open=Fen(picked.principal_fen),
    )
    overdue = bool(opened.business_date) and day < date.fromisoformat(str(opened.business_date))
    return BillOwed(bill=bill, late_fee=Fen(picked.late_fee_fen), late_days=picked.late_days, overdue=overdue)
