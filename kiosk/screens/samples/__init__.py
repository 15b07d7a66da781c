"""Views of every screen in its usual and its awkward states: what the gallery draws and the audit measures.

A view is a value, so a screen needs no agent to be drawn. All names, rooms, amounts and numbers are invented.
"""

from collections.abc import Callable, Iterator

import msgspec

from kiosk.screens.samples.bills import amounts, bills
from kiosk.screens.samples.ending import closed_states, dialogs, receipts, results, troubles
from kiosk.screens.samples.identify import identify, welcome
from kiosk.screens.samples.maker import Maker
from kiosk.screens.samples.paying import cash_states, held_notes, methods
from kiosk.views import AnyView

LANGUAGES = ("zh-Hans", "en")

_PARTS: tuple[Callable[[Maker], Iterator[tuple[str, AnyView]]], ...] = (
    welcome,
    identify,
    bills,
    amounts,
    methods,
    cash_states,
    held_notes,
    results,
    receipts,
    troubles,
    closed_states,
    dialogs,
)


class Sample(msgspec.Struct, frozen=True):
    """One picture: its name is a file name and tells screen and state."""

    name: str
    view: AnyView


def samples(language: str, now: float, rows: int) -> tuple[Sample, ...]:
    """Every sample in one language, ``rows`` bills a page; countdowns count from the monotonic second ``now``."""
    maker = Maker(language, now, rows)
    return tuple(Sample(name, view) for part in _PARTS for name, view in part(maker))
