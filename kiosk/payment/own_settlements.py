"""Bills as the office told them, minus what this kiosk has settled since: an older answer must not be paid twice.

Source: decisions 16.
"""

from datetime import date

from msgspec.structs import replace

from kiosk.domain.allocation import Component
from kiosk.domain.billing import Bill
from kiosk.domain.late_fee import PrincipalStep
from kiosk.domain.money import Fen
from kiosk.office_client.events import BillsFound
from kiosk.offline_queue.records import OwnSettlements


def less_own(found: BillsFound, own: OwnSettlements, today: date | None) -> BillsFound:
    """Subtract ``own`` (what we settled after ``found.applied_seq``) from bills and prepaid balance."""
    if not own.bills and not own.prepaid:
        return found
    bills = tuple(_less(bill, own.bills.get(bill.bill_id, {}), today or found.as_of) for bill in found.bills)
    prepaid = Fen(found.unit.prepaid + own.prepaid.get(found.unit.unit_id, 0))
    return replace(found, bills=bills, unit=replace(found.unit, prepaid=prepaid))


def _less(bill: Bill, paid: dict[str, int], today: date) -> Bill:
    if not paid:
        return bill
    principal = Fen(max(0, bill.principal_open - paid.get(Component.PRINCIPAL, 0)))
    fee = paid.get(Component.LATE_FEE, 0)
    # What is paid bears no late fee from today on; the days before were paid with it.
    steps = (*bill.steps, PrincipalStep(today, principal)) if principal != bill.principal_open else bill.steps
    return replace(
        bill,
        principal_open=principal,
        late_fee_settled=Fen(bill.late_fee_settled + fee),
        late_fee_quoted=Fen(max(0, bill.late_fee_quoted - fee)),
        steps=steps,
    )
