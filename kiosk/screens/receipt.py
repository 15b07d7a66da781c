"""S14: print a slip or not; then take it. The number stands large, so that nobody needs paper to ask about money."""

from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.domain.money import format_yuan
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send, load_kv
from kiosk.screens.claims import claim_lines
from kiosk.screens.part import Part
from kiosk.taps import ContinueTapped, PrintAnswered, ReprintTapped
from kiosk.views import ReceiptState, ReceiptView

_SIGNS = {
    ReceiptState.ASK: ("printer", "pine", "on_pine"),
    ReceiptState.PRINTING: ("hourglass", "amber", "on_amber"),
    ReceiptState.PRINTED: ("receipt", "pine", "on_pine"),
    ReceiptState.FAILED: ("warn", "amber", "on_amber"),
    ReceiptState.NO_PAPER: ("warn", "amber", "on_amber"),
}
_TROUBLED = (ReceiptState.FAILED, ReceiptState.NO_PAPER)


class ReceiptTall(Part):
    """Sign and what to do, then the money and the number, the second choice on the counter."""


class ReceiptWide(Part):
    """Sign and what to do at the left, money and number at the right."""


load_kv(__file__)


class ReceiptScreen(KioskScreen):
    """Asks, tells what the printer does, and lets one print again."""

    sign = StringProperty("printer")
    disc = StringProperty("pine")
    sign_tone = StringProperty("on_pine")
    advice = StringProperty()
    troubled = BooleanProperty(False)
    received = StringProperty()
    receipt_no = StringProperty()
    check_code = StringProperty()  # with its name; where no slip says it
    claims = StringProperty()
    claim_numbers = StringProperty()  # without the faces, where there is no room for them
    claim_count = NumericProperty(0)
    second = StringProperty()  # the other choice: no slip, or print again
    second_icon = StringProperty()
    countdown = ObjectProperty(None, allownone=True)
    after = StringProperty()

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._asks = False
        self.part = (ReceiptWide if theme.landscape() else ReceiptTall)(screen=self)
        self.add_widget(self.part)

    def show(self, view: ReceiptView) -> None:
        language, say = view.frame.language, text.say
        self._asks = view.state is ReceiptState.ASK
        key = f"receipt_screen.{view.state}"
        self.question = say(language, f"{key}_short" if theme.landscape() else key)
        self.sign, self.disc, self.sign_tone = _SIGNS[view.state]
        self.troubled = view.state in _TROUBLED
        self.advice = self._advice(view)
        self.received, self.receipt_no = format_yuan(view.received), view.receipt_no
        self.check_code = say(language, "receipt.check_code", code=view.check_code) if view.check_code else ""
        self._show_claims(view)
        self._show_choices(view)
        self.countdown = view.countdown
        self.after = say(language, "receipt_screen.seconds_to_print" if self._asks else "receipt_screen.seconds")

    @staticmethod
    def _advice(view: ReceiptView) -> str:
        language = view.frame.language
        # 请取走凭条 stands above already; what to do with it is worth more.
        said_above = view.notice is not None and view.notice.key == "notice.take_receipt"
        if view.notice is not None and not said_above:
            return text.say_saying(language, view.notice)
        key = f"receipt_screen.{view.state}_detail"
        return text.say(language, key) if text.has(key) else ""

    def _show_claims(self, view: ReceiptView) -> None:
        language = view.frame.language
        self.claims, self.claim_count = "\n".join(claim_lines(language, view.claims)), len(view.claims)
        caption = text.say(language, "receipt.claim")
        self.claim_numbers = "\n".join(f"{caption} {claim.claim_no}" for claim in view.claims)

    def _show_choices(self, view: ReceiptView) -> None:
        language, say = view.frame.language, text.say
        if view.state is ReceiptState.PRINTING:
            self.primary_text = self.second = ""
        elif self._asks:
            self.primary_text, self.primary_icon = say(language, "receipt_screen.print"), "printer"
            self.second, self.second_icon = say(language, "receipt_screen.no_print"), "close"
        else:
            self.primary_text, self.primary_icon = say(language, "receipt_screen.finish"), "check"
            self.second = say(language, "receipt_screen.reprint") if view.can_reprint else ""
            self.second_icon = "printer"

    def primary_pressed(self) -> None:
        self.send(PrintAnswered(wanted=True) if self._asks else ContinueTapped())

    def second_pressed(self) -> None:
        self.send(PrintAnswered(wanted=False) if self._asks else ReprintTapped())
