"""What a press is: on release inside the target, one finger, not twice within 300 ms, and no dirt.

Source: ux-and-accessibility section 1.2.
"""

import time
from typing import Any, ClassVar

from kivy.properties import BooleanProperty
from kivy.uix.widget import Widget

AGAIN_AFTER_S = 0.3
DIRT_S = 0.04  # a shorter touch is dirt or a drop; a mouse (emulator, remote view) clicks faster than a finger
LOST_AFTER_S = 10.0  # a panel may lose a finger's end; the next finger counts again after this


class Press(Widget):
    """Dispatches ``on_release``; ``pressed`` follows the finger while it is inside. Disabled or invisible takes nothing."""

    pressed = BooleanProperty(False)
    shown = BooleanProperty(True)

    _finger: ClassVar[tuple[object, float] | None] = None

    def __init__(self, **kwargs: object) -> None:
        self.register_event_type("on_release")
        self._down_at = self._released_at = float("-inf")
        super().__init__(**kwargs)
        self.fbind("shown", self._show)
        self.fbind("disabled", self._let_go)
        self._show()

    def on_release(self) -> None:
        """Kivy's event: bind to it."""

    def on_touch_down(self, touch: Any) -> bool:
        if not self.shown or not self.collide_point(*touch.pos):
            return False
        if self.disabled or Press._other_finger(touch):
            return True
        self._down_at = time.monotonic()
        Press._finger = (touch.uid, self._down_at)
        touch.grab(self)
        self.pressed = True
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        self.pressed = not self.disabled and self.collide_point(*touch.pos)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        Press._finger = None
        # A view that came while the finger was down may have switched the button off; then nothing was meant.
        inside = self.pressed and self.collide_point(*touch.pos) and self.shown and not self.disabled
        self.pressed = False
        now = time.monotonic()
        dirt = touch.device != "mouse" and now - self._down_at < DIRT_S
        if inside and not dirt and now - self._released_at >= AGAIN_AFTER_S:
            self._released_at = now
            self.dispatch("on_release")
        return True

    @staticmethod
    def _other_finger(touch: Any) -> bool:
        return Press._finger is not None and time.monotonic() - Press._finger[1] < LOST_AFTER_S

    def _show(self, *_: object) -> None:
        self.opacity = 1 if self.shown else 0

    def _let_go(self, *_: object) -> None:
        if self.disabled:
            self.pressed = False
