"""What a slip consists of, before anybody thinks of dots or bytes: the words between content and the two renderers."""

from enum import IntEnum

import msgspec


class Type(IntEnum):
    """Type sizes in dots (8 dots are a millimetre). SMALL is above the design's 20: 2.5 mm ask for a magnifying glass."""

    SMALL = 22
    NORMAL = 24
    STRONG = 36
    TITLE = 44
    TOTAL = 48


class RuleKind(IntEnum):
    """Thickness of a rule in dots; DASHED is as thin as THIN."""

    DASHED = 0
    THIN = 2
    THICK = 6


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A caption on the left, its value on the right; where both do not fit, the value takes its own line."""

    left: str
    right: str = ""
    type: Type = Type.NORMAL
    left_bold: bool = False
    right_bold: bool = False
    right_type: Type | None = None


class Centred(msgspec.Struct, frozen=True, kw_only=True):
    """Text in the middle, wrapped where needed; ``spread`` sets titles with air between their letters."""

    text: str
    type: Type = Type.NORMAL
    bold: bool = False
    spread: bool = False


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence over the whole width."""

    text: str
    type: Type = Type.SMALL
    bold: bool = False


class Plate(msgspec.Struct, frozen=True):
    """The door plate: unit and masked name in a double frame, as on the screen."""

    text: str


class Band(msgspec.Struct, frozen=True):
    """White on black over the whole width, so that a copy can't pass for an original."""

    text: str


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome, framed."""

    text: str
    ticked: bool


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A QR code with what it is for; beside it on wide paper, under it on narrow."""

    link: str
    heading: str
    sentences: tuple[str, ...]


class Rule(msgspec.Struct, frozen=True):
    """A line across."""

    kind: RuleKind = RuleKind.THIN


class Space(msgspec.Struct, frozen=True):
    """Empty rows."""

    dots: int


Block = Row | Centred | Paragraph | Plate | Band | Stamp | Code | Rule | Space
