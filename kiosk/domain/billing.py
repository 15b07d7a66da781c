"""What a household owes: units, bills, and what each bill comes to on a given day."""

from datetime import date

import msgspec

from kiosk.domain.late_fee import LateFeeRule, PrincipalStep, late_fee
from kiosk.domain.money import Fen


class Unit(msgspec.Struct, frozen=True, kw_only=True, rename={"prepaid": "prepaid_fen"}):
    """A dwelling or shop (房号) as a kiosk may know it: the owner's name is already masked by the office."""

    unit_id: str
    code: str  # 3-1-502
    building: str
    entrance: str
    room: str
    masked_name: str
    prepaid: Fen = Fen(0)


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One factor of a formula: its value with unit, and what it is, e.g. 98.24 ㎡, 建筑面积."""

    value: str
    caption: str
    caption_en: str


class ComputedLine(msgspec.Struct, frozen=True, kw_only=True, rename={"amount": "amount_fen"}):
    """One line under the formula; reductions are negative. The lines add up to the bill's amount."""

    text: str
    text_en: str
    amount: Fen


class Computation(msgspec.Struct, frozen=True, kw_only=True):
    """How a bill's principal was computed, in the parts that S06 shows."""

    factors: tuple[Factor, ...] = ()
    lines: tuple[ComputedLine, ...] = ()
    basis: str = ""  # contract clause, in the estate's language


_ON_THE_WIRE = {
    "amount": "amount_fen",
    "principal_open": "principal_open_fen",
    "late_fee_settled": "late_fee_settled_fen",
    "late_fee_quoted": "late_fee_quoted_fen",
}


class Bill(msgspec.Struct, frozen=True, kw_only=True, rename=_ON_THE_WIRE):
    """One bill (账单) as the office last told it, with everything needed to compute its late fee."""

    bill_id: str
    unit_id: str
    item_code: str
    item_name: str
    item_name_en: str
    category: str  # property, water, power, parking, ...; picks the icon
    period_from: date  # half-open [from, to)
    period_to: date
    due_on: date
    version: int
    amount: Fen  # principal as issued, adjustments included
    principal_open: Fen
    late_fee_settled: Fen = Fen(0)  # late fee of this bill already paid or waived
    rule: LateFeeRule | None = None  # None: this item never bears a late fee
    steps: tuple[PrincipalStep, ...] = ()
    computation: Computation = Computation()
    late_fee_quoted: Fen = Fen(0)  # the office's own figure, for a kiosk whose clock is unset
    late_days_quoted: int = 0

    def owed_on(self, as_of: date | None) -> "BillOwed":
        """What is open on a business date; ``None`` (clock unset) takes the office's quoted late fee."""
        if as_of is None:
            return BillOwed(bill=self, late_fee=self.late_fee_quoted, late_days=self.late_days_quoted, overdue=False)
        whole = late_fee(self.rule, self.due_on, self.steps, as_of) if self.rule else None
        open_fee = max(0, whole.amount - self.late_fee_settled) if whole else 0
        return BillOwed(
            bill=self,
            late_fee=Fen(open_fee),
            late_days=whole.days if whole else 0,
            overdue=as_of > self.due_on,
        )


class BillOwed(msgspec.Struct, frozen=True, kw_only=True):
    """A bill on a given day: open principal plus open late fee."""

    bill: Bill
    late_fee: Fen
    late_days: int
    overdue: bool

    @property
    def outstanding(self) -> Fen:
        return Fen(self.bill.principal_open + self.late_fee)


def in_paying_order(bills: list[BillOwed]) -> list[BillOwed]:
    """Overdue first, then older due date; ties by bill id so that every screen and slip agrees."""
    return sorted(bills, key=lambda owed: (not owed.overdue, owed.bill.due_on, owed.bill.bill_id))
