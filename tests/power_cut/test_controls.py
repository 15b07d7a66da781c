"""The tester tested: writers that are known to lose what they said are caught, those known to keep it are not accused.

Expected losses are those of journal-and-upload section 18.
"""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.power_cut import controls
from tests.power_cut.cuts import SEED, Cut, choose, images
from tests.power_cut.images import SECTOR, Disk, Model, disks
from tests.power_cut.operations import Kind, Operation, Recording

ROOT = Path(__file__).parents[2]
ROWS, CUTS = 60, 60


def losses(recorder: Path, tmp_path: Path, writer: str) -> Counter[Model]:
    """At how many cuts rows that were promised are missing, by model."""
    under = tmp_path / "disk"
    under.mkdir()
    file = under / ("lines.txt" if writer == "text" else "lines.db")
    recording = Recording(recorder, tmp_path / "record", under)
    command = [sys.executable, "-m", "tests.power_cut.controls", writer, str(file), str(ROWS)]
    with recording.preloaded():
        subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    recording.close()
    operations = recording.operations()
    promised = {n: int(one.data.split()[1]) for n, one in enumerate(operations, 1) if one.kind is Kind.MARK}
    lost: Counter[Model] = Counter()
    for cut in images(operations, choose(operations, CUTS, list(promised)), under):
        expected = max((row for after, row in promised.items() if after <= cut.after), default=0)
        lost[cut.model] += _rows(cut, file.name) < expected
    print(f"{writer}: seed {SEED}, {CUTS} cuts, losing: {dict(lost)}")
    return lost


def _rows(cut: Cut, name: str) -> int:
    return controls.rows(cut.folder / name)


@pytest.mark.parametrize("writer", ["wal-full", "delete-extra"])
def test_a_writer_known_to_be_durable_is_not_accused(recorder: Path, tmp_path: Path, writer: str) -> None:
    assert not +losses(recorder, tmp_path, writer)


@pytest.mark.parametrize("writer", ["wal-normal", "delete-full", "text"])
def test_a_writer_known_to_lose_rows_is_caught(recorder: Path, tmp_path: Path, writer: str) -> None:
    lost = losses(recorder, tmp_path, writer)
    assert lost[Model.DROP] >= CUTS // 8, lost
    assert lost[Model.TORN] >= CUTS // 16, lost
    if writer != "delete-full":  # which loses a name, and that stands there in order
        assert lost[Model.LAST] >= CUTS // 16, lost
    assert lost[Model.ALL] == 0, "a mere kill loses nothing that was handed to the kernel"


def test_a_name_made_again_is_a_new_file_and_its_name_is_durable_only_with_its_directory() -> None:
    steps = [
        _step(Kind.CREATE, 1, "/d/a"),
        _step(Kind.WRITE, 1, data=b"old"),
        _step(Kind.SYNC, 1),
        _step(Kind.SYNC_DIRECTORY, 9, "/d"),
        _step(Kind.UNLINK, 1, "/d/a"),
        _step(Kind.CREATE, 1, "/d/a"),  # the same number, as file systems do
        _step(Kind.WRITE, 1, data=b"new"),
        _step(Kind.SYNC, 1),
        _step(Kind.SYNC_DIRECTORY, 9, "/d"),
    ]
    seen = [(_drop(disk), _all(disk)) for _, disk in disks(steps, range(3, len(steps) + 1))]
    old, new = {"/d/a": b"old"}, {"/d/a": b"new"}
    assert seen == [({}, old), (old, old), (old, {}), (old, {"/d/a": b""}), (old, new), (old, new), (new, new)]


def test_a_torn_write_is_kept_or_lost_by_sector() -> None:
    steps = [
        _step(Kind.CREATE, 1, "/d/a"),
        _step(Kind.SYNC_DIRECTORY, 9, "/d"),
        _step(Kind.WRITE, 1, data=b"x" * 2048, offset=256),
    ]
    ((_, disk),) = disks(steps, [3])
    torn = {disk.image(Model.TORN, random.Random(seed))["/d/a"] for seed in range(200)}
    whole = [
        content
        for content in torn
        if all(len(set(content[at : at + SECTOR])) <= 1 for at in range(SECTOR, len(content), SECTOR))
    ]
    assert len(whole) > 20, "whole sectors, many different choices"
    assert len(torn) > len(whole), "and some cut in the middle of a sector"
    assert all(set(content) <= {0, ord("x")} for content in torn)


def test_a_torn_last_sector_leaves_all_before_it_and_the_old_bytes_after_the_tear() -> None:
    steps = [
        _step(Kind.CREATE, 1, "/d/a"),
        _step(Kind.WRITE, 1, data=b"o" * 2048),
        _step(Kind.SYNC, 1),
        _step(Kind.WRITE, 1, data=b"x" * 1024),
        _step(Kind.WRITE, 1, data=b"y" * 700, offset=1024),
        _step(Kind.WRITE, 1, data=b"z" * 1024, offset=2048),
    ]
    (before, inside), (_, grown) = (
        (number, {disk.image(Model.LAST, random.Random(seed))["/d/a"] for seed in range(200)})
        for number, disk in disks(steps, [5, 6])
    )
    assert before == 5
    assert len(inside) > 50, "torn at many places"
    for content in inside:
        assert content.startswith(b"x" * 1024 + b"y" * 512)
        assert content[1536:].lstrip(b"y") == b"o" * len(content[1536:].lstrip(b"y"))
        assert len(content) == 2048
    assert {len(content) for content in grown} >= {3072}
    assert all(content[2048:2560] == b"z" * 512 and len(content) <= 3072 for content in grown)
    assert all(content[2560:].strip(b"z").strip(b"\0") == b"" for content in grown)


def _drop(disk: Disk) -> dict[str, bytes]:
    return disk.image(Model.DROP, random.Random(0))


def _all(disk: Disk) -> dict[str, bytes]:
    return disk.image(Model.ALL, random.Random(0))


def _step(kind: Kind, inode: int, name: str = "", data: bytes = b"", offset: int = 0) -> Operation:
    return Operation(kind=kind, pid=1, fd=3, inode=inode, offset=offset, name=name, other="", data=data)
