"""Column and Row: like Kivy's box, but a child that is not there leaves no gap, and every edge is a whole pixel."""

from typing import Any

from kivy.properties import NumericProperty, OptionProperty, VariableListProperty
from kivy.uix.layout import Layout

ALIGN = {"x": 0.0, "center_x": 0.5, "right": 1.0, "y": 0.0, "center_y": 0.5, "top": 1.0}


class Stack(Layout):
    """Children in the order they stand in the ``.kv``, from the top or from the left.

    A child is not there when its length is 0 or its ``shown`` is False. Those with a size hint share what the others leave.
    ``least`` is the length of those without, gaps and padding included: ``height: self.least`` makes a column as high as
    its content. Across, a child fills, or keeps its own size at its pos_hint (x, center_x, right; y, center_y, top).
    """

    orientation = OptionProperty("vertical", options=("vertical", "horizontal"))
    padding = VariableListProperty([0, 0, 0, 0])  # left, top, right, bottom
    spacing = NumericProperty(0)
    least = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("children", "pos", "size", "padding", "spacing", "orientation"):
            self.fbind(name, self._trigger_layout)
        self._trigger_layout()

    def add_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        if widget.property("shown", quiet=True):
            widget.fbind("shown", self._trigger_layout)
        super().add_widget(widget, *args, **kwargs)

    def do_layout(self, *_: object) -> None:
        vertical = self.orientation == "vertical"
        left, top, right, bottom = self.padding
        there = [child for child in reversed(self.children) if self._is_there(child)]
        hints = [self._hint(child) for child in there]
        fixed = sum(self._length(child) for child, hint in zip(there, hints, strict=True) if hint is None)
        fixed += self.spacing * max(0, len(there) - 1) + (top + bottom if vertical else left + right)
        self.least = fixed
        whole = sum(hint for hint in hints if hint is not None)
        spare = max(0, (self.height if vertical else self.width) - fixed)
        at = self.top - top if vertical else self.x + left
        for child, hint in zip(there, hints, strict=True):
            length = self._length(child) if hint is None else spare * hint / whole if whole else 0
            if vertical:
                x, width = _across(
                    child.size_hint_x, child.width, child.pos_hint, "x", self.x + left, self.width - left - right
                )
                child.pos = (x, round(at - length))
                # A length of its own is left alone: rounded, it would be put right again, for ever.
                child.size = (width, length if hint is None else round(at) - round(at - length))
                at -= length + self.spacing
            else:
                y, height = _across(
                    child.size_hint_y,
                    child.height,
                    child.pos_hint,
                    "center_y",
                    self.y + bottom,
                    self.height - top - bottom,
                )
                child.pos = (round(at), y)
                child.size = (length if hint is None else round(at + length) - round(at), height)
                at += length + self.spacing

    def _is_there(self, child: Any) -> bool:
        if not getattr(child, "shown", True):
            return False
        return self._hint(child) is not None or self._length(child) > 0

    def _hint(self, child: Any) -> float | None:
        return child.size_hint_y if self.orientation == "vertical" else child.size_hint_x

    def _length(self, child: Any) -> float:
        return child.height if self.orientation == "vertical" else child.width


def _across(
    hint: float | None, own: float, pos_hint: dict[str, float], usual: str, start: float, room: float
) -> tuple[int, float]:
    length = own if hint is None else room * min(1.0, hint)
    side = next((name for name in pos_hint if name in ALIGN), usual)
    return round(start + ALIGN[side] * (room - length)), own if hint is None else round(length)
