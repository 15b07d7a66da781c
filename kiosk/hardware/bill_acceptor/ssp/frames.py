"""SSP bytes to values and back, pure: framing, stuffing, CRC, replies.

Source: ITL GA138 SSP Protocol Manual, as in bill-acceptors section 1.
"""

from enum import IntEnum

import msgspec

from kiosk.domain.money import FEN_PER_YUAN

STX = 0x7F
NOTE_VALIDATOR = 0x00  # slave address, and unit type in the setup reply


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x8005 if crc & 0x8000 else crc << 1
        table.append(crc & 0xFFFF)
    return tuple(table)


_CRC = _crc_table()


def crc16(body: bytes) -> int:
    """CRC-16/CMS ("forward CRC-16"): poly 0x8005, init 0xFFFF, most significant bit first."""
    crc = 0xFFFF
    for byte in body:
        crc = (crc << 8 & 0xFFFF) ^ _CRC[(crc >> 8) ^ byte]
    return crc


class Frame(msgspec.Struct, frozen=True):
    """An intact frame: sequence bit, slave address, data."""

    sequence: int
    address: int
    data: bytes


class Garbled(msgspec.Struct, frozen=True):
    """A frame whose CRC is wrong: the same as no reply, only known sooner."""

    raw: bytes


def encode_frame(data: bytes, sequence: int, address: int = NOTE_VALIDATOR) -> bytes:
    """One frame as it goes on the wire. The CRC is taken before every 7F after the STX is doubled."""
    body = bytes((sequence << 7 | address, len(data))) + data
    body += crc16(body).to_bytes(2, "little")
    return bytes((STX,)) + body.replace(b"\x7f", b"\x7f\x7f")


class FrameReceiver:
    """Takes bytes as they come, in any pieces, and gives frames.

    A lone 7F in mid-packet begins a new packet, so garbage and cut frames cost one re-send and nothing more. The
    doubled 7F is undone byte by byte: pairs may be split across reads, and LENGTH itself may be one.
    """

    def __init__(self) -> None:
        self._body = bytearray()
        self._inside = False
        self._stx_seen = False

    def feed(self, data: bytes) -> list[Frame | Garbled]:
        """The frames that these bytes complete, oldest first."""
        frames: list[Frame | Garbled] = []
        for byte in data:
            frame = self._take(byte)
            if frame is not None:
                frames.append(frame)
        return frames

    def _take(self, byte: int) -> Frame | Garbled | None:
        if self._stx_seen:
            if byte == STX:
                if not self._inside:
                    return None  # still a start: no slave has the address 7F
                self._stx_seen = False
            else:
                self._stx_seen, self._inside = False, True
                self._body.clear()
        elif byte == STX:
            self._stx_seen = True
            return None
        elif not self._inside:
            return None
        self._body.append(byte)
        if len(self._body) < 2 or len(self._body) < self._body[1] + 4:
            return None
        return self._complete()

    def _complete(self) -> Frame | Garbled:
        body = bytes(self._body)
        self._inside = False
        if crc16(body[:-2]) != int.from_bytes(body[-2:], "little"):
            return Garbled(body)
        return Frame(body[0] >> 7, body[0] & 0x7F, body[2:-2])


class Command(IntEnum):
    """What the host sends; the first data byte. Source: bill-acceptors section 1.2."""

    RESET = 0x01
    SET_INHIBITS = 0x02
    SETUP_REQUEST = 0x05
    PROTOCOL_VERSION = 0x06
    POLL = 0x07  # accepts a note in escrow
    REJECT = 0x08
    DISABLE = 0x09
    ENABLE = 0x0A
    SERIAL_NUMBER = 0x0C
    SYNC = 0x11
    LAST_REJECT = 0x17
    HOLD = 0x18
    FIRMWARE_VERSION = 0x20
    DATASET_VERSION = 0x21
    GET_COUNTERS = 0x58


class Generic(IntEnum):
    """How the device answers; the first data byte. OK means understood, not finished."""

    OK = 0xF0
    UNKNOWN_COMMAND = 0xF2
    WRONG_PARAMETER_COUNT = 0xF3
    OUT_OF_RANGE = 0xF4
    CANNOT_PROCESS = 0xF5
    SOFTWARE_ERROR = 0xF6
    FAIL = 0xF8
    KEY_NOT_SET = 0xFA


# What the answer to LAST_REJECT means, in neutral words; anything else is a note it does not know.
REJECT_REASONS = {
    0x06: "inhibited",
    0x07: "second_note",
    0x08: "host",
    0x0C: "inhibited",
    0x0D: "held_at_mouth",
    0x0E: "strimming",
    0x13: "timeout",
    0x1C: "double_note",
    0x1D: "unable_to_stack",
    0x1F: "card_inserted",
}


