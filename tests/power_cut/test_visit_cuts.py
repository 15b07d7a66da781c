"""Whole visits of the real agent, its power cut at any write, sync or rename: what people and devices were told is on disk.

One recording serves all cuts. On each image the journal is opened and recovery reads it; on some the real agent starts again and brings
the interrupted payment to its end beside the acceptor as it was at that instant.
"""

import random
import re
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kiosk.clock import SystemClock
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.database import Room
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import wait_until_all_is_uploaded
from tests.power_cut import checks, recorded_lobby, restart
from tests.power_cut.cuts import SEED, Cut, choose, gather, images
from tests.power_cut.images import Model, check_replay
from tests.power_cut.operations import Kind
from tests.power_cut.recorded_lobby import MARGIN_MB, PAIRED, RecordedLobby

NOTHING_NEW = ("acceptor.recall", "status.json.new", "status.json", ".lock")


class Visits:
    """A recording of several visits, with every promise made in them."""

    def __init__(self, recorder: Path, folder: Path, rounds: int) -> None:
        self.folder = folder
        self.lobby = RecordedLobby(recorder, folder, SEED % 1000)
        try:
            self._live(rounds)
            wait_until_all_is_uploaded(self.lobby)
            truth.check_kiosk(self.lobby)
        finally:
            self.lobby.stop()
        self.operations = self.lobby.recording.operations()
        check_replay(self.operations, self.lobby.state)
        self.promises = recorded_lobby.promises(self.lobby, self.operations)
        self.stated = checks.stated(self.lobby.journal)
        self.paired = next(n for n, one in enumerate(self.operations, 1) if one.data == PAIRED.encode())
        self.keeps = tuple(str(folder / name) for name in ("acceptor.json", ".acceptor.json"))

    def _live(self, rounds: int) -> None:
        """A visit with a slip, a clean stop and start, a visit, and one in which the agent is killed."""
        for number in range(rounds):
            self.lobby.start_agent()
            recorded_lobby.pay(self.lobby, (1000, 5000), slip=True)
            assert self.lobby.agent is not None
            self.lobby.agent.stop()
            self.lobby.start_agent()
            recorded_lobby.pay(self.lobby, (2000,), slip=False)
            recorded_lobby.die_in_a_payment(
                self.lobby, (500, 1000), at=("stacking", "escrowed", "credited")[number % 3]
            )
            assert self.lobby.agent is not None
            if number < rounds - 1:
                self.lobby.agent.stop()

    def choose(self, count: int) -> list[int]:
        return choose(self.operations, count, [promise.after for promise in self.promises], NOTHING_NEW)

    def cut(self, cuts: list[int]) -> Iterator[Cut]:
        return images(self.operations, cuts, self.folder, self.keeps)

    def check(self, cut: Cut) -> None:
        state = cut.folder / "kiosk"
        key = (state / "identity.json").exists() and Identity.load(state / "identity.json").key
        if not (state / "journal.db").exists():
            assert cut.after < self.paired, "the kiosk was paired, and has no journal"
            return
        assert key, "a journal whose key is lost: this kiosk could not even be paired again"
        clock = SystemClock()
        found = checks.start(state / "journal.db", clock, Room.of_margin_mb(MARGIN_MB), self.stated)
        made = bisect_right(self.promises, cut.after, key=lambda promise: promise.after)
        needed = max(self.promises[:made], key=lambda promise: promise.seq, default=None)
        if needed:
            assert len(found.entries) >= needed.seq, f"{needed.why}, which needs entry {needed.seq}"
        restart.notes_at_the_cut(found.records, restart.box(cut.folder))
        checks.check_cache(state / "cache.db", clock)

    def between_order_and_outcome(self) -> list[int]:
        """Cuts after a note was ordered to be kept and before anybody was told that it is counted."""
        places: list[int] = []
        for one, following in zip(self.promises, self.promises[1:], strict=False):
            if "ordered" in one.why:
                places.extend(range(one.after, following.after))
        return [n for n in places if self.operations[n - 1].kind is not Kind.MARK]


