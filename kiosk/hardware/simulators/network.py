"""``kiosk-sim network``: the cable between kiosk and office, as a TCP proxy that can be pulled, slowed and lied on.

Commands (``"do"``): unplug {silent} · plug (ends every fault) · delay_ms {ms} · lose_answers {count} · truncate {bytes,
count} · duplicate {count} · reset · status {code, retry_after_s, count} · portal {count} · ledger. Without a count a fault lasts
until ``plug``. Events: connected {connection}, cut {connection, why}, spoilt {connection, how} for a request that was answered
by somebody else, or sent twice.
"""

import argparse
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from kiosk.hardware.simulators.arguments import address, loopback
from kiosk.hardware.simulators.control import CommandRefused, Commands, ControlLine, Message
from kiosk.hardware.simulators.loop import Loop
from kiosk.hardware.simulators.wires import Answerer, Repeater, Wire

FOR_EVER = -1
CONNECT_S = 2.0
LONGEST_DELAY_MS = 600_000
LONGEST_RETRY_AFTER_S = 86_400
PORTAL_PAGE = "<!doctype html><html><title>Wi-Fi</title><body>请先登录 Please sign in</body></html>"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Fault(msgspec.Struct):
    """One way to spoil answers: how many are still to be spoilt, and how."""

    left: int = 0
    size: int = 0  # truncate: bytes that still come through; status: the code
    retry_after_s: int = 0  # status: what the answer's header asks for, 0 for none

    def take(self) -> bool:
        """Whether the next answer is to be spoilt; counts it."""
        if self.left > 0:
            self.left -= 1
            return True
        return self.left == FOR_EVER


