"""From the start of ``kiosk screen`` to the first painted attract view, against a bare Kivy window with one label."""

import time

from bench.figures import Figure, median
from bench.screens import Stage, bare_command, display, running, screen_command, stage, wait_painted
from kiosk.screens.samples import samples
from kiosk.views import AttractView

PAIRS = 9


def measure() -> list[Figure]:
    """In alternation, after one unmeasured start of each: a change of the machine's load meets both."""
    with display() as glass, stage() as opened:
        pairs = [(_screen(opened, glass), _bare(glass)) for _ in range(PAIRS + 1)][1:]
    screens, bares = [screen for screen, _ in pairs], [bare for _, bare in pairs]
    return [
        Figure(
            name="start to first painted attract",
            value=median(screens) * 1000,
            unit="ms",
            beside=median(bares) * 1000,
            beside_name="bare window with one label",
            ratio=median([screen / bare for screen, bare in pairs]),
            goal=1.5,
            how=f"median of {PAIRS} ratios of neighbouring starts; X server without a display, 1080 × 1920, the agent already listening",
        )
    ]


def _screen(opened: Stage, glass: dict[str, str]) -> float:
    began = time.monotonic()
    with running(screen_command(opened.settings), glass):
        return opened.show(attract()) - began


def _bare(glass: dict[str, str]) -> float:
    began = time.monotonic()
    with running(bare_command(), glass) as bare:
        return wait_painted(bare) - began


def attract() -> AttractView:
    view = next(sample.view for sample in samples("zh-Hans", time.monotonic(), rows=5))
    assert isinstance(view, AttractView)
    return view
