"""Message keys to sentences, in the payer's language.

The catalogue is ``config/messages/*.toml``, languages side by side, a key in exactly one file::

    [bills.count]
    zh-Hans = "您有 {count} 笔待缴账单"
    en = "You have {count} bills due"
    en-one = "You have 1 bill due"

``en-one`` is optional and used when ``count`` is 1. A value named ``…_fen`` becomes yuan (``{due_fen}`` → 1,234.50); a
``date``, or ISO text named ``…_on``, becomes a date of the language.
"""

import functools
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from kiosk.domain.identifiers import is_numbered
from kiosk.domain.masking import HIDDEN_ENTRANCE
from kiosk.domain.money import format_yuan

MESSAGES = Path(__file__).resolve().parents[1] / "config" / "messages"
LANGUAGES = ("zh-Hans", "en")
SINGULAR = "en-one"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAYS_ZH = "一二三四五六日"
_DAY_WORDS = (
    ("每天", "daily"), ("工作日", "working days"), ("节假日", "holidays"), ("周一", "Mon"), ("周二", "Tue"), ("周三", "Wed"),
    ("周四", "Thu"), ("周五", "Fri"), ("周六", "Sat"), ("周日", "Sun"), ("至", "–"), ("、", ", "), ("，", ", "),
)  # fmt: skip


class MissingKey(KeyError):
    """The catalogue has no such message, or not in this language; add it to config/messages."""


class MissingValue(KeyError):
    """The message has a placeholder for which no value was given."""


class DuplicateKey(ValueError):
    """Two files define one key; the message names key and both files."""


Catalogue = Mapping[str, Mapping[str, str]]


class Sayable(Protocol):
    """A key with its values, as ``views.Saying`` is; text sits below the views and does not import them."""

    @property
    def key(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str | int]: ...


def say(language: str, key: str, **values: str | int | date) -> str:
    """Return the sentence for ``key``.

    Raises:
        MissingKey: no such key or language.
        MissingValue: a placeholder without a value.
    """
    message = catalogue().get(key)
    if message is None:
        raise MissingKey(f"{key} is not in config/messages")
    template = message.get(SINGULAR) if language == "en" and values.get("count") == 1 else None
    template = template or message.get(language)
    if template is None:
        raise MissingKey(f"{key} has no {language}")
    try:
        return template.format_map({name: _written(language, name, value) for name, value in values.items()})
    except KeyError as error:
        raise MissingValue(f"{key} needs {error}") from error


def say_saying(language: str, saying: Sayable) -> str:
    """Return the sentence of a ``views.Saying``."""
    return say(language, saying.key, **saying.values)


def has(key: str) -> bool:
    return key in catalogue()


def say_date(language: str, day: date) -> str:
    """2026年2月1日; 1 Feb 2026."""
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def say_day(language: str, day: date) -> str:
    """Without the year: 2月1日; 1 Feb."""
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]}"
    return f"{day.month}月{day.day}日"


def say_period(language: str, start: date, end: date) -> str:
    """A billing period, ``end`` not included, in whole months where it is: 2025年12月; 2025年10月–12月."""
    last = end - timedelta(days=1)
    if start.day != 1 or end.day != 1:
        return f"{say_date(language, start)}–{say_date(language, last)}"
    if (start.year, start.month) == (last.year, last.month):
        return _month(language, last)
    if start.year != last.year:
        return f"{_month(language, start)}–{_month(language, last)}"
    if language == "en":
        return f"{_MONTHS[start.month - 1]}–{_month(language, last)}"
    return f"{_month(language, start)}–{last.month}月"


def say_plate(language: str, building: str, room: str) -> str:
    """The small plate, the unit without its entrance: 3栋***502; 3-***-502, as the large plate has 3 – 1 – 502."""
    key = "plate.masked" if is_numbered(building) else "plate.masked_named"
    return say(language, key, building=building, entrance=HIDDEN_ENTRANCE, room=room)


def say_clock(language: str, local_time: str, weekday: bool = True) -> tuple[str, str]:
    """Split a view's ``2026-02-06 10:24`` into day and time: 2月6日 周五, 10:24. Empty stays empty."""
    if not local_time:
        return "", ""
    moment = datetime.strptime(local_time, "%Y-%m-%d %H:%M")
    day, clock = say_day(language, moment), f"{moment:%H:%M}"
    if not weekday:
        return day, clock
    if language == "en":
        return f"{_WEEKDAYS[moment.weekday()]} {day}", clock
    return f"{day} 周{_WEEKDAYS_ZH[moment.weekday()]}", clock


def say_hours(language: str, hours: str) -> str:
    """Opening hours as the office wrote them, 每天 8:30–17:30, with the usual day words in English."""
    if language == "en":
        for chinese, english in _DAY_WORDS:
            hours = hours.replace(chinese, english)
    return hours


@functools.cache
def catalogue() -> Catalogue:
    """All messages, read once."""
    return load_catalogue(MESSAGES)


def load_catalogue(directory: Path) -> Catalogue:
    """Read every file of a directory.

    Raises:
        DuplicateKey: a key stands in two files.
    """
    messages: dict[str, Mapping[str, str]] = {}
    owners: dict[str, str] = {}
    for path in sorted(directory.glob("*.toml")):
        with path.open("rb") as file:
            found = dict(_flatten("", tomllib.load(file)))
        for key in found:
            if key in owners:
                raise DuplicateKey(f"{key} stands in {owners[key]} and {path.name}")
            owners[key] = path.name
        messages |= found
    return messages


def _flatten(prefix: str, table: Mapping[str, object]) -> list[tuple[str, dict[str, str]]]:
    """A table's texts are a message of its own name, its tables are messages below it."""
    found = []
    texts = {language: text for language, text in table.items() if isinstance(text, str)}
    if texts:
        found.append((prefix, texts))
    for name, value in table.items():
        if isinstance(value, dict):
            found += _flatten(f"{prefix}.{name}" if prefix else name, value)
    return found


def _written(language: str, name: str, value: str | int | date) -> str:
    if name.endswith("_fen"):
        return format_yuan(int(str(value)))
    if isinstance(value, date):
        return say_date(language, value)
    if name.endswith("_on") and isinstance(value, str):
        return say_date(language, date.fromisoformat(value))
    return str(value)


def _month(language: str, day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.year}" if language == "en" else f"{day.year}年{day.month}月"
