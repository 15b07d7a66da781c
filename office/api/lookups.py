"""How many rooms a kiosk may ask for: enough for every payer, too few to browse an estate."""

import time

from django.core.cache import cache

from office.api.problems import Problem
from office.kiosks.models import Kiosk

WINDOW_S = 60
IN_A_WINDOW = 60
WRONG_COSTS = 3  # a wrong room counts as three right ones


def now_s() -> int:
    return int(time.time())


def count_look_up(kiosk: Kiosk) -> None:
    """Count one look-up of a kiosk, before it is answered.

    Raises:
        Problem: rate_limited; this minute's are used up.
    """
    spent = _spend(kiosk, 1)
    if spent > IN_A_WINDOW:
        left_s = WINDOW_S - now_s() % WINDOW_S
        raise Problem("rate_limited", headers={"Retry-After": str(left_s)})


def count_wrong_room(kiosk: Kiosk) -> None:
    """It found nothing: guessing costs more."""
    _spend(kiosk, WRONG_COSTS - 1)


def _spend(kiosk: Kiosk, cost: int) -> int:
    """Take from this minute's; how many it comes to."""
    key = f"lookups:{kiosk.id}:{now_s() // WINDOW_S}"
    cache.add(key, 0, 2 * WINDOW_S)
    return cache.incr(key, cost)
