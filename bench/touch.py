"""From a finger leaving the glass to the next screen on it: a real agent, a real screen, a real X server's pointer."""

import threading
import time
from collections.abc import Callable

from bench.figures import Figure, median, percentile
from bench.kiosk_at_work import KioskAtWork, a_lobby, at_work
from bench.places import ANYWHERE, Places
from kiosk import text, views
from kiosk.views import AnyView
from tests.screens.x_server import Pointer

ROUNDS = 40
FINGER_S = 0.08  # how long a finger stays; the touch counts when it leaves
BETWEEN_S = 0.35  # a screen takes no touch in its first 0.3 s

# What is touched on which screen of a round: nothing here needs the office.
TOUCHES: dict[type[views.View], Callable[[AnyView], str]] = {
    views.AttractView: lambda _view: ANYWHERE,
    views.HomeView: lambda _view: text.say("zh-Hans", "home.pay"),
    views.BuildingView: lambda view: text.say("zh-Hans", "unit.building", building=view.buildings[0]),  # type: ignore[union-attr]
    views.EntranceView: lambda _view: text.say("zh-Hans", "frame.cancel"),
    views.RoomView: lambda _view: text.say("zh-Hans", "frame.cancel"),
}


def measure() -> list[Figure]:
    places = Places()
    try:
        with a_lobby() as lobby, at_work(lobby) as kiosk:
            pointer = Pointer(kiosk.display)
            _round(kiosk, pointer, places)  # unmeasured: the places are looked up, the screens are built
            times = [seconds for _ in range(ROUNDS) for seconds in _round(kiosk, pointer, places)]
            pointer.close()
    finally:
        places.stop()
    return [
        Figure(
            name="touch to the next screen painted",
            value=percentile(times, 99) * 1000,
            unit="ms",
            goal=100,
            how=f"p99 of {len(times)} touches by XTEST, from the release to the screen's Painted; median "
            f"{median(times) * 1000:.0f} ms; 1080 × 1920, at most 60 frames a second, Mesa's software rendering",
        )
    ]


def _round(kiosk: KioskAtWork, pointer: Pointer, places: Places) -> list[float]:
    """From attract to attract; seconds per touch."""
    pause, times = threading.Event(), []
    view, _ = kiosk.link.painted(lambda view: isinstance(view, views.AttractView), since=kiosk.link.mark() - 1)
    while not times or not isinstance(view, views.AttractView):
        place = places.find(view, TOUCHES[type(view)](view))
        pause.wait(BETWEEN_S)
        mark = kiosk.link.mark()
        pointer.press(*place)
        pause.wait(FINGER_S)
        left_at = time.monotonic()
        pointer.release()
        kind = type(view)
        view, painted_at = kiosk.link.painted(lambda view, kind=kind: not isinstance(view, kind), since=mark)
        times.append(painted_at - left_at)
    return times
