"""How amounts, counts, ages, periods and states are written on every staff page (shared/design/office/README.md)."""

from datetime import date, datetime, timedelta

from django import template
from django.template.defaultfilters import date as date_text
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from kiosk.domain.identifiers import parse_address
from kiosk.domain.money import format_yuan
from office.kiosks.when import NOBODY_KNOWS_BEFORE
from office.staff.pages import words
from office.staff.pages.fault_words import FaultWords, fault
from office.staff.pages.people import name_of

register = template.Library()

NOTHING = "–"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


@register.filter
def yuan(fen: int | None) -> str:
    """1,234.50 for a column whose head names the unit; nothing there is a dash."""
    return NOTHING if fen is None else format_yuan(fen)


@register.filter
def yuan_or_dash(fen: int | None) -> str:
    """As ``yuan``, with a dash for zero: for columns where zero means that there is nothing to say."""
    return format_yuan(fen) if fen else NOTHING


@register.filter
def mark(fen: int | None) -> str:
    """¥1,234.50 for totals, headlines and prose."""
    if fen is None:
        return NOTHING
    return f"{'−' if fen < 0 else ''}¥{format_yuan(abs(fen))}"


@register.filter
def signed(fen: int) -> str:
    """+46.57 or −46.57: columns of changes only."""
    return f"+{format_yuan(fen)}" if fen > 0 else format_yuan(fen)


@register.filter
def face(fen: int) -> str:
    """A note's face in yuan, without decimals: 100."""
    return f"{int(fen) // 100:,}"


@register.filter
def n(count: int | None) -> str:
    """A count with thousands comma; unknown is a dash, never 0."""
    return NOTHING if count is None else f"{count:,}"


@register.filter
def age(seconds: float | timedelta | None) -> str:
    """1 天 4 小时, 1 d 4 h: two units at most."""
    if seconds is None:
        return NOTHING
    whole = max(0, int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds))
    days, hours, minutes = whole // DAY_S, whole % DAY_S // HOUR_S, whole % HOUR_S // MINUTE_S
    if days:
        parts = [gettext("{n} 天").format(n=days), gettext("{n} 小时").format(n=hours) if hours else ""]
    elif hours:
        parts = [gettext("{n} 小时").format(n=hours), gettext("{n} 分").format(n=minutes) if minutes else ""]
    elif minutes:
        parts = [gettext("{n} 分").format(n=minutes)]
    else:
        parts = [gettext("{n} 秒").format(n=whole)]
    return " ".join(part for part in parts if part)


@register.filter
def ago(seconds: float | timedelta | None) -> str:
    """How long since a kiosk was heard, in steps that do not flicker: 刚刚, 20 秒前, 3 分前."""
    if seconds is None:
        return gettext("未知")
    whole = max(0, int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds))
    if whole < 10:
        return gettext("刚刚")
    if whole < MINUTE_S:
        whole -= whole % 10
    return gettext("{age}前").format(age=age(whole))


@register.filter(expects_localtime=True)
def dated(at: datetime | None, form: str) -> str:
    """A time in this form; a dash for one of a clock that was never set."""
    return date_text(at, form) if at and at >= NOBODY_KNOWS_BEFORE else NOTHING


@register.filter
def unit_title(code: str) -> str:
    """3栋1单元502 in titles; codes of another form and English keep the code."""
    address = parse_address(code)
    if address is None or get_language() == "en":
        return code
    return f"{address.building}栋{address.entrance}单元{address.room}"


@register.simple_tag
def period(first: date, after: date) -> str:
    """The months of a half-open period: 2026-10, 2026-09 至 10, 2026-12 至 2027-01."""
    last = after - timedelta(days=1)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    until = f"{last:%m}" if first.year == last.year else f"{last:%Y-%m}"
    return gettext("{first} 至 {until}").format(first=f"{first:%Y-%m}", until=until)


@register.simple_tag
def st(state: words.State, *, more: str = "") -> SafeString:
    """A state as shape and word."""
    return format_html('<span class="st {}">{}{}</span>', state.shape, state.word, f" {more}" if more else "")


@register.simple_tag
def bilingual(zh: str, en: str) -> str:
    """A text that the estate keeps in both languages; the English one may be missing."""
    return en if en and get_language() == "en" else zh


@register.simple_tag
def building_word(name: str) -> str:
    return gettext("{name}栋").format(name=name)


@register.simple_tag
def fault_words(code: str) -> FaultWords:
    return fault(code)


@register.simple_tag
def note_state(code: str) -> SafeString:
    return st(words.state(words.NOTE, code))


@register.simple_tag
def person(user: object) -> str:
    return name_of(user) if user else ""


@register.simple_tag
def skew(ms: int) -> str:
    """How far a clock is off: 偏差 +0.1 秒."""
    tenths = round(ms / 100)
    return gettext("偏差 {seconds} 秒").format(seconds=f"{tenths / 10:+.1f}".replace("-", "−") if tenths else "0.0")


@register.filter
def hash8(digest: bytes) -> str:
    """The first eight hex digits of a hash, as slips and tables show it."""
    return bytes(digest).hex()[:8]


@register.filter
def get(mapping: dict, key: object) -> object:
    """A value by a key that only the page knows."""
    return mapping.get(key)
