"""S16: the closed door. What is wrong in one line, whether money is left here, and where one can pay now."""

from kivy.properties import NumericProperty, StringProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.claims import claim_lines
from kiosk.screens.part import Part
from kiosk.views import OutOfServiceView


class OutOfServiceTall(Part):
    """The closed door above, everything to read on the counter below."""


class OutOfServiceWide(Part):
    """The closed door at the left, everything to read at the right."""


load_kv(__file__)


class OutOfServiceScreen(KioskScreen):
    """Says what is wrong and the way around it; there is nothing to press but 帮助."""

    title = StringProperty()
    reason = StringProperty()
    money = StringProperty()
    place = StringProperty()
    hours = StringProperty()
    phone = StringProperty()
    say_code = StringProperty()
    claims = StringProperty()
    claim_count = NumericProperty(0)
    works = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (OutOfServiceWide if theme.landscape() else OutOfServiceTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: OutOfServiceView) -> None:
        language, say, frame = view.frame.language, text.say, view.frame
        self.title = say(language, "out_of_service.title")
        reason = text.say_saying(language, view.reason)
        day, clock = text.say_clock(language, view.since)
        self.reason = say(language, "out_of_service.no_since", reason=reason)
        if view.since:
            self.reason = say(language, "out_of_service.since", reason=reason, day=day, time=clock)
        key = "money_left" if view.unsettled else "money_unsure" if view.money_unsure else "no_money_left"
        self.money = say(language, f"out_of_service.{key}", count=len(view.unsettled))
        place = view.cash_place
        self.place = (place.place_en or place.place) if language == "en" else place.place
        self.hours, self.phone = place.hours, frame.phone
        self.say_code = say(language, "out_of_service.say", code=frame.kiosk_code) if frame.kiosk_code else ""
        self.claims, self.claim_count = "\n".join(claim_lines(language, view.unsettled)), len(view.unsettled)
        if theme.landscape() and view.unsettled:  # no room for a card of its own
            numbers = "　".join(claim.claim_no for claim in view.unsettled)
            self.money = say(language, "out_of_service.money_left_short", numbers=numbers)
        between = ", " if language == "en" else "、"
        works = between.join(say(language, key) for key in view.still_works)
        self.works = f"{say(language, 'out_of_service.still_works')}　{works}" if works else ""
