"""What was wrong with a number, and how long to wait before the next try; nothing of it, no room taken."""

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.widgets.bars import TimeBar
from kiosk.screens.widgets.signs import Banner
from kiosk.screens.widgets.stack import Stack


class WrongEntry(Stack):
    """Below the plate on a tall panel, beside it on a wide one."""

    error = StringProperty("")
    wait = ObjectProperty(None, allownone=True)
    language = StringProperty("zh-Hans")
    shown = BooleanProperty(False)
    size_hint: tuple[float | None, float | None]

    def __init__(self, **kwargs: object) -> None:
        small = theme.landscape()
        self.banner = Banner(type_size="caption" if small else "body", pad_y=theme.px(3 if small else 5))
        self.time = TimeBar()
        super().__init__(**kwargs)
        self.add_widget(self.banner)
        self.add_widget(self.time)
        for name in ("error", "wait", "language"):
            self.fbind(name, self._show)
        self.fbind("least", self._show)
        self._show()

    def _show(self, *_: object) -> None:
        self.shown = bool(self.error or self.wait)
        self.banner.text, self.banner.shown = self.error, bool(self.error)
        # On the small panel the bar has no room beside a banner of two lines.
        self.time.countdown = None if theme.landscape() and self.error else self.wait
        self.time.after = text.say(self.language, "identify.wait")
        if theme.landscape():
            self.size_hint = (1, 1)
            self.time.height = 0 if self.error else theme.px(16)
        else:
            self.size_hint = (1, None)
            self.time.height = theme.px(16) if self.wait else 0
            self.height = self.least if self.shown else 0
        self.opacity = 1 if self.shown else 0
