"""A view with nothing of a person in it: shown on a screen that is put away, it takes the last visit off its widgets."""

from datetime import date
from enum import Enum
from typing import Any, TypeVar

import msgspec

from kiosk.domain.money import NOTE_FACES
from kiosk.views import Countdown, Saying

S = TypeVar("S", bound=msgspec.Struct)

# Not about a person, and needed to draw at all.
_KEPT = frozenset({"language", "mode", "kiosk_code", "estate", "estate_en", "phone", "choices", "tiles", "key"})
_SOME_DAY = date(2000, 1, 1)


def emptied(view: S) -> S:
    """The same kind of view with empty texts, no rows and no money."""
    changes = {name: _empty(name, getattr(view, name)) for name in view.__struct_fields__ if name not in _KEPT}
    return msgspec.structs.replace(view, **changes)


def _empty(name: str, value: Any) -> Any:
    match value:
        case Enum() | None | bool():
            return value
        case Saying(key=key, values=values):
            return Saying(key, {name: _no_value(name, old) for name, old in values.items()})
        case Countdown(total_s=total_s):
            return Countdown(ends_at=0, total_s=total_s)
        case msgspec.Struct():
            return emptied(value)
        case date():
            return _SOME_DAY
        case tuple():
            return ()
        case str():
            return ""
        case int() if name == "face":
            return NOTE_FACES[0]
        case _:
            return 0


def _no_value(name: str, value: str | int) -> str | int:
    """A sentence needs all its values; amounts are numbers and days are days even where they mean nothing."""
    if name.endswith("_on"):
        return _SOME_DAY.isoformat()
    return 0 if isinstance(value, int) or name.endswith("_fen") else ""
