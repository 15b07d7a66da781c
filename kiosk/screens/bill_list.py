"""S05: the open bills, overdue first; what is picked and what it comes to, hidden until asked for."""

from itertools import zip_longest

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from kiosk import text
from kiosk.domain.money import format_yuan
from kiosk.screens import bill_words, theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.bill_words import by_sentences
from kiosk.screens.part import Part
from kiosk.screens.widgets import Card, Icon, Pressable, Words
from kiosk.screens.widgets.faces import CLEAR
from kiosk.screens.widgets.stack import Stack
from kiosk.taps import AmountsToggled, BillTapped, ExplainTapped, PageTurned
from kiosk.views import BillListView, BillRowView


class WhyButton(Pressable):
    """怎么算的, beside a bill: a sign above a word, flat."""

    text = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        self.picture = Icon(name="equals", side=theme.px(11), stroke=1.8)
        self.words = Words(fits=["caption"], halign="center", line_height=1.2)
        super().__init__(kind="quiet", **kwargs)
        self.add_widget(self.picture)
        self.add_widget(self.words)
        for name in ("text", "pos", "size"):
            self.fbind(name, self.arrange)
        self.arrange()

    def dress(self, *_: object) -> None:
        super().dress()
        self.edge = CLEAR

    def arrange(self, *_: object) -> None:
        self.words.text, self.words.width = self.text, max(1, self.width - theme.px(2))
        self.words.refresh()
        x, y, width, height = self.face_box
        block = self.picture.height + theme.px(1) + self.words.height
        bottom = y + (height - block) / 2
        self.words.pos = (round(x + (width - self.words.width) / 2), round(bottom))
        self.picture.pos = (round(x + (width - self.picture.width) / 2), round(bottom + block - self.picture.height))


class BillLine(Stack):
    """One bill of the page and, on the large panel, the button that explains it."""

    bill_id = StringProperty()
    filled = BooleanProperty(False)
    name = StringProperty()
    period = StringProperty()
    due = StringProperty()
    icon = StringProperty("list")
    amount = StringProperty()
    picked = BooleanProperty(False)
    overdue = BooleanProperty(False)
    hidden = BooleanProperty(False)
    language = StringProperty("zh-Hans")

    def __init__(self, screen: "BillListScreen", **kwargs: object) -> None:
        self.screen = screen
        super().__init__(**kwargs)

    def fill(self, row: BillRowView | None, view: BillListView) -> None:
        """Show a bill, or nothing: an empty place keeps nothing of the bill that stood there."""
        language = view.frame.language
        self.language, self.filled, self.hidden = language, row is not None, not view.amounts_shown
        self.bill_id = row.bill_id if row else ""
        self.picked, self.overdue = bool(row and row.picked), bool(row and row.overdue)
        self.icon = bill_words.icon(row.category) if row else "list"
        self.name = bill_words.item_name(language, row) if row else ""
        self.due = text.say(language, "bill_list.due", day=text.say_day(language, row.due_on)) if row else ""
        # Nothing of the amount reaches a widget while it is hidden, not even under the stars.
        self.amount = format_yuan(row.amount) if row and view.amounts_shown else ""
        self.period = self._period(row, view) if row else ""

    @staticmethod
    def _period(row: BillRowView, view: BillListView) -> str:
        if theme.landscape():
            return bill_words.short_period(view.frame.language, row, view.frame.local_time)
        return bill_words.period(view.frame.language, row)


class NothingDue(Card):
    """A greeting for a household that owes nothing, or a word about bills that can't be looked up."""

    text = StringProperty()
    unknown = BooleanProperty(False)


class BillListTall(Part):
    """Rows, each with its own 怎么算的; the total rests on the counter."""


class BillListWide(Part):
    """Rows at the left, the total and what one can do beside them."""


load_kv(__file__)


