"""When what waits in a kiosk, unsent, must be somebody's business: said by the kiosk itself, and by the office of it."""

BEHIND_S, BEHIND_ENTRIES = 24 * 3600, 1000  # decisions 22


def is_behind(unsent: int, oldest_s: int | None) -> bool:
    """Whether so much, or so old, a record is in the kiosk alone; ``oldest_s`` is None where clocks can't say."""
    return unsent >= BEHIND_ENTRIES or (unsent > 0 and (oldest_s or 0) >= BEHIND_S)
