"""The receipt (收据) as a value: everything on the slip, nothing about paper."""

from enum import StrEnum

import msgspec

from kiosk.domain.money import Fen


class SlipKind(StrEnum):
    """Which of the slips of ux-and-accessibility section 13.1 this is; the title follows from it."""

    RECEIPT = "receipt"  # 缴费凭条
    FAULT = "fault"  # 故障凭条: money was taken and its fate is not settled


class Outcome(StrEnum):
    """The four outcomes, the only ones screen and paper know."""

    BOOKED = "booked"  # 已入账
    ACCEPTED = "accepted"  # 已受理，待入账
    PROCESSING = "processing"  # 处理中
    NOT_COMPLETED = "not_completed"  # 未完成


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bill on the slip."""

    item_name: str
    item_name_en: str
    period: str  # 2026-11, or 2026-09 至 2026-10
    due: Fen  # open before this payment, late fee included
    late_fee_paid: Fen
    paid: Fen  # late fee included
    left: Fen


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A note whose fate is unclear, as the payer may ask about it."""

    claim_no: str
    face: Fen | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a slip says. Times are already the payer's local time; names are already masked."""

    kind: SlipKind
    language: str
    estate: str
    payee: str  # 收款单位, full name
    receipt_no: str
    kiosk_code: str
    printed_at: str  # local time of this copy
    paid_at: str  # 2026年11月24日 16:20:11 +08:00
    clock_verified: bool
    copy_no: int = 0  # 0 original; n: 补打 第 n 次
    offline: bool = False
    bills_as_of: str = ""  # time of the cached bills, when offline
    unit_words: str = ""  # 3栋 1单元 502
    masked_name: str = ""
    lines: tuple[ReceiptLine, ...] = ()
    received: Fen = Fen(0)
    notes: tuple[tuple[Fen, int], ...] = ()  # face, count; largest first
    to_prepaid: Fen = Fen(0)
    prepaid_after: Fen | None = None
    outcome: Outcome = Outcome.ACCEPTED
    claims: tuple[Claim, ...] = ()
    phone: str = ""
    complaint: str = ""
    check_code: str = ""  # journal seq and the first 8 hex digits of its hash
    link: str = ""  # what the QR holds; no personal data

    @property
    def total_paid_to_bills(self) -> Fen:
        return Fen(sum(line.paid for line in self.lines))
