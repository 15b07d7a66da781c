"""Icons: white strokes drawn once at twice the size, halved by linear filtering, tinted at use."""

import functools

from kivy.graphics import ClearBuffers, ClearColor, Color, Fbo, Line, Mesh, Rectangle
from kivy.graphics.texture import Texture
from kivy.properties import ColorProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.icons import GRID, Stroke, strokes

STROKE, THIN, THICK = 2.0, 1.6, 3.0  # grid units; thin from 13 mm up
THIN_FROM_MM = 13
DOT = 0.01  # a line of no length with round caps


@functools.cache
def icon_picture(name: str, side: int, stroke: float) -> Texture:
    """The icon in twice its side; shared by every widget that shows it."""
    scale = 2 * side / GRID
    buffer = _buffer()
    buffer.size = (1, 1)  # setting the size it has would keep the texture, and all icons of a size would look alike
    for size in (
        (1, 1),
        (2 * side, 2 * side),
    ):  # each change makes a new texture; the last icon's stays with its widgets
        buffer.size = size
    buffer.clear()
    with buffer:
        ClearColor(1, 1, 1, 0)  # white and clear: black and clear would leave a dark rim after filtering
        ClearBuffers()
        Color(1, 1, 1, 1)
        for shape in strokes(name):
            _draw(shape, scale, stroke * scale / 2)
    buffer.draw()
    return buffer.texture


@functools.cache
def _buffer() -> Fbo:
    """One for all icons: each buffer compiles a shader of its own, which takes 5 ms and 0.5 MB."""
    return Fbo(size=(1, 1))


def _draw(shape: Stroke, scale: float, half_width: float) -> None:
    points = [value for x, y in shape.points for value in (x * scale, (GRID - y) * scale)]
    if len(shape.points) == 1:
        points += [points[0] + DOT, points[1]]
    if shape.filled:
        vertices = [value for x, y in zip(points[::2], points[1::2], strict=True) for value in (x, y, 0, 0)]
        Mesh(vertices=vertices, indices=range(len(shape.points)), mode="triangle_fan")
    Line(points=points, width=half_width, cap="round", joint="round", close=shape.closed)


class Icon(Widget):
    """A named icon of ``side`` pixels, centred in the widget; no name, no picture."""

    name = StringProperty("")
    side = NumericProperty(0)  # 0: the theme's small icon
    stroke = NumericProperty(0)  # 0: by size
    tone = StringProperty("ink")
    color = ColorProperty(None, allownone=True)

    def __init__(self, **kwargs: object) -> None:
        self._tint, self._picture = Color(1, 1, 1, 1), Rectangle(size=(0, 0))
        super().__init__(**kwargs)
        self.canvas.add(self._tint)
        self.canvas.add(self._picture)
        for name in ("name", "side", "stroke", "tone", "color"):
            self.fbind(name, self._draw)
        self.fbind("pos", self._place)
        self.fbind("size", self._place)
        self._draw()

    @property
    def side_px(self) -> int:
        return int(self.side) or theme.icon_side("small")

    def _draw(self, *_: object) -> None:
        self._tint.rgba = self.color if self.color is not None else theme.colour(self.tone)
        side = self.side_px
        if self.size_hint_x is None:
            self.width = side
        if self.size_hint_y is None:
            self.height = side
        if self.name:
            thin = side >= theme.px(THIN_FROM_MM)
            picture = icon_picture(self.name, side, self.stroke or (THIN if thin else STROKE))
            self._picture.texture, self._picture.size = picture, (side, side)
        else:
            self._picture.texture, self._picture.size = None, (0, 0)
        self._place()

    def _place(self, *_: object) -> None:
        side = self.side_px
        self._picture.pos = (round((self.x + self.width / 2) - side / 2), round((self.y + self.height / 2) - side / 2))
