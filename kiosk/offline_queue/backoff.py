"""How long to wait after a failure: the one retry policy towards the office. Source: journal-and-upload section 6."""

import random

import msgspec


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """All the sync thread's times in seconds."""

    heartbeat_s: float | None = None  # while idle; None: as often as the office asks
    answer_s: float = 2.0  # an office that is there has answered a heartbeat by then
    first_try_s: float = 10.0  # the first call waits a random part of it, and so does one after a Retry-After
    backoff_base_s: float = 2.0
    backoff_cap_s: float = 60.0  # no network is waited for longer than this: a cable may be back
    retry_spacing_s: float = 2.0  # a new entry does not cause a try sooner than this after a failed one
    refresh_s: float = 300.0  # bills and units, when nothing else asks for them
    refused_s: float = 300.0  # after a refusal a person must lift
    rarely_s: float = 3600.0  # after revocation, fork, or a journal that was rolled back


class Backoff:
    """Full jitter: anything up to a limit that doubles with every failure, and is small again after a success."""

    def __init__(self, timing: Timing, rng: random.Random) -> None:
        self._timing = timing
        self._rng = rng
        self._failures = 0

    def next_s(self) -> float:
        limit_s = min(self._timing.backoff_cap_s, self._timing.backoff_base_s * 2 ** min(self._failures, 30))
        self._failures += 1
        return self._rng.uniform(0, limit_s)

    def reset(self) -> None:
        self._failures = 0
