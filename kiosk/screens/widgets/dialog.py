"""What lies over a screen: a card on dimmed ground, asking for more time or telling whom to call."""

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.widgets.bars import TimeBar
from kiosk.screens.widgets.buttons import PrimaryButton, RaisedButton
from kiosk.screens.widgets.faces import Face
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.words import Words
from kiosk.views import Frame

Answer = Callable[[bool], None]


class Dialog(Widget):
    """Base: dims everything, swallows every touch; ``answer(True)`` goes on, ``answer(False)`` ends."""

    language = StringProperty("zh-Hans")
    icon_name = "clock"

    def __init__(self, **kwargs: object) -> None:
        self.answer: Answer = lambda go_on: None
        self.card = Face(fill=theme.colour("surface"), lip_fill=theme.colour("edge"))
        self.card.radius, self.card.lip = theme.shape("radius_l"), theme.px(1.5)
        self.picture = Icon(
            name=self.icon_name, side=theme.icon_side("large" if theme.landscape() else "huge"), tone="pine"
        )
        self.title = Words(bold=True, fits=["figure", "title", "body"], max_lines=1)
        self.detail = Words()
        self.go_on = PrimaryButton(icon="")
        self.parts: list[Widget] = [self.picture, self.title, self.detail, self.go_on]
        super().__init__(**kwargs)
        with self.canvas.before:
            Color(*theme.colour("dim"))
            self._dim = Rectangle()
        self.add_widget(self.card)
        for part in [*self.parts, *self.own_parts()]:
            self.card.add_widget(part)
        self.go_on.fbind("on_release", lambda *_: self.answer(True))
        for name in ("pos", "size", "language"):
            self.fbind(name, self.arrange)

    def own_parts(self) -> list[Widget]:
        return []

    def on_touch_down(self, touch: Any) -> bool:
        super().on_touch_down(touch)
        return True  # nothing below a dialog can be touched

    def arrange(self, *_: object) -> None:
        """Card centred above the counter; icon left of the words, then the parts below, then the buttons."""
        self._dim.pos, self._dim.size = self.pos, self.size
        pad = theme.px(8 if theme.landscape() else 14)
        aside = theme.px(24)
        width = min(self.width - 2 * aside, theme.px(220))
        inner = width - 2 * pad
        beside = inner - self.picture.width - theme.px(6)
        for words in (self.title, self.detail):
            words.width = beside
            words.refresh()
        words_height = self.title.height + theme.px(2) + self.detail.height
        top_height = max(self.picture.height, words_height)
        button_h = theme.px(22 if theme.landscape() else 36)
        below = self.parts_height(inner)
        height = top_height + below + button_h + 2 * pad + theme.px(8) * (2 if below else 1)
        bottom = (self.height - height) / 2 if theme.landscape() else theme.px(70)
        self.card.pos = (round((self.x + self.width / 2) - width / 2), round(self.y + bottom))
        self.card.size = (round(width), round(height))
        left, top = self.card.x + pad, self.card.top - pad
        self.picture.pos = (round(left), round(top - (top_height + self.picture.height) / 2))
        self.title.pos = (
            round(self.picture.right + theme.px(6)),
            round(top - (top_height - words_height) / 2 - self.title.height),
        )
        self.detail.pos = (self.title.x, round(self.title.y - theme.px(2) - self.detail.height))
        self.place_parts(left, top - top_height - theme.px(8), inner)
        self.place_buttons(left, self.card.y + pad, inner, button_h)

    def parts_height(self, width: float) -> int:
        return 0

    def place_parts(self, left: float, top: float, width: float) -> None:
        """Nothing between words and buttons."""

    def place_buttons(self, left: float, y: float, width: float, height: float) -> None:
        self.go_on.pos, self.go_on.size = (round(left), round(y)), (round(width), height)


class MoreTimeDialog(Dialog):
    """E70: 您还需要时间吗？ The main answer stands on the right; any touch beside the buttons means the same."""

    icon_name = "clock"

    def __init__(self, **kwargs: object) -> None:
        self.time = TimeBar()
        self.end = RaisedButton(type_size="title")
        super().__init__(**kwargs)
        self.end.fbind("on_release", lambda *_: self.answer(False))

    def own_parts(self) -> list[Widget]:
        return [self.time, self.end]

    def show(self, frame: Frame, detail_key: str = "more_time.detail", after_key: str = "more_time.seconds") -> None:
        say = text.say
        self.title.text = say(self.language, "more_time.question")
        self.detail.text = say(self.language, detail_key)
        self.go_on.text = say(self.language, "more_time.go_on")
        self.end.text = say(self.language, "more_time.end")
        self.time.after = say(self.language, after_key)
        self.time.countdown = frame.dialog_countdown
        self.arrange()

    def on_touch_down(self, touch: Any) -> bool:
        super().on_touch_down(touch)
        if not self.card.collide_point(*touch.pos):
            self.answer(True)
        return True

    def parts_height(self, width: float) -> int:
        return int(self.time.height)

    def place_parts(self, left: float, top: float, width: float) -> None:
        self.time.width = width
        self.time.pos = (round(left), round(top - self.time.height))

    def place_buttons(self, left: float, y: float, width: float, height: float) -> None:
        gap = theme.space("gap")
        end = round((width - gap) * 0.4)
        self.end.pos, self.end.size = (round(left), round(y)), (end, height)
        self.go_on.pos, self.go_on.size = (round(left + end + gap), round(y)), (round(width - end - gap), height)


class HelpDialog(Dialog):
    """Whom to call, in large digits, and which kiosk this is."""

    icon_name = "tel"

    def __init__(self, **kwargs: object) -> None:
        self.phone = Words(bold=True, fits=["display", "figure", "title"], max_lines=1, line_height=1.2)
        self.say_words = Words()
        super().__init__(**kwargs)

    def own_parts(self) -> list[Widget]:
        return [self.phone, self.say_words]

    def show(self, frame: Frame) -> None:
        say = text.say
        self.title.text = say(self.language, "help.title")
        self.detail.text = say(self.language, "help.call" if frame.phone else "help.no_phone")
        self.phone.text = frame.phone
        self.say_words.text = say(self.language, "help.say", code=frame.kiosk_code) if frame.kiosk_code else ""
        self.go_on.text = say(self.language, "help.go_on")
        self.arrange()

    def parts_height(self, width: float) -> int:
        for words in (self.phone, self.say_words):
            words.width = width
            words.refresh()
        return int(sum(words.height for words in (self.phone, self.say_words) if words.text))

    def place_parts(self, left: float, top: float, width: float) -> None:
        for words in (self.phone, self.say_words):
            if words.text:
                top -= words.height
                words.pos = (round(left), round(top))
