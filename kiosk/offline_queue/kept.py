"""Journals that gave up their place to a new one: whole, readable for `kiosk journal export`, and their receipt numbers are never given again.

A power cut may fall between the old journal's leaving and the new one's coming. There is none in place then, and no money is taken;
never is there one without the end of its WAL, which would open as if nothing were missing.
"""

import os
import sqlite3
from pathlib import Path

from kiosk.offline_queue import database
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.reader import JournalReader

FOLDER = "kept-journals"


def keep_aside(path: Path) -> Path | None:
    """Link what is in place into a new folder, the WAL first, so that a kept journal has it. The folder; None where nothing was."""
    there = [name for name in (f"{path.name}-wal", path.name) if path.with_name(name).exists()]
    if not there:
        return None
    number = 1
    while (folder := path.parent / FOLDER / str(number)).exists():
        number += 1
    folder.mkdir(parents=True)
    for directory in (folder.parent, path.parent):
        database.sync_directory(directory)
    for name in there:
        os.link(path.with_name(name), folder / name)
        database.sync_directory(folder)
    return folder


def clear(path: Path) -> None:
    """Make room in place, once all was kept aside: the journal goes first, for a WAL alone is no journal that opens."""
    for beside in ("", "-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
        database.sync_directory(path.parent)


def newest(path: Path) -> Path | None:
    """The one that was in this place before."""
    found = [each for each in (path.parent / FOLDER).glob(f"*/{path.name}") if each.parent.name.isdecimal()]
    return max(found, key=lambda each: int(each.parent.name), default=None)


def next_receipt_number(path: Path) -> int:
    """The first number that no kept journal printed, as far as they can be read."""
    numbers = [1]
    for each in (path.parent / FOLDER).glob(f"*/{path.name}"):
        try:
            with JournalReader(each) as reader:
                numbers.append(reader.next_receipt_number())
        except (JournalUnusable, sqlite3.Error, TypeError) as error:
            database.log.warning("journal.kept_unreadable reason=%s", error)
    return max(numbers)
