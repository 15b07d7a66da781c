"""The Kivy application: one router, one link; the only place where another thread reaches Kivy."""

import logging
import signal
import threading
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.floatlayout import FloatLayout

from kiosk.screen_link.screen_end import ScreenEnd
from kiosk.screens import theme
from kiosk.screens.away import AwayScreen
from kiosk.screens.router import SCREENS, Router
from kiosk.taps import AnyTap
from kiosk.views import AnyView

log = logging.getLogger(__name__)

FIRST_VIEW_S = 0.1  # an agent that is there answers within this; then its view, not 请稍候, is the first thing drawn
# Most taps are answered in 1 to 2 ms: then the answer is in the frame that would else only show the button let go.
ANSWER_S = 0.01
BEFORE_FRAME = -1  # Kivy's word for "before the next frame is drawn", in the order of scheduling


def has_window() -> bool:
    """Whether Kivy found a display it can draw on."""
    return Window is not None


class ScreenApp(App):
    """Shows 请稍候 until the agent is there, then whatever view it sends."""

    use_kivy_settings = False  # F1 would open Kivy's settings panel

    def __init__(self, link: ScreenEnd, language: str) -> None:
        super().__init__()
        self._link = link
        self._language = language
        self._place = FloatLayout()
        self._router = Router(self._place, self._send)
        self._arrived = threading.Event()
        self._unpainted: int | None = None
        self._kind, self._logged_kind = "", ""
        self._unbuilt = list(SCREENS)

    # ---- Kivy's names ------------------------------------------------------------------------------------------------

    def build(self) -> FloatLayout:
        self._link.on_view = self._take
        self._link.on_ping = lambda number: Clock.schedule_once(lambda _dt: self._link.pong(number))
        self._link.on_lost = lambda: Clock.schedule_once(lambda _dt: self._show_away(), BEFORE_FRAME)
        self._link.start()
        if not self._arrived.wait(FIRST_VIEW_S):
            self._show_away()
        return self._place

    def open_settings(self, *_: object) -> bool:
        return False

    def on_start(self) -> None:
        glass = theme.glass()
        if tuple(Window.size) != (glass.width_px, glass.height_px):
            log.warning("screen.size_differs window=%s settings=%sx%s", Window.size, glass.width_px, glass.height_px)
        Window.bind(on_request_close=self._close_asked, on_flip=self._flip)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: Clock.schedule_once(lambda _dt: self.stop()))

    def on_stop(self) -> None:
        self._link.stop()

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _take(self, view: AnyView) -> None:
        """Called by the link's thread."""
        Clock.schedule_once(lambda _dt: self._show(view), BEFORE_FRAME)
        self._arrived.set()

    def _send(self, tap: AnyTap) -> None:
        self._arrived.clear()
        self._link.send(tap)
        self._arrived.wait(ANSWER_S)

    def _show(self, view: AnyView) -> None:
        self._router.show(view)
        self._unpainted = view.frame.view_no
        self._kind = str(type(view).__struct_config__.tag)
        Window.canvas.ask_update()  # also a view that changes nothing visible is reported as painted
        if self._unbuilt:
            Clock.unschedule(self._build_next)
            Clock.schedule_once(self._build_next, 0)

    def _show_away(self) -> None:
        self._router.clear()
        self._unpainted = None
        self._place.add_widget(AwayScreen(self._language))

    def _build_next(self, _dt: float) -> None:
        """One screen a frame, so that the first view is on the glass early and a touch never waits for all of them."""
        self._router.build([self._unbuilt.pop(0)])
        if self._unbuilt:
            Clock.schedule_once(self._build_next, 0)

    def _flip(self, window: Any) -> bool:
        # Flip here instead of in Kivy's default handler: what is reported as painted has then left for the glass.
        window.flip()
        if self._unpainted is not None:
            number, self._unpainted = self._unpainted, None
            self._link.painted(number)
            if self._kind != self._logged_kind:
                self._logged_kind = self._kind
                log.info("screen.shows view=%s", self._kind)
        return True

    def _close_asked(self, _window: Any, *_args: object, source: str = "", **_more: object) -> bool:
        return source == "keyboard"  # True refuses
