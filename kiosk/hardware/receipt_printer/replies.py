"""What comes back from the printer, sorted by its first byte. Pure.

Status bytes, automatic status blocks, fence answers and identity blocks share one channel; some printers also
send flow control. One reader sorts them all. Source: ESC/POS reference; receipt-printer section 4.4.
"""

import msgspec

KIND_MASK = 0x93
STATUS_KIND = 0x12  # a DLE EOT answer is 0xx1xx10
AUTO_STATUS_KIND = 0x10  # an automatic status block starts with 0xx1xx00
AUTO_STATUS_SIZE = 4
FENCE_FIXED_BITS = 0x90  # a GS r answer has bits 4 and 7 clear
BLOCK_START = 0x37
TEXT_STARTS = (0x3A, 0x5F)
LONGEST_BLOCK = 80
FLOW_CONTROL = (0x11, 0x13)


class StatusByte(msgspec.Struct, frozen=True):
    """The answer to an outstanding DLE EOT."""

    value: int


class AutoStatus(msgspec.Struct, frozen=True):
    """Four bytes sent by the printer on its own (GS a)."""

    block: bytes

    @property
    def offline(self) -> bool:
        return bool(self.block[0] & 0x08)

    @property
    def paper_out(self) -> bool:
        return bool(self.block[2] & 0x0C)


class Fence(msgspec.Struct, frozen=True):
    """The answer to an outstanding GS r: everything before it was carried out."""

    value: int


class ProcessId(msgspec.Struct, frozen=True):
    """The job with this tag is printed."""

    tag: str


class BuffersCleared(msgspec.Struct, frozen=True):
    """The printer forgot what it had not printed yet."""


class TextBlock(msgspec.Struct, frozen=True):
    """An identity string or another block that nothing here waits for."""

    data: bytes


Reply = StatusByte | AutoStatus | Fence | ProcessId | BuffersCleared | TextBlock


class ReplyReader:
    """Sorts the return channel. Tell it what was asked, because some answers look alike."""

    def __init__(self) -> None:
        self.statuses_due = 0
        self.fence_due = False
        self.dropped = 0
        self._pending = b""

    def forget_half_block(self) -> None:
        """A block that never ended would swallow every answer after it."""
        self.dropped += len(self._pending)
        self._pending = b""

    def feed(self, data: bytes) -> list[Reply]:
        """Take what arrived; return what is complete. What fits nothing is dropped and counted."""
        self._pending += data
        replies: list[Reply] = []
        while self._pending:
            taken, reply = self._next()
            if taken == 0:
                break
            self._pending = self._pending[taken:]
            if reply is not None:
                replies.append(reply)
        return replies

    def _next(self) -> tuple[int, Reply | None]:
        first = self._pending[0]
        if self.statuses_due and first & KIND_MASK == STATUS_KIND:
            self.statuses_due -= 1
            return 1, StatusByte(first)
        if first & KIND_MASK == AUTO_STATUS_KIND:
            return self._auto_status()
        if first == BLOCK_START or first in TEXT_STARTS:
            return self._block()
        if self.fence_due and first & FENCE_FIXED_BITS == 0:
            self.fence_due = False
            return 1, Fence(first)
        if first not in FLOW_CONTROL:
            self.dropped += 1
        return 1, None

    def _auto_status(self) -> tuple[int, Reply | None]:
        block = self._pending[:AUTO_STATUS_SIZE]
        if any(byte & FENCE_FIXED_BITS for byte in block[1:]):
            self.dropped += 1
            return 1, None
        return (AUTO_STATUS_SIZE, AutoStatus(block)) if len(block) == AUTO_STATUS_SIZE else (0, None)

    def _block(self) -> tuple[int, Reply | None]:
        end = self._pending.find(0)
        if end < 0:
            if len(self._pending) <= LONGEST_BLOCK:
                return 0, None
            self.dropped += 1
            return 1, None
        block = self._pending[:end]
        if block[:2] == b"\x37\x22" and len(block) == 6 and block.isascii():
            return end + 1, ProcessId(block[2:].decode("ascii"))
        if block == b"\x37\x25":
            return end + 1, BuffersCleared()
        return end + 1, TextBlock(block)
