"""The picture of Menting: an open door with a lamp on, or the same door closed; on a grid of millimetres of S01."""

import math

from kivy.graphics import Color, Mesh, Rectangle, SmoothEllipse, SmoothLine, SmoothQuad
from kivy.properties import AliasProperty, BooleanProperty
from kivy.uix.widget import Widget

from kiosk.screens import theme

# The arch, in units of its own half width: springs at SPRING above the ground, radius 1. The leaf covers LEAF of it.
SPRING = 174 / 80
LEAF = 22 / 80
FLOOR = 40 / 80
SPREAD = 30 / 80
STEPS = 96


class Door(Widget):
    """Fills its width with the arch and the light on the floor. ``is_open`` False shows the closed door."""

    is_open = BooleanProperty(True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size", "is_open"):
            self.fbind(name, self._draw)
        self._draw()

    @property
    def unit(self) -> float:
        """Half the arch's width in pixels."""
        if not self.is_open:  # no light on the floor: it stands on its lower edge
            return min(self.width / 2, self.height / (SPRING + 1))
        return min(self.width / (2 + 2 * SPREAD), self.height / (SPRING + 1 + FLOOR))

    def _opening(self) -> tuple[float, float, float, float]:
        unit, ground = self.unit, self.y + FLOOR * self.unit
        left = (self.x + self.width / 2) - unit + (LEAF * unit if self.is_open else 0)
        return left, ground, (self.x + self.width / 2) + unit - left, (SPRING + 1) * unit

    # x, y, width, height of the lit part, for words that stand in the doorway.
    opening = AliasProperty(_opening, bind=("pos", "size", "is_open"))

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        if self.unit < 1:  # not laid out yet
            return
        if self.is_open:
            self._draw_open()
        else:
            self._draw_closed()

    def _arch(self, colour: str, left: float, unit: float, ground: float) -> None:
        """The arch from ``left`` on. A smooth line of the same colour along its curve hides the mesh's steps."""
        centre, spring = (self.x + self.width / 2), ground + SPRING * unit
        start = math.acos(max(-1.0, min(1.0, (left - centre) / unit)))
        turns = [start * (1 - step / STEPS) for step in range(STEPS + 1)]
        curve = [(centre + unit * math.cos(turn), spring + unit * math.sin(turn)) for turn in turns]
        outline = [(left, ground), *curve, (centre + unit, ground)]
        with self.canvas:
            Color(*theme.colour(colour))
            Mesh(
                vertices=[value for x, y in outline for value in (x, y, 0, 0)],
                indices=range(len(outline)),
                mode="triangle_fan",
            )
            SmoothLine(points=[value for point in outline for value in point], width=1)

    def _draw_open(self) -> None:
        unit, ground, centre = self.unit, round(self.y + FLOOR * self.unit), (self.x + self.width / 2)
        left, right = round(centre - unit), round(centre + unit)
        leaf = round(left + LEAF * unit)
        self._arch("pine_deep", left, unit, ground)
        self._arch("amber_tint", leaf, unit, ground)
        with self.canvas:
            Color(*theme.colour("floor"))
            spread = SPREAD * unit
            SmoothQuad(points=(left - spread, self.y, right + spread, self.y, right, ground, left, ground))
            Color(*theme.colour("pine_deep"))
            foot = 14 / 80 * unit
            SmoothQuad(points=(left, ground - 1, leaf, ground - foot, leaf, ground + 1, left, ground + 1))
            Rectangle(pos=(leaf - 1, ground - foot + 1), size=(1, foot))
            Color(*theme.colour("amber"))
            knob = 4.4 / 80 * unit
            SmoothEllipse(pos=(leaf - 6 / 80 * unit - knob / 2, ground + 94 / 80 * unit - knob / 2), size=(knob, knob))
        self._lamp(unit, ground, left)

    def _lamp(self, unit: float, ground: float, left: float) -> None:
        grid = unit / 80  # millimetres of S01
        wire, shade = left + 90.5 * grid, left + 76 * grid
        with self.canvas:
            Color(*theme.colour("pine_deep"))
            thick = max(1, round(grid))
            top = ground + SPRING * unit + math.sqrt(max(0.0, unit**2 - (wire - (self.x + self.width / 2)) ** 2))
            Rectangle(pos=(round(wire), round(ground + 220 * grid)), size=(thick, round(top - ground - 220 * grid)))
            Color(*theme.colour("amber"))
            y = round(ground + 206 * grid)
            SmoothEllipse(
                pos=(shade, y - 15 * grid), size=(30 * grid, 30 * grid), angle_start=-90, angle_end=90, segments=64
            )
            Color(*theme.colour("amber_ink"))
            Rectangle(pos=(round(shade), y - round(1.2 * grid)), size=(round(30 * grid), max(1, round(1.2 * grid))))

    def _draw_closed(self) -> None:
        unit, ground, centre = self.unit, round(self.y), round(self.x + self.width / 2)
        self._arch("pine_deep", round(centre - unit), unit, ground)
        inner = unit * 0.92
        self._arch("pine", round(centre - inner), inner, ground)
        with self.canvas:
            Color(*theme.colour("pine_deep"))
            line = max(2, round(unit / 40))
            Rectangle(pos=(centre - line // 2, ground), size=(line, round(SPRING * unit + inner)))
            Color(*theme.colour("amber"))
            knob = 5 / 80 * unit
            for side in (-1, 1):
                x = centre + side * 8 / 80 * unit
                SmoothEllipse(pos=(x - knob / 2, ground + 94 / 80 * unit), size=(knob, knob))