class Cable:
    """Carries connections from ``listen`` to ``to``. Everything happens in its loop's thread."""

    def __init__(
        self,
        listen: tuple[str, int],
        to: tuple[str, int],
        *,
        seed: int = 0,
        control: tuple[str, int] | None = None,
        standard_streams: bool = True,
        on_event: Callable[[str, Message], None] | None = None,
    ) -> None:
        self._to = to
        self._random = random.Random(seed)
        self._on_event = on_event
        self._wires: dict[int, Wire | Answerer | Repeater] = {}
        self._connections = self._cuts = 0
        self._mend()
        self.loop = Loop()
        self._listener = socket.create_server(listen, family=socket.AF_INET6 if ":" in listen[0] else socket.AF_INET)
        self._listener.setblocking(False)
        self.control = ControlLine(self.loop, self._commands(), listen=control, standard_streams=standard_streams)
        self.loop.watch(self._listener, self._accept)

    @property
    def port(self) -> str:
        """HOST:PORT where a kiosk finds the office."""
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    def run(self) -> None:
        """Be a cable until the loop is stopped."""
        self.control.ready(port=self.port)
        try:
            self.loop.run(self._tick)
        finally:
            for number in list(self._wires):
                self._cut(number, "stopped")
            self.control.close()
            self._listener.close()
            self.loop.close()

    def ask(self, command: Message) -> Message:
        """Carry out a command from another thread, as the control line would."""
        return self.loop.call(lambda: self.control.perform(command))

    def _mend(self) -> None:
        self._unplugged = self._silent = False
        self._delay_s = 0.0
        self._lost, self._truncated, self._status, self._portal = Fault(), Fault(), Fault(), Fault()
        self._repeated = Fault()

    def _tick(self) -> float | None:
        now = time.monotonic()
        waits = [] if self.control.flush() else [0.05]
        for number, wire in list(self._wires.items()):
            if self._unplugged:
                continue
            wait = wire.carry(now)
            if wire.over:
                self._forget(number)
            elif wait is not None:
                waits.append(wait)
        return min(waits, default=None)

    # --- connections ---------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            kiosk, _ = self._listener.accept()
        except BlockingIOError:
            return
        kiosk.setblocking(False)
        self._connections += 1
        number = self._connections
        if self._unplugged and not self._silent:
            _reset(kiosk)
            self._count_cut(number, "unplugged")
            return
        if (page := self._page(number)) is not None:
            self._wires[number] = Answerer(self.loop, kiosk, page)
        else:
            office = self._reach()
            if office is None:
                _reset(kiosk)
                self._count_cut(number, "office_gone")
                return
            self._wires[number] = self._wire(number, kiosk, office)
        if self._unplugged:
            self._wires[number].freeze()
        self._tell("connected", connection=number)

    def _reach(self) -> socket.socket | None:
        """A connection to the office; None when it has none for us."""
        try:
            office = socket.create_connection(self._to, timeout=CONNECT_S)
        except OSError:
            return None
        office.setblocking(False)
        return office

    def _wire(self, number: int, kiosk: socket.socket, office: socket.socket) -> Wire | Repeater:
        if self._repeated.take():
            self._tell("spoilt", connection=number, how="duplicate")
            return Repeater(self.loop, kiosk, office, self._reach)
        return Wire(self.loop, kiosk, office, lambda data: self._spoil(number, data), lambda: self._delay_s)

    def _page(self, number: int) -> bytes | None:
        """What somebody between kiosk and office answers instead of the office; None when nobody does."""
        if self._portal.take():
            self._tell("spoilt", connection=number, how="portal")
            return _answer(200, PORTAL_PAGE)
        if self._status.take():
            code = self._status.size
            self._tell("spoilt", connection=number, how=f"status {code}")
            return _answer(code, f"<html><body>{code}</body></html>", self._status.retry_after_s)
        return None

    def _spoil(self, number: int, data: bytes) -> bytes | None:
        """What of an answer's first bytes comes through; None ends the connection there."""
        if self._lost.take():
            self._cut(number, "answer_lost")
            return None
        if self._truncated.take():
            size = self._truncated.size or self._random.randint(1, max(1, len(data) - 1))
            wire = self._wires[number]
            assert isinstance(wire, Wire), "only a Wire is spoilt"
            wire.finish(data[:size])
            self._count_cut(number, "truncated")
            return None
        return data

    def _cut(self, number: int, why: str) -> None:
        wire = self._wires.pop(number)
        for end in wire.close():
            _reset(end)
        self._count_cut(number, why)

    def _count_cut(self, number: int, why: str) -> None:
        self._cuts += 1
        self._tell("cut", connection=number, why=why)

    def _forget(self, number: int) -> None:
        for end in self._wires.pop(number).close():
            end.close()

    def _cut_all(self, why: str) -> None:
        for number in list(self._wires):
            self._cut(number, why)

    # --- commands of the control line ----------------------------------------------------------------------------

    def _commands(self) -> Commands:
        return {
            "unplug": self._unplug,
            "plug": self._plug,
            "delay_ms": self._delay,
            "lose_answers": lambda message: _set(self._lost, message),
            "truncate": lambda message: _set(self._truncated, message, size=_number(message, "bytes", 0, 1_000_000, 0)),
            "duplicate": self._duplicate,
            "reset": lambda _message: self._cut_all("reset"),
            "status": self._answer_status,
            "portal": self._answer_portal,
            "ledger": self._ledger,
        }

    def _unplug(self, message: Message) -> None:
        """What is under way stands still; who calls anew is refused, or with ``silent`` hears nothing at all."""
        silent = message.get("silent", False)
        if not isinstance(silent, bool):
            raise CommandRefused('"silent" is true or false')
        self._unplugged, self._silent = True, silent
        for wire in self._wires.values():
            wire.freeze()
        self._tell("unplugged")

    def _plug(self, _message: Message) -> None:
        """End of every fault; connections that stood still go on, as TCP does after a short break."""
        self._mend()
        for wire in self._wires.values():
            wire.thaw()
        self._tell("plugged")

    def _delay(self, message: Message) -> None:
        self._delay_s = _number(message, "ms", 0, LONGEST_DELAY_MS) / 1000

    def _duplicate(self, message: Message) -> None:
        """Requests go to the office twice, one after the other, and the last answer comes back: a proxy that tries again."""
        _set(self._repeated, message)
        self._cut_all("duplicate")

    def _answer_status(self, message: Message) -> None:
        code = _number(message, "code", 100, 599)
        retry_after_s = _number(message, "retry_after_s", 0, LONGEST_RETRY_AFTER_S, 0)
        _set(self._status, message, size=code)
        self._status.retry_after_s = retry_after_s
        self._cut_all("status")

    def _answer_portal(self, message: Message) -> None:
        _set(self._portal, message)
        self._cut_all("portal")

    def _ledger(self, _message: Message) -> Message:
        return {
            "plugged": not self._unplugged,
            "delay_ms": round(self._delay_s * 1000),
            "connections": self._connections,
            "open": len(self._wires),
            "cuts": self._cuts,
        }

    def _tell(self, event: str, **facts: int | str) -> None:
        self.control.tell(event, **facts)
        if self._on_event is not None:
            self._on_event(event, dict(facts))


def _number(message: Message, key: str, low: int, high: int, otherwise: int | None = None) -> int:
    value = message.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CommandRefused(f'"{key}" is a whole number from {low} to {high}')
    return value


def _set(fault: Fault, message: Message, size: int = 0) -> None:
    fault.left = _number(message, "count", FOR_EVER, 1_000_000, FOR_EVER)
    fault.size = size


def _answer(code: int, page: str, retry_after_s: int = 0) -> bytes:
    body = page.encode()
    head = f"HTTP/1.1 {code} Simulated\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    if retry_after_s:
        head += f"Retry-After: {retry_after_s}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def _reset(end: socket.socket) -> None:
    """Close so that the other side gets a reset, not an orderly end."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    end.close()


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="kiosk-sim network", description="The cable between kiosk and office.")
    parser.add_argument("--listen", type=loopback, required=True, metavar="HOST:PORT", help="where the kiosk connects")
    parser.add_argument("--to", type=address, required=True, metavar="HOST:PORT", help="where the office listens")
    parser.add_argument("--control", type=loopback, metavar="HOST:PORT", help="also take commands on this socket")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="makes any chance repeatable (default 0)")
    arguments = parser.parse_args(argv)
    try:
        cable = Cable(arguments.listen, arguments.to, seed=arguments.seed, control=arguments.control)
    except OSError as error:
        print(f"kiosk-sim network: {arguments.listen[0]}:{arguments.listen[1]}: {error.strerror}", file=sys.stderr)
        return 1
    cable.loop.stop_on_signals()
    cable.run()
    return os.EX_OK
