"""The peer of the screen: a bare Kivy window with one Chinese label, in the same font file, at the same size.

``python bench/bare_window.py FONT WIDTH HEIGHT`` prints one line once its first frame has left for the glass, and stays.
"""

import os
import sys
import tempfile


def main(font: str, width: str, height: str) -> None:
    # The window, GL and text providers the screen uses, so that both start the same libraries.
    os.environ |= {
        "KIVY_WINDOW": "sdl2",
        "KIVY_GL_BACKEND": "sdl2",
        "KIVY_TEXT": "sdl2",
        "KIVY_NO_ARGS": "1",
        "KIVY_NO_CONFIG": "1",
        "KIVY_NO_FILELOG": "1",
        "KIVY_NO_CONSOLELOG": "1",
        "KIVY_HOME": tempfile.mkdtemp(),
    }
    from kivy.config import Config

    for name, value in (("width", width), ("height", height), ("multisamples", "0")):
        Config.set("graphics", name, value)
    from kivy.app import App
    from kivy.core.window import Window
    from kivy.uix.label import Label

    def flipped(window: object) -> bool:
        window.flip()  # type: ignore[attr-defined]
        Window.unbind(on_flip=flipped)
        print("painted", flush=True)
        return True

    class Bare(App):
        def build(self) -> Label:
            Window.bind(on_flip=flipped)
            return Label(text="请触摸屏幕开始缴费", font_name=font, font_size=48)

    Bare().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
