"""A serial line with faults: frames vanish, flip a bit, arrive cut, twice, or late. Repeatable by its seed."""

import random

import msgspec

Rate = float


class LineFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Chances per frame and direction, 0 to 1; ``delay_ms`` is device time, so --speed shortens it too."""

    drop: Rate = 0.0
    flip: Rate = 0.0
    truncate: Rate = 0.0
    duplicate: Rate = 0.0
    delay_ms: int = 0


class FaultyLine:
    """Passes frames on, or does not. Each direction uses one; ``faults`` may be replaced at any time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.faults = LineFaults()

    def carry(self, frame: bytes) -> bytes:
        """What of this frame comes out at the other end."""
        faults, chance = self.faults, self._random.random
        if not frame or chance() < faults.drop:
            return b""
        if chance() < faults.flip:
            at, bit = self._random.randrange(len(frame)), self._random.randrange(8)
            frame = frame[:at] + bytes((frame[at] ^ 1 << bit,)) + frame[at + 1 :]
        if chance() < faults.truncate:
            frame = frame[: self._random.randrange(len(frame))]
        return frame * 2 if chance() < faults.duplicate else frame
