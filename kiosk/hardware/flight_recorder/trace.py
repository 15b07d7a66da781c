"""A trace: what a device and its driver said to each other, as text, one JSON object a line, a header first.

The format is described in docs/devices/traces.md and held by a golden file; a released version never changes.
"""

from pathlib import Path
from typing import Any

import msgspec

VERSION = 1


class TraceUnreadable(Exception):
    """The file is no trace, or of a newer program; the text names the line."""


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="trace"):
    """Which device, why and when it was frozen. ``at`` is the monotonic second of ``wall_ms``, as in all lines.

    ``speed``: how many times faster than real the device ran; 1 for a real one. ``fault`` is empty if none was the cause.
    """

    v: int = VERSION
    device: str
    protocol: str
    speed: int
    software: str
    fault: str
    detail: str
    at: float
    wall_ms: int
    clock: str
    boot_id: str


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag=str.lower):
    """Something at a second of this boot's monotonic clock, which the journal's entries carry too."""

    at: float


class Opened(Line, frozen=True, kw_only=True):
    """The driver opened the port."""

    port: str


class Closed(Line, frozen=True, kw_only=True):
    """The driver closed the port."""


class Failed(Line, frozen=True, kw_only=True):
    """The port could not be opened, or vanished."""

    detail: str


class Sent(Line, frozen=True, kw_only=True):
    """Bytes to the device, as they went."""

    hex: str


class Printed(Line, frozen=True, kw_only=True):
    """Bytes of a slip. They say who lives where, so only their number is kept, and a digest under a key nobody has."""

    size: int
    digest: str


class Heard(Line, frozen=True, kw_only=True):
    """Bytes from the device, as they came: perhaps half a frame, perhaps two."""

    hex: str


class Ordered(Line, frozen=True, kw_only=True):
    """What the kiosk asked of the driver."""

    order: str
    facts: dict[str, Any] = {}


class Reported(Line, frozen=True, kw_only=True):
    """What the driver told the kiosk: an event of kiosk/hardware/ports.py."""

    event: str
    facts: dict[str, Any] = {}


class Repeated(Line, frozen=True, kw_only=True):
    """The ``lines`` lines before this one came so many more times, until ``at``."""

    lines: int
    times: int


class Gap(Line, frozen=True, kw_only=True):
    """So many lines were dropped here to keep the ring small. ``standing``: the order about notes that held at its end."""

    lines: int
    standing: dict[str, Any] = {}


AnyLine = Opened | Closed | Failed | Sent | Printed | Heard | Ordered | Reported | Repeated | Gap


class Trace(msgspec.Struct, frozen=True):
    """One file. The line ``lines[n]`` stands in line n + 2 of the file."""

    header: Header
    lines: tuple[AnyLine, ...]


FIRST_LINE = 2  # of a file, behind the header

_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(AnyLine)


def encode(trace: Trace) -> bytes:
    """The file's bytes."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in (trace.header, *trace.lines))


def decode(data: bytes) -> Trace:
    """
    Raises:
        TraceUnreadable: not a trace of a version this program knows; the text names the line.
    """
    rows = data.splitlines()
    header = _parse(_HEADER, rows[0] if rows else b"", 1)
    if header.v > VERSION:
        raise TraceUnreadable(f"written by a newer program (version {header.v}, this one knows {VERSION})")
    lines = (_parse(_LINE, row, number) for number, row in enumerate(rows[1:], start=FIRST_LINE))
    return Trace(header, tuple(lines))


def header_of(path: Path) -> Header:
    """Only the first line of a file.

    Raises:
        TraceUnreadable: not a trace.
    """
    with path.open("rb") as file:
        header: Header = _parse(_HEADER, file.readline(), 1)
    return header


def bytes_of(line: Sent | Heard) -> bytes:
    return bytes.fromhex(line.hex)


def as_hex(data: bytes) -> str:
    return data.hex(" ")


def _parse(decoder: "msgspec.json.Decoder[Any]", row: bytes, number: int) -> Any:
    try:
        return decoder.decode(row)
    except msgspec.MsgspecError as error:
        raise TraceUnreadable(f"line {number}: {error}") from error


def facts_of(thing: msgspec.Struct, *but: str) -> dict[str, Any]:
    """A struct's fields as JSON knows them, without the ones named; those at their default are left out."""
    plain: dict[str, Any] = msgspec.to_builtins(thing, str_keys=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(thing)}
    return {name: value for name, value in plain.items() if name not in but and value != defaults[name]}
