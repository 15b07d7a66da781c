"""S04: is this the household? The plate in full, the name shortened, no debt."""

from kivy.properties import StringProperty

from kiosk import text
from kiosk.screens.base import KioskScreen, load_kv
from kiosk.taps import HouseholdAnswered
from kiosk.views import VerifyView

load_kv(__file__)


class VerifyScreen(KioskScreen):
    """Shows the door plate large and asks; neither answer is preselected beyond its size."""

    unit = StringProperty()
    owner = StringProperty()

    def show(self, view: VerifyView) -> None:
        language = view.frame.language
        self.unit = text.say(language, "plate.full", building=view.building, entrance=view.entrance, room=view.room)
        self.owner = text.say(language, "verify.owner", name=view.masked_name) if view.masked_name else ""

    def answer_pressed(self, right: bool) -> None:
        self.send(HouseholdAnswered(right=right))
