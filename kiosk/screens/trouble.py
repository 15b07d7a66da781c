"""An error in its three parts: what happened, where the money is, what to do; then the ways on, the main one at the right."""

from itertools import zip_longest

from kivy.properties import NumericProperty, StringProperty

from kiosk import text
from kiosk.domain.money import format_yuan
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.claims import claim_lines
from kiosk.screens.part import Part
from kiosk.screens.widgets import RaisedButton
from kiosk.taps import ChoiceTapped
from kiosk.views import TroubleView

OTHER_CHOICES = 2


class OtherChoice(RaisedButton):
    """A way on that is not the main one; ``name`` is its message key."""

    name = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        super().__init__(type_size="body" if theme.landscape() else "title", **kwargs)


class TroubleTall(Part):
    """Money, what to do, claims; the other ways on rest on the counter."""


class TroubleWide(Part):
    """What happened to the money and what to do at the left, amount and other ways on at the right."""


load_kv(__file__)


class TroubleScreen(KioskScreen):
    """Never only says that something is wrong."""

    money = StringProperty()
    next_step = StringProperty()
    amount = StringProperty()
    claims = StringProperty()
    claim_count = NumericProperty(0)
    claim_numbers = StringProperty()
    check_code = StringProperty()  # with its name
    other_count = NumericProperty(0)

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._main = ""
        self.part = (TroubleWide if theme.landscape() else TroubleTall)(screen=self)
        self.add_widget(self.part)
        self.others = [OtherChoice(shown=False) for _ in range(OTHER_CHOICES)]
        for button in self.others:
            button.fbind("on_release", self.other_pressed)
            self.part.ids.others.add_widget(button)

    def show(self, view: TroubleView) -> None:
        language, say, saying = view.frame.language, text.say, view.saying
        what, self.money, self.next_step = (
            say(language, f"{saying.key}.{part}", **saying.values) for part in ("what", "money", "next")
        )
        if view.next_step is not None:
            self.next_step = text.say_saying(language, view.next_step)
        code = f"\n{view.check_code}" if theme.landscape() else view.check_code
        self.check_code = say(language, "receipt.check_code", code=code) if view.check_code else ""
        self.question = say(language, "trouble_screen.title") if theme.landscape() else what
        if theme.landscape():
            self.money = f"{what.rstrip('。.')}{'.' if language == 'en' else '。'}\n{self.money}"
        self.amount = format_yuan(view.amount) if view.amount is not None else ""
        self.claims, self.claim_count = "\n".join(claim_lines(language, view.claims)), len(view.claims)
        *others, self._main = view.choices
        caption = (
            [say(language, "receipt.claim")] if view.claims and not others else []
        )  # with buttons there is no room
        self.claim_numbers = "\n".join([*caption, *(claim.claim_no for claim in view.claims)])
        self.primary_text = say(language, self._main)
        self.other_count = min(OTHER_CHOICES, len(others))
        for button, choice in zip_longest(self.others, others[-OTHER_CHOICES:]):
            button.shown = choice is not None
            button.name, button.text = choice or "", say(language, choice) if choice else ""

    def primary_pressed(self) -> None:
        self.send(ChoiceTapped(choice=self._main))

    def other_pressed(self, button: OtherChoice) -> None:
        self.send(ChoiceTapped(choice=button.name))
