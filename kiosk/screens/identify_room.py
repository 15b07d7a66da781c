"""S03, third question: the room's digits."""

from kivy.properties import ListProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, load_kv
from kiosk.screens.plate_words import plate_parts
from kiosk.taps import KeyTapped
from kiosk.views import RoomView

load_kv(__file__)


class RoomScreen(KioskScreen):
    """The plate fills up digit by digit; what went wrong stands between plate and keys."""

    parts = ListProperty()
    error = StringProperty()
    wait = ObjectProperty(None, allownone=True)

    def show(self, view: RoomView) -> None:
        language = view.frame.language
        self.parts = plate_parts(language, "room", view.building, view.entrance, view.digits)
        self.error = text.say_saying(language, view.error) if view.error else ""
        self.wait = view.wait
        if theme.landscape() and self.error:
            self.parts = self.parts[-1:]  # beside the sentence there is room for the room only
        self.primary_enabled = view.can_confirm

    def key_pressed(self, key: str) -> None:
        self.send(KeyTapped(key=key))
