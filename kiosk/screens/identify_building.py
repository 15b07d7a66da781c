"""S03, first question: which building?"""

from kivy.properties import ListProperty, NumericProperty

from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.plate_words import building_name, plate_parts
from kiosk.screens.widgets import RaisedButton
from kiosk.taps import BuildingChosen, PageTurned, TypeInstead
from kiosk.views import BuildingView

load_kv(__file__)

MOST_A_PAGE = 12


class BuildingScreen(KioskScreen):
    """A button per building; whoever knows the whole number may type it instead."""

    parts = ListProperty()
    page = NumericProperty(0)
    pages = NumericProperty(1)

    def __init__(self, send: Send, **kwargs: object) -> None:
        super().__init__(send, **kwargs)
        self.ids.buildings.fill(MOST_A_PAGE, self._build_cell)  # now, so that the first payer does not wait for them

    def show(self, view: BuildingView) -> None:
        language = view.frame.language
        self.parts = plate_parts(language, "building")
        self.page, self.pages = view.page, view.pages
        cells = self.ids.buildings.fill(len(view.buildings), self._build_cell)
        for cell, building in zip(cells, view.buildings, strict=True):
            cell.value, cell.text = building, building_name(language, building)

    def _build_cell(self) -> RaisedButton:
        cell = RaisedButton(type_size="title")
        cell.fbind("on_release", lambda cell: self.send(BuildingChosen(building=cell.value)))
        return cell

    def page_pressed(self, by: int) -> None:
        self.send(PageTurned(by=by))

    def type_pressed(self) -> None:
        self.send(TypeInstead())

    def aside_pressed(self) -> None:
        self.type_pressed()
