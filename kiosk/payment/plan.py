"""What a person means to pay: which bills, and how much of them."""

from collections.abc import Sequence

import msgspec

from kiosk.domain.billing import BillOwed
from kiosk.domain.money import FEN_PER_YUAN, Fen
from kiosk.payment.state import Visit
from kiosk.views import AmountChoice


class Plan(msgspec.Struct, frozen=True):
    """The bills that the person means to pay and how much of them."""

    bills: tuple[BillOwed, ...]
    due: Fen


def total(bills: Sequence[BillOwed]) -> Fen:
    return Fen(sum(owed.outstanding for owed in bills))


def payable(visit: Visit) -> tuple[BillOwed, ...]:
    return () if visit.prepay_only else visit.owed


def plan_of(visit: Visit, choice: AmountChoice | None = None) -> Plan:
    """What a choice of S07 comes to; the visit's own choice unless another is asked for."""
    choice = choice or visit.choice
    bills = payable(visit)
    picked = tuple(owed for owed in bills if owed.bill.bill_id in visit.picked)
    match choice:
        case AmountChoice.ALL:
            return Plan(bills, total(bills))
        case AmountChoice.PICKED:
            return Plan(picked, total(picked))
        case AmountChoice.OVERDUE:
            overdue = tuple(owed for owed in bills if owed.overdue)
            return Plan(overdue, total(overdue))
        case AmountChoice.OTHER:
            return Plan(picked or bills, Fen(int(visit.typed_amount or "0") * FEN_PER_YUAN))


def choices_of(visit: Visit) -> tuple[AmountChoice, ...]:
    """The chips that make a difference, in their order."""
    bills = payable(visit)
    if not bills:
        return (AmountChoice.OTHER,)
    overdue = sum(owed.overdue for owed in bills)
    found = [AmountChoice.ALL]
    if 0 < len(visit.picked) < len(bills):
        found.append(AmountChoice.PICKED)
    if 0 < overdue < len(bills):
        found.append(AmountChoice.OVERDUE)
    return (*found, AmountChoice.OTHER)


def can_pay_plan(visit: Visit) -> bool:
    return plan_of(visit).due >= FEN_PER_YUAN or (visit.choice is not AmountChoice.OTHER and plan_of(visit).due > 0)
