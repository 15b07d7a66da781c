"""Opens the journal's file so that a commit is durable, or says in words why it can't be used.

Every setting is read back: what a SQLite build ignores must not pass for set. Source: journal-and-upload sections 1 and 9.
"""

import logging
import os
import sqlite3
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

APPLICATION_ID = int.from_bytes(b"MENJ", "big")
VERSION = 1  # of the tables: how many migrations there are
BUSY_MS = 5000
MIB = 1024 * 1024

# In this order: a busy timeout first, since setting the journal mode can itself find the file busy; the page size
# before the first table. FULL, not NORMAL: in WAL mode NORMAL may lose the latest commits when the power is cut.
WRITER_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("busy_timeout", str(BUSY_MS), BUSY_MS),
    ("page_size", "4096", 4096),
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),
    ("wal_autocheckpoint", "256", 256),
    ("journal_size_limit", str(4 * MIB), 4 * MIB),
    ("foreign_keys", "on", 1),
    ("trusted_schema", "off", 0),
    ("cell_size_check", "on", 1),
    ("mmap_size", "0", 0),
    ("temp_store", "memory", 2),
    ("locking_mode", "normal", "normal"),
)
READER_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("busy_timeout", str(BUSY_MS), BUSY_MS),
    ("query_only", "on", 1),
    ("trusted_schema", "off", 0),
    ("cell_size_check", "on", 1),
    ("mmap_size", "0", 0),
)


class JournalUnusable(Exception):
    """The journal can't be opened, so no money may be taken. ``code`` is a row of kiosk/hardware/faults.py."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How much free space money needs, and how much is kept aside to open a journal on a full disk."""

    margin_bytes: int
    ballast_bytes: int

    @classmethod
    def of_margin_mb(cls, margin_mb: int) -> "Room":
        """Half the margin is a real file beside the journal, so that it can be given up in need."""
        return cls(margin_bytes=margin_mb * MIB, ballast_bytes=margin_mb * MIB // 2)

    def is_left(self, journal: Path) -> bool:
        """Whether cash may be taken. Cheap enough to ask before every payment."""
        return free_bytes(journal.parent) >= self.margin_bytes

    def prepare(self, journal: Path) -> None:
        """Give the ballast up where space is short, put it back where there is enough again."""
        ballast = journal.with_name("ballast")
        if not self.is_left(journal):
            ballast.unlink(missing_ok=True)
        elif not ballast.exists() and free_bytes(journal.parent) >= self.margin_bytes + self.ballast_bytes:
            lay_ballast(ballast, self.ballast_bytes)


def free_bytes(directory: Path) -> int:
    """What an ordinary user may still write there."""
    space = os.statvfs(directory)
    return space.f_bavail * space.f_frsize


def lay_ballast(path: Path, size: int) -> None:
    """Allocate real blocks: a sparse file would give nothing back when it is removed. Without room there is none."""
    if size == 0:
        return
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        log.warning("journal.no_ballast reason=%s", error)
        path.unlink()
    finally:
        os.close(descriptor)


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that may write or checkpoint; its thread owns it.

    Raises:
        JournalUnusable: the file is damaged, not ours, newer than this program, or its settings don't hold.
    """
    connection = _connect(f"file:{_quoted(path)}?mode=rw", path)
    try:
        _check_ours(connection, path)
        _set_and_read_back(connection, WRITER_PRAGMAS)
    except (sqlite3.Error, JournalUnusable) as error:
        connection.close()
        raise in_words(error, path) from error
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside a running writer. Never ``immutable``: it would not see the WAL.

    Raises:
        JournalUnusable: missing, damaged, not ours, or newer than this program.
    """
    connection = _connect(f"file:{_quoted(path)}?mode=ro", path)
    try:
        _set_and_read_back(connection, READER_PRAGMAS)
        _check_ours(connection, path)
    except (sqlite3.Error, JournalUnusable) as error:
        connection.close()
        raise in_words(error, path) from error
    return connection


def stopped_uncleanly(path: Path) -> bool:
    """A clean close removes the WAL; one that is still there was left by a kill, a crash or a power cut."""
    return path.with_name(path.name + "-wal").exists()


def sync_directory(directory: Path) -> None:
    """Make a created, linked or renamed name durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def in_words(error: Exception, path: Path) -> JournalUnusable:
    """Which fault an error of SQLite or of the file system means."""
    if isinstance(error, JournalUnusable):
        return error
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
        return JournalUnusable("journal.damaged", f"{path}: {error} ({name})")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")) and free_bytes(path.parent) < MIB:
        return JournalUnusable("disk.margin", f"{path}: the disk is full: {error} ({name})")
    return JournalUnusable("journal.unwritable", f"{path}: {error} ({name})")


def check_exists(path: Path) -> None:
    """
    Raises:
        JournalUnusable: there is no file, which for a kiosk that was paired is as bad as a damaged one.
    """
    if not path.exists():
        raise JournalUnusable("journal.damaged", f"{path}: there is no journal; pair this kiosk first")


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    check_exists(path)
    try:
        # isolation_level None: every transaction is begun and committed where we say so, none by surprise.
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    except sqlite3.Error as error:
        raise in_words(error, path) from error


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    if application_id != APPLICATION_ID:
        raise JournalUnusable("journal.damaged", f"{path}: not a journal of this program")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise JournalUnusable(
            "journal.unwritable",
            f"{path}: written by a newer program (tables {version}, this one knows {VERSION}); install that program again",
        )


def _set_and_read_back(connection: sqlite3.Connection, pragmas: tuple[tuple[str, str, object], ...]) -> None:
    for name, value, expected in pragmas:
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        row = connection.execute(f"PRAGMA {name}").fetchone()
        if name == "mmap_size" and row is None:
            continue  # a build without memory mapping has nothing to switch off
        if row is None or row[0] != expected:
            found = row[0] if row else "nothing"
            raise JournalUnusable("journal.unwritable", f"SQLite would not set {name} to {value}; it says {found}")
