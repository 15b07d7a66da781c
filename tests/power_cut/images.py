"""The disk as a power cut leaves it: a recording replayed up to any operation, under four models of what survives.

A file is an inode (an unlinked name made again is a new file), a name is an entry of a directory, and the two are made durable
apart: a file's content by syncing the file, its name by syncing the directory. Directories themselves are taken as durable. Source:
journal-and-upload section 17.
"""

import random
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from tests.power_cut.operations import Kind, Operation

SECTOR = 512


class Model(StrEnum):
    """What survives."""

    DROP = "drop"  # only what was synced
    TORN = "torn"  # of the rest any sectors and names, and one sector cut in its middle
    LAST = "last"  # everything in order, but the last write to each file ends in the middle of its last sector
    ALL = "all"  # everything written: the program was killed, the machine was not


class Inode:
    """One file's content: as last synced, as it is now, and what was done in between."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.live = bytearray()
        self.pending: list[Operation] = []

    def do(self, operation: Operation) -> None:
        self.pending.append(operation)
        _apply(self.live, operation)

    def sync(self) -> None:
        for operation in self.pending:
            _apply(self.durable, operation)
        self.pending.clear()

    def sync_failed(self) -> None:
        """The kernel may call the pages clean now: they are seen, and no later sync writes them (journal-and-upload section 1.3)."""
        self.pending.clear()

    def last_torn(self, chance: random.Random) -> bytes:
        """The other bytes of the last sector are those from before the write; a file that grew has its new size or the old one."""
        content = bytearray(self.durable)
        for operation in self.pending:
            if operation is self.pending[-1] and operation.kind is Kind.WRITE and operation.data:
                *whole, (start, part) = _sectors(operation)
                for at, sector in [*whole, (start, part[: chance.randrange(len(part))])]:
                    _put(content, at, sector)
                grown = start + len(part) - len(content)
                content.extend(bytes(max(0, grown)) if chance.random() < 0.5 else b"")
            else:
                _apply(content, operation)
        return bytes(content)

    def torn(self, chance: random.Random) -> bytes:
        content = bytearray(self.durable)
        split = chance.randrange(len(self.pending)) if self.pending and chance.random() < 0.5 else -1
        for number, operation in enumerate(self.pending):
            if operation.kind is not Kind.WRITE:
                if chance.random() < 0.5:
                    _apply(content, operation)
                continue
            for start, part in _sectors(operation):
                if number == split:
                    _put(content, start, part[: chance.randrange(len(part) + 1)])
                elif chance.random() < 0.5:
                    _put(content, start, part)
        return bytes(content)


class Disk:
    """All files and names of a recording so far."""

    def __init__(self, keeps: tuple[str, ...] = ()) -> None:
        """Files whose path begins with one of ``keeps`` stand elsewhere (in a device): no cut touches them."""
        self._keeps = keeps
        self._inodes: dict[int, Inode] = {}
        self._names: dict[str, Inode] = {}
        self._durable: dict[str, Inode] = {}
        self._pending: list[tuple[Operation, Inode]] = []  # changes of names since their directory was synced

    def do(self, operation: Operation) -> None:
        match operation.kind:
            case Kind.CREATE:
                self._inodes[operation.inode] = Inode()
                self._rename(operation)
            case Kind.RENAME | Kind.LINK | Kind.UNLINK:
                self._rename(operation)
            case Kind.WRITE | Kind.TRUNCATE | Kind.EXTEND:
                self._inodes[operation.inode].do(operation)
            case Kind.SYNC:
                self._inodes[operation.inode].sync()
            case Kind.SYNC_FAILED:
                self._inodes[operation.inode].sync_failed()
            case Kind.SYNC_DIRECTORY:
                self._sync_names(operation.name)
            case _:
                pass

    def image(self, model: Model, chance: random.Random) -> dict[str, bytes]:
        """The files that the next start finds, by path."""
        names = dict(self._names)
        if model in (Model.DROP, Model.TORN):
            names = dict(self._durable)
            for operation, inode in self._pending:
                if self._kept(operation.name) or (model is Model.TORN and chance.random() < 0.5):
                    _rename(names, operation, inode)
        return {name: self._content(name, inode, model, chance) for name, inode in names.items()}

    def _content(self, name: str, inode: Inode, model: Model, chance: random.Random) -> bytes:
        if model is Model.ALL or self._kept(name):
            return bytes(inode.live)
        if model is Model.DROP:
            return bytes(inode.durable)
        return inode.last_torn(chance) if model is Model.LAST else inode.torn(chance)

    def _kept(self, name: str) -> bool:
        return name.startswith(self._keeps) if self._keeps else False

    def _rename(self, operation: Operation) -> None:
        inode = self._inodes[operation.inode]
        self._pending.append((operation, inode))
        _rename(self._names, operation, inode)

    def _sync_names(self, directory: str) -> None:
        left = []
        for operation, inode in self._pending:
            if str(Path(operation.name).parent) == directory:
                _rename(self._durable, operation, inode)
            else:
                left.append((operation, inode))
        self._pending = left


def disks(operations: list[Operation], cuts: Iterable[int], keeps: tuple[str, ...] = ()) -> Iterator[tuple[int, Disk]]:
    """The disk after the first n operations, for each n of ``cuts``; use each before asking for the next."""
    disk, done = Disk(keeps), 0
    for cut in sorted(set(cuts)):
        for operation in operations[done:cut]:
            disk.do(operation)
        done = cut
        yield cut, disk


def check_replay(operations: list[Operation], under: Path) -> None:
    """The recording is whole: replayed to its end it gives the files that are really there.

    Raises:
        AssertionError: something was done to a file that the recorder did not see.
    """
    ((_, disk),) = disks(operations, [len(operations)])
    image = disk.image(Model.ALL, random.Random(0))
    real = {str(path) for path in under.rglob("*") if path.is_file() and not path.name.endswith("-shm")}
    recorded = {name for name in image if Path(name).is_relative_to(under)}
    assert recorded == real, f"names differ: {recorded ^ real}"
    differ = [name for name in recorded if Path(name).read_bytes() != image[name]]
    assert not differ, f"contents differ: {differ}"


def lay(image: dict[str, bytes], was_under: Path, folder: Path) -> None:
    """Write an image out for its owner alone, as the kiosk makes all its files; its paths move from one folder to another."""
    for name, content in image.items():
        path = folder / Path(name).relative_to(was_under)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        with path.open("wb") as file:
            if content.count(0) < len(content):  # else a hole is enough
                file.write(content)
            else:
                file.truncate(len(content))


def _rename(names: dict[str, Inode], operation: Operation, inode: Inode) -> None:
    """One change of names, whole or not at all."""
    match operation.kind:
        case Kind.CREATE:
            names[operation.name] = inode
        case Kind.LINK:
            names[operation.other] = inode
        case Kind.UNLINK:
            names.pop(operation.name, None)
        case Kind.RENAME:
            names.pop(operation.name, None)
            names[operation.other] = inode


def _apply(content: bytearray, operation: Operation) -> None:
    match operation.kind:
        case Kind.WRITE:
            _put(content, operation.offset, operation.data)
        case Kind.TRUNCATE if operation.offset < len(content):
            del content[operation.offset :]
        case Kind.TRUNCATE | Kind.EXTEND:
            content.extend(bytes(max(0, operation.offset - len(content))))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(operation: Operation) -> Iterator[tuple[int, bytes]]:
    """A write in pieces that don't cross a sector's border."""
    done = 0
    while done < len(operation.data):
        start = operation.offset + done
        size = min(SECTOR - start % SECTOR, len(operation.data) - done)
        yield start, operation.data[done : done + size]
        done += size
