"""S02: what would you like to do? Only what this kiosk can do is there."""

from kivy.properties import BooleanProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, load_kv
from kiosk.screens.widgets import Tile
from kiosk.taps import TileChosen
from kiosk.views import HomeView

load_kv(__file__)

ICONS = {"query": "search", "prepay": "wallet", "reprint": "printer"}


class HomeScreen(KioskScreen):
    """The first tile is large and holds the door; up to three more stand below or beside it."""

    more = BooleanProperty(False)

    def show(self, view: HomeView) -> None:
        language = view.frame.language
        main, *others = view.tiles
        self.more = bool(others)
        self.question = text.say(language, "home.question" if others else "home.question_one")
        self.ids.main.name = main
        cells = self.ids.others.fill(len(others), self._build_tile)
        self.ids.others.columns = 1 if theme.landscape() else max(1, len(others))
        for tile, name in zip(cells, others, strict=True):
            tile.name, tile.icon = name, ICONS[name]
            tile.title = text.say(language, f"home.{name}")
            tile.lines = text.say(language, f"home.{name}_1")

    def _build_tile(self) -> Tile:
        tile = Tile()
        tile.fbind("on_release", lambda tile: self.tile_pressed(tile.name))
        return tile

    def tile_pressed(self, name: str) -> None:
        self.send(TileChosen(tile=name))
