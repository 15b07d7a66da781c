"""What all samples share: one estate, one household, frames and countdowns."""

from typing import Any

from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim
from kiosk.views import CashPlace, Countdown, Frame, Step

PLACE = CashPlace(place="1 号楼物业前台", place_en="Estate office, building 1", hours="8:30–17:30")
RECEIPT_NO = "K07-000417"
CLAIM = Claim(claim_no="K07-Q000123", face=Fen(10000))


USUAL_DUE = Fen(61628)


class Maker:
    """Frames and countdowns for one language, one moment of the machine's clock and so many bills a page."""

    def __init__(self, language: str, now: float, rows: int) -> None:
        self.language, self.now, self.rows = language, now, rows

    def frame(self, step: Step | None = None, **changes: Any) -> Frame:
        known = step not in (None, Step.IDENTIFY)
        whole = {
            "language": self.language,
            "estate": "和安里小区",
            "estate_en": "Hean Li Estate",
            "kiosk_code": "K07",
            "local_time": "2026-02-06 10:24",
            "step": step,
            "plate": ("3", "502") if known and step != Step.VERIFY else (),
            "phone": "0571-0000 0123",
        }
        return Frame(**(whole | changes))

    def countdown(self, left_s: float, total_s: float) -> Countdown:
        # Half a second more than the digits say: a slow first frame must not change the picture.
        return Countdown(ends_at=self.now + left_s - 0.5, total_s=total_s)
