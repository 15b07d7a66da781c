"""Views: one frozen value per screen, holding all that a screen may know.

The agent sends them, the screen draws them; nothing else crosses in that direction. Money is integer fen, dates are
dates, sentences are message keys with their values, so that a language switch redraws everything. Deadlines are
monotonic seconds of the machine's clock, which both processes share. Names are masked before they get here.
"""

from datetime import date
from enum import StrEnum

import msgspec

from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome


class Step(StrEnum):
    """The step line: ①身份 ②核对 ③选账单 ④付款 ⑤取凭条."""

    IDENTIFY = "identify"
    VERIFY = "verify"
    BILLS = "bills"
    PAY = "pay"
    RECEIPT = "receipt"


class Saying(msgspec.Struct, frozen=True):
    """A message key and its values; ``say(language, key, **values)`` makes the sentence.

    Values ending in ``_fen`` are formatted as yuan by the catalogue.
    """

    key: str
    values: dict[str, str | int] = {}


class Countdown(msgspec.Struct, frozen=True, kw_only=True):
    """A bar of time that runs out at ``ends_at`` (monotonic seconds) after ``total_s``."""

    ends_at: float
    total_s: float


class Dialog(StrEnum):
    """What lies over a screen; the screen below stays as it was."""

    NONE = ""
    MORE_TIME = "more_time"  # E70
    HELP = "help"  # who to call, kiosk number, what to say


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every screen shows around its own content."""

    view_no: int = 0
    language: str = "zh-Hans"
    mode: str = "standard"
    can_switch_language: bool = True  # not once money is in
    estate: str = ""
    estate_en: str = ""
    kiosk_code: str = ""
    local_time: str = ""  # 2026-11-24 16:20, or empty while the clock is unset
    step: Step | None = None
    plate: tuple[str, ...] = ()  # building and room, for the small plate: 3栋***502
    phone: str = ""
    offline: bool = False  # the office can't be reached
    bills_as_of: str = ""  # local time of cached bills, when those are shown
    dialog: Dialog = Dialog.NONE
    dialog_countdown: Countdown | None = None
    code: str = ""  # fault code, small at bottom right
    can_cancel: bool = False
    can_go_back: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True, tag_field="screen"):
    """Base of all views."""

    frame: Frame


class CashPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where, when and how cash can be paid to a person; a legal line of S01, S08 and S16."""

    place: str = ""
    place_en: str = ""
    hours: str = ""


class AttractView(View, frozen=True, kw_only=True, tag="attract"):
    """S01. ``notice`` warns the next user, e.g. to take a slip left behind."""

    methods: tuple[str, ...] = ()  # message keys of what works now: method.cash, ...
    faces: tuple[Fen, ...] = ()
    cash_place: CashPlace = CashPlace()
    notice: Saying | None = None


class HomeView(View, frozen=True, kw_only=True, tag="home"):
    """S02: what do you want? ``tiles`` in order; the first is 缴费."""

    tiles: tuple[str, ...] = ("pay",)


class BuildingView(View, frozen=True, kw_only=True, tag="identify_building"):
    """S03, first question."""

    buildings: tuple[str, ...] = ()
    page: int = 0
    pages: int = 1


class EntranceView(View, frozen=True, kw_only=True, tag="identify_entrance"):
    """S03, second question."""

    building: str = ""
    entrances: tuple[str, ...] = ()


class RoomView(View, frozen=True, kw_only=True, tag="identify_room"):
    """S03, third question: digits on a keypad. ``error`` is E10 or E11 in words; ``wait`` runs after wrong tries."""

    building: str = ""
    entrance: str = ""
    digits: str = ""
    max_digits: int = 4
    can_confirm: bool = False
    error: Saying | None = None
    wait: Countdown | None = None


class TypedAddressView(View, frozen=True, kw_only=True, tag="identify_typed"):
    """S03, the whole number typed as 3-1-502 or 03010502; ``parsed`` says it in words."""

    typed: str = ""
    parsed: Saying | None = None  # unit.words with building, entrance, room
    can_confirm: bool = False
    error: Saying | None = None
    wait: Countdown | None = None


class WaitingView(View, frozen=True, kw_only=True, tag="waiting"):
    """E20: something is being asked; after ``slow`` the person may cancel."""

    saying: Saying
    slow: bool = False


class VerifyView(View, frozen=True, kw_only=True, tag="verify"):
    """S04: is this the household? Room in full, name masked, no debt."""

    building: str
    entrance: str
    room: str
    masked_name: str


class BillRowView(msgspec.Struct, frozen=True, kw_only=True):
    """One bill in a list. ``amount`` includes the late fee."""

    bill_id: str
    item_name: str
    item_name_en: str
    category: str
    period_from: date
    period_to: date  # half-open
    due_on: date
    amount: Fen
    late_fee: Fen
    overdue: bool
    picked: bool


class BillListView(View, frozen=True, kw_only=True, tag="bill_list"):
    """S05. ``rows`` is the page on show; totals are over everything picked."""

    rows: tuple[BillRowView, ...]
    page: int
    pages: int
    count: int
    overdue_count: int
    picked_count: int
    picked_total: Fen
    amounts_shown: bool
    prepaid: Fen
    notice: Saying | None = None  # bills changed, offline with time, nothing to pay, just paid


class ExplainView(View, frozen=True, kw_only=True, tag="explain"):
    """S06: how one bill was computed."""

    item_name: str
    item_name_en: str
    period_from: date
    period_to: date
    due_on: date
    factors: tuple[tuple[str, str, str], ...]  # value, caption, English caption
    lines: tuple[tuple[str, str, Fen], ...]  # text, English text, amount
    late_fee: Fen
    late_days: int
    late_rate_ppm: int
    total: Fen
    basis: str
    payee: str
    complaint: str


