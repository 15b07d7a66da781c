"""``kiosk-sim bill-acceptor``: a note validator on a pseudo-terminal, and the hands that play with it."""

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kiosk.hardware.bill_acceptor.mechanism import Happening, Mechanism, NotTaken
from kiosk.hardware.bill_acceptor.notebox import Notebox
from kiosk.hardware.bill_acceptor.ssp.simulator import SspDevice
from kiosk.hardware.simulators.arguments import common_parser, in_words
from kiosk.hardware.simulators.control import CommandRefused, ControlLine, Message
from kiosk.hardware.simulators.line import FaultyLine, LineFaults
from kiosk.hardware.simulators.loop import Loop
from kiosk.hardware.simulators.terminal import TerminalPair
from kiosk.hardware.simulators.truth import TruthUnreadable

DEVICES = {"ssp": SspDevice}
DEFAULT_FACES = (100, 500, 1000, 2000, 5000, 10000)
DEFAULT_SERIAL = 4_021_077
UNSENT_RETRY_S = 0.05

Tell = Callable[..., None]  # event name, then facts as keywords


class AcceptorSimulator:
    """Device, terminal and hands, all in one loop's thread. ``tell`` hears every event; commands() are the hands."""

    def __init__(
        self,
        loop: Loop,
        tell: Tell,
        *,
        protocol: str = "ssp",
        faces: tuple[int, ...] = DEFAULT_FACES,
        speed: int = 1,
        seed: int = 0,
        state: Path | None = None,
        link: Path | None = None,
        serial: int = DEFAULT_SERIAL,
    ) -> None:
        self.notebox = Notebox(state, serial=serial)
        self.terminal = TerminalPair(link)
        self._tell = tell
        self._speed = speed
        self._began = time.monotonic()
        self._from_host, self._to_host = FaultyLine(seed), FaultyLine(seed + 1)
        self._late: deque[tuple[float, bytes]] = deque()  # answers on a slow line, with the device time they arrive
        self._device = DEVICES[protocol](self.notebox, faces, self._happened)
        self._device.power_on()
        loop.watch(self.terminal.fileno(), self._hear)

    def tick(self) -> float | None:
        """Let the device's time pass; seconds until something is due."""
        now = self._now()
        due = self._device.advance(now)
        while self._late and self._late[0][0] <= now:
            self.terminal.write(self._late.popleft()[1])
        if self._late:
            due = self._late[0][0] if due is None else min(due, self._late[0][0])
        return None if due is None else max(0.0, due - now) / self._speed

    def commands(self) -> dict[str, Callable[[Message], Message | None]]:
        """What a person, the bench or a scenario may do to it."""
        return {
            "insert": self._insert,
            "hold_at_mouth": self._hold_at_mouth,
            "jam": lambda message: self._mechanism.arm_jam(_one_of(message, "where", ("entry", "path", "stacker"))),
            "clear": self._clear,
            "cheat": lambda message: self._mechanism.arm_cheat(
                _one_of(message, "when", ("before_stack", "after_stack"))
            ),
            "cashbox": self._cashbox,
            "power": self._power,
            "line": self._line,
            "ledger": lambda _message: {"event": "ledger", **self.notebox.ledger()},
        }

    def close(self) -> None:
        self.terminal.close()

    def _now(self) -> float:
        return (time.monotonic() - self._began) * self._speed

    @property
    def _mechanism(self) -> Mechanism:
        return self._device.mechanism

    # --- the wire

    def _hear(self) -> None:
        self._device.advance(self._now())
        for reply in self._device.receive(self._from_host.carry(self.terminal.read())):
            arriving = self._to_host.carry(reply)
            if self._to_host.faults.delay_ms or self._late:  # nothing overtakes on a line
                self._late.append((self._now() + self._to_host.faults.delay_ms / 1000, arriving))
            else:
                self.terminal.write(arriving)

    # --- the hands

    def _insert(self, message: Message) -> None:
        face = message.get("face_fen")
        if type(face) is not int or face <= 0:
            raise CommandRefused('insert needs the note\'s face in fen: {"do": "insert", "face_fen": 10000}')
        self._advance()
        self._try(lambda: self._mechanism.insert(face))

    def _hold_at_mouth(self, message: Message) -> None:
        held = message.get("is", True)
        if not isinstance(held, bool):
            raise CommandRefused('"is" is true (holds on, the default) or false (lets go)')
        self._advance()
        self._mechanism.hold_at_mouth(held)

    def _clear(self, message: Message) -> None:
        to = _one_of(message, "to", ("payer", "box", ""), default="")
        self._advance()
        self._mechanism.clear(None if not to else to == "box")

    def _cashbox(self, message: Message) -> None:
        what = _one_of(message, "is", ("removed", "back", "full", "emptied"))
        self._advance()
        hands = {
            "removed": self._mechanism.remove_cashbox,
            "back": self._mechanism.replace_cashbox,
            "full": self._mechanism.fill,
            "emptied": self._mechanism.empty,
        }
        self._try(hands[what])
        if what == "emptied":
            self._tell("cashbox", **{"is": "emptied"})

    def _power(self, message: Message) -> None:
        what = _one_of(message, "is", ("off", "on"))
        self._advance()
        if what == "on":
            self._device.power_on()
        else:
            self._device.power_off()

    def _line(self, message: Message) -> Message:
        asked = {key: value for key, value in message.items() if key not in ("do", "id")}
        try:
            faults = msgspec.convert({**msgspec.to_builtins(self._to_host.faults), **asked}, LineFaults, strict=True)
        except msgspec.ValidationError as error:
            raise CommandRefused(f"{error}") from error
        unknown = asked.keys() - msgspec.to_builtins(faults).keys()
        rates = (faults.drop, faults.flip, faults.truncate, faults.duplicate)
        if unknown or not all(0 <= rate <= 1 for rate in rates) or not 0 <= faults.delay_ms <= 60_000:
            raise CommandRefused("a line has drop, flip, truncate, duplicate from 0 to 1 and delay_ms up to 60000")
        self._from_host.faults = self._to_host.faults = faults
        return {"ok": True, **msgspec.to_builtins(faults)}

    def _advance(self) -> None:
        self._device.advance(self._now())

    def _try(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except NotTaken as error:
            raise CommandRefused(str(error)) from error

    # --- what is told

    def _happened(self, what: Happening, face: int, detail: str) -> None:
        note = {"face_fen": face} if face else {}
        match what:
            case Happening.ENABLED | Happening.DISABLED:
                self._tell(what.value)
            case Happening.ESCROWED | Happening.STACKING | Happening.STACKED:
                self._tell(what.value, **note)
            case Happening.RETURNED | Happening.REJECTED:
                self._tell(what.value, **note, reason=detail)
            case Happening.CLEARED_TO_PERSON:
                self._tell("returned", **note, reason=detail)
            case Happening.CLEARED_TO_BOX:
                self._tell("stacked", **note, reason=detail)
            case Happening.JAMMED:
                self._tell("jammed", **note, where=detail)
            case Happening.FRAUD:
                self._tell("fraud", **note, when=detail)
            case Happening.CASHBOX_REMOVED:
                self._tell("cashbox", **{"is": "removed"})
            case Happening.CASHBOX_REPLACED:
                self._tell("cashbox", **{"is": "back"})
            case Happening.FULL:
                self._tell("cashbox", **{"is": "full"})
            case Happening.BOOTED:
                self._tell("started")
            case Happening.CREDITED:
                self._tell("credited", **note)


def _one_of(message: Message, key: str, words: tuple[str, ...], default: str | None = None) -> str:
    word = message.get(key, default)
    if word not in words:
        raise CommandRefused(f'"{key}" is one of {", ".join(word for word in words if word)}')
    return str(word)


def parser() -> argparse.ArgumentParser:
    parser = common_parser("bill-acceptor", "A note validator with escrow, on a pseudo-terminal.")
    parser.add_argument("--protocol", choices=sorted(DEVICES), default="ssp", help="what it speaks (default ssp)")
    parser.add_argument(
        "--faces",
        type=_faces,
        default=DEFAULT_FACES,
        metavar="FEN,...",
        help="the notes it knows, in fen, channel 1 first",
    )
    parser.add_argument("--serial", type=_serial, default=DEFAULT_SERIAL, metavar="N", help="its serial number")
    return parser


def _faces(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) % 100 == 0 and 100 <= int(part) <= 25_500 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole yuan in fen, such as 100,500,1000")
    if not len(set(parts)) == len(parts) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r}: at most 16 faces, each once")
    return tuple(int(part) for part in parts)


def _serial(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a serial number from 0 to 4294967295")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C."""
    arguments = parser().parse_args(argv)
    loop = Loop()
    commands: dict[str, Callable[[Message], Message | None]] = {}
    try:
        control = ControlLine(loop, commands, listen=arguments.listen)
        simulator = AcceptorSimulator(
            loop,
            control.tell,
            protocol=arguments.protocol,
            faces=arguments.faces,
            speed=arguments.speed,
            seed=arguments.seed,
            state=arguments.state,
            link=arguments.link,
            serial=arguments.serial,
        )
    except (OSError, TruthUnreadable) as error:
        words = in_words(error) if isinstance(error, OSError) else error
        print(f"kiosk-sim bill-acceptor: {words}", file=sys.stderr)
        return 1
    commands.update(simulator.commands())
    loop.stop_on_signals()
    control.ready(port=simulator.terminal.port)
    loop.run(lambda: _wait(simulator.tick(), control.flush()))
    control.close()
    simulator.close()
    loop.close()
    return 0


def _wait(due_s: float | None, all_sent: bool) -> float | None:
    if all_sent:
        return due_s
    return UNSENT_RETRY_S if due_s is None else min(due_s, UNSENT_RETRY_S)
