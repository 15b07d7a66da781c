"""Everything with a raised face: buttons, keys, tiles; each can be pressed, and looks it."""

from typing import NamedTuple

from kivy.properties import BooleanProperty, NumericProperty, OptionProperty, StringProperty

from kiosk.screens import theme
from kiosk.screens.widgets.faces import CLEAR, Face
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.press import Press
from kiosk.screens.widgets.words import Words, text_width

LOW_TILE_MM = 30  # a lower tile is a row
OPTICAL = 0.055  # em, of this family
KINDS = ("secondary", "primary", "quiet", "danger")


class Look(NamedTuple):
    """Colour names of one kind of face: fill, edge, lip, text, fill when pressed."""

    fill: str
    edge: str
    lip: str
    ink: str
    pressed: str


LOOKS = {
    "primary": Look("pine", "pine", "pine_deep", "on_pine", "pine_deep"),
    "secondary": Look("surface", "edge", "edge", "ink", "pine_tint"),
    "quiet": Look("counter", "edge", "", "ink", "pine_tint"),
    "danger": Look("surface", "brick", "brick", "brick", "brick_tint"),
    "off": Look("sunk", "off_edge", "", "ink2", "sunk"),
}


class Pressable(Press, Face):
    """A face in the look of its kind; subclasses put content into ``face_box``."""

    kind = OptionProperty("secondary", options=KINDS)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("pressed", "disabled", "kind"):
            self.fbind(name, self.dress)
        self.dress()

    @property
    def look(self) -> Look:
        return LOOKS["off" if self.disabled else self.kind]

    def dress(self, *_: object) -> None:
        look = self.look
        lip = theme.shape("lip") if look.lip else 0
        self.lip, self.line = lip, self.line or theme.shape("line")
        self.radius = self.radius or theme.shape("radius_m")
        self.fill = theme.colour(look.pressed if self.pressed else look.fill)
        pressed_edge = look.pressed if self.kind == "primary" else look.edge
        self.edge = theme.colour(pressed_edge if self.pressed else look.edge)
        self.lip_fill = theme.colour(look.lip) if look.lip else CLEAR


class RaisedButton(Pressable):
    """Icon and text, centred; ``icon_last`` puts the icon behind the text, as on 继续 →."""

    text = StringProperty("")
    icon = StringProperty("")
    icon_last = BooleanProperty(False)
    type_size = StringProperty("body")
    fits = ("title", "body", "label", "caption")  # steps down where a language needs more room
    bold = BooleanProperty(True)
    icon_side = NumericProperty(0)
    gap = NumericProperty(0)
    pad = NumericProperty(0)
    asks = NumericProperty(0)  # how wide it would have to be for its text not to step down

    def __init__(self, **kwargs: object) -> None:
        self.words = Words(wraps=False, halign="center")
        self.picture = Icon()
        super().__init__(**kwargs)
        self.add_widget(self.words)
        self.add_widget(self.picture)
        for name in (
            "text",
            "icon",
            "icon_last",
            "type_size",
            "bold",
            "icon_side",
            "size",
            "pressed",
            "kind",
            "disabled",
        ):
            self.fbind(name, self.arrange)
        self.fbind("pos", self.arrange)
        self.arrange()

    def dress(self, *_: object) -> None:
        super().dress()
        self.words.tone = self.picture.tone = self.look.ink

    def arrange(self, *_: object) -> None:
        """Put icon and text in the middle of the face, on whole pixels."""
        words, picture = self.words, self.picture
        words.text, words.bold = self.text, self.bold
        picture.name, picture.side = self.icon, self.icon_side or theme.icon_side("small")
        side = picture.side_px if self.icon else 0
        gap = (self.gap or theme.px(3)) if self.icon and self.text else 0
        beside = 2 * (self.pad or theme.px(2)) + side + gap
        # Before the face is measured: a screen may give the button this width at once.
        self.asks = text_width(self.text, theme.type_px(self.type_size), self.bold) + beside + 2 * self.line
        x, y, width, height = self.face_box
        at = self.fits.index(self.type_size) if self.type_size in self.fits else None
        words.fits = [self.type_size] if at is None else list(self.fits[at:])
        words.room = max(1, width - beside)
        words.refresh()
        shown = words.width if self.text else 0
        start = x + (width - shown - gap - side) / 2
        words_x, picture_x = (start, start + shown + gap) if self.icon_last else (start + side + gap, start)
        lift = OPTICAL * words.font_px  # the middle of the glyphs lies below the middle of their line
        words.pos = (round(words_x), round(y + (height - words.height) / 2 + lift))
        picture.pos = (round(picture_x), round(y + (height - side) / 2))


