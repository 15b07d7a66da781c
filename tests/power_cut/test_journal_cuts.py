"""The journal alone, cut at any write, sync or rename of its life: whatever append() and advance_cursor() promised is there."""

import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.offline_queue.journals import SetClock
from tests.power_cut import checks
from tests.power_cut.cuts import SEED, Cut, choose, gather, images
from tests.power_cut.images import Model, check_replay
from tests.power_cut.journal_life import ROOM
from tests.power_cut.operations import Kind, Operation, Recording

ROOT = Path(__file__).parents[2]


class Promise(msgspec.Struct, frozen=True, order=True):
    """Made after so many operations."""

    after: int
    entry: int  # the newest entry that append() returned
    cursor: int  # and the highest acknowledgement that was written down


class Recorded:
    """One journal's life with everything it promised."""

    def __init__(self, recorder: Path, folder: Path, payments: int) -> None:
        self.under = folder / "disk"
        self.under.mkdir()
        recording = Recording(recorder, folder / "record", self.under)
        journal = self.under / "journal.db"
        with recording.preloaded():
            command = [sys.executable, "-m", "tests.power_cut.journal_life", str(journal), str(payments), str(SEED)]
            subprocess.run(command, cwd=ROOT, check=True, timeout=120)
        recording.close()
        self.operations = recording.operations()
        check_replay(self.operations, self.under)
        self.promises = list(_promises(self.operations))
        self.stated = checks.stated(journal)
        assert self.promises[-1].entry == len(self.stated.hashes)

    def check(self, cut: Cut) -> None:
        """Start on this image; before the first promise there may be no journal yet, and nothing but that."""
        made = bisect_right(self.promises, cut.after, key=lambda promise: promise.after)
        promised = self.promises[made - 1] if made else None
        path = cut.folder / "journal.db"
        if promised is None and not path.exists():
            return
        found = checks.start(path, SetClock(), ROOM, self.stated)
        if promised:
            assert len(found.entries) >= promised.entry, f"{len(found.entries)} entries, promised {promised.entry}"
            assert found.ack_seq >= promised.cursor, f"acknowledged {found.ack_seq}, promised {promised.cursor}"


def _promises(operations: list[Operation]) -> Iterator[Promise]:
    entry = cursor = 0
    for after, one in enumerate(operations, start=1):
        if one.kind is Kind.MARK:
            what, seq, *_ = one.data.decode().split()
            entry, cursor = (int(seq), cursor) if what == "entry" else (entry, int(seq))
            yield Promise(after, entry, cursor)


def cut_everywhere(recorder: Path, folder: Path, *, payments: int, cuts: int) -> None:
    began = time.monotonic()
    recorded = Recorded(recorder, folder, payments)
    chosen = choose(recorded.operations, cuts, [promise.after for promise in recorded.promises])
    assert len(chosen) == cuts
    wrong = gather(images(recorded.operations, chosen, recorded.under), recorded.check)
    kinds = Counter(one.kind.name.lower() for one in recorded.operations)
    print(
        f"seed {SEED}: {len(recorded.stated.hashes)} entries, {len(chosen)} cuts x {len(Model)} models, "
        f"{len(wrong)} findings, {time.monotonic() - began:.0f} s; {dict(kinds)}"
    )
    assert not wrong, "\n".join(wrong)


def test_no_cut_takes_what_the_journal_promised(recorder: Path, tmp_path: Path) -> None:
    cut_everywhere(recorder, tmp_path, payments=40, cuts=120)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_none_of_1500_cuts_takes_what_the_journal_promised(recorder: Path, tmp_path: Path) -> None:
    cut_everywhere(recorder, tmp_path, payments=120, cuts=1500)