class Happened(IntEnum):
    """Poll events of a note validator. Source: bill-acceptors section 1.4."""

    RESET = 0xF1
    READ = 0xEF
    CREDIT = 0xEE
    REJECTING = 0xED
    REJECTED = 0xEC
    STACKING = 0xCC
    STACKED = 0xEB
    SAFE_JAM = 0xEA
    UNSAFE_JAM = 0xE9
    DISABLED = 0xE8
    STACKER_FULL = 0xE7
    FRAUD = 0xE6
    TICKET_ESCROW = 0xE5
    TICKET_ACK = 0xD1
    CASHBOX_REPLACED = 0xE4
    CASHBOX_REMOVED = 0xE3
    CLEARED_TO_BOX = 0xE2
    CLEARED_TO_PERSON = 0xE1
    PATH_OPEN = 0xE0
    ALL_INHIBITED = 0xB5
    INITIALISING = 0xB6


_KNOWN_CODES = frozenset(int(code) for code in Happened)
_WITH_CHANNEL = frozenset(
    {Happened.READ, Happened.CREDIT, Happened.FRAUD, Happened.CLEARED_TO_BOX, Happened.CLEARED_TO_PERSON}
)


class PollEvent(msgspec.Struct, frozen=True):
    """One event; ``channel`` is 0 where the event has none or the device does not know it."""

    code: Happened
    channel: int = 0


class PollReply(msgspec.Struct, frozen=True):
    """Events oldest first. ``unparsed``: from an unknown code on nothing can be read, for its length is unknown."""

    events: tuple[PollEvent, ...]
    unparsed: bytes = b""


def parse_poll(data: bytes) -> PollReply:
    """Read what follows the F0 of a poll's answer."""
    events: list[PollEvent] = []
    at = 0
    while at < len(data):
        if data[at] not in _KNOWN_CODES:
            return PollReply(tuple(events), data[at:])
        code = Happened(data[at])
        if code in _WITH_CHANNEL:
            if at + 1 >= len(data):
                return PollReply(tuple(events), data[at:])
            events.append(PollEvent(code, data[at + 1]))
            at += 2
        else:
            events.append(PollEvent(code))
            at += 1
    return PollReply(tuple(events))


def encode_events(events: tuple[PollEvent, ...] | list[PollEvent]) -> bytes:
    """The device side of parse_poll()."""
    return b"".join(
        bytes((event.code, event.channel)) if event.code in _WITH_CHANNEL else bytes((event.code,)) for event in events
    )


class UnusableReply(Exception):
    """The device answered, but not what a usable note validator answers; the text says what was wrong."""


class ChannelValue(msgspec.Struct, frozen=True):
    """A channel's note: face in minor units (fen) and the dataset's currency code."""

    face: int
    currency: str


class Setup(msgspec.Struct, frozen=True):
    """The setup reply; ``channels`` counts from 1, channels without a value are left out."""

    firmware: str
    country: str
    protocol: int
    channels: dict[int, ChannelValue]


def parse_setup(data: bytes) -> Setup:
    """Read what follows the F0 of a setup reply. Source: bill-acceptors section 1.3.

    Raises:
        UnusableReply: another kind of device, or a length that does not match: refuse to enable it.
    """
    if not data or data[0] != NOTE_VALIDATOR:
        raise UnusableReply(f"unit type {data[:1].hex() or 'missing'} is not a note validator")
    if len(data) < 12:
        raise UnusableReply(f"setup reply of {len(data)} bytes is too short")
    count = data[11]
    protocol_at = 15 + 2 * count
    if len(data) <= protocol_at:
        raise UnusableReply(f"setup reply of {len(data)} bytes is too short for {count} channels")
    protocol = data[protocol_at]
    expected = 16 + 2 * count + (7 * count if protocol >= 6 else 0)
    if len(data) != expected:
        raise UnusableReply(
            f"setup reply has {len(data)} bytes, {count} channels at protocol {protocol} need {expected}"
        )
    values = _expanded_values(data, count) if protocol >= 6 else _legacy_values(data, count)
    return Setup(
        firmware=_text(data[1:5]),
        country=_text(data[5:8]),
        protocol=protocol,
        channels={number: value for number, value in enumerate(values, start=1) if value.face > 0},
    )


def _legacy_values(data: bytes, count: int) -> list[ChannelValue]:
    # One byte per channel times the value multiplier, in whole units. The real multiplier is no help here: in the
    # maker's own example of an old reply it reads 40 00 00.
    multiplier = int.from_bytes(data[8:11], "big")
    return [ChannelValue(value * multiplier * FEN_PER_YUAN, _text(data[5:8])) for value in data[12 : 12 + count]]


def _expanded_values(data: bytes, count: int) -> list[ChannelValue]:
    minor = int.from_bytes(data[12 + 2 * count : 15 + 2 * count], "big")
    countries = data[16 + 2 * count : 16 + 5 * count]
    values = data[16 + 5 * count :]
    return [
        ChannelValue(
            int.from_bytes(values[4 * index : 4 * index + 4], "little") * minor,
            _text(countries[3 * index : 3 * index + 3]),
        )
        for index in range(count)
    ]


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace").strip("\x00 ")
