"""S07: how much to pay now. A few amounts to choose from, one to type, and what it will be spread over."""

from itertools import zip_longest

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from kiosk import text
from kiosk.domain.money import format_yuan
from kiosk.screens import bill_words, theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.screens.widgets import AmountLabel, ChoiceRow, Key, Words
from kiosk.screens.widgets.stack import Stack
from kiosk.taps import AmountChosen, KeyTapped
from kiosk.views import AllocationRow, AmountChoice, AmountOption, AmountView

CHOICES = 4
TALL_LINES, TYPING_LINES, WIDE_LINES = 5, 3, 2
TALL_KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "backspace")
WIDE_KEYS = ("1", "2", "3", "backspace", "4", "5", "6", "clear", "7", "8", "9", "0")


class AmountChip(ChoiceRow):
    """A choice for half the width of the small panel: the amount stands below its name."""

    def arrange(self, *_: object) -> None:
        super().arrange()
        pad, ring = theme.px(4), theme.px(9)
        left = self.x + pad + ring + theme.px(4)
        room = max(1, self.x + self.width - theme.px(3) - left)
        self._draw_ring(self.x + pad, self.y + (self.height - ring) / 2, ring)
        self.title_words.fits = ["label", "caption"]
        self.picture.name = ""
        self.title_words.line_height, self.title_words.width = 1.2, room
        self.title_words.refresh()
        shown: Words | AmountLabel = self.second_words
        self.second_words.opacity = 0 if self.amount else 1
        if self.amount:
            self.figures.size_hint_x, self.figures.width, self.figures.fits = 1, room, ["title", "body"]
            self.figures.arrange()
            shown = self.figures
        else:
            self.second_words.width = room
            self.second_words.refresh()
        block = self.title_words.height + theme.px(1) + shown.height
        bottom = self.y + (self.height - block) / 2
        shown.pos = (round(left), round(bottom))
        self.title_words.pos = (round(left), round(bottom + block - self.title_words.height))


class SpreadLine(Stack):
    """One bill of the allocation: name and period, its part, and whether it is paid up."""

    shown = BooleanProperty(False)
    name = StringProperty()
    period = StringProperty()
    amount = StringProperty()
    tag = StringProperty()
    cleared = BooleanProperty(False)
    ruled = BooleanProperty(False)  # something follows below

    def fill(self, row: AllocationRow | None, view: AmountView) -> None:
        language = view.frame.language
        self.shown = row is not None
        self.name = bill_words.item_name(language, row) if row else ""
        self.period = bill_words.short_period(language, row, view.frame.local_time) if row else ""
        self.amount = f"¥{format_yuan(row.amount)}" if row else ""
        self.cleared = bool(row and row.cleared)
        self.tag = text.say(language, "amount.cleared" if self.cleared else "amount.part") if row else ""

    def fill_plain(self, name: str, period: str = "", amount: str = "") -> None:
        """A line that is no bill: how many more there are, or what stays the household's."""
        self.shown, self.cleared, self.tag = True, True, ""
        self.name, self.period, self.amount = name, period, amount


class AmountTall(Part):
    """Choices above; below them what the amount pays, with the keypad between while one types."""


class AmountWide(Part):
    """Choices or keypad at the left, what the amount pays at the right."""


load_kv(__file__)


