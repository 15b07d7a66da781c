"""Single lines of text: how wide they are, and white pictures of them; in any size, with one open copy of each font file.

Kivy opens the file anew for each size: 2.4 MB for each of eleven. SDL_ttf, which Kivy's text provider brings along, gives
an open font another size; what is lost are the glyphs it remembers, and every line is measured and drawn once.
"""

import ctypes
import functools

from kivy.core.text import _text_sdl2
from kivy.graphics.texture import Texture

from kiosk.screens.fonts import FontsMissing, simplified_fonts

FIRST_PX = 16  # any: set anew before each use
MONO_HINTING = 2  # TTF_HINTING_MONO: the stems Kivy's labels have


class _Colour(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint8) for name in ("red", "green", "blue", "alpha")]


class _Surface(ctypes.Structure):
    """The beginning of an SDL_Surface. Source: SDL 2.30, SDL_surface.h."""

    _fields_ = [
        ("flags", ctypes.c_uint32),
        ("format", ctypes.c_void_p),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("row_bytes", ctypes.c_int),
        ("pixels", ctypes.c_void_p),
    ]


WHITE = _Colour(255, 255, 255, 255)


@functools.cache
def _sdl() -> ctypes.CDLL:
    # Its symbols are found in the libraries that Kivy's module brings along, whatever their files are called.
    sdl = ctypes.CDLL(_text_sdl2.__file__)
    sdl.TTF_OpenFont.restype = ctypes.c_void_p
    sdl.TTF_RenderUTF8_Blended.restype = ctypes.POINTER(_Surface)
    sdl.TTF_Init()
    return sdl


class Pen:
    """One font file, open."""

    def __init__(self, path: str) -> None:
        self._px = FIRST_PX
        handle = _sdl().TTF_OpenFont(path.encode(), FIRST_PX)
        if not handle:
            raise FontsMissing(f"{path} can't be opened; delete it and start again")
        self._font = ctypes.c_void_p(handle)
        _sdl().TTF_SetFontHinting(self._font, MONO_HINTING)

    def width(self, line: str, px: int) -> int:
        width = ctypes.c_int()
        self._size(px)
        _sdl().TTF_SizeUTF8(self._font, _utf8(line), ctypes.byref(width), None)
        return width.value

    def draw(self, line: str, px: int) -> Texture:
        """Its whiteness and opacity: half of what Kivy's pictures in four colours take."""
        self._size(px)
        surface = _sdl().TTF_RenderUTF8_Blended(self._font, _utf8(line), WHITE)
        if not surface:  # no glyph in it is wider than nothing
            return _texture(1, 1, bytes(1))
        drawn = surface.contents
        width, height, stride = drawn.width, drawn.height, drawn.row_bytes // 4
        opacity = ctypes.string_at(drawn.pixels, drawn.row_bytes * height)[3::4]
        _sdl().SDL_FreeSurface(surface)
        return _texture(width, height, b"".join(opacity[row * stride :][:width] for row in range(height)))

    def _size(self, px: int) -> None:
        if px != self._px:
            self._px = px
            _sdl().TTF_SetFontSize(self._font, px)


@functools.cache
def pen(bold: bool) -> Pen:
    fonts = simplified_fonts()
    return Pen(str(fonts.bold if bold else fonts.regular))


def _utf8(line: str) -> bytes:
    return line.encode(errors="replace")


def _texture(width: int, height: int, opacity: bytes) -> Texture:
    pixels = bytearray(b"\xff") * (2 * len(opacity))
    pixels[1::2] = opacity
    texture = Texture.create(size=(width, height), colorfmt="luminance_alpha")
    texture.blit_buffer(bytes(pixels), colorfmt="luminance_alpha")
    texture.flip_vertical()
    return texture
