"""``kiosk-sim replay FILE``: a recorded conversation on a pseudo-terminal, played as the device."""

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kiosk.hardware.dialects import DIALECTS
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.simulators import truth
from kiosk.hardware.simulators.arguments import common_parser, in_words
from kiosk.hardware.simulators.control import ControlLine, Message
from kiosk.hardware.simulators.loop import Loop
from kiosk.hardware.simulators.replay import Player, steps_of
from kiosk.hardware.simulators.terminal import TerminalPair

OK, FAILED = 0, 1
UNSENT_RETRY_S = 0.05
SHORTEST_HANG_UP_S = 0.05  # the host gets to read its last answer, however fast the replay


class Position(msgspec.Struct, frozen=True):
    """How many steps have been played: what ``--state`` keeps."""

    at: int


class Replay:
    """Player, terminal and clock in one loop's thread."""

    def __init__(
        self, loop: Loop, control: ControlLine, player: Player, *, speed: int, link: Path | None, state: Path | None
    ) -> None:
        self._loop, self._control, self._player = loop, control, player
        self._speed, self._link, self._state = speed, link, state
        self._late: deque[tuple[float, bytes]] = deque()
        self._heard_at = time.monotonic()
        self.done = False
        self.terminal = self._plug_in()

    def tick(self) -> float | None:
        """Send what is due, vanish if the port did, say when all is played; seconds until something is due."""
        now = time.monotonic()
        while self._late and self._late[0][0] <= now:
            self.terminal.write(self._late.popleft()[1])
        if self._late:
            return self._late[0][0] - now
        if (after_s := self._player.hangs_up_after()) is not None:
            left_s = self._heard_at + max(after_s / self._speed, SHORTEST_HANG_UP_S) - now
            if left_s > 0:
                return left_s
            self._hang_up()
        if (self._player.ended or self._player.diverged) and not self.done:
            self.done = True
            self._control.tell("done", steps=self._player.at, diverged=self._player.diverged)
        return None

    def commands(self) -> dict[str, Callable[[Message], Message | None]]:
        return {"position": lambda _message: {"steps": self._player.at, "done": self.done}}

    def close(self) -> None:
        self.terminal.close()

    def _plug_in(self) -> TerminalPair:
        terminal = TerminalPair(self._link)
        self._loop.watch(terminal.fileno(), self._hear)
        return terminal

    def _hang_up(self) -> None:
        self._player.hung_up()
        self._loop.forget(self.terminal.fileno())
        self.terminal.close()
        self.terminal = self._plug_in()
        self._control.tell("hung_up", port=self.terminal.port)
        self._save()

    def _hear(self) -> None:
        answers = self._player.hear(self.terminal.read())
        self._heard_at = time.monotonic()
        for delay_s, answer in answers:
            due = self._heard_at + delay_s / self._speed
            self._late.append((max(due, self._late[-1][0]) if self._late else due, answer))
        self._save()

    def _save(self) -> None:
        if self._state is not None:
            truth.save(self._state, Position(self._player.at))


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C; 0 only if the whole trace was played and nothing differed."""
    parser = common_parser("replay", "Play a recorded trace of a device's raw frames, as the device.")
    parser.add_argument("trace", type=Path, metavar="FILE", help="what kiosk trace export wrote")
    chosen = parser.parse_args(argv)
    loop = Loop()
    commands: dict[str, Callable[[Message], Message | None]] = {}
    try:
        recorded = trace.decode(chosen.trace.read_bytes())
        dialect = DIALECTS[recorded.header.protocol]()
        begin = truth.load(chosen.state, Position) if chosen.state else None
        control = ControlLine(loop, commands, listen=chosen.listen)
        player = Player(steps_of(recorded), dialect, control.tell, begin.at if begin else 0)
        replay = Replay(loop, control, player, speed=chosen.speed, link=chosen.link, state=chosen.state)
    except OSError as error:
        print(f"kiosk-sim replay: {in_words(error)}", file=sys.stderr)
        return FAILED
    except truth.TruthUnreadable as error:
        print(f"kiosk-sim replay: {error}", file=sys.stderr)
        return FAILED
    except trace.TraceUnreadable as error:
        print(f"kiosk-sim replay: {chosen.trace}: {error}; give what kiosk trace export wrote", file=sys.stderr)
        return FAILED
    except KeyError as unknown:
        known = ", ".join(sorted(DIALECTS))
        print(f"kiosk-sim replay: {chosen.trace}: nobody here speaks {unknown}; known: {known}", file=sys.stderr)
        return FAILED
    commands.update(replay.commands())
    loop.stop_on_signals()
    control.ready(port=replay.terminal.port, device=recorded.header.device, steps=len(steps_of(recorded)))
    loop.run(lambda: _wait(replay.tick(), control.flush()))
    control.close()
    replay.close()
    loop.close()
    return _ending(player, chosen.trace)


def _ending(player: Player, file: Path) -> int:
    if player.diverged:
        print(f"kiosk-sim replay: {file}: the host did not do as recorded; see the event diverged", file=sys.stderr)
    elif not player.ended:
        print(f"kiosk-sim replay: {file}: stopped before the recording's end", file=sys.stderr)
    return OK if player.ended and not player.diverged else FAILED


def _wait(due_s: float | None, all_sent: bool) -> float | None:
    if all_sent:
        return due_s
    return UNSENT_RETRY_S if due_s is None else min(due_s, UNSENT_RETRY_S)
