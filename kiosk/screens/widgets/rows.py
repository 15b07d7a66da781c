"""Rows that can be chosen: a bill with its tick box, and one of several choices with its ring."""

from kivy.properties import BooleanProperty, StringProperty

from kiosk.screens import theme
from kiosk.screens.widgets.amount import AmountLabel
from kiosk.screens.widgets.faces import Face, Slice
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.press import Press
from kiosk.screens.widgets.signs import Tag
from kiosk.screens.widgets.words import Words, text_width


class Box(Face):
    """A tick box: pine with a white tick, or empty."""

    ticked = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        side = theme.px(10) if theme.landscape() else theme.size("check")
        self.tick = Icon(stroke=3, side=round(side * 0.75), tone="on_pine")
        super().__init__(size_hint=(None, None), size=(side, side), **kwargs)
        self.radius, self.line = theme.px(2), theme.shape("line_strong")
        self.add_widget(self.tick)
        self.fbind("ticked", self.arrange)
        self.fbind("pos", self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.fill = theme.colour("pine" if self.ticked else "surface")
        self.edge = theme.colour("pine" if self.ticked else "edge")
        self.tick.name = "check" if self.ticked else ""
        self.tick.pos = (
            round((self.x + self.width / 2) - self.tick.width / 2),
            round((self.y + self.height / 2) - self.tick.height / 2),
        )


class BillRow(Press, Face):
    """A bill: box, icon, name with its tag, period and date, amount. ``bill_id`` is what a tap means."""

    bill_id = StringProperty("")
    picked = BooleanProperty(False)
    overdue = BooleanProperty(False)
    icon = StringProperty("house")  # not drawn on the small panel
    name = StringProperty("")
    period = StringProperty("")
    due = StringProperty("")
    tag = StringProperty("")
    tag_below = BooleanProperty(False)  # where names are long, the tag takes the place of the date
    amount = StringProperty("")
    amount_size = StringProperty("title")
    hidden = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        small = theme.landscape()
        self.box, self.picture = Box(), Icon(side=theme.px(13))
        names = ["label", "caption"] if small else ["body", "label", "caption"]
        self.title = Words(bold=True, fits=names, max_lines=1 if small else 2, shortens=True)  # in full on 怎么算的
        self.below = Words(wraps=False, type_size="caption" if small else "label", tone="ink2")
        self.late = Words(wraps=False, bold=True, type_size="caption", tone="amber_ink")
        self.tag_sign = Tag(kind="late")
        self.figures = AmountLabel(type_size="title")
        self._lamp = Slice(1)
        super().__init__(**kwargs)
        self.radius = theme.shape("radius_m")
        for widget in (self.box, self.picture, self.title, self.below, self.late, self.tag_sign, self.figures):
            self.add_widget(widget)
        for name in ("picked", "overdue", "icon", "name", "period", "due", "tag", "tag_below", "amount", "hidden"):
            self.fbind(name, self.arrange)
        for name in ("amount_size", "pos", "size", "pressed"):
            self.fbind(name, self.arrange)
        self.arrange()

    def slices(self) -> tuple[Slice, ...]:
        return self._lamp, *super().slices()

    def arrange(self, *_: object) -> None:
        self._dress()
        small, middle = theme.landscape(), self.y + self.height / 2
        pad, gap = theme.px(6), theme.px(4 if small else 5)
        self.box.pos = (round(self.x + pad), round(middle - self.box.height / 2))
        left = self.x + pad + self.box.width + gap
        if not small:
            self.picture.name = self.icon
            self.picture.pos = (round(left), round(middle - self.picture.height / 2))
            left += self.picture.width + gap
        end = self.x + self.width - theme.px(4 if small else 6)
        self._size_figures(end - gap - left)
        self.figures.pos = (round(end - self.figures.width), round(middle - self.figures.height / 2))
        self._place_words(left, end - self.figures.width - gap - left)

    def _size_figures(self, room: float) -> None:
        """The amount stands in title size, unless the name would then be cut short."""
        self.figures.amount, self.figures.hidden = self.amount, self.hidden
        self.figures.type_size = self.amount_size
        smallest = theme.type_px(self.title.fits[-1])
        lines = int(self.title.max_lines)
        if text_width(self.name, smallest, True) > 0.9 * lines * (room - self.figures.width):
            self.figures.type_size = "body"

    def _place_words(self, left: float, room: float) -> None:
        """Name and tag on the first line, period and date on the second; what is crowded there goes without the date."""
        small, middle = theme.landscape(), self.y + self.height / 2
        below_as_text = bool(self.overdue and self.tag and small)
        self.tag_sign.shown = bool(self.overdue and self.tag and not small)
        self.tag_sign.text = self.tag
        beside_name = text_width(self.name, theme.type_px("body"), True) + theme.px(3) + self.tag_sign.width
        tag_below = self.tag_sign.shown and (self.tag_below or beside_name > room)
        self._write_below(room, dated=not (below_as_text or tag_below))
        self.title.text = self.name
        self.title.width = max(
            1, room - (self.tag_sign.width + theme.px(3) if self.tag_sign.shown and not tag_below else 0)
        )
        self.title.refresh()
        block = self.title.height + self.below.height
        self.title.pos = (round(left), round(middle + block / 2 - self.title.height))
        self.below.pos = (round(left), round(middle - block / 2))
        self.late.text = self.tag if below_as_text else ""
        self.late.refresh()
        self.late.pos = (round(left + self.below.width + theme.px(3)), round(self.below.y))
        words = self.below if tag_below else self.title
        tag_x = words.x + words.text_size_px[0] + theme.px(3)
        self.tag_sign.pos = (round(tag_x), round(words.y + (words.height - self.tag_sign.height) / 2))

    def _write_below(self, room: float, *, dated: bool) -> None:
        between = "  " if theme.landscape() else "　"
        self.below.text = f"{self.period}{between}{self.due}" if dated else self.period
        self.below.refresh()
        if dated and self.below.width > room:
            self.below.text = self.period
            self.below.refresh()

    def _dress(self) -> None:
        self.box.ticked = self.picked
        self.line = theme.shape("hair" if self.picked else "line")
        self.edge = theme.colour("hair" if self.picked else "edge")
        self.fill = theme.colour("pine_tint" if self.pressed else "surface" if self.picked else "stone")
        self._draw()  # the lamp depends on more than the face does

    def _draw(self, *_: object) -> None:
        super()._draw()
        if not self.overdue:
            self._lamp.colour.rgba = (0, 0, 0, 0)
            return
        # The lamp-coloured edge: an amber face below, the white one begins 2.5 mm further right.
        lamp, radius = theme.px(2.5), int(self.radius)
        x, y, width, height = self.face_box
        self._lamp.colour.rgba = theme.colour("amber")
        self._lamp.place(self.x, self.y, self.width, self.height, radius)
        self._edge.place(self.x + lamp, self.y, self.width - lamp, self.height, radius)
        self._face.place(x - self.line + lamp, y, width + self.line - lamp, height, max(1, radius - int(self.line)))


class ChoiceRow(Press, Face):
    """One of several: ring, title, second line, and an amount or nothing at the right. ``name`` is what a tap means."""

    name = StringProperty("")
    chosen = BooleanProperty(False)
    title = StringProperty("")
    second = StringProperty("")
    amount = StringProperty("")
    icon = StringProperty("")  # at the right where there is no amount

    def __init__(self, **kwargs: object) -> None:
        self.title_words = Words(bold=True, fits=["body", "label", "caption"], max_lines=1)
        self.second_words = Words(tone="ink2", fits=["label", "caption"], max_lines=2)
        self.figures = AmountLabel(type_size="title")
        self.picture = Icon(side=theme.icon_side("medium"))
        self._ring, self._hole, self._dot = Slice(1), Slice(1), Slice(1)
        super().__init__(**kwargs)
        self.radius = theme.shape("radius_m")
        for slice_ in (self._ring, self._hole, self._dot):
            self.canvas.before.add(slice_.colour)
            self.canvas.before.add(slice_.image)
        for widget in (self.title_words, self.second_words, self.figures, self.picture):
            self.add_widget(widget)
        for name in ("chosen", "title", "second", "amount", "icon", "pos", "size", "pressed"):
            self.fbind(name, self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        self.line = theme.shape("line_strong" if self.chosen else "line")
        self.edge = theme.colour("pine" if self.chosen else "edge")
        self.fill = theme.colour("pine_tint" if self.chosen or self.pressed else "surface")
        pad, side = theme.px(6), theme.px(10)
        self._draw_ring(self.x + pad, (self.y + self.height / 2) - side / 2, side)
        self.figures.amount = self.amount
        self.figures.opacity = 1 if self.amount else 0
        self.figures.pos = (
            round((self.x + self.width) - pad - self.figures.width),
            round((self.y + self.height / 2) - self.figures.height / 2),
        )
        self.picture.name = "" if self.amount else self.icon
        self.picture.pos = (
            round((self.x + self.width) - pad - self.picture.width),
            round((self.y + self.height / 2) - self.picture.height / 2),
        )
        left = self.x + pad + side + theme.px(5)
        end = self.figures.x if self.amount else self.picture.x if self.icon else (self.x + self.width) - pad
        for words, text in ((self.title_words, self.title), (self.second_words, self.second)):
            words.text, words.width = text, max(1, end - theme.px(4) - left)
            words.refresh()
        block = self.title_words.height + (self.second_words.height if self.second else 0)
        self.title_words.pos = (round(left), round((self.y + self.height / 2) + block / 2 - self.title_words.height))
        self.second_words.pos = (round(left), round(self.title_words.y - self.second_words.height))

    def _draw_ring(self, x: float, y: float, side: int) -> None:
        line, dot = theme.shape("line_strong"), theme.px(5)
        self._ring.colour.rgba = theme.colour("pine" if self.chosen else "edge")
        self._hole.colour.rgba = theme.colour("surface")
        self._dot.colour.rgba = theme.colour("pine") if self.chosen else (0, 0, 0, 0)
        self._ring.place(x, y, side, side, side // 2)
        self._hole.place(x + line, y + line, side - 2 * line, side - 2 * line, side // 2 - line)
        self._dot.place(x + (side - dot) / 2, y + (side - dot) / 2, dot, dot, dot // 2)
