"""The door plate while it is being filled in: done white, now lamp, next pale, a slot per digit."""

from collections.abc import Sequence
from typing import NamedTuple

from kivy.graphics import Color, Rectangle
from kivy.properties import ListProperty

from kiosk.screens import theme
from kiosk.screens.widgets.signs import PlateFace
from kiosk.screens.widgets.words import Words

TONES = {"done": "on_plate", "now": "plate_now", "next": "plate_next"}


class Part(NamedTuple):
    """One part of an address: ``filled`` is what is known, ``slots`` how many places it has, ``word`` its unit.

    A done part without slots is written plainly. ``word_first`` puts the word before (Room 502).
    """

    state: str
    filled: str
    slots: int
    word: str
    word_first: bool = False


class _Place(Words):
    """Words that know their place in the row, in pixels."""

    shift = 0.0  # from the place's start to the text
    takes = 0.0  # the whole place, the space around it included
    slot_box = (0.0, 0.0)  # start and width of the underline


class FillingPlate(PlateFace):
    """Shows ``parts`` centred on one line, at the largest size that fits."""

    parts = ListProperty()
    sizes = ("figure", "title", "body", "label")

    def __init__(self, **kwargs: object) -> None:
        self._words: list[_Place] = []
        self._lines: list[tuple[Color, Rectangle]] = []
        super().__init__(**kwargs)
        for name in ("parts", "pos", "size"):
            self.fbind(name, self.arrange)

    def arrange(self, *_: object) -> None:
        """Lay the parts out; reuses words and slot lines, so that a digit costs one texture."""
        room = self.width - theme.px(30)
        pieces = _pieces(self.parts)
        for size in self.sizes:
            total = self._put(pieces, size)
            if total <= room:
                break
        x = (self.x + self.width / 2) - total / 2
        for words, piece in zip(self._words, pieces, strict=False):
            words.pos = (round(x + words.shift), round((self.y + self.height / 2) - words.height / 2))
            if piece[2]:
                self._underline(words, x)
            x += words.takes

    def _put(self, pieces: "Sequence[Piece]", size: str) -> float:
        em = theme.type_px(size)
        while len(self._words) < len(pieces):
            words = _Place(wraps=False, bold=True, line_height=1.2)
            tint, bar = Color(), Rectangle(size=(0, 0))
            self.canvas.add(tint)
            self.canvas.add(bar)
            self._words.append(words)
            self._lines.append((tint, bar))
            self.add_widget(words)
        total = 0.0
        for words, (text, tone, slot, before, after) in zip(self._words, pieces, strict=False):
            words.text, words.type_size, words.tone = text, size, tone
            words.refresh()
            wide = 0.8 * em if slot else words.width
            words.shift = before * em + (wide - words.width) / 2
            words.takes = before * em + wide + after * em
            words.slot_box = (before * em, wide)
            total += words.takes
        for words, (_, bar) in zip(self._words, self._lines, strict=True):
            bar.size = (0, 0)
            if words not in self._words[: len(pieces)]:
                words.text = ""
                words.refresh()
        return total

    def _underline(self, words: _Place, x: float) -> None:
        tint, bar = self._lines[self._words.index(words)]
        tint.rgba = theme.colour(words.tone)
        before, wide = words.slot_box
        em = words.font_px
        bar.size = (round(wide), theme.px(0.75))
        bar.pos = (round(x + before), round((self.y + self.height / 2) - 0.58 * em))


Piece = tuple[str, str, bool, float, float]  # text, tone, whether a slot, em before, em after


def _pieces(parts: Sequence[Part]) -> list[Piece]:
    pieces: list[Piece] = []
    for number, part in enumerate(parts):
        tone = TONES[part.state]
        lead = 0.45 if number else 0.0
        places: list[Piece]
        if part.slots:
            filled = part.filled.ljust(part.slots)
            places = [(char.strip(), tone, True, 0.12 if at else 0.0, 0.0) for at, char in enumerate(filled)]
        else:
            places = [(part.filled, tone, False, 0.0, 0.0)]
        word: Piece = (part.word, tone, False, 0.25, 0.0)
        if part.word_first:
            word = (part.word, tone, False, 0.0, 0.25)
        ordered = [word, *places] if part.word_first else [*places, word]
        first = ordered[0]
        pieces.append((first[0], first[1], first[2], first[3] + lead, first[4]))
        pieces += ordered[1:]
    return pieces
