"""``kiosk-sim receipt-printer``: a thermal printer on a pseudo-terminal that obeys to the letter and draws its slips.

Commands (``"do"``): paper {is, left_mm} · cover {is} · cutter {is} · power {is} · take · clone {silent, single_bit,
process_id, gs_r, clear_buffer} · line {garbage} · ledger. Events: printed {png, text, qr, cut, height_mm}, status,
error {reason, bytes}, taken. An ``error`` means that the host sent what no such printer understands.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kiosk.hardware.receipt_printer.mechanism import FULL_ROLL_MM, NEAR_END_MM, Mechanism, Slip, Truth
from kiosk.hardware.receipt_printer.qr_reading import read_qr
from kiosk.hardware.receipt_printer.tokens import Command, RealTime, Tokenizer, Wrong
from kiosk.hardware.simulators import truth as state_file
from kiosk.hardware.simulators.arguments import common_parser, in_words
from kiosk.hardware.simulators.control import CommandRefused, ControlLine, Message
from kiosk.hardware.simulators.loop import Loop
from kiosk.hardware.simulators.terminal import TerminalPair

WIDTH_DOTS = {80: 576, 58: 384}
PAPER_MM = {"ok": FULL_ROLL_MM, "near_end": NEAR_END_MM, "out": 0.0}
SAVE_EVERY_S = 1.0
BOOT_S = 2.0  # no printer is back at once
SHORTEST_BOOT_S = 0.1


class Dialect(msgspec.Struct):
    """What this printer can answer; cheap clones can less."""

    silent: bool = False
    single_bit: bool = False  # sets one bit of each sensor pair
    process_id: bool = True
    gs_r: bool = True
    clear_buffer: bool = True


class PrinterSimulator:
    """One simulated printer. Everything happens in its loop's thread; call() reaches it from a test's."""

    def __init__(
        self,
        *,
        width_mm: int,
        out: Path,
        link: Path | None = None,
        state: Path | None = None,
        seed: int = 0,
        speed: int = 1,
        listen: tuple[str, int] | None = None,
        standard_streams: bool = True,
        on_event: Callable[[str, Message], None] | None = None,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._out, self._state = out, state
        saved = state_file.load(state, Truth) if state is not None else None
        self.truth = saved if saved is not None else Truth()
        self.dialect = Dialect()
        self._random = random.Random(seed)
        self._garbage = 0.0
        self._powered = True
        self._booted_at = 0.0
        self._boot_s = max(BOOT_S / speed, SHORTEST_BOOT_S)
        self._auto_status = 0
        self._told: Message = {}
        self._save_at = 0.0
        self._on_event = on_event
        self.loop = Loop()
        self.terminal = TerminalPair(link)
        self._tokens = Tokenizer()
        self._mechanism = Mechanism(WIDTH_DOTS[width_mm], self.truth, speed, self._answer_buffered, self._let_go)
        self.control = ControlLine(self.loop, self._commands(), listen=listen, standard_streams=standard_streams)
        self.loop.watch(self.terminal.fileno(), self._hear)

    def run(self) -> None:
        """Be a printer until the loop is stopped."""
        self.control.ready(port=self.terminal.port)
        self._told = self._status()
        try:
            self.loop.run(self._tick)
        finally:
            self._save()
            self.control.close()
            self.terminal.close()
            self.loop.close()

    def ask(self, command: Message) -> Message:
        """Carry out a command from another thread, as the control line would."""
        return self.loop.call(lambda: self.control.perform(command))

    def _tick(self) -> float | None:
        now = time.monotonic()
        wait = self._mechanism.step(now) if self._powered else None
        self._tell_status()
        if self._state is not None and now >= self._save_at:
            self._save()
            self._save_at = now + SAVE_EVERY_S
        if not self.control.flush():
            wait = min(0.05, wait if wait is not None else 0.05)
        return wait

    # --- the line ------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        data = self.terminal.read()
        if not self._powered or time.monotonic() < self._booted_at:
            return
        for token in self._tokens.feed(data):
            match token:
                case RealTime():
                    self._obey_at_once(token)
                case Wrong(what, reason):
                    self._tell("error", reason=reason, bytes=what[:16].hex(" "))
                case Command("GS a", values):
                    self._auto_status = values[0]
                    self._send_auto_status()
                case _:
                    self._mechanism.submit(token, time.monotonic())

    def _obey_at_once(self, token: RealTime) -> None:
        if token.inside_image and token.name != "DLE DC4":
            self._tell("error", reason="real-time command inside image data", bytes=f"{token.name} {token.value}")
        if token.name == "DLE EOT":
            self._send(bytes((self._status_byte(token.value),)))
        elif token.name == "DLE DC4":
            if self.dialect.clear_buffer:
                self._mechanism.clear()
                self._send(b"\x37\x25\x00")
        else:
            if token.value == 2:
                self._mechanism.clear()
            if not self.truth.cutter_jammed:
                self._mechanism.cutter_error = False

    def _answer_buffered(self, data: bytes) -> None:
        """The mechanism reached a process-ID request, a fence or an identity request."""
        if data.startswith(b"\x37\x22"):
            if self.dialect.process_id:
                self._send(data)
        elif len(data) > 1 or self.dialect.gs_r:
            self._send(data)

    def _send(self, data: bytes) -> None:
        if not self._powered or self.dialect.silent:
            return
        if self._garbage and self._random.random() < self._garbage:
            data = bytes(self._random.randrange(256) for _ in range(self._random.randint(1, 4))) + data
        self.terminal.write(data)

    def _status_byte(self, selector: int) -> int:
        machine, truth = self._mechanism, self.truth
        out, near = truth.paper == "out", truth.paper != "ok"
        if selector == 1:
            return 0x12 | (0x08 if machine.offline else 0)
        if selector == 2:
            error = 0x40 if machine.cutter_error else 0
            return 0x12 | (0x04 if truth.cover_open else 0) | (0x20 if out else 0) | error
        if selector == 3:
            return 0x12 | (0x08 if machine.cutter_error else 0)
        if self.dialect.single_bit:
            return 0x12 | (0x20 if out else 0x04 if near else 0)
        return 0x12 | (0x0C if near else 0) | (0x60 if out else 0)

    def _send_auto_status(self) -> None:
        machine, truth = self._mechanism, self.truth
        if not self._auto_status:
            return
        first = 0x10 | (0x08 if machine.offline else 0) | (0x20 if truth.cover_open else 0)
        paper = (0x03 if truth.paper != "ok" else 0) | (0x0C if truth.paper == "out" else 0)
        self._send(bytes((first, 0x08 if machine.cutter_error else 0, paper, 0)))

    # --- slips ---------------------------------------------------------------------------------------------------

    def _let_go(self, slip: Slip) -> None:
        path = self._out / f"slip-{self.truth.slips_printed:06d}.png"
        picture = slip.strip.picture()
        fresh = path.with_name(f".{path.name}")
        picture.save(fresh, format="PNG")
        fresh.replace(path)
        self._save()
        self._tell(
            "printed",
            png=str(path.resolve()),
            text=slip.strip.text.rstrip("\n"),
            qr=read_qr(picture),
            cut=slip.cut,
            height_mm=round(slip.strip.height / 8, 1),
        )

    # --- commands of the control line ----------------------------------------------------------------------------

    def _commands(self) -> dict[str, Callable[[Message], Message | None]]:
        return {
            "paper": self._paper,
            "cover": self._cover,
            "cutter": self._cutter,
            "power": self._power,
            "take": self._take,
            "clone": self._clone,
            "line": self._line,
            "ledger": self._ledger,
            "status": lambda _message: self._status(),
        }

    def _paper(self, message: Message) -> None:
        left = message.get("left_mm")
        if left is not None and (isinstance(left, bool) or not isinstance(left, int | float) or left < 0):
            raise CommandRefused('"left_mm" is how many millimetres the roll still has')
        self.truth.paper_left_mm = float(left) if left is not None else PAPER_MM[_choice(message, PAPER_MM)]

    def _cover(self, message: Message) -> None:
        self.truth.cover_open = _choice(message, ("open", "closed")) == "open"

    def _cutter(self, message: Message) -> None:
        self.truth.cutter_jammed = _choice(message, ("jammed", "ok")) == "jammed"
        if not self.truth.cutter_jammed:
            self._mechanism.cutter_error = False

    def _power(self, message: Message) -> None:
        """Off, on, or without a word: off and on again."""
        was_powered = self._powered
        self._powered = "is" not in message or _choice(message, ("on", "off")) == "on"
        if not self._powered or "is" not in message:
            self._mechanism.power_cut()
            self._tokens.power_on()
            self._auto_status = 0
            self._booted_at = time.monotonic() + self._boot_s
        elif not was_powered:
            self._booted_at = time.monotonic() + self._boot_s

    def _take(self, _message: Message) -> Message:
        taken, self.truth.slips_hanging = self.truth.slips_hanging, 0
        self.truth.slips_taken += taken
        self._tell("taken", slips=taken)
        return {"ok": True, "slips": taken}

    def _clone(self, message: Message) -> None:
        for name, value in message.items():
            if name in ("do", "id"):
                continue
            if name not in Dialect.__struct_fields__ or not isinstance(value, bool):
                known = ", ".join(Dialect.__struct_fields__)
                raise CommandRefused(f"clone takes true or false for {known}; not {name!r}: {value!r}")
        for name in Dialect.__struct_fields__:
            setattr(self.dialect, name, message.get(name, getattr(self.dialect, name)))

    def _line(self, message: Message) -> None:
        rate = message.get("garbage", 0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise CommandRefused('"garbage" is a rate from 0 to 1')
        self._garbage = float(rate)

    def _ledger(self, _message: Message) -> Message:
        truth = self.truth
        return {
            "printed": truth.slips_printed,
            "hanging": truth.slips_hanging,
            "taken": truth.slips_taken,
            "paper_left_mm": round(truth.paper_left_mm, 1),
            "uncut_mm": round(self._mechanism.strip.height / 8, 1),
            "buffered": len(self._mechanism.queue),
            "image_bytes_missing": self._tokens.missing_image_bytes,
        }

    # --- telling and keeping -------------------------------------------------------------------------------------

    def _status(self) -> Message:
        return {
            "power": "on" if self._powered else "off",
            "paper": self.truth.paper,
            "cover": "open" if self.truth.cover_open else "closed",
            "cutter": "stuck" if self._mechanism.cutter_error else "jammed" if self.truth.cutter_jammed else "ok",
            "hanging": self.truth.slips_hanging,
        }

    def _tell_status(self) -> None:
        status = self._status()
        if status != self._told:
            self._told = status
            self._send_auto_status()
            self._tell("status", **status)

    def _tell(self, event: str, **facts: Any) -> None:
        self.control.tell(event, **facts)
        if self._on_event is not None:
            self._on_event(event, facts)

    def _save(self) -> None:
        if self._state is not None:
            self._mechanism.save_strip()
            state_file.save(self._state, self.truth)


def _choice(message: Message, words: Sequence[str] | dict[str, float]) -> str:
    word = message.get("is")
    if not isinstance(word, str) or word not in words:
        raise CommandRefused(f'"is" must be one of {", ".join(words)}')
    return word


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or Ctrl-C; that is cutting the power."""
    parser = common_parser("receipt-printer", "A receipt printer (ESC/POS) on a pseudo-terminal.")
    parser.add_argument("--width-mm", type=int, choices=sorted(WIDTH_DOTS), default=80, help="paper width (default 80)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the drawn slips go, as PNG")
    arguments = parser.parse_args(argv)
    try:
        simulator = PrinterSimulator(
            width_mm=arguments.width_mm,
            out=arguments.out,
            link=arguments.link,
            state=arguments.state,
            seed=arguments.seed,
            speed=arguments.speed,
            listen=arguments.listen,
        )
    except (OSError, state_file.TruthUnreadable) as error:
        words = in_words(error) if isinstance(error, OSError) else error
        print(f"kiosk-sim receipt-printer: {words}", file=sys.stderr)
        return 1
    simulator.loop.stop_on_signals()
    simulator.run()
    return os.EX_OK
