"""Bills as the office told them, minus what this kiosk has settled since: an older answer must not be paid twice.

Each settlement is taken off as the office will book it, fen by fen: on its own day, as far as the bill still has room.
Source: decisions 16; office/payments/settling.py.
"""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from kiosk.domain.allocation import Component
from kiosk.domain.billing import Bill
from kiosk.domain.events import LinePaid, Settlement
from kiosk.domain.late_fee import WAIVED_GAP_FEN, steps_after
from kiosk.domain.money import Fen
from kiosk.office_client.events import BillsFound


def less_own(found: BillsFound, own: Sequence[Settlement]) -> BillsFound:
    """Take ``own``, what we settled after ``found.applied_seq`` in order, off the bills and add it to the prepaid balance."""
    if not own:
        return found
    bills = tuple(_less(bill, own, found.as_of) for bill in found.bills)
    more = sum(settled.prepaid_fen for settled in own if settled.unit_id == found.unit.unit_id)
    return replace(found, bills=bills, unit=replace(found.unit, prepaid=Fen(found.unit.prepaid + more)))


def _less(bill: Bill, own: Sequence[Settlement], as_of: date) -> Bill:
    left = bill
    for settled in own:
        # With an unset clock the office's own figure was paid, and that counts to ``as_of``.
        day = date.fromisoformat(settled.business_date) if settled.business_date else as_of
        left = _paid(left, settled, day)
    if left is bill:
        return bill
    quoted = left.owed_on(as_of)
    return replace(left, late_fee_quoted=quoted.late_fee, late_days_quoted=quoted.late_days)


def _paid(bill: Bill, settled: Settlement, day: date) -> Bill:
    """The bill after one settlement; a small late fee that is open when its principal is paid is waived, as by the office."""
    lines = [line for line in settled.lines if line.bill_id == bill.bill_id]
    fee = min(bill.owed_on(day).late_fee, _sum(lines, Component.LATE_FEE))
    principal = min(bill.principal_open, _sum(lines, Component.PRINCIPAL))
    if not fee and not principal:
        return bill
    paid = replace(
        bill,
        principal_open=Fen(bill.principal_open - principal),
        late_fee_settled=Fen(bill.late_fee_settled + fee),
        steps=tuple(steps_after(bill.steps, [(day, principal)])) if principal else bill.steps,
    )
    gap = paid.owed_on(day).late_fee
    if paid.principal_open or gap > WAIVED_GAP_FEN:
        return paid
    return replace(paid, late_fee_settled=Fen(paid.late_fee_settled + gap))


def _sum(lines: Sequence[LinePaid], component: Component) -> int:
    return sum(line.amount_fen for line in lines if line.component == component)
