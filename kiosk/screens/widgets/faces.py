"""Rounded faces: nine slices of one corner texture, tinted; sharp edges and smooth corners without multisampling.

Here and in the other widgets, what is bound to pos or size computes from x, y, width and height: Kivy's center_x, top and
right are cached and follow only after these observers have run.
"""

import functools

from kivy.graphics import BorderImage, Color
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

CLEAR = (0, 0, 0, 0)


@functools.cache
def corner(radius: int) -> Texture:
    """A white rounded square of 2r+2 pixels; alpha is coverage from 4 x 4 samples."""
    side = 2 * radius + 2
    quarter = [[_coverage(x, y, radius) for x in range(radius + 1)] for y in range(radius + 1)]
    rows = [row + row[::-1] for row in quarter]
    pixels = bytearray()
    for row in rows + rows[::-1]:
        for hits in row:
            pixels += bytes((255, 255, 255, hits * 255 // 16))
    texture = Texture.create(size=(side, side), colorfmt="rgba")
    texture.blit_buffer(bytes(pixels), colorfmt="rgba")
    return texture


def _coverage(x: int, y: int, radius: int) -> int:
    """How many of 16 samples of this pixel of the lower left quarter lie inside."""
    hits = 0
    for sample in range(16):
        dx = max(radius - x - (sample % 4 + 0.5) / 4, 0)
        dy = max(radius - y - (sample // 4 + 0.5) / 4, 0)
        hits += dx * dx + dy * dy <= radius * radius
    return hits


class Slice:
    """One tinted rounded rectangle on a canvas."""

    def __init__(self, radius: int) -> None:
        self.colour = Color(*CLEAR)
        self.image = BorderImage(texture=corner(radius), border=(radius,) * 4, auto_scale="both_lower")
        self._radius = radius

    def place(self, x: float, y: float, width: float, height: float, radius: int | None = None) -> None:
        if radius is not None and radius != self._radius:
            self._radius = radius
            self.image.texture, self.image.border = corner(radius), (radius,) * 4
        # Both edges are rounded, not position and size: faces inside each other stay concentric.
        left, bottom = round(x), round(y)
        self.image.pos = (left, bottom)
        self.image.size = (max(0, round(x + width) - left), max(0, round(y + height) - bottom))


class Face(Widget):
    """A rounded ground with an edge line and, where it can be pressed, a lip; lengths in pixels."""

    fill = ColorProperty(CLEAR)
    edge = ColorProperty(CLEAR)
    lip_fill = ColorProperty(CLEAR)
    radius = NumericProperty(0)
    line = NumericProperty(0)
    lip = NumericProperty(0)
    pressed = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        self._lip, self._edge, self._face = Slice(1), Slice(1), Slice(1)
        super().__init__(**kwargs)
        for slice_ in self.slices():
            self.canvas.before.add(slice_.colour)
            self.canvas.before.add(slice_.image)

        for name in ("pos", "size", "fill", "edge", "lip_fill", "radius", "line", "lip", "pressed"):
            self.fbind(name, self._draw)
        self._draw()

    def slices(self) -> tuple[Slice, ...]:
        """What is drawn, from below to above."""
        return self._lip, self._edge, self._face

    @property
    def face_box(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the face inside its edge; content is centred in it, so it drops when pressed."""
        raise_by = 0 if self.pressed else self.lip
        line = self.line
        return self.x + line, self.y + raise_by + line, self.width - 2 * line, self.height - self.lip - 2 * line

    def _draw(self, *_: object) -> None:
        x, y, width, height = self.face_box
        line, radius = self.line, int(self.radius)
        self._lip.colour.rgba = CLEAR if self.pressed or not self.lip else self.lip_fill
        self._lip.place(self.x, self.y, self.width, min(self.height, self.lip + 2 * radius + 1), radius)
        self._edge.colour.rgba = self.edge if line else CLEAR
        self._edge.place(x - line, y - line, width + 2 * line, height + 2 * line, radius)
        self._face.colour.rgba = self.fill
        self._face.place(x, y, width, height, max(1, radius - int(line)))


class Card(Face, BoxLayout):
    """A sheet of paper on stone: a ground for content, never pressable; not ``shown``, it leaves no gap in a Stack."""

    shown = BooleanProperty(True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.fbind("shown", self._show)

    def _show(self, *_: object) -> None:
        self.opacity = 1 if self.shown else 0
