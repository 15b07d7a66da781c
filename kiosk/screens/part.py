"""The content of a screen that is arranged differently on a tall and on a wide panel."""

from kivy.properties import ObjectProperty

from kiosk.screens.widgets.stack import Stack


class Part(Stack):
    """Subclassed in pairs, ``…Tall`` and ``…Wide``; their rules read everything from ``root.screen``."""

    screen = ObjectProperty()
