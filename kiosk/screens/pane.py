"""What lies on the glass: a screen, the frame around it, a dialog over both; frame and dialogs are shared by all screens."""

import time
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from kiosk.screens import theme
from kiosk.screens.base import KioskScreen
from kiosk.screens.widgets.dialog import Dialog, HelpDialog, MoreTimeDialog
from kiosk.views import Dialog as DialogKind
from kiosk.views import Frame

CALM_S = 0.3  # a second tap meant for the screen before must not press what has just appeared there


class PortraitFrame(BoxLayout):
    """Header, step line, question and plate, the screen, counter; from top to bottom."""

    screen = ObjectProperty(rebind=True)
    content = ObjectProperty()


class LandscapeFrame(FloatLayout):
    """The small panel: mark, question and step in words on top, the screen, one row of buttons."""

    screen = ObjectProperty(rebind=True)
    content = ObjectProperty()


class Pane(FloatLayout):
    """Shows one screen at a time. A frame is sixty widgets: one for each mode, not one for each screen."""

    def __init__(self, **kwargs: object) -> None:
        self.frames: dict[str, Widget] = {}
        self.dialogs: dict[tuple[str, DialogKind], Dialog] = {}
        self._screen: KioskScreen | None = None
        self._changed_at = float("-inf")
        super().__init__(**kwargs)

    def put(self, screen: KioskScreen, frame: Frame) -> None:
        """Show this screen, and the dialog its view asks for."""
        if screen is not self._screen:
            self._leave()
            self._enter(screen, frame.mode)
            self._screen, self._changed_at = screen, time.monotonic()
        self._show_dialog(screen, frame)

    def clear(self) -> None:
        """Take everything off the glass."""
        self._leave()
        self.clear_widgets()
        self._screen = None

    def prepare(self, screen: KioskScreen, mode: str) -> None:
        """Build the frame this screen will stand in."""
        if screen.framed and mode not in self.frames:
            self.frames[mode] = (LandscapeFrame if theme.landscape() else PortraitFrame)(screen=screen)

    def on_touch_down(self, touch: Any) -> bool:
        if time.monotonic() - self._changed_at < CALM_S:
            return True
        return bool(super().on_touch_down(touch))

    def _leave(self) -> None:
        if self._screen is not None and self._screen.parent is not None:
            self._screen.parent.remove_widget(self._screen)

    def _enter(self, screen: KioskScreen, mode: str) -> None:
        self.prepare(screen, mode)
        below = self.frames[mode] if screen.framed else screen
        if screen.framed:
            below.screen = screen
            below.content.add_widget(screen)
        if below.parent is None:  # the frame stays where it is: the counter never moves
            self.clear_widgets()
            self.add_widget(below)

    def _show_dialog(self, screen: KioskScreen, frame: Frame) -> None:
        wanted = None if frame.dialog is DialogKind.NONE else self._dialog(frame)
        for dialog in self.dialogs.values():
            if dialog is not wanted and dialog.parent is not None:
                self.remove_widget(dialog)
        if wanted is None:
            return
        wanted.answer, wanted.language = screen.dialog_answered, frame.language
        wanted.size, wanted.pos = self.size, self.pos
        if isinstance(wanted, MoreTimeDialog):
            wanted.show(frame, screen.more_time_detail, screen.more_time_after)
        elif isinstance(wanted, HelpDialog):
            wanted.show(frame)
        if wanted.parent is None:
            self.add_widget(wanted)

    def _dialog(self, frame: Frame) -> Dialog:
        key = (frame.mode, frame.dialog)
        if key not in self.dialogs:
            self.dialogs[key] = MoreTimeDialog() if frame.dialog is DialogKind.MORE_TIME else HelpDialog()
        return self.dialogs[key]


Builder.load_file(str(Path(__file__).with_name("pane.kv")))
