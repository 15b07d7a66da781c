"""A screen without glass: it holds the screen's end of the link, sees views and means taps, as a finger would."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from kiosk import views
from kiosk.screen_link.screen_end import ScreenEnd
from kiosk.taps import AnyTap
from kiosk.views import AnyView

Seen = TypeVar("Seen")

NOBODY = (
    2**22 + 1
)  # no process ever has this number: an agent that takes a slow test for a dead screen must not kill the test


class Robot:
    """Answers pings, reports each view as painted, and taps on the newest one."""

    def __init__(self, socket: Path) -> None:
        self._changed = threading.Condition()
        self._view: AnyView | None = None
        self._numbers: set[str] = set()
        self._end = ScreenEnd(socket, pid=NOBODY)
        self._end.on_view = self._show
        self._end.on_ping = self._end.pong
        self._end.start()

    @property
    def view(self) -> AnyView | None:
        with self._changed:
            return self._view

    @property
    def numbers(self) -> frozenset[str]:
        """The receipt numbers that were on show so far: whose payments somebody was told of."""
        with self._changed:
            return frozenset(self._numbers)

    def tap(self, tap: AnyTap) -> AnyView:
        """Touch the view on show; returns the view that was touched."""
        view = self.view
        assert view is not None, "nothing is on the screen yet"
        self._end.send(msgspec.structs.replace(tap, view_no=view.frame.view_no))
        return view

    def wait(self, wanted: Callable[[AnyView], bool], timeout_s: float = 20.0) -> AnyView:
        """The first view, from now on, that is wanted; fails with the one on show."""
        ends_at = time.monotonic() + timeout_s
        with self._changed:
            while self._view is None or not wanted(self._view):
                assert self._changed.wait(max(0.0, ends_at - time.monotonic())), f"still on show: {self._view}"
            return self._view

    def wait_for(self, *kinds: type[Seen], timeout_s: float = 20.0) -> Seen:
        view = self.wait(lambda view: isinstance(view, kinds), timeout_s)
        assert isinstance(view, kinds)
        return view

    def wait_change(self, touched: AnyView, timeout_s: float = 20.0) -> AnyView:
        """The next view after ``touched``."""
        return self.wait(lambda view: view.frame.view_no > touched.frame.view_no, timeout_s)

    def stop(self) -> None:
        self._end.stop()

    def _show(self, view: AnyView) -> None:
        with self._changed:
            self._view = view
            self._numbers |= number_on(view)
            self._changed.notify_all()
        self._end.painted(view.frame.view_no)


def number_on(view: AnyView) -> set[str]:
    """The receipt number that stands on a view, if one does."""
    match view:
        case views.ResultView(receipt_no=number):
            return {number}
        case views.TroubleView(saying=views.Saying(values={"receipt_no": str(number)})):  # E60
            return {number}
        case _:
            return set()
