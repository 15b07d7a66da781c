"""A bill in words: its name and period, how it was computed, and its state on a day."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext, ngettext

from kiosk.domain.billing import BillOwed
from kiosk.domain.factors import in_english
from kiosk.domain.money import format_yuan
from office.billing.models import Bill
from office.staff.pages import words


@dataclass(frozen=True)
class BillWords:
    bill: Bill
    name: str
    how: str
    lines: tuple[str, ...]
    state: words.State


def in_language(zh: str, en: str) -> str:
    return en if en and get_language() == "en" else zh


def bill_words(bill: Bill) -> BillWords:
    """Needs ``fee_item`` loaded."""
    computation: dict[str, Any] = bill.computation or {}
    values = [str(factor["value"]) for factor in computation.get("factors", ())]
    factors = " × ".join(in_language(value, in_english(value)) for value in values)
    lines = [in_language(line["text"], line.get("text_en", "")) for line in computation.get("lines", ())]
    return BillWords(
        bill=bill,
        name=in_language(bill.fee_item.name, bill.fee_item.name_en),
        how=factors or gettext("固定金额"),
        lines=tuple(lines) if len(lines) > 1 else (),
        state=words.state(words.BILL, bill.status),
    )


def late_text(days: int, rate_ppm: int) -> str:
    return gettext("违约金 {days} 天 × {rate}%").format(days=days, rate=f"{rate_ppm / 10_000:.2f}")


@dataclass(frozen=True)
class OwedRow:
    """An open bill on a day, with its late fee shown as it was computed."""

    bill: BillWords
    owed: BillOwed
    state: words.State
    late_how: str

    @property
    def late_fee_fen(self) -> int:
        return int(self.owed.late_fee)

    @property
    def outstanding_fen(self) -> int:
        return int(self.owed.outstanding)


def owed_row(bill: Bill, owed: BillOwed, overdue_days: int) -> OwedRow:
    state = words.BILL["issued"]
    if owed.overdue:
        late = ngettext("逾期 {n} 天", "逾期 {n} 天", overdue_days).format(n=overdue_days)
        state = words.State(words.BILL["overdue"].shape, late)
    rule, how = owed.bill.rule, ""
    if owed.late_fee and rule and (len(owed.bill.steps) > 1 or owed.bill.late_fee_settled):
        how = gettext("违约金 {rate}% × {days} 天，按欠款变化分段").format(
            rate=f"{rule.rate_ppm / 10_000:.2f}", days=owed.late_days
        )
    elif owed.late_fee and rule:
        base = format_yuan(owed.bill.principal_open)
        how = gettext("违约金 {base} × {rate}% × {days} 天").format(
            base=base, rate=f"{rule.rate_ppm / 10_000:.2f}", days=owed.late_days
        )
    return OwedRow(bill_words(bill), owed, state, how)
