"""上一页 / 下一页: in a row with the page in words, or on the small panel one above the other beside the list."""

from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.widgets.buttons import RaisedButton
from kiosk.screens.widgets.words import Words


class Pager(BoxLayout):
    """``page`` counts from 0. One page: nothing is there, and no room is taken. Dispatches ``on_turn`` with -1 or +1."""

    page = NumericProperty(0)
    pages = NumericProperty(1)
    language = StringProperty("zh-Hans")

    def __init__(self, **kwargs: object) -> None:
        self.register_event_type("on_turn")
        side = theme.landscape()
        self.back = RaisedButton(icon="up", type_size="body")
        self.forth = RaisedButton(icon="down", type_size="body")
        self.words = Words(halign="center", valign="middle", type_size="label", size_hint_y=None if side else 1)
        super().__init__(orientation="vertical" if side else "horizontal", **kwargs)
        for widget in (self.back, self.words, self.forth):
            self.add_widget(widget)
        self.back.fbind("on_release", lambda *_: self.dispatch("on_turn", -1))
        self.forth.fbind("on_release", lambda *_: self.dispatch("on_turn", 1))
        for name in ("page", "pages", "language"):
            self.fbind(name, self._show)
        self._show()

    def on_turn(self, by: int) -> None:
        """Kivy's event: bind to it."""

    def _show(self, *_: object) -> None:
        say, many = text.say, self.pages > 1
        self.opacity = 1 if many else 0
        if theme.landscape():
            self.width = theme.px(22) if many else 0
            self.words.text = f"{self.page + 1}/{self.pages}"
        else:
            self.height = theme.size("button_h") if many else 0
            self.back.text = say(self.language, "frame.previous_page")
            self.forth.text = say(self.language, "frame.next_page")
            self.words.text = say(self.language, "frame.page_of", page=self.page + 1, pages=self.pages)
        if not many:
            self.words.text = ""
        self.back.shown = self.forth.shown = many
        self.back.disabled, self.forth.disabled = self.page < 1, self.page >= self.pages - 1
