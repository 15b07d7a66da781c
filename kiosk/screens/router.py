"""Which screen draws which view. Screens are built once, then reused: replace data, never trees."""

import importlib
from collections.abc import Iterable
from typing import cast

from kivy.clock import Clock
from kivy.uix.floatlayout import FloatLayout

from kiosk import views
from kiosk.screens import theme
from kiosk.screens.base import KioskScreen, Send
from kiosk.screens.pane import Pane
from kiosk.screens.widgets import words
from kiosk.views import AnyView

WIPE_AFTER_S = 0.3  # within a second, ux-and-accessibility section 9

# View to module and class; a module's layout is loaded when its first screen is built, attract first.
SCREENS: dict[type[AnyView], tuple[str, str]] = {
    views.AttractView: ("attract", "AttractScreen"),
    views.HomeView: ("home", "HomeScreen"),
    views.BuildingView: ("identify_building", "BuildingScreen"),
    views.EntranceView: ("identify_entrance", "EntranceScreen"),
    views.RoomView: ("identify_room", "RoomScreen"),
    views.TypedAddressView: ("identify_typed", "TypedAddressScreen"),
    views.WaitingView: ("waiting", "WaitingScreen"),
    views.VerifyView: ("verify", "VerifyScreen"),
    views.BillListView: ("bill_list", "BillListScreen"),
    views.ExplainView: ("explain", "ExplainScreen"),
    views.AmountView: ("amount", "AmountScreen"),
    views.MethodView: ("method", "MethodScreen"),
    views.InsertCashView: ("insert_cash", "InsertCashScreen"),
    views.HeldNoteView: ("held_note", "HeldNoteScreen"),
    views.ResultView: ("result", "ResultScreen"),
    views.ReceiptView: ("receipt", "ReceiptScreen"),
    views.DoneView: ("done", "DoneScreen"),
    views.TroubleView: ("trouble", "TroubleScreen"),
    views.OutOfServiceView: ("out_of_service", "OutOfServiceScreen"),
}


class Router:
    """Shows each view on its screen, inside ``place``. One screen is in the tree at a time."""

    def __init__(self, place: FloatLayout, send: Send) -> None:
        self._place = place
        self._send = send
        self._screens: dict[tuple[type[AnyView], str], KioskScreen] = {}
        self.pane = Pane()
        self.current: KioskScreen | None = None

    def show(self, view: AnyView) -> None:
        theme.use_mode(view.frame.mode)
        screen = self._screen(type(view), view.frame.mode)
        screen.put_up(view)
        self.pane.put(screen, view.frame)
        self.current = screen
        if self.pane.parent is None:
            self._place.clear_widgets()
            self._place.add_widget(self.pane)
        if isinstance(view, (views.DoneView, views.AttractView)):
            # A moment later: the goodbye is on the glass first.
            Clock.schedule_once(self.wipe, WIPE_AFTER_S)

    def wipe(self, *_: object) -> None:
        """Take the last visit off every screen but the one on the glass."""
        used = [screen for screen in self._screens.values() if screen is not self.current and screen.view is not None]
        for screen in used:
            screen.wipe()
        if used:
            words.forget()

    def clear(self) -> None:
        """Take the screen away; the next view brings one back."""
        self.pane.clear()
        self._place.clear_widgets()
        self.current = None

    def build(self, kinds: Iterable[type[AnyView]], mode: str = theme.STANDARD) -> None:
        """Build screens ahead of their first view."""
        theme.use_mode(mode)
        for kind in kinds:
            self.pane.prepare(self._screen(kind, mode), mode)

    def _screen(self, kind: type[AnyView], mode: str) -> KioskScreen:
        if (kind, mode) not in self._screens:
            self._screens[kind, mode] = screen_class(kind)(self._send)
        return self._screens[kind, mode]


def screen_class(kind: type[AnyView]) -> type[KioskScreen]:
    module_name, class_name = SCREENS[kind]
    module = importlib.import_module(f"kiosk.screens.{module_name}")
    return cast(type[KioskScreen], getattr(module, class_name))
