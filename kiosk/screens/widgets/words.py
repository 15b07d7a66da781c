"""Text on the glass: wraps as readers expect, chooses among the six sizes, keeps its lines on whole pixels."""

import functools
from collections import deque
from collections.abc import Callable
from weakref import WeakValueDictionary

from kivy.clock import Clock
from kivy.graphics import Color, InstructionGroup, Rectangle
from kivy.graphics.texture import Texture
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.lines import wrap
from kiosk.screens.pens import pen

LINE_HEIGHTS = {"title": 1.3, "figure": 1.25, "display": 1.2}  # em; others take the mode's


@functools.lru_cache(maxsize=8192)
def text_width(text: str, font_px: int, bold: bool) -> int:
    return pen(bold).width(text, font_px)


# Shared while any widget shows them: many screens have the same buttons. The latest stay a little longer, because the frame
# around the screens changes its words at every step and back again.
_pictures: WeakValueDictionary[tuple[str, int, bool], Texture] = WeakValueDictionary()
_latest: deque[Texture] = deque(maxlen=100)


def _picture(line: str, font_px: int, bold: bool) -> Texture:
    picture = _pictures.get((line, font_px, bold))
    if picture is None:
        picture = _pictures[line, font_px, bold] = pen(bold).draw(line, font_px)
        _latest.append(picture)
    return picture


def forget() -> None:
    """Drop what is remembered by its text; widgets keep what they show."""
    text_width.cache_clear()
    _latest.clear()


def measure(font_px: int, bold: bool) -> Callable[[str], float]:
    return lambda text: text_width(text, font_px, bold)


class Words(Widget):
    """Text. ``type_size`` names one of the six sizes; ``fits`` lists sizes to try, largest first, within ``max_lines``.

    ``wraps``: the width is given and the height follows. Otherwise the widget is as large as its text. ``tone`` names a
    colour of the theme. A size hint that is not None keeps that side; the text is then placed by halign and valign.
    """

    width: float
    height: float
    text = StringProperty("")
    type_size = OptionProperty("body", options=theme.TYPE_SIZES)
    fits = ListProperty()
    max_lines = NumericProperty(0)
    shortens = BooleanProperty(
        False
    )  # what does not fit in the last size ends in …; only where the whole stands elsewhere
    bold = BooleanProperty(False)
    wraps = BooleanProperty(True)
    tone = StringProperty("ink")
    color = ColorProperty(None, allownone=True)
    halign = OptionProperty("left", options=("left", "center", "right"))
    valign = OptionProperty("top", options=("top", "middle", "bottom"))
    room = NumericProperty(0)  # what ``fits`` may fill where the widget is as wide as its text
    line_height = NumericProperty(0)  # em; 0 takes the size's own

    def __init__(self, **kwargs: object) -> None:
        self.lines: list[str] = []
        self.used_size = "body"
        self._tint = Color(1, 1, 1, 1)
        self._drawn = InstructionGroup()
        self._rectangles: list[Rectangle] = []
        self._shown: tuple[object, ...] = ()
        self._refresh = Clock.create_trigger(self.refresh, -1)
        if not kwargs.get("wraps", True):
            kwargs.setdefault("size_hint_x", None)
        super().__init__(**kwargs)
        self.canvas.add(self._tint)
        self.canvas.add(self._drawn)
        for name in ("text", "type_size", "fits", "max_lines", "bold", "wraps", "tone", "color", "halign", "valign"):
            self.fbind(name, self._refresh)
        for name in ("line_height", "room", "size", "size_hint"):
            self.fbind(name, self._refresh)
        self.fbind("pos", self._place)
        self._refresh()

    @property
    def font_px(self) -> int:
        return theme.type_px(self.used_size)

    @property
    def line_px(self) -> int:
        em = self.line_height or LINE_HEIGHTS.get(self.used_size) or theme.token("type", "line_height")
        return round(em * self.font_px)

    @property
    def text_size_px(self) -> tuple[int, int]:
        """How large the drawn text is: an audit compares it with the space there is."""
        width = max((text_width(line, self.font_px, self.bold) for line in self.lines), default=0)
        return width, self.line_px * len(self.lines) if self.text else 0

    @property
    def drawn_lines(self) -> list[tuple[str, Rectangle]]:
        """Each line that has glyphs, and where they are drawn."""
        drawn = [line for line in self.lines if line.strip()]
        return list(zip(drawn, self._rectangles, strict=False))

    @property
    def clipped(self) -> bool:
        """Whether the text reaches beyond its own widget, or beyond the lines it may have."""
        width, height = self.text_size_px
        too_many = self.max_lines and len(self.lines) > self.max_lines
        return bool(too_many) or width > self.width + 1 or height > self.height + 1

    def refresh(self, *_: object) -> None:
        """Break, measure, draw; called once before a frame after anything changed."""
        self._choose()
        width, height = self.text_size_px
        if not self.wraps and self.size_hint_x is None:
            self.width = width
        if self.size_hint_y is None:
            self.height = height
        self._tint.rgba = self.color if self.color is not None else theme.colour(self.tone)
        shown = (tuple(self.lines), self.font_px, self.bold)
        if shown != self._shown:
            self._shown = shown
            self._draw()
        self._place()

    def _choose(self) -> None:
        for name in self.fits or [self.type_size]:
            self.used_size = name
            font = measure(theme.type_px(name), self.bold)
            room = self.room or (self.width if self.wraps else float("inf"))
            self.lines = wrap(self.text, font, room) if self.wraps else self.text.split("\n")
            wide = max((font(line) for line in self.lines), default=0)
            if wide <= room and (not self.max_lines or len(self.lines) <= self.max_lines):
                return
        if self.shortens and self.max_lines:
            self._shorten(font, room)

    def _shorten(self, font: Callable[[str], float], room: float) -> None:
        kept, rest = self.lines[: int(self.max_lines) - 1], self.lines[int(self.max_lines) - 1 :]
        last = " ".join(rest) if rest and rest[0].isascii() else "".join(rest)
        while last and font(f"{last}…") > room:
            last = last[:-1].rstrip()
        self.lines = [*kept, f"{last}…"]

    def _draw(self) -> None:
        """A rectangle per line that has glyphs; an empty one would cost the graphics driver as much as a full one."""
        drawn = [line for line in self.lines if line.strip()]
        while len(self._rectangles) < len(drawn):
            self._rectangles.append(Rectangle(size=(0, 0)))
            self._drawn.add(self._rectangles[-1])
        while len(self._rectangles) > len(drawn):
            self._drawn.remove(self._rectangles.pop())
        for line, rectangle in zip(drawn, self._rectangles, strict=True):
            picture = _picture(line, self.font_px, self.bold)
            rectangle.texture, rectangle.size = picture, picture.size

    def _place(self, *_: object) -> None:
        height = self.line_px * len(self.lines)
        above = {"top": 0, "middle": (self.height - height) / 2, "bottom": self.height - height}[self.valign]
        drawn = [number for number, line in enumerate(self.lines) if line.strip()]
        for number, rectangle in zip(drawn, self._rectangles, strict=False):  # not drawn yet, before the first frame
            width, tall = rectangle.size
            spare = {"left": 0, "center": (self.width - width) / 2, "right": self.width - width}[self.halign]
            top = (self.y + self.height) - above - number * self.line_px
            rectangle.pos = (round(self.x + spare), round(top - (self.line_px + tall) / 2))
