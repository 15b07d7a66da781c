"""S13: one of the four outcomes, in one sentence, with what happened to the money and the number to ask by."""

from typing import NamedTuple

from kivy.properties import NumericProperty, StringProperty

from kiosk import text
from kiosk.domain.money import format_yuan
from kiosk.domain.receipt import Outcome
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.claims import claim_lines
from kiosk.screens.part import Part
from kiosk.screens.widgets.stack import Stack
from kiosk.views import ResultView


class Look(NamedTuple):
    """How an outcome looks: ground and ink of the top, the disc, its sign."""

    ground: str
    ink: str
    disc: str
    sign_tone: str
    sign: str


_LOOKS = {
    Outcome.BOOKED: Look("pine", "on_pine", "on_pine", "pine", "check"),
    Outcome.ACCEPTED: Look("amber_tint", "ink", "amber", "on_amber", "hourglass"),
    Outcome.PROCESSING: Look("amber_tint", "ink", "amber", "on_amber", "hourglass"),
    Outcome.NOT_COMPLETED: Look("brick_tint", "ink", "brick", "on_pine", "close"),
}


class MoneyLine(Stack):
    """Where a part of the money went: name, a second line, and the amount."""

    name = StringProperty()
    second = StringProperty()
    amount = StringProperty()


class ResultTall(Part):
    """The outcome on its ground, then the money, then the number."""


class ResultWide(Part):
    """The outcome at the left on its ground, money and number at the right."""


load_kv(__file__)


class ResultScreen(KioskScreen):
    """Says what became of the payment, in the words that also stand on the slip."""

    ground = StringProperty("pine")
    ink = StringProperty("on_pine")
    disc = StringProperty("on_pine")
    sign_tone = StringProperty("pine")
    sign = StringProperty("check")
    outcome = StringProperty()
    received = StringProperty()
    sentence = StringProperty()
    bills_second = StringProperty()
    to_bills = StringProperty()
    prepaid_second = StringProperty()
    to_prepaid = StringProperty()
    left_open = StringProperty()
    receipt_no = StringProperty()
    claims = StringProperty()
    claim_count = NumericProperty(0)
    advice = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.part = (ResultWide if theme.landscape() else ResultTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: ResultView) -> None:
        language, say = view.frame.language, text.say
        self.ground, self.ink, self.disc, self.sign_tone, self.sign = _LOOKS[view.outcome]
        if not theme.landscape():
            # The outcome's ground reaches to the top; neither steps nor banner lie across it.
            self.top_ground, self.top_ink = self.ground, self.ink
            self.step, self.offline_words = 0, ""
        self.outcome = say(language, f"result.{view.outcome}")
        self.received = format_yuan(view.received) if view.received else ""
        self.sentence = self._sentence(view)
        self._show_money(view)
        self.receipt_no = view.receipt_no
        self.claims = "\n".join(claim_lines(language, view.claims))
        self.claim_count = len(view.claims)
        self.advice = self._advice(view)
        wants_slip = bool(view.receipt_no) and view.can_print
        self.primary_text = say(language, "result.to_receipt" if wants_slip else "frame.continue")
        if theme.landscape():
            self.primary_text = say(language, "frame.continue")
        self.primary_icon = "receipt" if wants_slip else "next"

    def _sentence(self, view: ResultView) -> str:
        language, say = view.frame.language, text.say
        if view.claims:
            key = "result.claims" if view.received else "result.claims_alone"
            key = f"{key}_short" if theme.landscape() else f"{key}_sentence"
            return say(language, key, count=len(view.claims), received_fen=view.received)
        if view.outcome is not Outcome.BOOKED:
            key = f"result.{view.outcome}"
            if view.outcome is not Outcome.NOT_COMPLETED and not view.can_print:
                return say(language, f"{key}_no_slip")
            return say(language, f"{key}_short" if theme.landscape() else f"{key}_sentence")
        if view.left_open:
            return say(language, "result.booked_part", left_fen=view.left_open)
        if not view.bill_count:
            return say(language, "result.booked_prepaid")
        return say(language, "result.booked_all", count=view.bill_count)

    def _show_money(self, view: ResultView) -> None:
        language, say = view.frame.language, text.say
        self.to_bills = format_yuan(view.to_bills) if view.bill_count else ""
        self.to_prepaid = format_yuan(view.to_prepaid) if view.to_prepaid else ""
        self.left_open = format_yuan(view.left_open) if not view.received and view.left_open else ""
        self.prepaid_second = say(language, "result.prepaid_when_booked")
        if view.prepaid_after is not None:
            self.prepaid_second = say(language, "result.prepaid_after", prepaid_fen=view.prepaid_after)
        key, values = "result.to_bills_count", {}
        if view.frame.bills_as_of and not theme.landscape():
            day, clock = text.say_clock(language, view.frame.bills_as_of)
            key, values = "result.to_bills_as_of", {"day": day, "time": clock}
        elif view.left_open and view.outcome is not Outcome.BOOKED and not theme.landscape():
            key, values = "result.to_bills_left", {"left_fen": str(view.left_open)}
        elif view.outcome is Outcome.BOOKED and not view.left_open:
            key = "result.to_bills_cleared"
        self.bills_second = say(language, key, count=view.bill_count, **values)

    @staticmethod
    def _advice(view: ResultView) -> str:
        language, say = view.frame.language, text.say
        if view.notice is not None:
            return text.say_saying(language, view.notice)
        if view.outcome is Outcome.BOOKED:
            return say(language, "result.booked_note")
        if view.outcome is Outcome.NOT_COMPLETED:
            return ""
        return say(language, "result.accepted_note")
