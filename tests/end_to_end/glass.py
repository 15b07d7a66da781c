"""The kiosk's glass as the bench's page shows it, touched at places in millimetres.

Which screen is on it is told by the screen process's own log, so that a test never touches a screen that is still coming.
"""

import re
import time
from pathlib import Path

from playwright.sync_api import Page

WIDTH_MM, HEIGHT_MM = 268.0, 476.0
LOOK_EVERY_MS = 30
TREMBLE_MS = 350  # a second tap within 300 ms is taken for a trembling finger

# Where things are on the portrait panel. The counter never moves; the rest follows from the design's grid.
ANYWHERE = (134.0, 250.0)
PAY_TILE = (60.0, 300.0)
YES = (196.0, 353.0)
MAIN = (212.0, 431.0)  # 确认, 继续, 完成, 打印凭条
CANCEL = (134.0, 431.0)
CASH_TILE = (74.0, 170.0)
GIVE_BACK = (62.0, 350.0)
COLUMNS = (52.0, 134.0, 215.0)
KEY_ROWS = (232.0, 281.0, 330.0, 380.0)
KEYS = {str(number): (COLUMNS[(number - 1) % 3], KEY_ROWS[(number - 1) // 3]) for number in range(1, 10)}
KEYS["0"] = (COLUMNS[1], KEY_ROWS[3])


class Glass:
    """Touches; a touch that leads on is followed by the screen it should lead to."""

    def __init__(self, page: Page, bench: str, log: Path) -> None:
        self.page, self._log = page, log
        page.goto(bench)
        page.wait_for_selector("#screen[data-connected]", timeout=30_000)
        self._box = page.locator("#glass canvas").bounding_box()
        self.wait_for("attract")

    def touch(self, place: tuple[float, float]) -> None:
        assert self._box is not None
        x, y = place
        self.page.mouse.click(
            self._box["x"] + x / WIDTH_MM * self._box["width"], self._box["y"] + y / HEIGHT_MM * self._box["height"]
        )

    def lead_on(self, place: tuple[float, float], *to: str) -> str:
        """Touch, and wait until one of the screens ``to`` is on the glass."""
        self.touch(place)
        return self.wait_for(*to)

    def wait_for(self, *screens: str, timeout_s: float = 30.0) -> str:
        ends_at = time.monotonic() + timeout_s
        while (shown := self._shown()) not in screens:
            assert time.monotonic() < ends_at, f"the screen shows {shown}, not {' or '.join(screens)}"
            self.page.wait_for_timeout(LOOK_EVERY_MS)
        self.page.wait_for_timeout(TREMBLE_MS)
        return shown

    def _shown(self) -> str:
        found = re.findall(r"screen\.shows view=(\w+)", self._log.read_text(errors="replace"))
        return found[-1] if found else ""
