"""The step line: ring and number to come, filled now, ticked when done."""

from kivy.graphics import Color, Rectangle
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.widgets.faces import Slice
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.words import Words
from kiosk.views import Step

STEPS = tuple(Step)


class _Stop(Widget):
    """One step: dot with number or tick, and its word."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.digit = Words(text=str(number), wraps=False, bold=True, type_size="caption")
        self.tick = Icon(side=theme.px(6), stroke=3, tone="pine")
        self.word = Words(wraps=False, type_size="label")
        self._ring, self._dot = Slice(1), Slice(1)
        super().__init__(size_hint=(None, None))
        for slice_ in (self._ring, self._dot):
            self.canvas.before.add(slice_.colour)
            self.canvas.before.add(slice_.image)
        for widget in (self.digit, self.tick, self.word):
            self.add_widget(widget)

    def show(self, state: str, word: str) -> None:
        ring, dot, ink = {
            "done": ("pine", "pine_tint", "ink2"),
            "now": ("pine", "pine", "ink"),
            "next": ("edge", "stone", "ink2"),
        }[state]
        self._ring.colour.rgba, self._dot.colour.rgba = theme.colour(ring), theme.colour(dot)
        self.word.text, self.word.bold, self.word.tone = word, state == "now", ink
        self.word.refresh()
        self.tick.name = "check" if state == "done" else ""
        self.digit.text = "" if state == "done" else str(self.number)
        self.digit.tone = "on_pine" if state == "now" else "ink2"
        self.digit.refresh()
        self.size = (theme.size("step_dot") + theme.px(2) + self.word.width, theme.size("step_dot"))

    def place(self, x: float, y: float) -> None:
        self.pos = (round(x), round(y))
        side, line = theme.size("step_dot"), theme.shape("line")
        self._ring.place(self.x, self.y, side, side, side // 2)
        self._dot.place(self.x + line, self.y + line, side - 2 * line, side - 2 * line, side // 2 - line)
        middle_x, middle_y = self.x + side / 2, self.y + side / 2
        self.digit.pos = (round(middle_x - self.digit.width / 2), round(middle_y - self.digit.height / 2))
        self.tick.pos = (round(middle_x - self.tick.width / 2), round(middle_y - self.tick.height / 2))
        self.word.pos = (round(self.x + side + theme.px(2)), round(middle_y - self.word.height / 2))


class StepLine(Widget):
    """``step`` is 1 to 5; 0 hides the line."""

    step = NumericProperty(0)
    language = StringProperty("zh-Hans")

    def __init__(self, **kwargs: object) -> None:
        self._stops = [_Stop(number + 1) for number in range(len(STEPS))]
        self._bars = [(Color(), Rectangle()) for _ in STEPS[1:]]
        super().__init__(**kwargs)
        for tint, bar in self._bars:
            self.canvas.add(tint)
            self.canvas.add(bar)
        for stop in self._stops:
            self.add_widget(stop)
        for name in ("step", "language", "pos", "size"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.opacity = 1 if self.step else 0
        for stop, step in zip(self._stops, STEPS, strict=True):
            state = "done" if stop.number < self.step else "now" if stop.number == self.step else "next"
            stop.show(state, text.say(self.language, f"step.{step}"))
        between = (self.width - sum(stop.width for stop in self._stops)) / len(self._bars)
        x, y, gap, line = (
            self.x,
            (self.y + self.height / 2) - theme.size("step_dot") / 2,
            theme.px(2),
            theme.shape("line"),
        )
        for number, stop in enumerate(self._stops):
            stop.place(x, y)
            x += stop.width
            if number < len(self._bars):
                tint, bar = self._bars[number]
                tint.rgba = theme.colour("pine" if number + 1 < self.step else "edge")
                bar.pos = (round(x + gap), round((self.y + self.height / 2) - line / 2))
                bar.size = (max(0, round(between - 2 * gap)), line)
            x += between
