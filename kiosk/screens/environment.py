"""Kivy's environment and configuration, set before Kivy's first import: lockdown, true DPI, display and input.

Kivy reads both at import and never again. Source: kivy-on-kiosk sections 2 to 4.
"""

import os
import sys
from pathlib import Path

from kiosk.screens import theme
from kiosk.screens.fonts import simplified_fonts
from kiosk.settings import ScreenSection

MM_PER_INCH = 25.4
FPS = 60  # a touch waits 17 ms for its frame, 33 at 30; an idle screen takes 1.7 % of a core instead of 0.8; 0 would burn one
DRM = Path("/sys/class/drm")
INPUT_VARIABLE = "MENTING_INPUT"  # "mouse" or "touch" overrides the choice, for emulators with a tablet


class NoPanel(Exception):
    """No connected display; the service manager tries again, the health report says why."""


class TooLate(Exception):
    """Kivy was imported before its environment was set; the importing module must wait."""


def prepare(screen: ScreenSection, home: Path) -> None:
    """Set everything for the panel of the settings. ``home`` is a directory Kivy may write to.

    Raises:
        TooLate, NoPanel, FontsMissing: say so and stop.
    """
    driver = os.environ.setdefault("SDL_VIDEODRIVER", video_driver())
    if driver == "kmsdrm":
        os.environ.setdefault("SDL_KMSDRM_DEVICE_INDEX", connected_card())
    glass = theme.Glass(screen.panel, screen.width_px, screen.height_px, screen.dpi / MM_PER_INCH)
    _prepare(glass, home, touch=_wants_touch(driver), fullscreen=screen.fullscreen and driver != "offscreen")


def prepare_offscreen(panel: str, home: Path) -> None:
    """Set everything for pictures and tests: a designed panel, no display."""
    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    _prepare(theme.panel_glass(panel), home, touch=False, fullscreen=False)


def _prepare(glass: theme.Glass, home: Path, *, touch: bool, fullscreen: bool) -> None:
    if "kivy" in sys.modules:
        raise TooLate("kivy is already imported; call environment.prepare first")
    theme.use_glass(glass)
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "KIVY_WINDOW": "sdl2",  # else a failing SDL falls through to x11 and hides its error
        "KIVY_GL_BACKEND": "sdl2",
        "KIVY_TEXT": "sdl2",
        "KIVY_DPI": str(glass.px_per_mm * MM_PER_INCH),
        "KIVY_METRICS_DENSITY": "1",
        "KIVY_METRICS_FONTSCALE": "1",
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONFIG": "1",
        "KIVY_NO_FILELOG": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_LOG_MODE": "PYTHON",
        "KIVY_HOME": str(home),
    }
    _configure(glass, touch=touch, fullscreen=fullscreen)


def _configure(glass: theme.Glass, *, touch: bool, fullscreen: bool) -> None:
    from kivy.config import Config

    fonts = simplified_fonts()
    faces = ["Menting", str(fonts.regular), str(fonts.regular), str(fonts.bold), str(fonts.bold)]
    wanted = {
        "kivy": {"default_font": str(faces), "exit_on_escape": "0", "log_level": "warning", "keyboard_mode": ""},
        "graphics": {
            "width": str(glass.width_px),
            "height": str(glass.height_px),
            "fullscreen": "auto" if fullscreen else "0",
            "resizable": "0",
            "maxfps": str(FPS),
            "multisamples": "0",
            "allow_screensaver": "0",
            "show_cursor": "0" if touch else "1",
        },
    }
    for section, values in wanted.items():
        for name, value in values.items():
            Config.set(section, name, value)
    # Exactly one input, or a tap arrives twice; inspector, console and webdebugger are doors.
    for section in ("input", "modules"):
        for name, _ in list(Config.items(section)):
            Config.remove_option(section, name)
    if touch:
        Config.set("input", "mtdev_%(name)s", "probesysfs,provider=mtdev")
    else:
        Config.set("input", "mouse", "mouse,disable_multitouch")


def video_driver() -> str:
    """SDL's driver, unless the environment names one: the X server if there is one, else the bare console."""
    return "x11" if os.environ.get("DISPLAY") else "kmsdrm"


def _wants_touch(driver: str) -> bool:
    # Under X, SDL makes mouse events of touches; under KMSDRM it makes nothing of them.
    return os.environ.get(INPUT_VARIABLE, "touch" if driver == "kmsdrm" else "mouse") == "touch"


def connected_card() -> str:
    """Return the number of the DRM card with a connected connector; numbers change between boots.

    Raises:
        NoPanel: none is connected.
    """
    for status in sorted(DRM.glob("card*-*/status")):
        if status.read_text(encoding="ascii").strip() == "connected":
            return status.parent.name.removeprefix("card").partition("-")[0]
    raise NoPanel("no connected display; check the panel's cable and power")
