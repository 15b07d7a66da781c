"""What is wrong with a drawn screen, measured on its widget tree: clipped text, small targets, narrow gaps.

A person judges whether a screen is beautiful; whether it can be read and hit at all is arithmetic. The least sizes are
those of ux-and-accessibility section 1.2, column "smallest allowed".
"""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from kivy.uix.widget import Widget
from PIL import Image

from kiosk.screens.widgets.dialog import Dialog
from kiosk.screens.widgets.faces import Face
from kiosk.screens.widgets.icon import Icon
from kiosk.screens.widgets.press import Press
from kiosk.screens.widgets.words import Words

LEAST_TEXT_MM = 7.0
LEAST_MONEY_MM = 8.0  # money is never set in the smallest size
LEAST_TARGET_MM = (20.0, 20.0)
LEAST_CORNER_MM = (22.0, 15.0)
LEAST_GAP_MM = 3.0
ROUNDING_MM = 0.3  # lengths are whole pixels, 0.25 mm on the large panel
AMOUNT = re.compile(r"¥[\d,]+\.\d\d")  # always two decimals; ¥100 without them is a note
EDGE_PX = 1.5  # a glyph's soft rim
INK = 40  # alpha from which a pixel belongs to a glyph


class Box(NamedTuple):
    """A rectangle in window pixels, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def holds(self, other: "Box", slack: float = EDGE_PX) -> bool:
        return (
            other.left >= self.left - slack
            and other.bottom >= self.bottom - slack
            and other.right <= self.right + slack
            and other.top <= self.top + slack
        )

    def meets(self, other: "Box") -> bool:
        """Whether both share more than a hair line."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > 1.5 and along > 1.5

    def gap(self, other: "Box") -> float:
        across = max(self.left, other.left) - min(self.right, other.right)
        along = max(self.bottom, other.bottom) - min(self.top, other.top)
        return max(across, along)


class Finding(NamedTuple):
    """One thing a person at the kiosk would stumble over."""

    rule: str
    where: str
    detail: str


class PaintedText(NamedTuple):
    """Words that are on the glass, with the pixels their glyphs really cover, line by line."""

    words: Words
    inks: tuple[Box, ...]

    @property
    def text(self) -> str:
        return " / ".join(self.words.lines)


class Audit:
    """The findings for the widgets on one window; ``px_per_mm`` is the panel's true density."""

    def __init__(self, root: Widget, width_px: int, height_px: int, px_per_mm: float) -> None:
        self.window = Box(0, 0, width_px, height_px)
        self.px_per_mm = px_per_mm
        self.widgets = list(_visible(root))
        self.texts = [PaintedText(widget, inks) for widget in self.widgets if (inks := _inks(widget))]
        # A target as large as the panel (attract) is not a target among others.
        pressable = [widget for widget in self.widgets if isinstance(widget, Press)]
        self.targets = [widget for widget in pressable if widget.width * widget.height < width_px * height_px / 2]

    def findings(self) -> list[Finding]:
        rules = (
            self._texts_in_their_boxes, self._cut_texts, self._texts_over_texts, self._small_texts, self._lonely_last_characters,
            self._raw_texts, self._small_targets, self._narrow_gaps, self._blank_targets, self._main_choice_elsewhere,
        )  # fmt: skip
        return [finding for rule in rules for finding in rule()]

    def _texts_in_their_boxes(self) -> Iterator[Finding]:
        for text in self.texts:
            # A tight line is lower than its comma is deep: that much may hang out of a box that nobody sees.
            hang = 0.14 * text.words.font_px
            for ink in text.inks:
                boxes = (
                    (box, EDGE_PX if isinstance(box, Face) else hang) for box in (text.words, *_holders(text.words))
                )
                holder = next((box for box, slack in boxes if not _box(box).holds(ink, slack)), None)
                if holder is not None or not self.window.holds(ink):
                    where = "the panel" if holder is None else _where(holder)
                    yield Finding("text outside its box", _where(text.words), f"{text.text!r} in {where}")
                    break

    def _cut_texts(self) -> Iterator[Finding]:
        for text in self.texts:
            if text.words.max_lines and len(text.words.lines) > text.words.max_lines:
                yield Finding("too many lines", _where(text.words), text.text)

    def _texts_over_texts(self) -> Iterator[Finding]:
        for one, other in combinations(self.texts, 2):
            if any(ink.meets(over) for ink in one.inks for over in other.inks):
                yield Finding("texts overlap", _where(one.words), f"{one.text!r} and {other.text!r}")

    def _small_texts(self) -> Iterator[Finding]:
        for text in self.texts:
            size = text.words.font_px / self.px_per_mm
            least = LEAST_MONEY_MM if AMOUNT.search(text.text) else LEAST_TEXT_MM
            if size < least - ROUNDING_MM:
                yield Finding("small text", _where(text.words), f"{text.text!r} is {size:.1f} mm")

    def _lonely_last_characters(self) -> Iterator[Finding]:
        for text in self.texts:
            lines = text.words.lines
            if len(lines) > 1 and len(lines[-1].strip(" ，。、；：！？…")) <= 1:
                yield Finding("lonely last character", _where(text.words), text.text)

    def _raw_texts(self) -> Iterator[Finding]:
        for text in self.texts:
            if any(sign in text.text for sign in "{}[]"):
                yield Finding("raw text", _where(text.words), text.text)

    def _small_targets(self) -> Iterator[Finding]:
        for target in self.targets:
            least = LEAST_TARGET_MM if _is_content(target) else LEAST_CORNER_MM
            size = target.width / self.px_per_mm, target.height / self.px_per_mm
            if size[0] < least[0] - ROUNDING_MM or size[1] < least[1] - ROUNDING_MM:
                yield Finding("small target", _where(target), f"{size[0]:.1f} x {size[1]:.1f} mm")

    def _narrow_gaps(self) -> Iterator[Finding]:
        for one, other in combinations(self.targets, 2):
            gap = _box(one).gap(_box(other)) / self.px_per_mm
            if gap < LEAST_GAP_MM - ROUNDING_MM and not (_inside(one, other) or _inside(other, one)):
                yield Finding("narrow gap", _where(one), f"{gap:.1f} mm to {_where(other)}")

    def _blank_targets(self) -> Iterator[Finding]:
        for target in self.targets:
            written = any(_inside(text.words, target) for text in self.texts)
            drawn = any(isinstance(widget, Icon) and widget.name and _inside(widget, target) for widget in self.widgets)
            if not written and not drawn:
                yield Finding("blank target", _where(target), "neither text nor sign on it")

    def _main_choice_elsewhere(self) -> Iterator[Finding]:
        for target in self.targets:
            if getattr(target, "kind", "") != "primary":
                continue
            right = max(_box(other).right for other in self.targets)
            if _box(target).right < right - 1:
                yield Finding("main choice not at the right", _where(target), f"{_box(target).right:.0f} < {right:.0f}")


