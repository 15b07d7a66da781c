"""What a recorded program asked of its files and told the world, in order, as recorder.c wrote it down.

A record is a row of entries: a head of 40 bytes (whole size, kind, process, descriptor, inode, offset, sizes of two names), the
names, the data. A test adds marks of its own: what was promised to somebody, or what a simulated device did.
"""

import contextlib
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import msgspec
import pytest

HEAD = struct.Struct("<IIiiQqII")
SOURCE = Path(__file__).with_name("recorder.c")


class Kind(IntEnum):
    """As in recorder.c; MARK is ours. For the FAILED ones ``name`` is the call, ``other`` the path, ``offset`` the error."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    EXTEND = 4
    SYNC = 5
    SYNC_DIRECTORY = 6
    RENAME = 7
    LINK = 8
    UNLINK = 9
    SAID = 10
    UNMODELLED = 11
    MARK = 12
    FAILED = 13
    SYNC_FAILED = 14


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. ``name`` is a path, for SAID a terminal or ``socket:[n]``; ``offset`` is the size for TRUNCATE and EXTEND."""

    kind: Kind
    pid: int
    fd: int
    inode: int
    offset: int
    name: str
    other: str
    data: bytes


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The ``at``-th write, truncation or sync of files with ``part`` in their path fails; ``lasts``: and all after it."""

    at: int
    errno: int
    lasts: bool = False
    part: str = "/journal.db"

    def __str__(self) -> str:
        return f"{os.strerror(self.errno)} at {self.at}{' and ever after' if self.lasts else ''}"

    def encoded(self) -> str:
        """As recorder.c reads it."""
        return f"{self.at} {self.errno} {int(self.lasts)} {self.part}"


class Recording:
    """Where programs write down what they do; preloaded() is the way to start them."""

    def __init__(self, library: Path, file: Path, *places: Path) -> None:
        """``places`` are prefixes of the paths that matter."""
        self.file = file
        self.environment = {
            "LD_PRELOAD": str(library),
            "POWER_CUT_RECORD": str(file),
            "POWER_CUT_PLACES": ":".join(map(str, places)),
        }
        self._fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def preloaded(self, *, hears: bool = False, failure: Failure | None = None) -> Iterator[None]:
        """Programs that are started meanwhile are recorded; ``hears``: also what they send to terminals and sockets."""
        changed = self.environment | ({"POWER_CUT_HEARS": "1"} if hears else {})
        if failure:
            changed |= {"POWER_CUT_FAIL": failure.encoded()}
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def mark(self, text: str) -> None:
        os.write(self._fd, mark(text))

    def operations(self) -> list[Operation]:
        return read(self.file)

    def close(self) -> None:
        os.close(self._fd)


def compile_recorder(folder: Path) -> Path:
    """The library to preload; skips the test where it can't be built."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    library = folder / "recorder.so"
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Werror",
        "-o",
        str(library),
        str(SOURCE),
        "-ldl",
        "-pthread",
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if "fatal error" in built.stderr:
        pytest.skip(f"the recorder can't be built, libc6-dev is missing: {built.stderr.strip()}")
    assert built.returncode == 0, built.stderr
    return library


def mark(text: str) -> bytes:
    """One entry that says something between the operations."""
    data = text.encode()
    return HEAD.pack(HEAD.size + len(data), Kind.MARK, os.getpid(), -1, 0, 0, 0, 0) + data


def standing(folder: Path) -> bytes:
    """The files of a folder as the first entries of a record: whole, and durable."""
    entries = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, inode, content = str(path).encode(), path.stat().st_ino, path.read_bytes()
            entries.append(HEAD.pack(HEAD.size + len(name), Kind.CREATE, 0, -1, inode, 0, len(name), 0) + name)
            entries.append(HEAD.pack(HEAD.size + len(content), Kind.WRITE, 0, -1, inode, 0, 0, 0) + content)
            entries.append(HEAD.pack(HEAD.size, Kind.SYNC, 0, -1, inode, 0, 0, 0))
    name = str(folder).encode()
    entries.append(HEAD.pack(HEAD.size + len(name), Kind.SYNC_DIRECTORY, 0, -1, 0, 0, len(name), 0) + name)
    return b"".join(entries)


def read(file: Path) -> list[Operation]:
    """
    Raises:
        AssertionError: the program did something that a replay can't follow.
    """
    raw = memoryview(file.read_bytes())
    found, at = [], 0
    while at < len(raw):
        size, kind, pid, fd, inode, offset, name_size, other_size = HEAD.unpack_from(raw, at)
        names, rest = at + HEAD.size, at + HEAD.size + name_size + other_size
        found.append(
            Operation(
                kind=Kind(kind),
                pid=pid,
                fd=fd,
                inode=inode,
                offset=offset,
                name=bytes(raw[names : names + name_size]).decode(),
                other=bytes(raw[names + name_size : rest]).decode(),
                data=bytes(raw[rest : at + size]),
            )
        )
        at += size
    strange = {one.name for one in found if one.kind is Kind.UNMODELLED}
    assert not strange, f"a replay can't follow {strange}"
    return found
