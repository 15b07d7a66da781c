"""The journal's tables, version by version: numbered SQL files, forward only; no one may drop or remake ``event``.

An old journal is never changed in place: a copy is migrated, checked and put in its stead, and the old file stays beside
it, so that a cut at any moment leaves one of them whole. Source: journal-and-upload section 11.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from kiosk.offline_queue import database

DIRECTORY = Path(__file__).parent


def scripts() -> list[str]:
    """All migrations in order; the first makes version 1."""
    return [path.read_text(encoding="utf-8") for path in sorted(DIRECTORY.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def build(path: Path) -> None:
    """Make an empty journal with the latest tables. The file must exist and be empty."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {database.PAGE_SIZE}")
        connection.execute("PRAGMA synchronous = extra")
        connection.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        _run(connection, scripts(), already=0)


def migrate(path: Path, steps: list[str] | None = None) -> bool:
    """Bring a journal up to date; False when it already was. The old file stays as ``<name>.v<version>``.

    Raises:
        JournalUnusable: another program has it open, or the copy does not hold what the old file held.
    """
    steps = scripts() if steps is None else steps
    version = database.check_ours(path, len(steps))
    if version >= len(steps):
        return False
    with closing(database.open_writer(path)) as old:
        copy = path.with_name(path.name + ".migrating")
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(copy, isolation_level=None)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = delete")
            new.execute("PRAGMA synchronous = extra")
            _run(new, steps, already=version)
            if _contents(new) != _contents(old):
                raise database.JournalUnusable(
                    "journal.damaged", f"{path}: its migrated copy lost entries; nothing was changed"
                )
    if database.stopped_uncleanly(path):  # a WAL left by someone else would be applied to the new file
        raise database.JournalUnusable("journal.unwritable", f"{path}: another program has it open; stop it first")
    kept = path.with_name(f"{path.name}.v{version}")
    kept.unlink(missing_ok=True)
    os.link(path, kept)
    copy.replace(path)
    database.sync_directory(path.parent)
    return True


def _run(connection: sqlite3.Connection, steps: list[str], already: int) -> None:
    for number, script in enumerate(steps[already:], start=already + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _contents(connection: sqlite3.Connection) -> tuple[object, ...]:
    count = connection.execute("SELECT count(*), sum(length(body)) FROM event").fetchone()
    head = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return (count, head)
