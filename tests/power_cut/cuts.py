"""Choosing where to cut, and laying each image for a check: the loop that every power-cut test shares."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.power_cut.images import Model, disks, lay
from tests.power_cut.operations import Kind, Operation

SEED = int(os.environ.get("MENTING_SEED", "20261125"))

# What a cut can fall between with a difference: not what was merely said, and not a device's own notes.
COUNTS = (Kind.CREATE, Kind.WRITE, Kind.TRUNCATE, Kind.EXTEND, Kind.SYNC, Kind.SYNC_DIRECTORY, Kind.RENAME, Kind.LINK, Kind.UNLINK)  # fmt: skip


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One image of one cut, laid out in a folder of its own."""

    after: int  # operations
    model: Model
    folder: Path

    def __str__(self) -> str:
        return f"MENTING_SEED={SEED}, cut after operation {self.after}, model {self.model}"


def choose(operations: list[Operation], count: int, promises: list[int], ignores: tuple[str, ...] = ()) -> list[int]:
    """``count`` places to cut: up to half just after a promise, the others between any two operations on files."""
    chance = random.Random(SEED)
    names: dict[int, str] = {}
    between = []
    for number, one in enumerate(operations, start=1):
        if one.kind is Kind.CREATE:
            names[one.inode] = one.name
        if one.kind in COUNTS and not (ignores and (one.name or names[one.inode]).endswith(ignores)):
            between.append(number)
    chosen = set(chance.sample(promises, min(len(promises), count // 2)))
    rest = sorted(set(between) - chosen)
    chosen.update(chance.sample(rest, min(len(rest), count - len(chosen))))
    return sorted(chosen)


def images(operations: list[Operation], cuts: list[int], was_under: Path, keeps: tuple[str, ...] = ()) -> Iterator[Cut]:
    """Every cut under every model; each folder is gone when the next one comes."""
    with quick_folder() as folder:
        for after, disk in disks(operations, cuts, keeps):
            for model in Model:
                here = folder / f"{after}-{model}"
                here.mkdir()
                lay(disk.image(model, random.Random(f"{SEED} {after} {model}")), was_under, here)
                yield Cut(after=after, model=model, folder=here)
                shutil.rmtree(here)


def gather(cuts: Iterator[Cut], check: Callable[[Cut], None], at_most: int = 5) -> list[str]:
    """What was wrong, in words; stops after a few findings, which mostly have one cause."""
    wrong: list[str] = []
    for cut in cuts:
        try:
            check(cut)
        except Exception as error:  # noqa: BLE001 - whatever a start on this image trips over is a finding
            wrong.append(f"{cut}: {type(error).__name__}: {error}")
            if len(wrong) >= at_most:
                break
    return wrong


@contextmanager
def quick_folder() -> Iterator[Path]:
    """In memory where there is such a place: an image that was laid needs no disk any more."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="power-cut-", dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    ) as folder:
        yield Path(folder)
