"""Books with everything in them that an office may meet: bills of each state, exceptions, claims ended in each way."""

import uuid

from kiosk.domain.events import NoteUnknown
from office.demo import visits
from office.payments import claims
from office.payments.models import SuspenseItem
from office.staff.models import Role
from tests.office.estate import TODAY, add_person, build_estate

HUNDRED = 10000


def fill_busy_books() -> None:
    """Fill an empty database."""
    estate = build_estate()
    estate.pay(["aug"], [HUNDRED] * 3)
    estate.pay(["water"], [HUNDRED])
    estate.pay([], [HUNDRED])
    visits.pay(estate.writer, str(uuid.UUID(int=7)), estate.kiosk.code, [], [HUNDRED], TODAY)
    told = {"payment_id": None, "face_fen": HUNDRED, "acceptor_serial": "S", "reason": "power cut"}
    for number in range(91, 94):
        estate.writer.append(NoteUnknown(**told, note_no=number, claim_no=f"YG01-Q{number:06d}"))
    estate.checkpoint()
    estate.upload()
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    add_person(estate.project, Role.DUNNING)
    items = SuspenseItem.objects.filter(kind="note_unknown").order_by("claim_no")
    for item, outcome in zip(items, ("credit", "refund"), strict=False):
        claims.confirm(finance, claims.propose(clerk, item, outcome, "why", unit=estate.unit))
