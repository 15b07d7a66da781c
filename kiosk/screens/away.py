"""What stands on the glass while there is no agent: the door, and 请稍候. Nothing here can be pressed."""

from kivy.properties import StringProperty
from kivy.uix.floatlayout import FloatLayout

from kiosk.screens.base import load_kv

load_kv(__file__)


class AwayScreen(FloatLayout):
    """Neutral: it says nothing about money, because it knows nothing about it."""

    language = StringProperty("zh-Hans")

    def __init__(self, language: str, **kwargs: object) -> None:
        super().__init__(language=language, **kwargs)
