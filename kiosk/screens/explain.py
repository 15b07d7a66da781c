"""S06: how one bill was computed, in its factors and lines, with the rule it rests on."""

from itertools import zip_longest

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.domain.money import Fen, format_yuan
from kiosk.screens import bill_words, theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.screens.widgets import Card
from kiosk.screens.widgets.stack import Stack
from kiosk.taps import BackTapped
from kiosk.views import ExplainView

FACTORS, LINES = 4, 5
PPM_PER_PERCENT = 10_000


class FactorCard(Card):
    """One factor of the formula: its value large, what it is below."""

    value = StringProperty()
    caption = StringProperty()


class TimesSign(Stack):
    """× between two factors."""

    shown = BooleanProperty(False)


class SumLine(Stack):
    """A line of the sum: words at the left, an amount at the right; ``less`` where it takes something off."""

    shown = BooleanProperty(False)
    words = StringProperty()
    amount = StringProperty()
    less = BooleanProperty(False)


class ExplainTall(Part):
    """Factors, sum, basis, from the top."""


class ExplainWide(Part):
    """Factors and lines in one sum at the left, the total and the basis at the right."""


load_kv(__file__)


class ExplainScreen(KioskScreen):
    """Shows the computation; the way back is the only way on."""

    has_factors = BooleanProperty(False)
    total = StringProperty()
    basis = StringProperty()
    payee = StringProperty()
    complaint = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (ExplainWide if theme.landscape() else ExplainTall)(screen=self)
        self.add_widget(self.part)
        self.factors = [FactorCard() for _ in range(FACTORS)]
        self.signs = [TimesSign() for _ in range(FACTORS - 1)]
        self.factor_lines = [SumLine() for _ in range(FACTORS)]
        shown = self.factor_lines if theme.landscape() else _between(self.factors, self.signs)
        for widget in shown:
            self.part.ids.factors.add_widget(widget)
        self.lines = [SumLine() for _ in range(LINES)]
        for line in self.lines:
            self.part.ids.lines.add_widget(line)

    def primary_pressed(self) -> None:
        """Read and understood: back to the bills."""
        self.send(BackTapped())

    def show(self, view: ExplainView) -> None:
        language, say = view.frame.language, text.say
        english = language == "en"
        item = bill_words.item_name(language, view)
        self.question = say(language, "explain.title", item=item)
        if theme.landscape():
            self.question = f"{item} {bill_words.short_period(language, view, view.frame.local_time)}"
        due = say(language, "explain.due", day=text.say_day(language, view.due_on))
        self.detail = f"{bill_words.period(language, view)}　{due}"
        self.primary_text = say(language, "explain.understood")
        self.has_factors = bool(view.factors)
        self._show_factors(view, english=english)
        self._show_lines(view, english=english)
        self.total = format_yuan(view.total)
        self.basis, self.payee, self.complaint = view.basis, view.payee, view.complaint

    def _show_factors(self, view: ExplainView, *, english: bool) -> None:
        for card, factor in zip_longest(self.factors, view.factors[:FACTORS]):
            card.shown = factor is not None
            card.value = bill_words.factor("en" if english else "zh-Hans", factor[0]) if factor else ""
            card.caption = ((factor[2] if english else "") or factor[1]) if factor else ""
        for number, (line, card) in enumerate(zip(self.factor_lines, self.factors, strict=True)):
            line.shown, line.amount = card.shown, card.value
            line.words = f"× {card.caption}" if number else card.caption
        for number, sign in enumerate(self.signs):
            sign.shown = number + 1 < len(view.factors)

    def _show_lines(self, view: ExplainView, *, english: bool) -> None:
        rows = [((line[1] if english else "") or line[0], line[2]) for line in view.lines[: LINES - 1]]
        for line, row in zip_longest(self.lines[:-1], rows):
            line.shown = row is not None
            line.words, line.amount = (row[0], _signed(row[1])) if row else ("", "")
            line.less = bool(row and row[1] < 0)
        self._show_late_fee(view)

    def _show_late_fee(self, view: ExplainView) -> None:
        """On the small panel one line, and none where there is no late fee: its rows are few."""
        language, say, late = view.frame.language, text.say, self.lines[-1]
        late.shown = bool(view.late_fee) or not theme.landscape()
        late.words, late.amount = say(language, "explain.late_fee"), say(language, "explain.late_fee_none")
        if view.late_fee:
            rate = f"{view.late_rate_ppm / PPM_PER_PERCENT:g}"
            key = "explain.late_fee_short" if theme.landscape() else "explain.late_fee_how"
            late.words = say(language, key, fee=late.words, days=view.late_days, rate=rate)
            late.amount = _signed(view.late_fee)


def _between(cards: list[FactorCard], signs: list[TimesSign]) -> list[Widget]:
    return [widget for pair in zip_longest(cards, signs) for widget in pair if widget is not None]


def _signed(amount: Fen) -> str:
    sign = "− " if amount < 0 else ""
    return f"{sign}¥{format_yuan(abs(amount))}"
