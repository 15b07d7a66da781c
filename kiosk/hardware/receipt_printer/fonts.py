"""The one typeface on paper: Noto Sans CJK in its Simplified Chinese face, loaded once per size."""

import functools
from pathlib import Path

from PIL import ImageFont

DIRECTORIES = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
    Path("/usr/local/share/fonts"),
)
REGULAR = "NotoSansCJK-Regular.ttc"
BOLD = "NotoSansCJK-Bold.ttc"
SIMPLIFIED_FACE = 2  # the collection's first face draws Japanese forms


class FontMissing(Exception):
    """The typeface is not installed, so no receipt can be drawn; the message says what to install."""


@functools.cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The face at ``size`` dots.

    Raises:
        FontMissing: no such file in any of the usual places.
    """
    # Basic layout: Chinese and figures need no shaping, and it is several times faster.
    return ImageFont.truetype(
        font_file(BOLD if bold else REGULAR), size, index=SIMPLIFIED_FACE, layout_engine=ImageFont.Layout.BASIC
    )


def font_file(name: str) -> Path:
    """Where a font of the collection is.

    Raises:
        FontMissing: nowhere.
    """
    for directory in DIRECTORIES:
        if (path := directory / name).exists():
            return path
    places = ", ".join(str(directory) for directory in DIRECTORIES)
    raise FontMissing(f"{name} is in none of {places}; install the package fonts-noto-cjk")
