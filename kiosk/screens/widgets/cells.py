"""Cells side by side: places only the children that are shown, so that a page of fewer needs no other tree."""

from collections.abc import Callable

from kivy.properties import NumericProperty
from kivy.uix.layout import Layout
from kivy.uix.widget import Widget

from kiosk.screens import theme


class Cells(Layout):
    """Rows of ``columns`` equal cells with the theme's gap. ``cell_h`` 0 shares the height; else the height follows.

    ``most_h`` bounds a shared height; fewer rows then rest on the lower edge, near the hand.
    """

    columns = NumericProperty(3)
    cell_h = NumericProperty(0)
    most_h = NumericProperty(float("inf"))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("columns", "cell_h", "pos", "size", "children"):
            self.fbind(name, self._trigger_layout)

    def fill(self, count: int, build: Callable[[], Widget]) -> list[Widget]:
        """Return the first ``count`` cells, building those that are missing; the others are hidden."""
        while len(self.children) < count:
            self.add_widget(build())
        cells = self.cells
        for number, cell in enumerate(cells):
            cell.shown = number < count
        self._trigger_layout()
        return cells[:count]

    @property
    def cells(self) -> list[Widget]:
        """All children in the order they were added."""
        return list(reversed(self.children))

    def do_layout(self, *_: object) -> None:
        shown = [cell for cell in self.cells if getattr(cell, "shown", True)]
        columns, gap = max(1, int(self.columns)), theme.space("gap")
        rows = max(1, -(-len(shown) // columns))
        if self.cell_h:
            self.height = rows * self.cell_h + (rows - 1) * gap if shown else 0
        width = (self.width - (columns - 1) * gap) / columns
        height = self.cell_h or min(self.most_h, (self.height - (rows - 1) * gap) / rows)
        first_top = self.y + rows * height + (rows - 1) * gap
        for number, cell in enumerate(shown):
            row, column = divmod(number, columns)
            left = self.x + column * (width + gap)
            top = first_top - row * (height + gap)
            # Whole pixels at both edges: neighbours keep equal gaps.
            cell.pos = (round(left), round(top - height))
            cell.size = (round(left + width) - round(left), round(top) - round(top - height))
