"""E20: something is being asked; calm, with a sign of life, and a way out when it takes long."""

from kivy.clock import Clock
from kivy.graphics import Color, SmoothEllipse
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, load_kv
from kiosk.views import WaitingView

DOTS = 5
STEP_S = 1.0  # nothing moves faster than 1 Hz


class WaitingDots(Widget):
    """Five dots, one of them filled; it moves on once a second while the widget is on the glass."""

    at = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self._dots = [(Color(), SmoothEllipse()) for _ in range(DOTS)]
        super().__init__(**kwargs)
        for tint, dot in self._dots:
            self.canvas.add(tint)
            self.canvas.add(dot)
        for name in ("pos", "size", "at"):
            self.fbind(name, self._draw)

    def run(self, on: bool) -> None:
        Clock.unschedule(self._move)
        if on:
            Clock.schedule_interval(self._move, STEP_S)

    def _move(self, _dt: float) -> None:
        self.at = (self.at + 1) % DOTS

    def _draw(self, *_: object) -> None:
        side, gap = self.height, self.height
        left = self.x + (self.width - DOTS * side - (DOTS - 1) * gap) / 2
        for number, (tint, dot) in enumerate(self._dots):
            tint.rgba = theme.colour("pine" if number == self.at else "sunk")
            dot.pos = (round(left + number * (side + gap)), round(self.y))
            dot.size = (side, side)


load_kv(__file__)


class WaitingScreen(KioskScreen):
    """Says what is being asked. 取消 stands at the bottom once the view allows it."""

    sentence = StringProperty()
    slow = BooleanProperty(False)

    def show(self, view: WaitingView) -> None:
        self.sentence = text.say_saying(view.frame.language, view.saying)
        self.slow = view.slow

    def on_parent(self, _screen: Widget, parent: Widget | None) -> None:
        self.ids.dots.run(parent is not None)
