"""Bars: money that has been counted, and time that runs out; the second has a dark tip and digits beside it."""

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.widgets.faces import Slice
from kiosk.screens.widgets.words import Words


class Bar(Widget):
    """A track and its fill; ``share`` from 0 to 1. A fill is never shorter than the bar is high."""

    share = NumericProperty(0.0)
    lamp = BooleanProperty(False)  # amber with a dark tip: time

    def __init__(self, **kwargs: object) -> None:
        self._track, self._fill = Slice(1), Slice(1)
        self._cut, self._tip, self._tip_tint = Rectangle(size=(0, 0)), Rectangle(size=(0, 0)), Color()
        super().__init__(**kwargs)
        for instruction in (self._track.colour, self._track.image, self._fill.colour, self._fill.image, self._cut):
            self.canvas.add(instruction)
        self.canvas.add(self._tip_tint)
        self.canvas.add(self._tip)
        for name in ("share", "lamp", "pos", "size"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        height = round(self.height)
        radius = max(1, height // 2)
        share = min(1.0, max(0.0, self.share))
        filled = max(height, share * self.width) if share > 0 else 0
        tip = theme.px(2) if self.lamp else 0
        self._track.colour.rgba = theme.colour("sunk")
        self._tip_tint.rgba = theme.colour("amber_ink")
        self._fill.colour.rgba = theme.colour("amber" if self.lamp else "pine")
        self._track.place(self.x, self.y, self.width, height, radius)
        self._fill.place(self.x, self.y, filled, height, radius)
        # The tip ends straight: it is the hand of a clock, and shows without colour.
        self._tip.pos, self._tip.size = (round(self.x + filled - tip), round(self.y)), (tip, height)
        self._cut.pos = (round(self.x + filled - radius), round(self.y))
        self._cut.size = (radius if tip else 0, height)


class TimeBar(Widget):
    """A countdown: bar, seconds in large digits, and what happens then. Moves once a second while it is on the glass.

    ``countdown`` is a ``views.Countdown`` or None; ``after`` the words behind the digits, such as 秒后清屏.
    """

    countdown = ObjectProperty(None, allownone=True)
    after = StringProperty("")
    now: ClassVar[Callable[[], float]] = time.monotonic

    def __init__(self, **kwargs: object) -> None:
        self.bar = Bar(lamp=True)
        self.digits = Words(wraps=False, bold=True, type_size="title", line_height=1.1)
        self.words = Words(wraps=False, type_size="body")
        self._tick: Any = None
        super().__init__(**kwargs)
        for widget in (self.bar, self.digits, self.words):
            self.add_widget(widget)
        for name in ("countdown", "after", "pos", "size", "parent"):
            self.fbind(name, self.arrange)
        self.arrange()

    @property
    def seconds(self) -> int:
        """Whole seconds left, the started one included."""
        if self.countdown is None:
            return 0
        return max(0, math.ceil(self.countdown.ends_at - type(self).now()))

    def arrange(self, *_: object) -> None:
        self.opacity = 0 if self.countdown is None else 1
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if self.countdown is None or self.parent is None:
            return
        left = self.countdown.ends_at - type(self).now()
        self.bar.share = left / self.countdown.total_s if self.countdown.total_s > 0 else 0
        self.digits.text, self.words.text = str(self.seconds), self.after
        for words in (self.digits, self.words):
            words.refresh()
        beside = self.digits.width + theme.px(2) + self.words.width
        self.bar.width = max(1, self.width - beside - theme.px(6))
        self.bar.pos = (round(self.x), round((self.y + self.height / 2) - self.bar.height / 2))
        self.digits.pos = (
            round((self.x + self.width) - beside),
            round((self.y + self.height / 2) - self.digits.height / 2),
        )
        # One baseline for digits and words: both lines are centred, the larger one reaches lower.
        lower = (self.digits.font_px - self.words.font_px) * 0.436 - (self.digits.font_px - self.words.font_px) * 0.1
        self.words.pos = (
            round((self.x + self.width) - self.words.width),
            round((self.y + self.height / 2) - self.words.height / 2 - lower * 0.6),
        )
        if left > 0:
            self._tick = Clock.schedule_once(self.arrange, left - math.floor(left) or 1.0)
