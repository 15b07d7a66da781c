"""The design tokens as pixels and colours of the glass this process draws on.

Lengths in ``theme.toml`` are millimetres; a panel's true pixels per millimetre make them whole pixels, because a half
pixel blurs a face. A mode (senior, high contrast) lists only what it changes. The glass is one per process, as Kivy's own
metrics are: ``use_glass`` is called once before the first widget is built, ``use_mode`` by the router before it builds or
fills a screen of that mode.
"""

import functools
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

TOKENS = Path(__file__).with_name("theme.toml")
STANDARD = "standard"
TYPE_SIZES = ("caption", "label", "body", "title", "figure", "display")

Colour = tuple[float, float, float, float]


class Glass(NamedTuple):
    """What the layout must know of a panel; ``name`` is the table of theme.toml that adapts sizes to it."""

    name: str
    width_px: int
    height_px: int
    px_per_mm: float

    @property
    def landscape(self) -> bool:
        return self.width_px > self.height_px


class UnknownToken(KeyError):
    """theme.toml has no such token; the message names section and token."""


@functools.cache
def tokens() -> dict[str, Any]:
    with TOKENS.open("rb") as file:
        return tomllib.load(file)


def panel_glass(name: str) -> Glass:
    """Return a panel of theme.toml at its designed size."""
    panel = tokens()["panel"][name]
    width, height = panel["px"]
    return Glass(name, width, height, panel["px_per_mm"])


class _Now:
    """The glass and mode in use."""

    glass = Glass("portrait-21.5", 1080, 1920, 4.03)
    mode = STANDARD


def use_glass(glass: Glass) -> None:
    """Lay out for this panel from now on; screens built before keep their sizes."""
    _Now.glass = glass


def use_mode(mode: str) -> None:
    """Build and fill in this mode from now on: parts joined by "+", such as ``senior+high_contrast``."""
    _Now.mode = mode


def glass() -> Glass:
    return _Now.glass


def landscape() -> bool:
    return _Now.glass.landscape


def px(millimetres: float) -> int:
    """Whole pixels; a line that exists never disappears."""
    pixels = round(millimetres * _Now.glass.px_per_mm)
    return max(1, pixels) if millimetres > 0 else pixels


def token(section: str, name: str) -> Any:
    """Return a token as written, from the newest mode that changes it.

    Raises:
        UnknownToken: no mode has it.
    """
    return _of_mode(_Now.mode, section, name)


@functools.cache  # asked a thousand times for one view
def _of_mode(modes: str, section: str, name: str) -> Any:
    for mode in [*reversed(modes.split("+")), STANDARD]:
        table = tokens().get(mode, {}).get(section, {})
        if name in table:
            return table[name]
    raise UnknownToken(f"[{STANDARD}.{section}] {name}")


def space(name: str) -> int:
    """``gap``, ``margin``, ``card_pad``, ``block`` in pixels."""
    return px(_of_panel("space", name))


def size(name: str) -> int:
    """``button_h``, ``corner_w``, ``row_h`` … in pixels."""
    return px(_of_panel("size", name))


def shape(name: str) -> int:
    """``radius_m``, ``line``, ``lip`` … in pixels."""
    return px(token("shape", name))


def icon_side(name: str) -> int:
    """``small``, ``medium``, ``large``, ``huge`` in pixels."""
    return px(token("icon", name))


def type_px(name: str) -> int:
    """The em of one of the six sizes, in whole pixels: every size keeps a copy of the font open."""
    return px(token("type", name))


def colour(name: str) -> Colour:
    return rgba(token("color", name))


@functools.cache
def rgba(text: str) -> Colour:
    """``#15503F`` or ``#1C1A169E`` as four numbers from 0 to 1."""
    digits = text.removeprefix("#").ljust(8, "F")
    red, green, blue, alpha = (int(digits[place : place + 2], 16) / 255 for place in range(0, 8, 2))
    return red, green, blue, alpha


def _of_panel(section: str, name: str) -> float:
    panel = tokens()["panel"].get(_Now.glass.name, {})
    value = panel[name] if name in panel and _Now.mode == STANDARD else token(section, name)
    return float(value)
