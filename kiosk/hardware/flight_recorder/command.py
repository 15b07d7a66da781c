"""``kiosk trace list|show|export``: what devices said just before a fault, for a technician and for support."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kiosk.hardware.dialects import DIALECTS
from kiosk.hardware.flight_recorder import trace
from kiosk.hardware.flight_recorder.recorder import Stored, stored
from kiosk.settings import SettingsError, load


class NoSuchTrace(Exception):
    """There is none with that number, or none at all; the text says which there are."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 done, 1 there is no such trace or it can't be read, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except OSError as error:
        print(f"kiosk trace: {error.filename}: {error.strerror}; name another path", file=sys.stderr)
        return 1
    except (SettingsError, NoSuchTrace, trace.TraceUnreadable) as error:
        print(f"kiosk trace: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kiosk trace", description="Read what devices said just before a fault, also while the kiosk runs."
    )
    commands = parser.add_subparsers(required=True, metavar="list|show|export")
    for name, run, words in (
        ("list", _list, "one line for each frozen trace, oldest first"),
        ("show", _show, "a trace in words, for people"),
        ("export", _export, "a trace as stored, for support and for kiosk-sim replay"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of this kiosk")
        command.add_argument("--json", action="store_true", help="one JSON object a line")
        if name != "list":
            command.add_argument("number", type=int, nargs="?", metavar="NUMBER", help="of the list; else the newest")
        if name == "export":
            command.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    return parser


def _list(arguments: argparse.Namespace) -> int:
    """A file that can't be read stands among the others, with the reason: it must not hide them."""
    kept = stored(load(arguments.config).traces_dir)
    for one in kept:
        try:
            header = trace.header_of(one.path)
            facts = msgspec.to_builtins(header)
            words = f"{_time(header)}  {header.device:<15}  {header.fault}  {header.detail}"
        except (trace.TraceUnreadable, OSError) as error:
            facts = {"device": one.device, "fault": one.fault, "unreadable": str(error)}
            words = f"{'unreadable':<23}  {one.device:<15}  {one.fault}  {one.path}: {error}"
        if arguments.json:
            row = {"number": one.number, "file": str(one.path), "bytes": one.size, **facts}
            print(msgspec.json.encode(row).decode())
        else:
            print(f"{one.number:>6}  {words}".rstrip())
    if not kept and not arguments.json:
        print("no fault has frozen a trace")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    path = _chosen(arguments).path
    data = path.read_bytes()
    try:
        recorded = trace.decode(data)
    except trace.TraceUnreadable as error:
        raise trace.TraceUnreadable(f"{path}: {error}; kiosk trace export gives its bytes as they are") from error
    if arguments.json:
        print(data.decode(), end="")
        return 0
    header = recorded.header
    print(f"{header.device} ({header.protocol}), {header.fault or 'no fault'} {header.detail}".rstrip())
    print(f"frozen at {_time(header)}, clock {header.clock}, software {header.software}, boot {header.boot_id}")
    for row in in_words(recorded):
        print(row)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    one = _chosen(arguments)
    data = one.path.read_bytes()
    if arguments.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    else:
        arguments.out.write_bytes(data)
        print(f"kiosk trace: {one.path.name} written to {arguments.out}", file=sys.stderr)
    return 0


def _chosen(arguments: argparse.Namespace) -> Stored:
    directory = load(arguments.config).traces_dir
    kept = stored(directory)
    if not kept:
        raise NoSuchTrace(f"{directory}: no fault has frozen a trace yet")
    if arguments.number is None:
        return kept[-1]
    found = next((one for one in kept if one.number == arguments.number), None)
    if found is None:
        there = ", ".join(str(one.number) for one in kept)
        raise NoSuchTrace(f"{directory}: there is no trace {arguments.number}; there are {there}")
    return found


def _time(header: trace.Header) -> str:
    return datetime.fromtimestamp(header.wall_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def in_words(recorded: trace.Trace) -> list[str]:
    """One row a line: seconds before the fault, direction, bytes, and what they mean where the protocol is known."""
    known = DIALECTS.get(recorded.header.protocol)
    dialect = known() if known else None
    rows, asked = [], b""
    for line in recorded.lines:
        before_s = min(line.at - recorded.header.at, -0.0)
        match line:
            case trace.Sent(hex=text):
                asked = trace.bytes_of(line)
                said = f"> {text}   {dialect.words(asked) if dialect else ''}"
            case trace.Heard(hex=text):
                answer = trace.bytes_of(line)
                said = f"< {text}   {dialect.answer_words(answer, asked) if dialect else ''}"
            case trace.Printed(size=size, digest=digest):
                said = f"> {size} bytes of a slip, digest {digest}"
            case trace.Repeated(lines=lines, times=times):
                said = f"  the {lines} lines before came {times} more time{'s' if times > 1 else ''}, until then"
            case trace.Gap(lines=lines):
                said = f"  {lines} lines are missing here"
            case trace.Ordered(order=order, facts=facts):
                said = f"  the kiosk orders {order} {_facts(facts)}"
            case trace.Reported(event=event, facts=facts):
                said = f"  the driver reports {event} {_facts(facts)}"
            case trace.Opened(port=port):
                said = f"  port {port} opened"
            case trace.Closed():
                said = "  port closed"
            case trace.Failed(detail=detail):
                said = f"  port failed: {detail}"
        rows.append(f"{before_s:10.3f}  {said}".rstrip())
    return rows


def _facts(facts: dict[str, object]) -> str:
    return msgspec.json.encode(facts).decode() if facts else ""