class AmountScreen(KioskScreen):
    """Lets one choose or type an amount and shows what happens to it."""

    typing = BooleanProperty(False)
    figure = StringProperty()  # what is being typed, or what the choice comes to
    error = StringProperty()
    spread_caption = StringProperty()
    more = StringProperty()
    summary = StringProperty()
    choices_shown = NumericProperty(1)
    nothing_yet = BooleanProperty(False)
    nothing_words = StringProperty()
    can_stop_typing = BooleanProperty(False)

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        wide = theme.landscape()
        self.part = (AmountWide if wide else AmountTall)(screen=self)
        self.add_widget(self.part)
        self.choices = [(AmountChip if wide else ChoiceRow)() for _ in range(CHOICES)]
        for choice in self.choices:
            choice.fbind("on_release", self.choice_pressed)
            self.part.ids.choices.add_widget(choice)
        for key in WIDE_KEYS if wide else TALL_KEYS:
            button = Key(key=key, text=key if key.isdecimal() else "")
            button.icon = "backspace" if key == "backspace" else ""
            button.fbind("on_release", self.key_pressed)
            self.part.ids.keypad.add_widget(button)
        # The last line, behind the count of what did not fit, is for what goes to the prepaid balance.
        self.lines = [SpreadLine() for _ in range((WIDE_LINES if wide else TALL_LINES) + 1)]
        for line in self.lines[:-1]:
            self.part.ids.spread.add_widget(line)
        self.part.ids.rest.add_widget(self.lines[-1])

    def show(self, view: AmountView) -> None:
        language, say = view.frame.language, text.say
        self.typing, self.figure = view.typing, (view.typed or "0") if view.typing else format_yuan(view.amount)
        self.question = say(language, "amount.type_title" if view.typing and theme.landscape() else "amount.title")
        only_prepaid = [option.choice for option in view.options] == [AmountChoice.OTHER]
        if only_prepaid:  # no bills to pay: the household keeps money for later ones
            self.question = say(language, "amount.prepay_title")
        self.nothing_words = say(language, "amount.nothing_prepaid" if only_prepaid else "amount.nothing_yet")
        self.primary_text, self.primary_enabled = say(language, "frame.continue"), view.can_continue
        self.error = text.say_saying(language, view.error) if view.error else ""
        self.can_stop_typing = len(view.options) > 1
        for choice, option in zip_longest(self.choices, view.options[:CHOICES]):
            self._show_choice(choice, option, view)
        self.choices_shown = min(CHOICES, len(view.options))
        for key in self.part.ids.keypad.children:
            if key.key == "clear":
                key.text, key.type_size = say(language, "amount.clear"), "body"
        self._show_spread(view)

    def _show_choice(self, row: ChoiceRow, option: AmountOption | None, view: AmountView) -> None:
        language, say = view.frame.language, text.say
        row.shown = option is not None
        if option is None:
            row.name = row.title = row.second = row.amount = ""
            return
        other = option.choice is AmountChoice.OTHER
        key = f"amount.{option.choice}"
        row.name, row.chosen = str(option.choice), option.choice is view.chosen
        row.title = say(language, f"{key}_short" if theme.landscape() and text.has(f"{key}_short") else key)
        if len(view.options) == 1 and other:
            row.title = say(language, "amount.prepay_amount")
        row.icon = "pen" if other else ""
        if not theme.landscape():
            row.figures.type_size = "title" if view.typing and not other else "figure"
        if other:
            hint = "amount.other_hint_short" if theme.landscape() else "amount.other_hint"
            row.second = "" if view.typing else say(language, hint)
            row.amount = (view.typed or "0") if view.typing else format_yuan(option.amount) if option.amount else ""
        else:
            row.second = "" if view.typing else say(language, "amount.bills", count=option.bill_count)
            row.amount = format_yuan(option.amount) if option.amount is not None else ""

    def _show_spread(self, view: AmountView) -> None:
        language, say = view.frame.language, text.say
        room = TYPING_LINES if self.typing and not theme.landscape() else len(self.lines) - 1
        rows = view.rows[: room - bool(view.to_prepaid)]
        left_out = view.more_rows + len(view.rows) - len(rows)
        self.more = say(language, "amount.more_rows", count=left_out) if left_out else ""
        for line, row in zip_longest(self.lines[:-1], rows):
            line.fill(row, view)
        self.lines[-1].shown = False
        if view.to_prepaid:
            later = "" if theme.landscape() else say(language, "amount.later_bills")
            amount = f"¥{format_yuan(view.to_prepaid)}"
            self.lines[-1].fill_plain(say(language, "amount.to_prepaid"), later, amount)
        for number, line in enumerate(self.lines):
            line.ruled = line.shown and (
                number + 1 < len(rows) or (number < len(rows) and bool(left_out or view.to_prepaid))
            )
        self.nothing_yet = not view.rows and not view.to_prepaid
        key = "amount.spread_short" if theme.landscape() else "amount.spread"
        self.spread_caption = "" if self.nothing_yet else say(language, key, amount_fen=view.amount)
        self.summary = self._summary(view)

    def _summary(self, view: AmountView) -> str:
        """The spread in two short lines, for the small panel while the keypad has the room."""
        language, say, count = view.frame.language, text.say, len(view.rows) + view.more_rows
        lines = [say(language, "amount.pays_bills", count=count)] if count else []
        if view.to_prepaid:
            lines.append(say(language, "amount.prepays", amount_fen=view.to_prepaid))
        return "\n".join(lines)

    def choice_pressed(self, row: ChoiceRow) -> None:
        self.send(AmountChosen(choice=row.name))

    def key_pressed(self, key: Key) -> None:
        self.send(KeyTapped(key=key.key))

    def stop_typing_pressed(self) -> None:
        self.send(AmountChosen(choice=str(AmountChoice.ALL)))
