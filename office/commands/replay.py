"""Fold kiosks' exported journals (`kiosk journal export`) into an office: the same books, for support, audit and disaster.

Base data (units, bills) comes from the office they are folded into; where it is missing, money waits in suspense. Of several
kiosks name all files at once: they are merged by corrected time, then by kiosk. An export does not tell when the office had
its entries, so where two kiosks took money for one bill, which of them is booked and which prepaid may differ from before. A
journal that parts from the one that the office holds is not stored: what only that file tells of money is printed instead, and
the exit code is 1. With --branch that part is taken in as a branch: its notes count in the box, and none of it is booked before
people have decided.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from office.commands.common import CommandFailed, say, set_up

if TYPE_CHECKING:
    from office.kiosks.replaying import Export

SEE = "see docs/journal.md, When the office and the journal do not agree"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", metavar="JOURNAL.jsonl")
    parser.add_argument(
        "--project", metavar="CODE", help="where the kiosks stood; else by their codes, else a new project"
    )
    parser.add_argument(
        "--branch",
        action="store_true",
        help="take in the part in which each file goes another way than the journal that the office holds",
    )


def run(arguments: argparse.Namespace) -> int:
    set_up()
    exports = [_read(file) for file in arguments.files]
    if arguments.branch:
        return _take_in(arguments, exports)
    return _replay(arguments, exports)


def _replay(arguments: argparse.Namespace, exports: "Sequence[Export]") -> int:
    from office.kiosks import replaying
    from office.kiosks.branches import branch_of, part_at

    for (file, one), (beside, other) in combinations(zip(arguments.files, exports, strict=True), 2):
        if seq := part_at(one, other):
            words = f"{file} and {beside} go different ways from entry {seq} on; replay one of them, then the other with --branch"
            raise CommandFailed(f"{words}; nothing was stored")
    if parting := [branch for branch in map(branch_of, exports) if branch]:
        for branch in parting:
            say(arguments, branch.told(), str(branch))
        raise CommandFailed(f"nothing was stored; office replay --branch takes a branch in; {SEE}")
    try:
        results = replaying.replay(exports, arguments.project)
    except replaying.NotAJournal as error:
        raise CommandFailed(f"{error}; {SEE}") from error
    for result in results:
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


def _take_in(arguments: argparse.Namespace, exports: "Sequence[Export]") -> int:
    from office.kiosks import branches
    from office.kiosks.replaying import NotAJournal

    for file, export in zip(arguments.files, exports, strict=True):
        try:
            branches.must_branch(export)
        except (branches.NoBranch, NotAJournal) as error:
            raise CommandFailed(f"{file}: {error}; nothing was stored") from error
    for export in exports:
        new = branches.take_in(export)
        branch = branches.must_branch(export)
        words = f"{branch} {new} entries are new; each note has a case on the page of what needs a decision."
        say(arguments, {**branch.told(), "new": new}, words)
    return 0


def _read(file: Path) -> "Export":
    from office.kiosks import replaying

    try:
        return replaying.read(_lines(file))
    except replaying.NotAJournal as error:
        raise CommandFailed(f"{file}: {error}; nothing was stored") from error


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
