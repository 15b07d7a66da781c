"""Questions to the printer and their answers: status, clearing, fences, process IDs. No policy, no events.

Every wait has a limit, and no answer is an answer of its own. Source: receipt-printer sections 4 to 6.
"""

from collections.abc import Callable

from kiosk.clock import Clock
from kiosk.hardware.receipt_printer import commands
from kiosk.hardware.receipt_printer.replies import AutoStatus, BuffersCleared, Fence, ProcessId, ReplyReader, StatusByte
from kiosk.hardware.receipt_printer.status import SELECTORS, SILENT, Reading, read
from kiosk.hardware.receipt_printer.transport import Stalled, Transport

ANSWER_S = 0.5
LOOK_S = 1.2  # all four questions together, so that two looks one after the other still end within 3 s
CLEAR_S = 1.0
STALL_S = 1.0
QUIET_S = 0.1  # after a late answer: time for the one that was given up to arrive and be dropped
DRAIN_STEP_S = 0.005
OFFLINE = 0x08
# However fast the simulated devices run, this machine's scheduler does not run faster: a busy one is no silent printer.
SHORTEST_WAIT_S = ANSWER_S


class Conversation:
    """One open port and what has been said on it."""

    def __init__(self, transport: Transport, clock: Clock, speed: int) -> None:
        self.transport = transport
        self.printed: set[str] = set()  # tags that the printer confirmed
        self.fences = 0
        self.news = False  # the printer reported a change by itself
        self.missed = 0  # questions that got no clear answer at once: the printer may have lost power and its buffer
        self._clock = clock
        self._speed = speed
        self._reader = ReplyReader()
        self._status: int | None = None
        self._cleared = 0

    def scaled(self, seconds: float, at_least: float = SHORTEST_WAIT_S) -> float:
        """A device time on this device's clock."""
        return max(seconds / self._speed, min(seconds, at_least))

    def listen(self, timeout_s: float) -> None:
        """Take in what the printer says, waiting at most ``timeout_s`` for its first byte."""
        for reply in self._reader.feed(self.transport.read(timeout_s)):
            match reply:
                case StatusByte(value):
                    self._status = value
                case ProcessId(tag):
                    self.printed.add(tag)
                case BuffersCleared():
                    self._cleared += 1
                case Fence():
                    self.fences += 1
                case AutoStatus():
                    self.news = True
                case _:
                    pass

    def send(self, data: bytes) -> None:
        """Send buffered bytes and wait until they are on the line.

        Raises:
            Stalled: the printer takes no more.
        """
        self.transport.write(data, self.scaled(STALL_S))
        self._drain()

    def look(self) -> Reading:
        """Ask all four questions. A printer that does not answer one of them twice is not asked the others."""
        answers: dict[int, int | None] = {}
        ends_at = self._clock.monotonic() + self.scaled(LOOK_S, at_least=4 * SHORTEST_WAIT_S)
        for selector in SELECTORS:
            answers[selector] = self._ask(selector, ends_at)
            if answers[selector] is None:
                return read(answers) if any(answers.values()) else SILENT
        return read(answers)

    def still_online(self) -> bool:
        """The short question between slices."""
        answer = self._ask(1, self._clock.monotonic() + self.scaled(LOOK_S))
        return answer is not None and not answer & OFFLINE

    def _ask(self, selector: int, ends_at: float) -> int | None:
        """One status byte, asked twice at most; None when there is no clear answer in time."""
        for attempt in (1, 2):
            self.listen(0)
            noise = self._reader.dropped
            timeout_s = min(self.scaled(ANSWER_S), ends_at - self._clock.monotonic())
            answer = self._ask_once(selector, timeout_s) if timeout_s > 0 else None
            if answer is not None and self._reader.dropped == noise:
                if attempt == 2:
                    self.listen(self.scaled(QUIET_S))
                return answer
            self.missed += 1
            self._reader.forget_half_block()
        return None

    def _ask_once(self, selector: int, timeout_s: float) -> int | None:
        self._status, self._reader.statuses_due = None, 1
        try:
            self.transport.write(commands.ask_status(selector), self.scaled(STALL_S))
        except Stalled:
            return None
        self._await(lambda: self._status is not None, timeout_s)
        self.listen(0)
        self._reader.statuses_due = 0
        return self._status

    def clear_buffers(self, timeout_s: float = CLEAR_S) -> bool:
        """Make the printer forget what it has not printed; whether it says that it did."""
        before = self._cleared
        try:
            self.transport.write(commands.CLEAR_BUFFERS, self.scaled(STALL_S))
        except Stalled:
            return False
        self._await(lambda: self._cleared > before, self.scaled(timeout_s))
        return self._cleared > before

    def expect_fence(self) -> None:
        self._reader.fence_due = True

    def _await(self, come: Callable[[], bool], timeout_s: float) -> None:
        ends_at = self._clock.monotonic() + timeout_s
        while not come():
            left = ends_at - self._clock.monotonic()
            if left <= 0:
                return
            self.listen(left)

    def _drain(self) -> None:
        """A question must not wait behind data, or its answer comes too late to count."""
        waiting = self.transport.unsent()
        ends_at = self._clock.monotonic() + self.scaled(STALL_S)
        while waiting:
            self.listen(DRAIN_STEP_S)
            left = self.transport.unsent()
            if left < waiting:
                ends_at = self._clock.monotonic() + self.scaled(STALL_S)
            elif self._clock.monotonic() > ends_at:
                raise Stalled
            waiting = left
