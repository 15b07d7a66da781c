"""An X server of one's own without a display, and a pointer and keyboard by the server's own test extension."""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

LEFT_BUTTON = 1
STOPPED_WITHIN_S = 30


@contextlib.contextmanager
def x_server(size: tuple[int, int] = (1080, 1920)) -> Iterator[str]:
    """Run Xvfb; the name of its display, :N."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size[0]}x{size[1]}x24"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()  # written once the server is ready
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(STOPPED_WITHIN_S)


class Pointer:
    """A mouse and a keyboard of this display."""

    def __init__(self, display: str) -> None:
        self._x, self._test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(display.encode()))

    def click(self, x: int, y: int) -> None:
        self.press(x, y)
        self.release()

    def press(self, x: int, y: int) -> None:
        self._test.XTestFakeMotionEvent(self._display, 0, x, y, 0)
        self._button(down=1)

    def release(self) -> None:
        self._button(down=0)

    def press_key(self, symbol: int) -> None:
        code = self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(symbol))
        for down in (1, 0):
            self._test.XTestFakeKeyEvent(self._display, code, down, 0)
        self._x.XFlush(self._display)

    def close(self) -> None:
        self._x.XCloseDisplay(self._display)

    def _button(self, down: int) -> None:
        self._test.XTestFakeButtonEvent(self._display, LEFT_BUTTON, down, 0)
        self._x.XFlush(self._display)
