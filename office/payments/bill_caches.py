"""What a bill row says of itself after it was paid: steps, status, version, and a small late fee that is waived."""

import datetime
from collections.abc import Sequence

from kiosk.domain.late_fee import WAIVED_GAP_FEN, PrincipalStep, steps_after
from kiosk.domain.money import Fen
from office.billing.models import Bill
from office.billing.rules import late_fee_open
from office.billing.wire import domain_rule, domain_steps, first_day
from office.payments.models import Allocation


def late_fee_open_on(bill: Bill, date: datetime.date) -> int:
    settled = bill.late_fee_paid_fen + bill.late_fee_waived_fen
    return late_fee_open(domain_rule(bill.late_rule), bill.due_on, domain_steps(bill), settled, date)[0]


def bring_up_to_date(bill: Bill, new: Sequence[Allocation], date: datetime.date) -> int:
    """Save a bill whose paid amounts already count ``new``, allocations not stored yet; the late fee that keeps it open
    though its principal is paid, else 0. A late fee that an offline kiosk could not know of is waived if small."""
    earlier = Allocation.objects.filter(bill=bill, component="principal").values_list("date", "amount_fen")
    now = [(part.date, part.amount_fen) for part in new if part.component == "principal"]
    steps = steps_after([PrincipalStep(first_day(bill), Fen(bill.amount_fen))], [*earlier, *now])
    bill.steps = [[step.since.isoformat(), step.open_fen] for step in steps]
    gap = late_fee_open_on(bill, date) if bill.principal_open_fen == 0 else 0
    if gap <= WAIVED_GAP_FEN:
        bill.late_fee_waived_fen += gap
        gap = 0
    done = bill.principal_open_fen == 0 and not gap
    bill.status = Bill.Status.PAID if done else Bill.Status.PARTLY_PAID
    bill.version += 1
    bill.save()
    return gap
