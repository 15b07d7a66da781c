"""``kiosk probe``: asks what is attached, and moves no money.

It never polls, because a poll accepts what an SSP validator holds, and it opens ports exclusively, so it can't talk
into a running kiosk's conversation.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from serial.tools import list_ports

from kiosk.clock import SystemClock
from kiosk.domain.money import format_yuan
from kiosk.hardware.bill_acceptor.ssp.frames import UnusableReply
from kiosk.hardware.bill_acceptor.ssp.identify import identify, read_counters
from kiosk.hardware.bill_acceptor.ssp.link import LinkLost, SspLink
from kiosk.hardware.flight_recorder.tape import Tape
from kiosk.hardware.ports import AcceptorCounters, AcceptorIdentity

DEFAULT_PORT = "/dev/bill-acceptor"
USB_VENDORS = {0x191C: "Innovative Technology"}
# The first answer decides whether anybody is there; four seconds are enough for a validator that is starting.
SENDINGS = 4


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one port holds; ``error`` says why there is no identity and what to do."""

    port: str
    identity: AcceptorIdentity | None = None
    counters: AcceptorCounters | None = None
    error: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every asked port holds a usable device, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="kiosk probe", description="Ask what bill acceptor is attached. Moves no money; sends no poll."
    )
    parser.add_argument("--port", help=f"ask this port (default: {DEFAULT_PORT} and USB validators of known makers)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args(argv)
    ports = [arguments.port] if arguments.port else likely_ports()
    if not ports:
        print(
            f"kiosk probe: no {DEFAULT_PORT} and no USB validator of a known maker; name the port with --port"
            " (other ports are not asked, for a printer would print the question)",
            file=sys.stderr,
        )
        return 1
    results = [probe(port) for port in ports]
    for found in results:
        print(json.dumps(as_json(found), ensure_ascii=False) if arguments.json else in_words(found))
        if found.error is not None:
            print(f"kiosk probe: {found.error}", file=sys.stderr)
    return 0 if all(found.error is None for found in results) else 1


def likely_ports() -> list[str]:
    """Ports that can only hold a validator: strangers are not spoken to."""
    ports = [DEFAULT_PORT] if Path(DEFAULT_PORT).exists() else []
    ports += [port.device for port in list_ports.comports() if port.vid in USB_VENDORS]
    by_device = {str(Path(port).resolve()): port for port in reversed(ports)}
    return list(reversed(by_device.values()))


def probe(port: str) -> Found:
    """Ask one port."""
    link = SspLink(port, Tape("bill_acceptor", "ssp", SystemClock()), sendings=SENDINGS)
    try:
        link.open()
        return Found(port=port, identity=identify(link), counters=read_counters(link))
    except UnusableReply as error:
        return Found(port=port, error=f"{port}: what answers can't be used: {error}")
    except LinkLost as lost:
        return Found(port=port, error=f"{lost.fault.kind.meaning} {lost.fault.detail}. {lost.fault.kind.next_step}")
    finally:
        link.close()


def as_json(found: Found) -> dict[str, object]:
    """One flat object; faces in fen by channel."""
    if found.identity is None:
        return {"port": found.port, "error": found.error}
    identity: dict[str, object] = msgspec.to_builtins(found.identity)
    counters = None if found.counters is None else msgspec.to_builtins(found.counters)
    return {"port": found.port, **identity, "counters": counters}


def in_words(found: Found) -> str:
    """A few lines for a person."""
    identity = found.identity
    if identity is None:
        return f"{found.port}: no usable bill acceptor"
    faces = ", ".join(f"{channel}: ¥{format_yuan(face)}" for channel, face in sorted(identity.faces.items()))
    rows = {
        "protocol": identity.protocol,
        "maker": identity.maker,
        "model": identity.model,
        "firmware": identity.firmware,
        "serial": identity.serial,
        "currency": identity.currency,
        "channels": faces,
    }
    if found.counters is not None:
        rows["counters"] = f"{found.counters.stacked} stacked, {found.counters.rejected} rejected"
    return "\n".join([f"{found.port}: bill acceptor", *(f"  {name:<9} {value}" for name, value in rows.items())])
