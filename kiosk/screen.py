"""The screen process: draws what the agent sends, sends back what fingers mean; knows nothing else."""

import gc
import logging

from kiosk.screens import environment
from kiosk.screens.fonts import FontsMissing
from kiosk.settings import Settings

log = logging.getLogger(__name__)


def main(settings: Settings) -> int:
    """Run until the window is closed or SIGTERM comes; 0 when stopped cleanly, 1 when there is no panel or no font."""
    try:
        environment.prepare(settings.screen, settings.state_dir / "screen")
    except (environment.NoPanel, FontsMissing) as error:
        log.error("screen.cannot_start detail=%s", error)
        return 1
    # Only now: Kivy reads its environment at import.
    from kiosk.screen_link.screen_end import ScreenEnd
    from kiosk.screens.app import ScreenApp, has_window

    if not has_window():
        log.error("screen.no_window driver=%s", environment.video_driver())
        return 1
    ScreenApp(ScreenEnd(settings.screen_socket), settings.kiosk.language).run()
    # The last collection would take thousands of widgets apart: a second of work that ends in nothing. With this, the
    # process is gone 0.2 s after SIGTERM, also on a busy box.
    gc.freeze()
    return 0
