"""What the kiosk reported against what the office booked, line by line; only where the two differ."""

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext

from kiosk.domain.events import PaymentPartial, PaymentSettled, UnknownEvent, decode
from office.billing.models import Bill
from office.payments.selectors import PaymentPage, ShownEvent
from office.rows import read_uuid
from office.staff.pages import words
from office.staff.pages.bill_rows import bill_words


@dataclass(frozen=True)
class ComparedLine:
    name: str
    kiosk_fen: int
    office_fen: int

    @property
    def difference_fen(self) -> int:
        return self.office_fen - self.kiosk_fen


@dataclass(frozen=True)
class Comparison:
    """Money in, and where it went, by each side's account."""

    received: ComparedLine
    lines: tuple[ComparedLine, ...]

    @property
    def total(self) -> ComparedLine:
        kiosk, office = sum(line.kiosk_fen for line in self.lines), sum(line.office_fen for line in self.lines)
        return ComparedLine(gettext("去向合计"), kiosk, office)


def settlement_of(events: tuple[ShownEvent, ...]) -> PaymentSettled | PaymentPartial | None:
    """The kiosk's own account of the payment, from its stored bytes."""
    for shown in events:
        try:
            event = decode(shown.body.encode())
        except UnknownEvent:
            continue
        if isinstance(event, PaymentSettled | PaymentPartial):
            return event
    return None


def compared(page: PaymentPage) -> Comparison | None:
    """The comparison of a payment, or None when both sides say the same."""
    told = settlement_of(page.events)
    if told is None:
        return None
    kiosk: dict[tuple[str, str], int] = {}
    for line in told.lines:
        kiosk[(line.bill_id, line.component)] = kiosk.get((line.bill_id, line.component), 0) + line.amount_fen
    office: dict[tuple[str, str], int] = {}
    for part in page.allocations:
        office[(str(part.bill_id), part.component)] = (
            office.get((str(part.bill_id), part.component), 0) + part.amount_fen
        )
    payment = page.payment
    same = kiosk == office and told.prepaid_fen == payment.prepaid_fen and told.received_fen == payment.amount_fen
    if same:
        return None
    keys = list(dict.fromkeys([*kiosk, *office]))
    names = _bill_names(payment.project_id, {bill_id for bill_id, _ in keys})
    lines = [ComparedLine(_name(names, *key), kiosk.get(key, 0), office.get(key, 0)) for key in keys]
    lines.append(ComparedLine(gettext("转入预存"), told.prepaid_fen, payment.prepaid_fen))
    if payment.suspense_fen:
        lines.append(ComparedLine(gettext("待查款项"), 0, payment.suspense_fen))
    return Comparison(ComparedLine(gettext("收款"), told.received_fen, payment.amount_fen), tuple(lines))


def _bill_names(project_id: uuid.UUID, bill_ids: set[str]) -> dict[str, str]:
    known = [read for bill_id in bill_ids if (read := read_uuid(bill_id))]
    bills = Bill.objects.filter(project_id=project_id, id__in=known).select_related("fee_item")
    return {str(bill.id): f"{bill_words(bill).name} {bill.period_from:%Y-%m}" for bill in bills}


def _name(names: dict[str, str], bill_id: str, component: str) -> str:
    name = names.get(bill_id, gettext("这里没有的账单"))
    return f"{name} {words.word(words.COMPONENT, component)}".strip()