def _visible(widget: Widget) -> Iterator[Widget]:
    """The widgets a person can see. A widget that lies over the others hides them from the audit, as from the finger."""
    if widget.opacity == 0 or widget.width < 1 or widget.height < 1:
        return
    over = [child for child in widget.children if isinstance(child, Dialog)]
    yield widget
    for child in over or widget.children:
        yield from _visible(child)


def _is_content(target: Press) -> bool:
    """Whether it is in a screen's content or is the main button; 帮助, 返回 and their like around it may be smaller."""
    content = [holder.content for holder in _holders(target) if hasattr(holder, "content")]
    kind = getattr(target, "kind", "")
    if kind == "quiet":
        return False
    return kind == "primary" or not content or any(_inside(target, place) for place in content)


def _box(widget: Widget) -> Box:
    left, bottom = widget.to_window(widget.x, widget.y)
    return Box(left, bottom, left + widget.width, bottom + widget.height)


def _inks(widget: Widget) -> tuple[Box, ...]:
    """Where the glyphs of a text are, by the pixels of its textures."""
    if not isinstance(widget, Words):
        return ()
    found = []
    for line, rectangle in widget.drawn_lines:
        left, bottom, right, top = _ink(line, widget.font_px, widget.bold, rectangle.texture)
        x, y = widget.to_window(*rectangle.pos)
        found.append(Box(x + left, y + bottom, x + right, y + top))
    return tuple(found)


_known_inks: dict[tuple[str, int, bool], tuple[int, int, int, int]] = {}


def _ink(line: str, font_px: int, bold: bool, texture: Any) -> tuple[int, int, int, int]:
    """Left, bottom, right and top of the glyphs inside their texture; read once per line, for reading is slow."""
    key = (line, font_px, bold)
    if key not in _known_inks:
        alpha = Image.frombytes("RGBA", texture.size, texture.pixels).getchannel("A")
        found = alpha.point(lambda value: 255 if value > INK else 0).getbbox() or (0, 0, 0, 0)
        left, first, right, last = found
        _known_inks[key] = (left, texture.height - last, right, texture.height - first)
    return _known_inks[key]


def _holders(widget: Widget) -> Iterator[Widget]:
    """The parents that draw a box or arrange their children, up to the window."""
    parent = widget.parent
    while isinstance(parent, Widget):
        yield parent
        parent = parent.parent


def _inside(widget: Widget, holder: Widget) -> bool:
    return any(parent is holder for parent in _holders(widget))


def _where(widget: Widget) -> str:
    names = [type(widget).__name__, *(type(parent).__name__ for parent in _holders(widget))]
    return " < ".join(names[:3])
