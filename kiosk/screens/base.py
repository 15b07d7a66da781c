"""The base of every screen: what the frame around it shows, its language, and the way of a tap to the agent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from kiosk import text
from kiosk.screens import (
    widgets,  # noqa: F401  registers every widget's name for the .kv files
)
from kiosk.screens.widgets.stack import Stack
from kiosk.screens.widgets.steps import STEPS
from kiosk.screens.wiping import emptied
from kiosk.taps import (
    AnyTap,
    BackTapped,
    CancelTapped,
    ContinueTapped,
    DialogAnswered,
    HelpTapped,
    LanguageChosen,
)
from kiosk.views import AnyView, Frame

Send = Callable[[AnyTap], None]


def load_kv(module_file: str) -> None:
    """Load the layout that lies beside a screen's module."""
    Builder.load_file(str(Path(module_file).with_suffix(".kv")))


class KioskScreen(Stack):
    """Draws one kind of view. Subclasses set the properties below from ``show`` or their ``.kv``; see ``widgets``."""

    language = StringProperty("zh-Hans")
    question = StringProperty("")
    question_size = StringProperty("title")
    detail = StringProperty("")
    primary_text = StringProperty("")  # empty: no primary, its place stays empty
    primary_icon = StringProperty("next")
    primary_enabled = BooleanProperty(True)
    help_text = StringProperty("")
    help_icon = StringProperty("help")
    aside_text = StringProperty("")  # the small panel's header button beside 帮助, while there is no plate
    aside_icon = StringProperty("")
    top_ground = StringProperty("stone")  # colour names: what lies behind the header
    top_ink = StringProperty("ink")
    language_in_counter = BooleanProperty(False)  # on the small panel: home and S16 alone have room
    content_pad = BooleanProperty(True)  # margins beside the content

    # What the frame shows; set from each view by ``put_up``.
    estate = StringProperty("")
    kiosk_name = StringProperty("")
    day = StringProperty("")
    clock = StringProperty("")
    step = ObjectProperty(0)
    step_words = StringProperty("")
    plate = StringProperty("")
    offline_words = StringProperty("")
    offline_short = StringProperty("")
    code = StringProperty("")
    can_go_back = BooleanProperty(False)
    can_cancel = BooleanProperty(False)
    can_switch_language = BooleanProperty(False)

    framed = True  # False: it fills the glass, with nothing around it
    more_time_detail = "more_time.detail"
    more_time_after = "more_time.seconds"

    def __init__(self, send: Send, **kwargs: object) -> None:
        self.view: AnyView | None = None
        self._send = send
        super().__init__(**kwargs)

    # ---- for subclasses ----------------------------------------------------------------------------------------------

    def show(self, view: Any) -> None:
        """Set properties from the view. Texts, colours and switches only; never build or drop widgets."""

    def primary_pressed(self) -> None:
        """The button at the right; most screens mean 继续 by it."""
        self.send(ContinueTapped())

    def aside_pressed(self) -> None:
        """The button in the small panel's header."""

    def send(self, tap: AnyTap) -> None:
        """Hand a tap to the agent, marked with the view it was made on."""
        if self.view is not None:
            self._send(msgspec.structs.replace(tap, view_no=self.view.frame.view_no))

    # ---- for the router ----------------------------------------------------------------------------------------------

    def put_up(self, view: AnyView) -> None:
        """Draw this view: the parts around first, then the screen's own."""
        self.view = view
        self._show_frame(view.frame)
        self.show(view)

    def wipe(self) -> None:
        """Take everything of the last visit off the widgets; they stay for the next one."""
        if self.view is not None:
            self.put_up(emptied(self.view))
            self.view = None

    # ---- for the frame -----------------------------------------------------------------------------------------------

    def back_pressed(self) -> None:
        self.send(BackTapped())

    def cancel_pressed(self) -> None:
        self.send(CancelTapped())

    def help_pressed(self) -> None:
        self.send(HelpTapped())

    def language_pressed(self) -> None:
        here = text.LANGUAGES.index(self.language)
        self.send(LanguageChosen(language=text.LANGUAGES[(here + 1) % len(text.LANGUAGES)]))

    def dialog_answered(self, go_on: bool) -> None:
        self.send(DialogAnswered(go_on=go_on))

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _show_frame(self, frame: Frame) -> None:
        self.language = frame.language
        english = frame.language == "en"
        self.estate = (frame.estate_en or frame.estate) if english else frame.estate
        self.kiosk_name = text.say(frame.language, "frame.kiosk", code=frame.kiosk_code) if frame.kiosk_code else ""
        self.day, self.clock = text.say_clock(frame.language, frame.local_time)
        self.step = STEPS.index(frame.step) + 1 if frame.step is not None else 0
        self.step_words = (
            text.say(frame.language, "frame.step_of", number=self.step, count=len(STEPS)) if self.step else ""
        )
        self.plate, self.code = text.say_plate(frame.language, *frame.plate) if frame.plate else "", frame.code
        self.can_go_back, self.can_cancel = frame.can_go_back, frame.can_cancel
        self.can_switch_language = frame.can_switch_language
        self._show_offline(frame)

    def _show_offline(self, frame: Frame) -> None:
        say, language = text.say, frame.language
        if not frame.offline:
            self.offline_words = self.offline_short = ""
        elif not frame.bills_as_of:
            self.offline_words = say(language, "frame.offline_detail")
            self.offline_short = say(language, "frame.offline")
        else:
            day, clock = text.say_clock(language, frame.bills_as_of, weekday=False)
            self.offline_words = say(language, "frame.offline_as_of", day=day, time=clock)
            self.offline_short = say(language, "frame.offline_short", day=day, time=clock)


Builder.load_file(str(Path(__file__).with_name("base.kv")))
