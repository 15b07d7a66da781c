"""Writers whose fate under power cuts is known beforehand; each marks ``row N`` when row N is said to be written.

Run as ``python -m tests.power_cut.controls WRITER FILE ROWS``. rows() is what a start after the cut finds.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.power_cut.operations import mark

Promise = Callable[[int], object]


def sqlite_writer(journal_mode: str, synchronous: str) -> Callable[[Path, int, Promise], None]:
    def write(path: Path, rows: int, promise: Promise) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(f"PRAGMA journal_mode = {journal_mode}")
            db.execute(f"PRAGMA synchronous = {synchronous}")
            db.execute("PRAGMA wal_autocheckpoint = 40")
            db.execute("CREATE TABLE line (number INTEGER PRIMARY KEY, text TEXT)")
            for number in range(1, rows + 1):
                db.execute("INSERT INTO line VALUES (?, ?)", (number, "x" * 200))
                promise(number)

    return write


def text_writer(path: Path, rows: int, promise: Promise) -> None:
    """Lines in a file that is flushed, but never synced."""
    with path.open("w") as file:
        for number in range(1, rows + 1):
            file.write(f"{number}\n")
            file.flush()
            promise(number)


WRITERS = {
    "wal-full": sqlite_writer("wal", "full"),
    "delete-extra": sqlite_writer("delete", "extra"),
    "wal-normal": sqlite_writer("wal", "normal"),
    "delete-full": sqlite_writer("delete", "full"),
    "text": text_writer,
}


def rows(path: Path) -> int:
    """How many rows from the first on are there, without a gap.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    if not path.exists():
        return 0
    if path.suffix == ".txt":
        found = path.read_bytes().split(b"\n")[:-1]
    else:
        with closing(sqlite3.connect(path)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'line'").fetchone():
                return 0
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = [str(number).encode() for (number,) in db.execute("SELECT number FROM line ORDER BY number")]
    number = 0
    while number < len(found) and found[number] == str(number + 1).encode():
        number += 1
    return number


def main(writer: str, path: Path, count: int) -> None:
    record = os.open(os.environ["POWER_CUT_RECORD"], os.O_WRONLY | os.O_APPEND)
    WRITERS[writer](path, count, lambda number: os.write(record, mark(f"row {number}")))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
