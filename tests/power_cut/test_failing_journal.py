"""The journal alone on a disk that fails: at the k-th write or sync it promises nothing more, and nothing promised is lost.

A failed sync may leave pages that are seen and on no disk (journal-and-upload section 1.3), so the power is cut as well: when the disk failed, and
when the next process has gone on.
"""

import errno
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kiosk.offline_queue.reader import JournalReader
from tests.offline_queue.journals import SetClock
from tests.power_cut import checks
from tests.power_cut.cuts import SEED, gather, images, quick_folder
from tests.power_cut.forks import Forks, Start, forking
from tests.power_cut.images import Model
from tests.power_cut.journal_life import FAILED, ROOM
from tests.power_cut.operations import Failure, Kind, Operation, read

LAST = 300
PAYMENTS = 12  # enough that every one of the first 300 writes and syncs is reached
ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS)
FAILURES = (Kind.FAILED, Kind.SYNC_FAILED)


class Case(msgspec.Struct, frozen=True):
    """One failure; ``goes_quietly``: the process closes the file, as the agent does; else it is killed there and then."""

    failure: Failure
    goes_quietly: bool

    def __str__(self) -> str:
        return f"MENTING_SEED={SEED}: {self.failure}, {'closed' if self.goes_quietly else 'killed'}"


def fail_and_go_on(forks: Forks, folder: Path, case: Case) -> str:
    """Live until the disk fails, then in a new process; returns what failed."""
    under, record = folder / "disk", folder / "record"
    under.mkdir(parents=True)
    journal = under / "journal.db"
    start = Start(
        program="life",
        arguments=(str(journal), str(PAYMENTS), str(SEED), str(record), "quietly" if case.goes_quietly else "killed"),
        record=str(record),
        places=str(under),
        log=str(folder / "log"),
        failure=case.failure,
    )
    forks.start(start)
    assert forks.exit_code() == FAILED, f"{case}\n{(folder / 'log').read_text()}"
    failed_in = len(read(record))
    forks.start(msgspec.structs.replace(start, failure=None))
    assert forks.exit_code() == 0, f"{case}\n{(folder / 'log').read_text()}"
    operations = read(record)
    at = next(n for n, one in enumerate(operations, start=1) if one.kind in FAILURES)
    assert all(one.kind is not Kind.MARK for one in operations[at:failed_in]), f"{case}: promised after the disk failed"
    with JournalReader(journal) as reader:
        assert promised(operations) <= {entry.hash.hex() for entry in reader.entries(0, 10**6)}, f"{case}: not there"
    cut_after(operations, case, under, at, failed_in)
    return f"{operations[at - 1].name} of {Path(operations[at - 1].other).name}"


def promised(operations: list[Operation]) -> set[str]:
    marks = [one.data.decode().split() for one in operations if one.kind is Kind.MARK]
    return {mark[2] for mark in marks if mark[0] == "entry"}


def cut_after(operations: list[Operation], case: Case, under: Path, at: int, failed_in: int) -> None:
    """The power goes when the disk has failed, when its process has ended, after the next one's first promises, and later."""
    later = range(failed_in + 1, len(operations) + 1)
    first = [n for n in later if operations[n - 1].kind is Kind.MARK][:3]
    cuts = [at, failed_in, *first, *random.Random(str(case)).sample(later, min(3, len(later)))]
    whole = checks.stated(under / "journal.db")

    def check(cut) -> None:  # type: ignore[no-untyped-def]
        path = cut.folder / "journal.db"
        needed = promised(operations[: cut.after])
        if cut.model is not Model.DROP or (not needed and not path.exists()):
            return
        found = checks.start(path, SetClock(), ROOM, whole)
        assert needed <= {entry.hash.hex() for entry in found.entries}, "promised, and lost in the cut"

    wrong = gather(images(operations, sorted(set(cuts)), under), check)
    assert not wrong, f"{case}\n" + "\n".join(wrong)


def sweep(forks: Forks, folder: Path, cases: list[Case]) -> None:
    failed: Counter[str] = Counter()
    for number, case in enumerate(cases):
        failed[fail_and_go_on(forks, folder / str(number), case)] += 1
    print(f"seed {SEED}: {len(cases)} failures of the journal's disk: {dict(failed)}")
    assert {"sync of journal.db", "sync of journal.db-wal", "write of journal.db-wal"} <= set(failed)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: what a sync means is in the record."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
def forks(recorder: Path) -> Iterator[Forks]:
    with forking(recorder) as forks:
        yield forks


def test_after_a_failed_write_or_sync_the_journal_promises_nothing_more(forks: Forks, folder: Path) -> None:
    chance = random.Random(SEED)
    places = [at for same in by_kind(forks, folder).values() for at in chance.sample(same, min(4, len(same)))]
    cases = [
        Case(Failure(at=at, errno=chance.choice(ERRORS), lasts=chance.random() < 0.3), chance.random() < 0.5)
        for at in places
    ]
    sweep(forks, folder, cases)


def by_kind(forks: Forks, folder: Path) -> dict[tuple[Kind, str], list[int]]:
    """Which of the writes and syncs are of what kind, from a life on a good disk."""
    under, record = folder / "good", folder / "record"
    under.mkdir()
    arguments = (str(under / "journal.db"), str(PAYMENTS), str(SEED), str(record), "quietly")
    forks.start(
        Start(program="life", arguments=arguments, record=str(record), places=str(under), log=str(folder / "log"))
    )
    assert forks.exit_code() == 0, (folder / "log").read_text()
    names: dict[int, str] = {}
    found: dict[tuple[Kind, str], list[int]] = {}
    at = 0
    for one in read(record):
        if one.kind in (Kind.CREATE, Kind.LINK):
            names[one.inode] = Path(one.other or one.name).name
        elif one.kind in (Kind.WRITE, Kind.TRUNCATE, Kind.SYNC) and names.get(one.inode, "").startswith("journal.db"):
            at += 1
            if at <= LAST:
                found.setdefault((one.kind, names[one.inode]), []).append(at)
    return found


@pytest.mark.long
@pytest.mark.timeout(900)
def test_none_of_300_writes_and_syncs_may_fail_unnoticed(forks: Forks, folder: Path) -> None:
    once = [Case(Failure(at=at, errno=errno.EIO), at % 2 == 0) for at in range(1, LAST + 1)]
    lasting = [Case(Failure(at=at, errno=ERRORS[at % 3], lasts=at % 5 > 1), at % 2 == 1) for at in range(1, LAST + 1)]
    sweep(forks, folder, [*once, *lasting])
