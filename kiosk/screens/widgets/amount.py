"""An amount of money: the yuan sign one step smaller, on the figures' baseline."""

from kivy.properties import BooleanProperty, ListProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.widgets.words import Words

DESCENT = 0.288  # em, of this family
SIGN_SIZES = {"display": "figure", "figure": "title", "title": "label", "body": "label", "label": "caption"}
HIDDEN = "＊＊＊＊"
HIDDEN_SIZES = {"display": "figure", "figure": "title", "title": "body"}


class AmountLabel(Widget):
    """``amount`` is 1,234.50 without the sign; ``hidden`` shows stars. As large as its text; ``halign`` when wider."""

    amount = StringProperty("")
    hidden = BooleanProperty(False)
    type_size = OptionProperty("title", options=tuple(SIGN_SIZES))
    fits = ListProperty()  # sizes to try, largest first, within a given width
    tone = StringProperty("ink")
    halign = OptionProperty("left", options=("left", "center", "right"))
    shown = BooleanProperty(True)
    least_width = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self.sign = Words(text="¥", wraps=False, bold=True, line_height=1.1)
        self.figures = Words(wraps=False, bold=True, line_height=1.1)
        self.used_size = "title"
        super().__init__(**kwargs)
        self.add_widget(self.sign)
        self.add_widget(self.figures)
        for name in ("amount", "hidden", "type_size", "fits", "tone", "halign", "pos", "size"):
            self.fbind(name, self.arrange)
        self.arrange()

    @property
    def text_size_px(self) -> tuple[int, int]:
        gap = theme.px(2 if self.used_size == "display" else 1)
        return (
            self.sign.text_size_px[0] + gap + self.figures.text_size_px[0],
            round(1.1 * theme.type_px(self.used_size)),
        )

    @property
    def clipped(self) -> bool:
        return self.text_size_px[0] > self.width + 1

    def arrange(self, *_: object) -> None:
        for size in self.fits or [self.type_size]:
            self._fill(size)
            if self.text_size_px[0] <= self.width:
                break
        self._place()

    def _fill(self, size: str) -> None:
        self.used_size = size
        self.sign.type_size = SIGN_SIZES[size]
        self.figures.type_size = HIDDEN_SIZES.get(size, size) if self.hidden else size
        self.figures.text = HIDDEN if self.hidden else self.amount
        self.sign.tone = self.figures.tone = self.tone
        self.sign.refresh()
        self.figures.refresh()

    def _place(self) -> None:
        width, height = self.text_size_px
        if self.size_hint_x is None:
            self.width = max(width, self.least_width)
        if self.size_hint_y is None:
            self.height = height
        spare = {"left": 0, "center": (self.width - width) / 2, "right": self.width - width}[self.halign]
        y = self.y + (self.height - height) / 2
        base = y + self._below(theme.type_px(self.used_size))
        self.sign.pos = (round(self.x + spare), round(base - self._below(self.sign.font_px)))
        start = self.x + spare + width - self.figures.text_size_px[0]
        self.figures.pos = (round(start), round(base - self._below(self.figures.font_px)))

    @staticmethod
    def _below(font_px: int) -> float:
        """From the bottom of a 1.1 em line to the baseline: the 1.448 em texture is centred in it."""
        return DESCENT * font_px - (1.448 - 1.1) / 2 * font_px
