"""`kiosk journal show|verify|export|self-check`: questions to a journal file, beside a running kiosk or on a copy of its disk."""

import argparse
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kiosk.offline_queue import database, export, tables
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from kiosk.offline_queue.self_check import self_check
from kiosk.offline_queue.verify import Finding, verify


def main(argv: list[str] | None = None) -> int:
    """The `kiosk journal` command: 0 done (and the journal is whole), 1 something is wrong, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (JournalUnusable, sqlite3.Error) as error:
        print(f"kiosk journal: {database.in_words(error, arguments.journal).detail}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has seen enough, and Python would complain about it
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk journal", description="Read a kiosk's journal, also while it runs.")
    commands = parser.add_subparsers(required=True, metavar="show|verify|export|self-check|replace")
    for name, run, words in (
        ("show", _show, "print entries for people, or one JSON object a line"),
        ("verify", _verify, "check every entry; name the first bad one by its sequence number"),
        ("export", _export, "print all entries as JSON Lines, bodies as stored"),
        ("self-check", _self_check, "what the kiosk does each night: export, read back, count, compare"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        command.add_argument("--journal", type=Path, required=True, metavar="FILE")
        command.add_argument("--json", action="store_true", help="one JSON object a line")
        if name == "show":
            command.add_argument("--after", type=int, default=0, metavar="SEQ", help="begin after this entry")
            command.add_argument("--payment", metavar="ID", help="only this payment's entries")
    # Told here, done by kiosk/replace_journal.py before this parser is asked: it speaks to the office, which this package may not.
    commands.add_parser("replace", help="a new journal where the old one can't go on", add_help=False)
    return parser


def _show(arguments: argparse.Namespace) -> int:
    with JournalReader(arguments.journal) as reader:
        chosen = reader.entries_of(arguments.payment) if arguments.payment else reader.all_entries(arguments.after)
        for entry in chosen:
            print(export.line_of(reader.journal_id, entry) if arguments.json else _line(entry))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    with JournalReader(arguments.journal) as reader:
        for entry in reader.all_entries(0):
            print(export.line_of(reader.journal_id, entry))
    return 0


def _self_check(arguments: argparse.Namespace) -> int:
    report = self_check(arguments.journal)
    if arguments.json:
        print(msgspec.json.encode(report).decode())
    elif report.wrong:
        print(f"not as written: {report.wrong}")
    else:
        print(
            f"{report.entries} entries exported, read back and counted: {report.credited_fen / 100:.2f} yuan, all as written"
        )
    return 1 if report.wrong else 0


def _verify(arguments: argparse.Namespace) -> int:
    try:
        with closing(database.open_reader(arguments.journal)) as db:
            finding = verify(db)
            last = 0 if finding else tables.head(db)[0]
    except (JournalUnusable, sqlite3.Error) as error:
        unusable = database.in_words(error, arguments.journal)
        if unusable.code != "journal.damaged" or not arguments.journal.exists():
            raise
        finding = Finding(what="damaged", seq=1, readable_to=0, detail=unusable.detail)
    readable_to = finding.readable_to if finding else last
    print(json.dumps(_found(finding, readable_to)) if arguments.json else _in_words(finding, readable_to))
    return 1 if finding else 0


def _found(finding: Finding | None, readable_to: int) -> dict[str, Any]:
    told: dict[str, Any] = {"ok": finding is None, "readable_to": readable_to}
    if finding:
        told |= {"what": finding.what, "first_bad_seq": finding.seq, "detail": finding.detail}
    return told


def _in_words(finding: Finding | None, readable_to: int) -> str:
    if finding is None:
        return f"{readable_to} entries, all as written"
    if finding.what == "damaged":
        return f"file damaged, readable to {readable_to} ({finding.detail})"
    return f"entry {finding.seq} {finding.what}: {finding.detail}"


def _line(entry: Entry) -> str:
    head = entry.header
    at = datetime.fromtimestamp(head.wall_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    body = json.loads(entry.body)
    said = " ".join(f"{name}={value}" for name, value in body.items() if name not in ("kind", "v", "payment_id"))
    whose = head.payment_id[:8] or "-"
    return f"{entry.seq:>7} {at} {head.clock:<6} {whose:<8} {head.kind:<20} {said}"
