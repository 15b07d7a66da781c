"""A note whose fate is unclear: its face, and the number by which the payer can ask about it."""

from collections.abc import Sequence

from kivy.properties import NumericProperty, StringProperty

from kiosk import text
from kiosk.domain.money import FEN_PER_YUAN
from kiosk.domain.receipt import Claim
from kiosk.screens.base import load_kv
from kiosk.screens.widgets import Card


class ClaimCard(Card):
    """The notes to be checked, a line each; ``count`` lines."""

    caption = StringProperty()
    claims = StringProperty()
    count = NumericProperty(1)


load_kv(__file__)


def claim_lines(language: str, claims: Sequence[Claim]) -> list[str]:
    return [_line(language, claim) for claim in claims]


def _line(language: str, claim: Claim) -> str:
    face = text.say(language, "result.claim_face_unknown")
    if claim.face is not None:
        face = text.say(language, "result.claim_face", face=claim.face // FEN_PER_YUAN)
    return f"{face}　{text.say(language, 'result.claim_no', number=claim.claim_no)}"
