"""Allocation (分摊): spreading a payment over bills by the law's default order."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from itertools import groupby

import msgspec

from kiosk.domain.billing import BillOwed
from kiosk.domain.money import Fen, share_by_weight


class Component(StrEnum):
    """Which part of a bill a line pays; inside a bill the order is cost, late fee, principal."""

    COST = "cost"
    LATE_FEE = "late_fee"
    PRINCIPAL = "principal"


class AllocationLine(msgspec.Struct, frozen=True):
    """Part of a payment that pays one component of one bill."""

    bill_id: str
    component: Component
    amount: Fen


class Allocation(msgspec.Struct, frozen=True):
    """Lines plus prepayment always equal the amount paid."""

    lines: tuple[AllocationLine, ...]
    prepayment: Fen

    def paid_to(self, bill_id: str) -> Fen:
        return Fen(sum(line.amount for line in self.lines if line.bill_id == bill_id))


def allocate(paid: Fen, bills: Sequence[BillOwed], as_of: date | None = None) -> Allocation:
    """Spread ``paid`` over the picked ``bills``; what is left becomes prepaid balance (预存).

    Due bills come before bills not yet due, older due date first, equal due dates in proportion to what is open
    (largest remainder). Without a date (clock unset) only the due dates order. Source: Civil Code art. 560-561,
    office-domain section 6.
    """

    def rank(owed: BillOwed) -> tuple[bool, date]:
        return (as_of is not None and owed.bill.due_on > as_of, owed.bill.due_on)

    left, lines = paid, list[AllocationLine]()
    ordered = sorted(bills, key=lambda owed: (*rank(owed), owed.bill.bill_id))
    for _, same_rank in groupby(ordered, key=rank):
        group = list(same_rank)
        open_fen = [owed.outstanding for owed in group]
        given = min(left, sum(open_fen))
        for owed, share in zip(group, share_by_weight(given, open_fen), strict=True):
            lines += _within_bill(owed, Fen(share))
        left = Fen(left - given)
    return Allocation(tuple(lines), prepayment=left)


def _within_bill(owed: BillOwed, share: Fen) -> list[AllocationLine]:
    to_late_fee = min(share, owed.late_fee)
    parts = ((Component.LATE_FEE, to_late_fee), (Component.PRINCIPAL, share - to_late_fee))
    return [AllocationLine(owed.bill.bill_id, component, Fen(amount)) for component, amount in parts if amount > 0]


def suggest_notes(missing: Fen, faces: Sequence[Fen]) -> dict[Fen, int]:
    """The fewest notes that cover ``missing`` without a surplus of one yuan or more, largest first."""
    whole_yuan = -(-missing // 100) * 100
    notes: dict[Fen, int] = {}
    for face in sorted(faces, reverse=True):
        count, whole_yuan = divmod(whole_yuan, face)
        if count:
            notes[face] = count
    return notes if whole_yuan == 0 else {}
