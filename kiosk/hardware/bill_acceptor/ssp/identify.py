"""Asks an SSP device who it is, without any command that moves a note.

Source: bill-acceptors sections 1.2, 1.3, 1.5.
"""

import struct

from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.ssp.frames import Command, Generic, UnusableReply, parse_setup
from kiosk.hardware.bill_acceptor.ssp.link import SspLink
from kiosk.hardware.ports import AcceptorCounters, AcceptorIdentity

# 7 is the newest that plain note validators know; 6 is the oldest with full values per channel.
PROTOCOL_VERSIONS = (7, 6)
MAKER = "Innovative Technology"
OK = bytes((Generic.OK,))


def identify(link: SspLink) -> AcceptorIdentity:
    """SYNC, protocol version, setup, serial number. Never polls: a poll accepts.

    Raises:
        UnusableReply: what answers is no note validator we can use; the text says why.
        LinkLost: nothing answers.
    """
    link.sync()
    version = next((version for version in PROTOCOL_VERSIONS if _set_protocol(link, version)), None)
    if version is None:
        raise UnusableReply(f"it speaks none of the protocol versions {PROTOCOL_VERSIONS}")
    setup = parse_setup(_ask(link, Command.SETUP_REQUEST))
    if setup.protocol != version:
        raise UnusableReply(f"it confirmed protocol {version} but uses {setup.protocol}")
    serial = _ask(link, Command.SERIAL_NUMBER)
    if len(serial) != 4:
        raise UnusableReply(f"its serial number has {len(serial)} bytes instead of 4")
    currencies = sorted({channel.currency for channel in setup.channels.values()})
    if len(currencies) != 1:
        raise UnusableReply(f"its dataset holds {' and '.join(currencies) or 'no'} notes; one currency is needed")
    return AcceptorIdentity(
        protocol=f"SSP {version}",
        maker=MAKER,
        model=_text(link, Command.DATASET_VERSION) or "note validator",
        firmware=_text(link, Command.FIRMWARE_VERSION) or setup.firmware,
        serial=str(int.from_bytes(serial, "big")),
        currency=currencies[0],
        faces={number: Fen(channel.face) for number, channel in setup.channels.items()},
    )


def read_counters(link: SspLink) -> AcceptorCounters | None:
    """The device's lifetime counts, or None if it keeps none."""
    reply = link.exchange(bytes((Command.GET_COUNTERS,)))
    if reply[:1] != OK or len(reply) != 22 or reply[1] != 5:
        return None
    stacked, _stored, _dispensed, _transferred, rejected = struct.unpack("<5I", reply[2:])
    return AcceptorCounters(stacked=stacked, rejected=rejected)


def _set_protocol(link: SspLink, version: int) -> bool:
    return link.exchange(bytes((Command.PROTOCOL_VERSION, version))) == OK


def _ask(link: SspLink, command: Command) -> bytes:
    reply = link.exchange(bytes((command,)))
    if reply[:1] != OK:
        raise UnusableReply(f"it answers {command.name} with {reply.hex(' ')}")
    return reply[1:]


def _text(link: SspLink, command: Command) -> str:
    reply = link.exchange(bytes((command,)))
    return reply[1:].decode("ascii", "replace").strip("\x00 ") if reply[:1] == OK else ""
