"""S03, second question: which entrance?"""

from kivy.properties import ListProperty

from kiosk.screens.base import KioskScreen, load_kv
from kiosk.screens.plate_words import entrance_name, plate_parts
from kiosk.screens.widgets import RaisedButton
from kiosk.taps import EntranceChosen
from kiosk.views import EntranceView

load_kv(__file__)


class EntranceScreen(KioskScreen):
    """A button per entrance of the building."""

    parts = ListProperty()

    def show(self, view: EntranceView) -> None:
        language = view.frame.language
        self.parts = plate_parts(language, "entrance", view.building)
        cells = self.ids.entrances.fill(len(view.entrances), self._build_cell)
        for cell, entrance in zip(cells, view.entrances, strict=True):
            cell.value, cell.text = entrance, entrance_name(language, entrance)

    def _build_cell(self) -> RaisedButton:
        cell = RaisedButton(type_size="title")
        cell.fbind("on_release", lambda cell: self.send(EntranceChosen(entrance=cell.value)))
        return cell
