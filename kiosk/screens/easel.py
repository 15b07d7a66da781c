"""Draws views one after the other on an offscreen panel, for the gallery and for tests.

One panel a process: Kivy reads the density once, at its import.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.screens import environment, theme
from kiosk.views import AnyView

if TYPE_CHECKING:
    from PIL.Image import Image

    from kiosk.taps import Tap

SETTLING_FRAMES = 4  # layouts ask for another pass, and for one more after a text has found its size


class Easel:
    """The whole set of screens, built once as on a kiosk, without a kiosk. ``taps`` is what was pressed."""

    def __init__(self, panel: str, home: Path) -> None:
        environment.prepare_offscreen(panel, home)
        from kivy.config import Config

        Config.set("graphics", "maxfps", "0")  # nobody watches: the next frame at once
        from kivy.base import EventLoop
        from kivy.uix.floatlayout import FloatLayout

        from kiosk.screens.router import Router

        self._loop = EventLoop
        self.taps: list[Tap] = []
        EventLoop.ensure_window()
        self.window = EventLoop.window
        self.place = FloatLayout()
        self.window.add_widget(self.place)
        self.router: Router = Router(self.place, self.taps.append)
        EventLoop.start()
        self.settle()

    def show(self, view: AnyView) -> None:
        """Put a view on the glass and let it come to rest."""
        self.router.show(view)
        self.settle()

    def settle(self) -> None:
        for _ in range(SETTLING_FRAMES):
            self._loop.idle()

    def picture(self) -> "Image":
        """What is on the glass."""
        from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glFinish, glReadPixels
        from PIL import Image

        wide, high = self.window.system_size
        self.window.on_draw()
        glFinish()
        pixels = glReadPixels(0, 0, wide, high, GL_RGB, GL_UNSIGNED_BYTE)
        return Image.frombytes("RGB", (wide, high), pixels).transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def rows_per_page(panel: str) -> int:
    """How many bills the agent puts on one page for this panel."""
    return int(theme.tokens()["panel"][panel]["rows"])
