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
_HEADER_SIZE = 100  # of every SQLite file
_LABEL = ("application_id", "user_version")  # where the header says whose file it is
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")

# Set by migrations.build() before the first table: small pages, because a commit writes each page it touches as a whole
# (6 kB instead of 23 kB for a note). A journal keeps the size it was made with.
PAGE_SIZE = 1024

# In this order: a busy timeout first, since setting the journal mode can itself find the file busy. FULL, not NORMAL: in WAL
# mode NORMAL may lose the latest commits when the power is cut. No automatic checkpoints: SQLite ignores what goes wrong in
# them, a failed sync included; the journal folds its WAL itself and hears of it.
WRITER_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("busy_timeout", str(BUSY_MS), BUSY_MS),
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),
    ("wal_autocheckpoint", "0", 0),
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
    check_ours(path)
    connection = _connect(f"file:{_quoted(path)}?mode=rw", path)
    try:
        if stopped_uncleanly(path):
            _write_wal_again(connection, path)
        _set_and_read_back(connection, WRITER_PRAGMAS)
    except (OSError, sqlite3.Error, JournalUnusable) as error:
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
        # Never check_ours() here: closing the file would drop the locks of a writer in this process.
        application_id, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _LABEL)
        _check_label(path, application_id, version, VERSION)
        _set_and_read_back(connection, READER_PRAGMAS)
    except (sqlite3.Error, JournalUnusable) as error:
        connection.close()
        raise in_words(error, path) from error
    return connection


def stopped_uncleanly(path: Path) -> bool:
    """A clean close removes the WAL; one that is still there was left by a kill, a crash or a power cut."""
    return _wal(path).exists()


def fold_wal(connection: sqlite3.Connection) -> None:
    """Carry the WAL's commits into the file, as far as no reader is in the way.

    Raises:
        sqlite3.Error: the disk failed. The commits are durable still, but nothing more may be promised.
    """
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _write_wal_again(connection: sqlite3.Connection, path: Path) -> None:
    """Make a WAL that somebody left behind durable before anything is built on it, the closing of a connection included.

    Where a sync has failed, Linux shows pages that are on no disk, and a later sync of them does nothing: commits after them
    would be lost with them in the next power cut. Written again they are dirty again. Source: journal-and-upload section 1.3.
    """
    connection.execute("BEGIN IMMEDIATE")  # nobody else writes meanwhile
    try:
        with _wal(path).open("r+b") as wal:
            content = wal.read()
            wal.seek(0)
            wal.write(content)
            wal.flush()
            os.fsync(wal.fileno())
        sync_directory(path.parent)
    finally:
        connection.execute("ROLLBACK")


def doubt(path: Path, why: str) -> None:
    """Let the next opening check every entry. Where not even this can be written, the WAL or the last entry tells."""
    try:
        _doubts(path).write_text(why, encoding="utf-8")
    except OSError as error:
        log.info("journal.doubt_not_written reason=%s", error)


def is_doubted(path: Path) -> bool:
    """Whether a process or the nightly self-check saw the file fail, and no check has found it whole since."""
    return _doubts(path).exists()


def doubt_no_more(path: Path) -> None:
    _doubts(path).unlink(missing_ok=True)


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
    if name.startswith(_DAMAGED):
        return JournalUnusable("journal.damaged", f"{path}: {error} ({name})")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")) and _is_full(path.parent):
        return JournalUnusable("disk.margin", f"{path}: the disk is full: {error} ({name})")
    return JournalUnusable("journal.unwritable", f"{path}: {error} ({name})")


def has_failed(error: Exception) -> bool:
    """Whether the file or its disk is at fault, so that only a new process may go on with it. All else may pass: a lock, a lack of
    descriptors."""
    name = getattr(error.__cause__ if isinstance(error, JournalUnusable) else error, "sqlite_errorname", "")
    return getattr(error, "code", "") == "journal.damaged" or name.startswith((*_DAMAGED, "SQLITE_IOERR"))


def _is_full(directory: Path) -> bool:
    try:
        return free_bytes(directory) < MIB
    except OSError:
        return False  # a disk that does not even say how full it is has another trouble


def check_exists(path: Path) -> None:
    """
    Raises:
        JournalUnusable: there is no file, which for a kiosk that was paired is as bad as a damaged one.
    """
    if not path.exists():
        raise JournalUnusable("journal.damaged", f"{path}: there is no journal; pair this kiosk first")


def check_ours(path: Path, newest: int = VERSION) -> int:
    """The version of its tables, read from the file's first bytes: SQLite would write to a file only by opening and closing it.

    Only while this process has no connection to it: POSIX drops all locks of a process on a file when it closes any descriptor of
    it, and another program that finds no lock removes the WAL under the writer. Source: sqlite.org/howtocorrupt.html section 2.2.

    Raises:
        JournalUnusable: missing, no journal of ours, or written by a newer program.
    """
    check_exists(path)
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except OSError as error:
        raise in_words(error, path) from error
    if header and not header.startswith(b"SQLite format 3\0"):
        raise JournalUnusable("journal.damaged", f"{path}: file is not a database")
    whole = header.ljust(_HEADER_SIZE, b"\0")
    version = int.from_bytes(whole[60:64], "big")
    _check_label(path, int.from_bytes(whole[68:72], "big"), version, newest)
    return version


def _check_label(path: Path, application_id: int, version: int, newest: int) -> None:
    if application_id != APPLICATION_ID:
        raise JournalUnusable("journal.damaged", f"{path}: not a journal of this program")
    if version > newest:
        raise JournalUnusable(
            "journal.unwritable",
            f"{path}: written by a newer program (tables {version}, this one knows {newest}); install that program again",
        )


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _doubts(path: Path) -> Path:
    return path.with_name(path.name + ".doubted")


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    check_exists(path)
    try:
        # isolation_level None: every transaction is begun and committed where we say so, none by surprise.
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    except sqlite3.Error as error:
        raise in_words(error, path) from error


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _set_and_read_back(connection: sqlite3.Connection, pragmas: tuple[tuple[str, str, object], ...]) -> None:
    for name, value, expected in pragmas:
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        row = connection.execute(f"PRAGMA {name}").fetchone()
        if name == "mmap_size" and row is None:
            continue  # a build without memory mapping has nothing to switch off
        if row is None or row[0] != expected:
            found = row[0] if row else "nothing"
            raise JournalUnusable("journal.unwritable", f"SQLite would not set {name} to {value}; it says {found}")
