"""S08: how to pay. What can't be used says why; below stand the lines the cash regulation asks for."""

from itertools import zip_longest

from kivy.properties import BooleanProperty, StringProperty

from kiosk import text
from kiosk.domain.money import FEN_PER_YUAN, format_yuan
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.screens.widgets import Tag, Tile
from kiosk.screens.widgets.stack import Stack
from kiosk.screens.widgets.words import text_width
from kiosk.taps import TileChosen
from kiosk.views import MethodOption, MethodView

TILES = 4
_ICONS = {"cash": "cash", "scan": "scan", "card": "card", "prepaid": "wallet"}


class MethodTile(Tile):
    """A method; switched off it carries a tag beside its sign. On the small panel sign and title share a line."""

    tag = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        self.tag_sign = Tag(kind="off")
        super().__init__(**kwargs)
        self.add_widget(self.tag_sign)
        self.fbind("tag", self.arrange)
        self.arrange()

    def arrange(self, *_: object) -> None:
        super().arrange()
        x, y, width, height = self.face_box
        self.tag_sign.text, self.tag_sign.shown = self.tag, bool(self.reason and self.tag) and not theme.landscape()
        pad = theme.px(7)
        self.tag_sign.pos = (
            round(x + width - pad - self.tag_sign.width),
            round(y + height - pad - self.tag_sign.height),
        )
        if theme.landscape():
            self._arrange_small(x + theme.px(3), y, width - 2 * theme.px(3), height)

    def _arrange_small(self, x: float, y: float, width: float, height: float) -> None:
        beside = theme.px(11)
        self.picture.side = theme.px(8)
        self.title_words.width, self.line_words.width = max(1, width - beside), max(1, width)
        sizes = ("label", "caption") if self.reason else ("body", "label", "caption")
        room = width - beside
        fitting = [size for size in sizes if text_width(self.title, theme.type_px(size), True) <= room]
        self.title_words.fits = [*fitting, "caption"][:1]
        self.title_words.line_height = self.line_words.line_height = 1.15
        self.title_words.max_lines = 2
        self.line_words.fits = ["caption"]
        for words in (self.title_words, self.line_words):
            words.refresh()
        block = self.title_words.height + self.line_words.height
        bottom = y + (height - block) / 2
        self.line_words.pos = (round(x), round(bottom))
        self.title_words.pos = (round(x + beside), round(bottom + self.line_words.height))
        middle = self.title_words.y + self.title_words.height / 2
        self.picture.pos = (round(x), round(middle - self.picture.height / 2))


class LegalLine(Stack):
    """A sign, what the line is about, and what it says."""

    icon = StringProperty()
    caption = StringProperty()
    words = StringProperty()


class MethodTall(Part):
    """Amount, tiles, legal lines, from the top."""


class MethodWide(Part):
    """Tiles at the left, amount and legal lines at the right."""


load_kv(__file__)


class MethodScreen(KioskScreen):
    """Asks for the method; without paper it asks once more whether to pay without a receipt (E51)."""

    due_caption = StringProperty()
    due = StringProperty()
    no_receipt = BooleanProperty(False)
    works = StringProperty()
    desk = StringProperty()
    phone = StringProperty()
    legal = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (MethodWide if theme.landscape() else MethodTall)(screen=self)
        self.add_widget(self.part)
        self.tiles = [MethodTile() for _ in range(TILES)]
        for tile in self.tiles:
            tile.fbind("on_release", self.tile_pressed)
            self.part.ids.tiles.add_widget(tile)

    def show(self, view: MethodView) -> None:
        language, say = view.frame.language, text.say
        self.no_receipt = view.no_receipt
        self.question = say(language, "pay_method.title")
        if view.no_receipt:
            key = "pay_method.no_receipt_short" if theme.landscape() else "pay_method.no_receipt_title"
            self.question = say(language, key)
        go_on = "pay_method.go_on_short" if theme.landscape() else "pay_method.go_on"
        self.primary_text = say(language, go_on) if view.no_receipt else ""
        caption = "pay_method.this_time" if view.bill_count else "pay_method.prepaying"
        self.due_caption = say(language, caption, count=view.bill_count)
        self.due = format_yuan(view.due)
        for tile, option in zip_longest(self.tiles, view.options[:TILES]):
            self._show_tile(tile, None if view.no_receipt else option, view)
        self._show_legal(view)

    def _show_tile(self, tile: MethodTile, option: MethodOption | None, view: MethodView) -> None:
        language, say = view.frame.language, text.say
        tile.shown = option is not None
        if option is None:
            return
        tile.name, tile.icon = option.method, _ICONS.get(option.method, "list")
        tile.title = say(language, f"method.{option.method}")
        tile.reason = text.say_saying(language, option.reason) if option.reason else ""
        tile.tag = say(language, "pay_method.not_now")
        tile.lines = self._cash_lines(view) if option.method == "cash" else ""

    @staticmethod
    def _cash_lines(view: MethodView) -> str:
        language, say = view.frame.language, text.say
        faces = sorted(face // FEN_PER_YUAN for face in view.faces)
        no_change = say(language, "pay_method.no_change_short" if theme.landscape() else "pay_method.no_change")
        if not faces:
            return no_change
        key = "pay_method.cash_takes" if len(faces) > 1 else "pay_method.cash_takes_one"
        key = f"{key}_short" if theme.landscape() and len(faces) > 1 else key
        return f"{say(language, key, least=faces[0], most=faces[-1])}\n{no_change}"

    def _show_legal(self, view: MethodView) -> None:
        language, say = view.frame.language, text.say
        working = [say(language, f"method.{option.method}") for option in view.options if option.reason is None]
        between = "、" if language != "en" else ", "
        self.works = between.join(working) if working else say(language, "pay_method.works_none")
        place = view.cash_place
        where = (place.place_en or place.place) if language == "en" else place.place
        self.desk = say(language, "pay_method.desk_where", place=where, hours=place.hours) if where else ""
        self.phone = view.frame.phone
        values = {"place": where, "hours": place.hours, "phone": view.frame.phone}
        self.legal = say(language, "pay_method.legal_short", **values) if where else view.frame.phone

    def tile_pressed(self, tile: MethodTile) -> None:
        self.send(TileChosen(tile=tile.name))
