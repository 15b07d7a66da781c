"""A keypad: four rows of three, or two rows of six on the small panel."""

from kivy.properties import StringProperty

from kiosk import text
from kiosk.screens import theme
from kiosk.screens.widgets.buttons import Key
from kiosk.screens.widgets.cells import Cells

CLEAR, BACKSPACE = "clear", "backspace"


class Keypad(Cells):
    """Dispatches ``on_key`` with the key: a digit, ``backspace``, or what stands left of 0 (``extra``: clear, "-" or ".")."""

    extra = StringProperty(CLEAR)
    language = StringProperty("zh-Hans")

    def __init__(self, **kwargs: object) -> None:
        self.register_event_type("on_key")
        super().__init__(**kwargs)
        self.columns = 6 if theme.landscape() else 3
        for _ in range(12):
            key = Key()
            key.fbind("on_release", lambda key: self.dispatch("on_key", key.key))
            self.add_widget(key)
        self.fbind("extra", self._label)
        self.fbind("language", self._label)
        self._label()

    def on_key(self, key: str) -> None:
        """Kivy's event: bind to it."""

    def _label(self, *_: object) -> None:
        order = [*"123456789", self.extra, "0", BACKSPACE]
        if theme.landscape():
            order = [*"123456", *"7890", self.extra, BACKSPACE]
        for cell, key in zip(self.cells, order, strict=True):
            cell.key = key
            cell.icon = "backspace" if key == BACKSPACE else ""
            cell.type_size = "title" if key == CLEAR else "figure"
            cell.text = text.say(self.language, "keypad.clear") if key == CLEAR else "" if key == BACKSPACE else key
