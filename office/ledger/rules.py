"""The chart of accounts and the one rule of the books: every entry sums to zero. Pure.

Source: office-domain section 7.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CASH_AT_OFFICE = "1001"
CASH_IN_KIOSK = "1009.K"
RECEIVABLE = "1122"
DIFFERENCE = "1901"
PREPAID = "2203"
THIRD_PARTY = "2241.t"
DEPOSITS = "2241.d"
SUSPENSE = "2241.s"
REVENUE = "6001"
LATE_FEE_GAIN = "6301"

# code, name, English name, type
CHART: tuple[tuple[str, str, str, str], ...] = (
    (CASH_AT_OFFICE, "库存现金", "Cash at the office", "asset"),
    ("1002", "银行存款", "Bank", "asset"),
    (CASH_IN_KIOSK, "自助终端钱箱", "Cash in kiosk boxes", "asset"),
    ("1010", "在途现金", "Cash in transit", "asset"),
    (RECEIVABLE, "应收账款", "Receivable", "asset"),
    (DIFFERENCE, "待处理财产损溢", "Difference under investigation", "asset"),
    (PREPAID, "预收账款", "Prepaid balances", "liability"),
    (THIRD_PARTY, "代收代付", "Collected for third parties", "liability"),
    (DEPOSITS, "押金", "Deposits", "liability"),
    (SUSPENSE, "待查款项", "Suspense", "liability"),
    (REVENUE, "物业费收入", "Fee revenue", "revenue"),
    (LATE_FEE_GAIN, "违约金及其他利得", "Late fees and other gains", "revenue"),
)


class Unbalanced(ValueError):
    """The lines of an entry do not sum to zero; posting it would damage the books."""


@dataclass(frozen=True)
class Line:
    """One line of an entry before it is posted: debit positive, credit negative."""

    account: str
    amount_fen: int
    unit_id: uuid.UUID | None = None
    kiosk_id: uuid.UUID | None = None
    fee_item_id: uuid.UUID | None = None
    bill_id: uuid.UUID | None = None


def balanced(lines: Iterable[Line]) -> list[Line]:
    """The lines without empty ones.

    Raises:
        Unbalanced: they do not sum to zero.
    """
    kept = [line for line in lines if line.amount_fen]
    if off := sum(line.amount_fen for line in kept):
        raise Unbalanced(f"the lines are off by {off} fen: {kept}")
    return kept


def issue_account(category: str, *, third_party: bool) -> str:
    """The account that a bill of this item credits when it is issued."""
    if third_party:
        return THIRD_PARTY
    return DEPOSITS if category == "deposit" else REVENUE


def bill_issued(amount_fen: int, account: str, **where: uuid.UUID) -> Sequence[Line]:
    """+1122 −6001, or −2241 where the money is someone else's."""
    return (Line(RECEIVABLE, amount_fen, **where), Line(account, -amount_fen, **where))


def note_credited(
    face_fen: int, kiosk_id: uuid.UUID, unit_id: uuid.UUID | None, against: str = SUSPENSE
) -> Sequence[Line]:
    """A note is money in the box the moment it is credited, whatever becomes of its payment; until that is settled
    it stands in suspense. Settling moves it on, so both entries together are office-domain section 7.2's one line."""
    return (
        Line(CASH_IN_KIOSK, face_fen, kiosk_id=kiosk_id),
        Line(against, -face_fen, kiosk_id=kiosk_id, unit_id=unit_id),
    )


def claim_answered(amount_fen: int, *, in_books: bool, kiosk_id: uuid.UUID | None, unit_id: uuid.UUID | None) -> Line:
    """The debit of what a payer gets for a claim: out of suspense, or, while nobody knows whether the note is in the box, a
    difference that a count or the kiosk itself takes back."""
    return Line(SUSPENSE if in_books else DIFFERENCE, amount_fen, kiosk_id=kiosk_id, unit_id=unit_id)