class PrimaryButton(RaisedButton):
    """The one main action of a screen. In the frame it is as wide as it ``asks``, from ``usual`` to ``most``."""

    usual = NumericProperty(0)
    most = NumericProperty(0)


class QuietButton(RaisedButton):
    """A flat, outlined button for the mode strip and asides."""


class Key(RaisedButton):
    """A keypad key; ``key`` is what it types: a digit, "-", ".", "backspace" or "clear"."""

    key = StringProperty("")


class Tile(Pressable):
    """A large choice: icon top left, title and up to two lines at the bottom; switched off it says why.

    ``name`` is what a tap means. ``art`` may hold a widget drawn at the right (the door).
    """

    name = StringProperty("")
    icon = StringProperty("")
    title = StringProperty("")
    title_size = StringProperty("title")
    lines = StringProperty("")
    lines_size = StringProperty("label")
    reason = StringProperty("")
    pad = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self.picture = Icon(side=theme.icon_side("large"))
        self.title_words = Words(bold=True)
        self.line_words = Words()
        super().__init__(**kwargs)
        self.radius = theme.shape("radius_l")
        for widget in (self.picture, self.title_words, self.line_words):
            self.add_widget(widget)
        for name in (
            "icon",
            "title",
            "title_size",
            "lines",
            "lines_size",
            "reason",
            "pos",
            "size",
            "pressed",
            "disabled",
        ):
            self.fbind(name, self.arrange)
        self.fbind("kind", self.arrange)
        self.arrange()

    def dress(self, *_: object) -> None:
        super().dress()
        self.title_words.tone = self.picture.tone = self.look.ink
        self.line_words.tone = "ink" if self.disabled else self.look.ink

    def arrange(self, *_: object) -> None:
        x, y, width, height = self.face_box
        pad = self.pad or theme.px(7)
        self.disabled = bool(self.reason)
        self.picture.name = self.icon
        self.title_words.text, self.title_words.fits = self.title, _smaller_from(self.title_size)
        self.title_words.max_lines = 1
        if height < LOW_TILE_MM * theme.glass().px_per_mm:
            self._arrange_low(x + theme.px(4), y + height / 2, width - theme.px(8))
            return
        self.line_words.text, self.line_words.type_size = self.reason or self.lines, self.lines_size
        for words in (self.title_words, self.line_words):
            words.width = max(1, width - 2 * pad)
            words.refresh()
        self.picture.pos = (round(x + pad), round(y + height - pad - self.picture.height))
        self.line_words.pos = (round(x + pad), round(y + pad - theme.px(1)))
        self.title_words.pos = (round(x + pad), round(self.line_words.top + theme.px(1)))

    def _arrange_low(self, left: float, middle: float, room: float) -> None:
        """Icon and title in one line; a reason takes the title's place."""
        self.line_words.text = ""
        self.title_words.text = self.reason or self.title
        self.picture.pos = (round(left), round(middle - self.picture.height / 2))
        start = self.picture.width + theme.px(4)
        self.title_words.width = max(1, room - start)
        self.title_words.refresh()
        self.title_words.pos = (round(left + start), round(middle - self.title_words.height / 2))


def _smaller_from(size: str) -> list[str]:
    sizes = ["display", "figure", "title", "body", "label"]
    return sizes[sizes.index(size) :] if size in sizes else [size]
