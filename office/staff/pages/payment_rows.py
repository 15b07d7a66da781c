"""A payment as one row of a list: its state as shape and word, and what became of the money in one line."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kiosk.domain.masking import mask_name
from kiosk.domain.money import format_yuan
from office.payments.models import Allocation, Case, Payment
from office.payments.selectors import shown_state
from office.property.models import Occupancy
from office.staff.pages import words


@dataclass(frozen=True)
class PaymentRow:
    payment: Payment
    state: words.State
    masked_name: str
    summary: str
    to_decide: bool

    @property
    def suspense(self) -> words.State:
        return words.PAYMENT["suspense"]

    @property
    def unit_code(self) -> str:
        return self.payment.unit.code if self.payment.unit else _("未选房号")


def state_of(payment: Payment, kind: str = "") -> words.State:
    """What a clerk asked shows first, then what an open case is about (its ``kind``), then the plain state."""
    shown = shown_state(payment)
    if kind and shown in ("booked", "exception", "suspense"):
        return words.state(words.CASE, kind)
    return words.state(words.PAYMENT, shown)


def summary_of(payment: Payment, bills: int) -> str:
    """Where the money went, in a list's width."""
    parts = []
    if bills:
        parts.append(ngettext("缴 {n} 笔账单", "缴 {n} 笔账单", bills).format(n=bills))
    if payment.prepaid_fen:
        parts.append(_("预存 {sum}").format(sum=format_yuan(payment.prepaid_fen)))
    if payment.suspense_fen:
        parts.append(_("待查 {sum}").format(sum=format_yuan(payment.suspense_fen)))
    if payment.offline:
        parts.append(_("离线受理"))
    return _("，").join(parts)


def masked_names(unit_ids: Iterable[object]) -> dict[object, str]:
    """The name shown beside a room number: who pays, masked; the first by date when several do."""
    names: dict[object, str] = {}
    living = Occupancy.objects.filter(unit__in=set(unit_ids), until__isnull=True).select_related("party")
    for occupancy in living.order_by("-pays", "since"):
        names.setdefault(occupancy.unit_id, mask_name(occupancy.party.name))
    return names


def first_open_kinds(payments: list[Payment]) -> dict[object, str]:
    """The kind of each payment's oldest open case."""
    kinds: dict[object, str] = {}
    cases = Case.objects.filter(payment__in=payments, state=Case.State.OPEN).order_by("opened_at", "id")
    for payment_id, kind in cases.values_list("payment_id", "kind"):
        kinds.setdefault(payment_id, kind)
    return kinds


def payment_rows(found: Iterable[Payment]) -> list[PaymentRow]:
    """Rows in the given order, in three more queries; ``found`` should come with its units."""
    payments = list(found)
    kinds = first_open_kinds(payments)
    names = masked_names(payment.unit_id for payment in payments if payment.unit_id)
    counted = Allocation.objects.filter(payment__in=payments).values("payment").annotate(n=Count("bill", distinct=True))
    bills = {row["payment"]: row["n"] for row in counted.order_by("payment")}
    return [
        PaymentRow(
            payment=payment,
            state=state_of(payment, kinds.get(payment.id, "")),
            masked_name=names.get(payment.unit_id, ""),
            summary=summary_of(payment, bills.get(payment.id, 0)),
            to_decide=payment.id in kinds,
        )
        for payment in payments
    ]