def cut_visits(visits: Visits, cuts: int) -> None:
    began = time.monotonic()
    chosen = visits.choose(cuts)
    wrong = gather(visits.cut(chosen), visits.check)
    told = Counter(re.sub(r"[\d-]+|YG\S+ ", "", promise.why).strip() for promise in visits.promises)
    print(
        f"seed {SEED}: {len(visits.stated.hashes)} entries, {len(visits.operations)} operations, {len(chosen)} cuts x {len(Model)} "
        f"models, {len(wrong)} findings, {time.monotonic() - began:.0f} s; promises: {dict(told)}"
    )
    assert len(chosen) == cuts
    assert not wrong, "\n".join(wrong)


def lying_disk_is_caught(visits: Visits) -> None:
    """The same visits on a disk that does not do what a sync asks: the tester must miss promised entries."""
    honest = visits.operations
    wal = {one.inode for one in honest if one.kind is Kind.CREATE and one.name.endswith("journal.db-wal")}
    visits.operations = [
        msgspec.structs.replace(one, kind=Kind.MARK) if one.kind is Kind.SYNC and one.inode in wal else one
        for one in honest
    ]
    try:
        promised = [promise.after for promise in visits.promises if promise.after > visits.paired]
        wrong = gather(visits.cut(random.Random(SEED).sample(promised, 10)), visits.check, at_most=1)
    finally:
        visits.operations = honest
    assert wrong, "promises were made that no sync stood behind, and nobody noticed"
    assert "which needs entry" in wrong[0], wrong


def start_again(visits: Visits, times: int) -> None:
    """Half of the cuts fall between a note's order and its outcome; one model each, in turn."""
    chance = random.Random(SEED)
    between = set(chance.sample(visits.between_order_and_outcome(), times // 2))
    anywhere = set(range(visits.paired + 1, len(visits.operations))) - between
    cuts = between | set(chance.sample(sorted(anywhere), times - len(between)))
    model_of = {after: list(Model)[number % len(Model)] for number, after in enumerate(sorted(cuts))}
    ended: Counter[str] = Counter()
    for cut in visits.cut(sorted(cuts)):
        if cut.model is model_of[cut.after]:
            path = restart.box(cut.folder).path
            try:
                records = restart.start_again(visits.lobby, cut.folder)
            except AssertionError as error:
                error.add_note(f"{cut}, the note was {path}")
                raise
            ended.update(_told(records, path.stage if path else "nowhere"))
            ended["starts"] += 1
    print(
        f"seed {SEED}: the agent started again after {len(between)} cuts between order and outcome, others: {dict(ended)}"
    )
    assert ended["starts"] == times


def _told(records: truth.Records, path: str) -> list[str]:
    """What recovery did: how the payments that the cut interrupted ended, and what was claimed and why."""
    ends = [f"settled by {one.ended}" for one in records.settled.values() if one.ended == "restart"]
    return ends + [f"claimed: {note.lost_by}, the note was {path}" for note in records.of(truth.UNKNOWN)]


def pairing_is_all_or_nothing(visits: Visits) -> None:
    """Few enough to cut at every operation."""
    wrong = gather(visits.cut(list(range(1, visits.paired + 1))), visits.check)
    print(f"seed {SEED}: {visits.paired} cuts x {len(Model)} models while pairing, {len(wrong)} findings")
    assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(300)
def test_no_cut_in_a_visit_takes_what_was_promised(recorder: Path, tmp_path: Path) -> None:
    visits = Visits(recorder, tmp_path, rounds=1)
    pairing_is_all_or_nothing(visits)
    cut_visits(visits, 120)
    lying_disk_is_caught(visits)
    start_again(visits, 2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_none_of_1500_cuts_in_visits_takes_what_was_promised(recorder: Path, tmp_path: Path) -> None:
    visits = Visits(recorder, tmp_path, rounds=6)
    pairing_is_all_or_nothing(visits)
    cut_visits(visits, 1500)
    lying_disk_is_caught(visits)
    start_again(visits, 30)
