"""S01: an open door with a lamp on. What works now, the cash rule, where cash is taken by a person; touch to start."""

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk import text
from kiosk.domain.money import FEN_PER_YUAN
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.widgets import Press, Stack
from kiosk.taps import StartTapped
from kiosk.views import AttractView, CashPlace

load_kv(__file__)


class Anywhere(Press, Widget):
    """The whole glass as one target, under everything else."""


class AttractLegal(Stack):
    """The lines that must be there: what works, the cash rule, the desk, the phone."""

    screen = ObjectProperty()


class AttractLayout(FloatLayout):
    """Base of the two panels' layouts."""

    screen = ObjectProperty()

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.ids.legal.add_widget(AttractLegal(screen=self.screen))


class AttractPortrait(AttractLayout):
    """The door fills the panel; the words stand in the doorway."""


class AttractLandscape(AttractLayout):
    """The door at the left, words and button beside it."""


class AttractScreen(KioskScreen):
    """Waits for someone. Every touch that is not the language button starts."""

    framed = False
    methods = StringProperty()
    cash_rule = StringProperty()
    desk_rule = StringProperty()
    phone = StringProperty()
    notice = StringProperty()
    payable = BooleanProperty(True)

    def __init__(self, send: Send, **kwargs: object) -> None:
        super().__init__(send, **kwargs)
        layout = AttractLandscape if theme.landscape() else AttractPortrait
        self.add_widget(layout(screen=self))

    def show(self, view: AttractView) -> None:
        language = view.frame.language
        say = text.say
        joint = ", " if language == "en" else "、"
        self.payable = bool(view.methods)
        self.methods = joint.join(say(language, method) for method in view.methods)
        faces = [int(face) // FEN_PER_YUAN for face in view.faces]
        rule = say(language, "attract.cash_rule", smallest=min(faces), largest=max(faces)) if faces else ""
        self.cash_rule = rule
        self.desk_rule = self._desk(language, view.cash_place)
        self.phone = view.frame.phone
        self.notice = text.say_saying(language, view.notice) if view.notice else ""

    def start_pressed(self) -> None:
        self.send(StartTapped())

    @staticmethod
    def _desk(language: str, place: CashPlace) -> str:
        name = (place.place_en or place.place) if language == "en" else place.place
        if not name:
            return ""
        return text.say(language, "attract.desk_rule", place=name, hours=text.say_hours(language, place.hours))