class BillListScreen(KioskScreen):
    """Lets one pick bills, shows what they come to, and leads to how each was computed."""

    total_caption = StringProperty()
    total = StringProperty()
    hidden = BooleanProperty(False)
    eye = StringProperty()
    eye_icon = StringProperty("eye")
    prepaid = StringProperty()
    notice = StringProperty()
    page_words = StringProperty()
    page = NumericProperty(0)
    pages = NumericProperty(1)
    empty = BooleanProperty(False)
    unknown = BooleanProperty(False)  # nothing is listed because nobody could be asked, not because nothing is due
    asking_why = BooleanProperty(False)  # on the small panel: the next bill touched is explained

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (BillListWide if theme.landscape() else BillListTall)(screen=self)
        self.add_widget(self.part)
        rows = int(theme.tokens()["panel"][theme.glass().name]["rows"])
        self.lines = [BillLine(self) for _ in range(rows)]
        for line in self.lines:
            self.part.ids.lines.add_widget(line)

    def show(self, view: BillListView) -> None:
        language, say = view.frame.language, text.say
        self.asking_why = False
        self.empty = view.count == 0
        self.unknown = view.notice is not None and view.notice.key == "notice.offline_prepay_only"
        for line, row in zip_longest(self.lines, view.rows):
            line.fill(row, view)
        self.notice = text.say_saying(language, view.notice) if view.notice else ""
        if self.empty:
            self.notice = by_sentences(self.notice)
        self.hidden = not view.amounts_shown
        self.eye = say(language, "bill_list.hide_amounts" if view.amounts_shown else "bill_list.show_amounts")
        self.eye_icon = "eyeoff" if view.amounts_shown else "eye"
        self.page, self.pages = view.page, view.pages
        self.page_words = f"{view.page + 1} / {view.pages}"
        self._show_totals(view)
        self._show_question(view)

    def _show_totals(self, view: BillListView) -> None:
        language, say = view.frame.language, text.say
        amount = view.prepaid if self.empty else view.picked_total
        self.total = format_yuan(amount) if view.amounts_shown else ""
        if self.empty:
            self.total_caption, self.prepaid = say(language, "bill_list.prepaid_caption"), ""
            return
        key = "bill_list.picked" if view.picked_count else "bill_list.none_picked"
        self.total_caption = say(language, key, count=view.picked_count)
        self.prepaid = say(language, "bill_list.prepaid_hidden")
        if view.amounts_shown:
            self.prepaid = say(language, "bill_list.prepaid", prepaid_fen=view.prepaid)

    def _show_question(self, view: BillListView) -> None:
        language, say = view.frame.language, text.say
        self.primary_text = say(language, "bill_list.prepay" if self.empty else "frame.continue")
        if self.empty:
            key = "bill_list.title_unknown" if self.unknown else "bill_list.title_none"
            self.question, self.detail = say(language, key), ""
            return
        self.question = say(language, "bill_list.title", count=view.count)
        if self.notice and theme.landscape():
            self.question = say(language, "bill_list.pick_one_short")
        everything = view.picked_count == view.count
        lines = [say(language, "bill_list.all_picked" if everything else "bill_list.tap_to_pick")]
        if view.overdue_count:
            lines.insert(0, say(language, "bill_list.overdue", count=view.overdue_count))
        self.detail = "\n".join(lines)

    def line_pressed(self, bill_id: str) -> None:
        self.send(ExplainTapped(bill_id=bill_id) if self.asking_why else BillTapped(bill_id=bill_id))

    def why_pressed(self, bill_id: str) -> None:
        self.send(ExplainTapped(bill_id=bill_id))

    def ask_why_pressed(self) -> None:
        """The small panel has no room for a button a row: touch this, then the bill."""
        self.asking_why = not self.asking_why
        if isinstance(self.view, BillListView):
            self._show_question(self.view)
        if self.asking_why:
            self.question = text.say(self.language, "bill_list.touch_to_explain")

    def eye_pressed(self) -> None:
        self.send(AmountsToggled())

    def page_pressed(self, by: int) -> None:
        self.send(PageTurned(by=by))
