"""S15: take your things; everything is wiped. The open door of attract says goodbye."""

from kivy.properties import ObjectProperty, StringProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.part import Part
from kiosk.views import DoneView


class DoneTall(Part):
    """The words above, the door below."""


class DoneWide(Part):
    """The door at the left, the words at the right."""


load_kv(__file__)


class DoneScreen(KioskScreen):
    """Says thank you and what not to leave behind. Nothing of the visit stands here."""

    take = StringProperty()
    countdown = ObjectProperty(None, allownone=True)

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (DoneWide if theme.landscape() else DoneTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: DoneView) -> None:
        self.take = text.say(view.frame.language, "done.with_receipt" if view.took_receipt else "done.without_receipt")
        self.countdown = view.countdown