class AmountChoice(StrEnum):
    """The chips of S07."""

    ALL = "all"
    PICKED = "picked"
    OVERDUE = "overdue"
    OTHER = "other"


class AmountOption(msgspec.Struct, frozen=True, kw_only=True):
    """One chip: what it pays and for how many bills."""

    choice: AmountChoice
    amount: Fen | None  # None: not typed yet
    bill_count: int


class AllocationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of "this is how it will be spread"; ``cleared`` means nothing stays open."""

    item_name: str
    item_name_en: str
    period_from: date
    period_to: date
    amount: Fen
    cleared: bool


class AmountView(View, frozen=True, kw_only=True, tag="amount"):
    """S07. While ``typing`` a keypad takes the other amount in yuan; prepayment shows as ``to_prepaid``."""

    options: tuple[AmountOption, ...]
    chosen: AmountChoice
    typing: bool
    typed: str
    error: Saying | None
    rows: tuple[AllocationRow, ...]
    more_rows: int  # rows that did not fit
    to_prepaid: Fen
    amount: Fen
    can_continue: bool


class MethodOption(msgspec.Struct, frozen=True, kw_only=True):
    """A tile of S08; ``reason`` is set when it can't be used now."""

    method: str  # cash, scan, card, prepaid
    reason: Saying | None = None


class MethodView(View, frozen=True, kw_only=True, tag="method"):
    """S08. ``no_receipt`` asks consent when there is no paper (E51)."""

    due: Fen
    bill_count: int
    options: tuple[MethodOption, ...]
    faces: tuple[Fen, ...]
    cash_place: CashPlace
    no_receipt: bool = False


class CashState(StrEnum):
    """What the slot is doing, in the payer's terms."""

    GETTING_READY = "getting_ready"
    READY = "ready"
    READING = "reading"
    KEEPING = "keeping"
    RETURNING = "returning"
    STOPPED = "stopped"  # with a notice that says why


class InsertCashView(View, frozen=True, kw_only=True, tag="insert_cash"):
    """S09. ``counted`` rises only with credited notes."""

    due: Fen
    counted: Fen
    notes: tuple[tuple[Fen, int], ...]  # counted so far, largest face first
    suggested: tuple[tuple[Fen, int], ...]
    surplus_if_suggested: Fen
    faces: tuple[Fen, ...]
    state: CashState
    can_finish: bool
    notice: Saying | None = None  # E30, E31, E33, E34, E35, E36, or an answer to 取消 after money is in
    notice_is_calm: bool = False

    @property
    def missing(self) -> Fen:
        return Fen(max(0, self.due - self.counted))


class HeldNoteView(View, frozen=True, kw_only=True, tag="held_note"):
    """S10: this note would exceed what is due; keep the rest as prepayment, or give the note back."""

    face: Fen
    due: Fen
    counted: Fen
    surplus: Fen
    countdown: Countdown


class ResultView(View, frozen=True, kw_only=True, tag="result"):
    """S13: one of the four outcomes, in one sentence, with the number to ask by."""

    outcome: Outcome
    received: Fen
    to_bills: Fen
    bill_count: int
    to_prepaid: Fen
    prepaid_after: Fen | None
    left_open: Fen
    receipt_no: str
    can_print: bool = True  # else nobody may be told to keep a slip
    claims: tuple[Claim, ...] = ()
    notice: Saying | None = None
    countdown: Countdown | None = None


class ReceiptState(StrEnum):
    """What the printer is doing with this payment's slip."""

    ASK = "ask"
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    NO_PAPER = "no_paper"


class ReceiptView(View, frozen=True, kw_only=True, tag="receipt"):
    """S14: print or not; then take it. ``check_code`` and ``claims``: what a slip would say, where none came out."""

    state: ReceiptState
    outcome: Outcome
    received: Fen
    receipt_no: str
    notice: Saying | None = None
    countdown: Countdown | None = None
    can_reprint: bool = False
    check_code: str = ""
    claims: tuple[Claim, ...] = ()


class DoneView(View, frozen=True, kw_only=True, tag="done"):
    """S15: take your things; everything is wiped."""

    took_receipt: bool
    countdown: Countdown


class TroubleView(View, frozen=True, kw_only=True, tag="trouble"):
    """An error in its three parts: what happened, where the money is, what to do; then the way on."""

    saying: Saying  # error.e22 and so on; the catalogue holds .what .money .next for each
    choices: tuple[
        str, ...
    ]  # message keys of the ways on, main one last: trouble.retry, trouble.other_room, trouble.finish
    amount: Fen | None = None
    claims: tuple[Claim, ...] = ()
    next_step: Saying | None = None  # what to do, where it is not the saying's own
    check_code: str = ""  # where surely no slip comes


class OutOfServiceView(View, frozen=True, kw_only=True, tag="out_of_service"):
    """S16: what is wrong in one line, what still works, where cash can go, since when.

    ``money_unsure``: somebody's money may be in here without the record that says whose.
    """

    reason: Saying
    cash_place: CashPlace
    since: str
    still_works: tuple[str, ...] = ()
    unsettled: tuple[Claim, ...] = ()
    money_unsure: bool = False


AnyView = (
    AttractView | HomeView | BuildingView | EntranceView | RoomView | TypedAddressView | WaitingView | VerifyView
    | BillListView | ExplainView | AmountView | MethodView | InsertCashView | HeldNoteView | ResultView | ReceiptView
    | DoneView | TroubleView | OutOfServiceView
)  # fmt: skip
