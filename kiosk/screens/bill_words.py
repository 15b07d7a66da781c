"""How a bill is written on the screens that list bills: its name, its period, its icon."""

from datetime import date, datetime, timedelta
from typing import Protocol

from kiosk import text
from kiosk.domain import factors

_ICONS = {
    "property": "house",
    "parking": "car",
    "water": "drop",
    "power": "bolt",
    "deposit": "wallet",
}


class NamedPeriod(Protocol):
    """What bill rows, allocation rows and explanations have in common."""

    @property
    def item_name(self) -> str: ...
    @property
    def item_name_en(self) -> str: ...
    @property
    def period_from(self) -> date: ...
    @property
    def period_to(self) -> date: ...


def item_name(language: str, bill: NamedPeriod) -> str:
    return (bill.item_name_en or bill.item_name) if language == "en" else bill.item_name


def period(language: str, bill: NamedPeriod) -> str:
    return text.say_period(language, bill.period_from, bill.period_to)


def short_period(language: str, bill: NamedPeriod, local_time: str) -> str:
    """Without the year where that can't be mistaken: within twelve months of today. An unset clock keeps the year."""
    whole = period(language, bill)
    if not local_time:
        return whole
    today = datetime.strptime(local_time, "%Y-%m-%d %H:%M").date()
    last = bill.period_to - timedelta(days=1)
    if last.year != bill.period_from.year or not 0 <= (today - bill.period_from).days < 365:
        return whole
    return whole.replace(f"{last.year}年", "").replace(f" {last.year}", "")


def factor(language: str, value: str) -> str:
    return factors.in_english(value) if language == "en" else value


def icon(category: str) -> str:
    return _ICONS.get(category, "list")


def by_sentences(words: str) -> str:
    """Each sentence on a line of its own: what stands alone on a card should not break in the middle of a word."""
    return words.replace("。", "。\n").replace(". ", ".\n").strip()
