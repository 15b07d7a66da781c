"""Things that are read, not pressed: tag, banner, plate, mark, note, rule."""

from kivy.graphics import Color, Line, Rectangle, SmoothEllipse
from kivy.properties import BooleanProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.widgets.faces import Face, Slice
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.words import Words

TAGS = {
    "late": ("amber_tint", "amber_ink", "clock"),
    "ok": ("pine_tint", "pine", "check"),
    "bad": ("brick_tint", "brick", "close"),
    "off": ("ink2", "surface", "stop"),
}


class Tag(Face):
    """A small word with its sign: late, ok, bad or off. As wide as its text."""

    kind = OptionProperty("late", options=tuple(TAGS))
    text = StringProperty("")
    shown = BooleanProperty(True)

    def __init__(self, **kwargs: object) -> None:
        self.words = Words(wraps=False, bold=True, type_size="caption")
        self.picture = Icon(side=theme.px(6), stroke=2.5)
        super().__init__(**kwargs)
        self.radius = theme.shape("radius_s")
        self.add_widget(self.picture)
        self.add_widget(self.words)
        for name in ("kind", "text", "pos", "shown"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        fill, ink, icon = TAGS[self.kind]
        self.fill = theme.colour(fill)
        self.words.tone = self.picture.tone = ink
        self.words.text, self.picture.name = self.text, icon
        self.words.refresh()
        before, between, after = theme.px(2), theme.px(1.5), theme.px(3)
        self.size = (before + self.picture.width + between + self.words.width + after, theme.size("tag_h"))
        self.opacity = 1 if self.shown else 0
        self.picture.pos = (round(self.x + before), round((self.y + self.height / 2) - self.picture.height / 2))
        self.words.pos = (
            round(self.picture.right + between),
            round((self.y + self.height / 2) - self.words.height / 2),
        )


class Banner(Face):
    """Attention in amber, or calm in green: icon, bold first words, then the rest. Its height follows the text."""

    strong = StringProperty("")
    text = StringProperty("")
    calm = BooleanProperty(False)
    icon = StringProperty("")
    type_size = StringProperty("body")
    pad_y = NumericProperty(0)
    shown = BooleanProperty(True)

    def __init__(self, **kwargs: object) -> None:
        self.bold_words, self.words, self.picture = Words(bold=True), Words(), Icon()
        super().__init__(**kwargs)
        self.radius, self.line = theme.shape("radius_m"), theme.shape("line")
        for widget in (self.picture, self.bold_words, self.words):
            self.add_widget(widget)
        for name in ("strong", "text", "calm", "icon", "type_size", "pos", "size", "shown"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.fill = theme.colour("pine_tint" if self.calm else "amber_tint")
        self.edge = theme.colour("pine" if self.calm else "amber_ink")
        self.picture.name = self.icon or ("info" if self.calm else "warn")
        self.opacity = 1 if self.shown else 0
        pad_x, pad_y, gap = theme.px(6), self.pad_y or theme.px(4), theme.px(4)
        room = max(1, self.width - 2 * pad_x - self.picture.width - gap)
        beside = self._fill_words(room)
        heights = [words.height for words in (self.bold_words, self.words) if words.text]
        inside = max(heights, default=0) if beside else sum(heights)
        self.height = max(inside, self.picture.height) + 2 * pad_y if self.shown else 0
        top = (self.y + self.height / 2) + inside / 2
        left = self.x + pad_x + self.picture.width + gap
        self.picture.pos = (round(self.x + pad_x), round((self.y + self.height / 2) - self.picture.height / 2))
        self.bold_words.pos = (round(left), round(top - self.bold_words.height))
        if beside:
            self.words.pos = (
                round(left + self.bold_words.text_size_px[0] + self._after_strong()),
                round(top - self.words.height),
            )
        else:
            below = self.bold_words.height if self.strong else 0
            self.words.pos = (round(left), round(top - below - self.words.height))

    def _after_strong(self) -> float:
        """The space between the two: Chinese punctuation brings its own, English needs one."""
        return 0.25 * self.words.font_px if self.strong[-1:].isascii() else 0.0

    def _fill_words(self, room: float) -> bool:
        """Whether both texts stand on one line."""
        for words, text in ((self.bold_words, self.strong), (self.words, self.text)):
            words.text, words.type_size, words.width = text, self.type_size, room
            words.refresh()
        wide = self.bold_words.text_size_px[0] + self._after_strong() + self.words.text_size_px[0]
        single = len(self.bold_words.lines) == 1 and len(self.words.lines) == 1
        beside = bool(self.strong and self.text) and single and wide <= room
        if beside:
            self.words.width = room - self.bold_words.text_size_px[0] - self._after_strong()
            self.words.refresh()
        return beside


class PlateFace(Face):
    """The enamel of a door plate: inner line and rivets, two at the sides or four in the corners."""

    rivets = OptionProperty("sides", options=("sides", "corners", "none"))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.radius = self.radius or theme.shape("radius_m")
        self.fill = theme.colour("plate")
        self._outer, self._inner = Slice(1), Slice(1)
        self._outer.colour.rgba, self._inner.colour.rgba = theme.colour("plate_line"), theme.colour("plate")
        for slice_ in (self._outer, self._inner):
            self.canvas.before.add(slice_.colour)
            self.canvas.before.add(slice_.image)
        self.canvas.before.add(Color(*theme.colour("plate_line")))
        self._rivets = [SmoothEllipse(size=(0, 0)) for _ in range(4)]
        for rivet in self._rivets:
            self.canvas.before.add(rivet)
        for name in ("pos", "size", "rivets"):
            self.fbind(name, self._line_in)
        self._line_in()

    def _line_in(self, *_: object) -> None:
        large = self.rivets == "corners"
        inset, line = theme.px(2 if large else 1.25), max(1, theme.px(0.5 if large else 0.4))
        radius = max(1, int(self.radius) - inset)
        x, y, width, height = self.x + inset, self.y + inset, self.width - 2 * inset, self.height - 2 * inset
        self._outer.place(x, y, width, height, radius)
        self._inner.place(x + line, y + line, width - 2 * line, height - 2 * line, max(1, radius - line))
        side = theme.px(3 if large else 2)
        for number, rivet in enumerate(self._rivets):
            rivet.size = (side, side) if self.rivets != "none" and (large or number < 2) else (0, 0)
            away = theme.px(9) if large else theme.px(5)
            left = self.x + away if number % 2 == 0 else (self.x + self.width) - away - side
            up = (
                (self.y + away if number < 2 else (self.y + self.height) - away - side)
                if large
                else (self.y + self.height / 2) - side / 2
            )
            rivet.pos = (round(left), round(up))


class SmallPlate(PlateFace):
    """The plate that stays in the corner: a masked unit. As wide as its text; empty, it is not there."""

    text = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        self.words = Words(wraps=False, bold=True, type_size="label" if theme.landscape() else "body", tone="on_plate")
        super().__init__(**kwargs)
        self.add_widget(self.words)
        self.fbind("text", self.arrange)
        self.fbind("pos", self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.words.text = self.text
        self.words.refresh()
        self.opacity = 1 if self.text else 0
        self.size = (self.words.width + theme.px(24), theme.px(17)) if self.text else (0, theme.px(17))
        self.words.pos = (
            round((self.x + self.width / 2) - self.words.width / 2),
            round((self.y + self.height / 2) - self.words.height / 2),
        )


class NoteChip(Face):
    """A picture of a note in its true proportions: frame, ring, figure; never a button. ``face_fen`` says which."""

    face_fen = NumericProperty(10000)
    figure_mm = NumericProperty(16)  # 7, 16 or 24

    def __init__(self, **kwargs: object) -> None:
        size = {7: "caption", 16: "figure", 24: "display"}[int(kwargs.get("figure_mm", 16))]  # type: ignore[call-overload]
        self.words = Words(wraps=False, bold=True, type_size=size, line_height=1.0, color=(1, 1, 1, 1))
        self._frame, self._inner = Slice(1), Slice(1)
        super().__init__(**kwargs)
        for slice_ in (self._frame, self._inner):
            self.canvas.before.add(slice_.colour)
            self.canvas.before.add(slice_.image)
        self.canvas.before.add(Color(1, 1, 1, 0.65))
        self._ring = Line(width=max(1.0, 0.025 * self.words.font_px))
        self.canvas.before.add(self._ring)
        self.add_widget(self.words)
        self.fbind("face_fen", self.arrange)
        self.fbind("pos", self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        note = theme.tokens()["note"][str(int(self.face_fen) // 100)]
        em = self.words.font_px
        self.size = (round(note["w"] * em), round(note["h"] * em))
        self.radius, self.fill = max(1, round(0.16 * em)), theme.rgba(note["color"])
        inset, line = round(0.16 * em), max(1, round(0.05 * em))
        pale = [0.65 + 0.35 * part for part in self.fill[:3]]
        self._frame.colour.rgba, self._inner.colour.rgba = (*pale, 1), self.fill
        x, y, width, height = self.x + inset, self.y + inset, self.width - 2 * inset, self.height - 2 * inset
        inner = max(1, round(0.1 * em))
        self._frame.place(x, y, width, height, inner)
        self._inner.place(x + line, y + line, width - 2 * line, height - 2 * line, max(1, inner - line))
        self._ring.circle = (self.x + 0.9 * em, (self.y + self.height / 2), 0.38 * em)
        self.words.text = str(int(self.face_fen) // 100)
        self.words.refresh()
        middle = (self.x + self.width / 2) + 0.45 * em
        self.words.pos = (
            round(middle - self.words.width / 2),
            round((self.y + self.height / 2) - self.words.height / 2),
        )


class Mark(Icon):
    """Menting's sign: a door ajar."""


class Rule(Widget):
    """A line across: decorative, or ``strong`` above a total."""

    strong = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._tint, self._bar = Color(), Rectangle()
        self.canvas.add(self._tint)
        self.canvas.add(self._bar)
        for name in ("pos", "size", "strong"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self._tint.rgba = theme.colour("edge" if self.strong else "hair")
        self.height = theme.shape("line" if self.strong else "hair")
        self._bar.pos, self._bar.size = (round(self.x), round(self.y)), (round(self.width), self.height)


class Disc(Widget):
    """A round ground with an icon in it: done, waiting, the slot's arrow."""

    fill = StringProperty("amber")
    icon = StringProperty("")
    tone = StringProperty("on_amber")

    def __init__(self, **kwargs: object) -> None:
        self.picture = Icon()
        super().__init__(**kwargs)
        self._tint, self._round = Color(), SmoothEllipse()
        self.canvas.before.add(self._tint)
        self.canvas.before.add(self._round)
        self.add_widget(self.picture)
        for name in ("pos", "size", "fill", "icon", "tone"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self._tint.rgba = theme.colour(self.fill)
        self._round.pos, self._round.size = (round(self.x), round(self.y)), self.size
        self.picture.name, self.picture.tone, self.picture.side = self.icon, self.tone, round(self.width * 0.66)
        self.picture.pos = (
            round((self.x + self.width / 2) - self.picture.width / 2),
            round((self.y + self.height / 2) - self.picture.height / 2),
        )
