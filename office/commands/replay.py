"""Fold a kiosk's exported journal (`kiosk journal export`) into an office: the same books, for support, audit and
disaster. Base data (units, bills) comes from the office it is folded into; where it is missing, money waits in suspense."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from office.commands.common import CommandFailed, say, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="JOURNAL.jsonl")
    parser.add_argument("--project", metavar="CODE", help="where the kiosk stood; else by its code, else a new project")


def run(arguments: argparse.Namespace) -> int:
    set_up()
    from office.kiosks import replaying

    lines = list(_lines(arguments.file))
    try:
        result = replaying.replay(lines, arguments.project)
    except replaying.NotAJournal as error:
        raise CommandFailed(f"{arguments.file}: {error}") from error
    told = {
        "kiosk": result.kiosk_code,
        "project": result.project_code,
        "events": result.events,
        "quarantined": result.quarantined,
        "payments": result.payments,
    }
    words = f"{result.events} events of {result.kiosk_code} are in the books of {result.project_code}: {result.payments} payments"
    say(arguments, told, f"{words}, {result.quarantined} events in quarantine.")
    return 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                read = json.loads(line)
            except ValueError as error:
                raise CommandFailed(f"{path} line {number}: not JSON ({error})") from error
            if not isinstance(read, dict):
                raise CommandFailed(f"{path} line {number}: not an event")
            yield read
