"""S03 for those who know the whole number: 3-1-502, said back in words."""

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.screens.base import KioskScreen, load_kv
from kiosk.taps import KeyTapped
from kiosk.views import TypedAddressView

load_kv(__file__)


class TypedAddressScreen(KioskScreen):
    """Shows what was typed, and below it how it was understood."""

    typed = StringProperty()
    parsed = StringProperty()
    error = StringProperty()
    empty = BooleanProperty(True)
    wait = ObjectProperty(None, allownone=True)

    def show(self, view: TypedAddressView) -> None:
        language = view.frame.language
        self.empty = not view.typed
        self.typed = view.typed or text.say(language, "identify.typed_example")
        self.parsed = text.say_saying(language, view.parsed) if view.parsed and not view.error else ""
        self.error = text.say_saying(language, view.error) if view.error else ""
        self.wait = view.wait
        self.primary_enabled = view.can_confirm

    def key_pressed(self, key: str) -> None:
        self.send(KeyTapped(key=key))
