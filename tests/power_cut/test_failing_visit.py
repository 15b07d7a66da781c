"""The real agent in visits on a disk that fails at the k-th write or sync: it says so, ends, and had promised nothing it has not.

Then a new process checks the file, brings what was interrupted to its end, and every note has its one record.
"""

import errno
import random
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiosk import views
from kiosk.clock import SystemClock
from kiosk.offline_queue.database import Room
from kiosk.offline_queue.reader import JournalReader
from tests.end_to_end import truth
from tests.end_to_end.lobby_runs import insert, wait_until_all_is_uploaded
from tests.end_to_end.robot import Robot
from tests.power_cut import checks
from tests.power_cut.cuts import SEED, gather, images
from tests.power_cut.failing_lobby import OUT_OF_SERVICE, SPEED, FailingLobby, come_to_rest, visit_until_it_fails
from tests.power_cut.forks import forking
from tests.power_cut.images import Model
from tests.power_cut.operations import Failure, Kind, Operation, read
from tests.power_cut.recorded_lobby import Promise, Promises, to_the_slot

LAST = 300
SIDE_BY_SIDE = 4
FACES = (1000, 5000, 2000, 1000)  # enough that the first 300 writes and syncs are reached
JOURNAL_FAILED = 3
ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS)
ROOM = Room.of_margin_mb(8)


class Case:
    """One failure in one lobby, and all that must be true of it."""

    def __init__(self, lobby: FailingLobby, failure: Failure, faces: tuple[int, ...] = FACES) -> None:
        self.lobby, self.failure, self.faces = lobby, failure, faces
        self.folder = lobby.folder / f"{failure.at}-{failure.errno}-{int(failure.lasts)}"

    def run(self) -> str:
        """What failed, in words for a table."""
        self.folder.mkdir()
        with JournalReader(self.lobby.journal) as reader:
            before, _ = reader.head()
        self.lobby.begin_record(self.folder / "record")  # after the reading, which leaves a WAL
        agent = self.lobby.start_failing(self.failure)
        code, guest = visit_until_it_fails(self.lobby, agent, self.faces)
        failed_in = len(read(self.lobby.record))
        come_to_rest(self.lobby, self.lobby.start_failing(None))
        operations = read(self.lobby.record)
        at = next((n for n, one in enumerate(operations, 1) if one.kind in (Kind.FAILED, Kind.SYNC_FAILED)), None)
        assert at is not None, f"only {failed_in} operations, none failed"
        assert code == JOURNAL_FAILED, f"exit code {code}"
        if not self._was_stopping(operations, at):
            assert guest.codes & set(OUT_OF_SERVICE), f"the screen told nobody, it showed {guest.seen}"
        self._check_promises(operations, at, failed_in, before)
        self._check_notes()
        self.lobby.record.unlink()
        return f"{operations[at - 1].name} of {Path(operations[at - 1].other).name}"

    def _was_stopping(self, operations: list[Operation], at: int) -> bool:
        """Nobody is told about a failure in the very last writes: the agent was asked to stop."""
        return all(one.kind is not Kind.SAID for one in operations[at:] if one.pid == self.lobby.agents[0])

    def _check_notes(self) -> None:
        """Each note in the box has its record, credited but for one: where all writes failed from the intent's sync on, nobody could write
        down that its note went back, so it may be a claim."""
        records = truth.read(self.lobby.journal)
        truth.check_payments(records)
        ledger = self.lobby.acceptor.do("ledger")
        assert ledger["path"] is None
        stacked = Counter({int(face): count for face, count in ledger["stacker"].items()})
        credited = Counter(note.face_fen or 0 for note in records.of(truth.CREDITED))
        claims = records.of(truth.UNKNOWN)
        assert not records.of(truth.OPEN)
        assert credited == stacked, f"credited {credited}, in the box {stacked}"
        assert len(claims) - self.lobby.claims <= int(self.failure.lasts), f"claims: {claims}"
        self.lobby.claims = len(claims)

    def _check_promises(self, operations: list[Operation], at: int, failed_in: int, before: int) -> None:
        whole = checks.stated(self.lobby.journal)
        with JournalReader(self.lobby.journal) as reader:
            made = Promises(self.lobby, reader.entries(0, 10**6), before).of(operations)
            promises = sorted(promise for promise in made if promise.after > at)
        last = max((promise.seq for promise in promises if promise.after <= failed_in), default=0)
        needed: dict[int, Promise] = {at: Promise(at, last, "said after the disk failed")}
        for promise in promises[-1:] + promises[:3]:
            needed[promise.after] = max(promise, needed.get(promise.after, promise), key=lambda one: one.seq)

        def check(cut) -> None:  # type: ignore[no-untyped-def]
            if cut.model is Model.DROP:
                found = checks.start(cut.folder / "journal.db", SystemClock(), ROOM, whole)
                promise = needed[cut.after]
                assert len(found.entries) >= promise.seq, f"{promise.why}, which needs entry {promise.seq}"

        wrong = gather(images(operations, sorted(needed), self.lobby.state), check)
        assert not wrong, "\n".join(wrong)


def sweep(recorder: Path, folder: Path, failures: list[Failure], side_by_side: int) -> None:
    began = time.monotonic()
    failed: Counter[str] = Counter()
    wrong: list[str] = []
    claims: list[int] = []
    todo = list(failures)
    lock = threading.Lock()

    def work(number: int) -> None:
        with forking(recorder) as forks:
            with lock:
                lobby = FailingLobby(forks, folder / str(number), SEED + number)
            try:
                while todo and not wrong:
                    failure = todo.pop()
                    try:
                        failed[Case(lobby, failure).run()] += 1
                    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its failure
                        wrong.append(
                            f"MENTING_SEED={SEED}, {failure}, in {lobby.folder}: {type(error).__name__}: {error}"
                        )
                        return
                claims.append(lobby.claims)
                lobby.start_failing(None)
                wait_until_all_is_uploaded(lobby)
                truth.check_journal(lobby.journal)
                lobby.office.verify()
            finally:
                lobby.stop()

    with ThreadPoolExecutor(side_by_side) as pool:
        for done in [pool.submit(work, number) for number in range(side_by_side)]:
            done.result()
    print(
        f"seed {SEED}: {failed.total()} failures in visits, {sum(claims)} claims, {time.monotonic() - began:.0f} s: {dict(failed)}"
    )
    assert not wrong, "\n".join(wrong)
    assert failed.total() == len(failures)


@pytest.mark.timeout(300)
def test_an_agent_whose_disk_fails_promises_nothing_more_and_the_next_one_makes_it_good(
    recorder: Path, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    places = chance.sample(range(1, LAST + 1), 4)
    sweep(recorder, tmp_path, [Failure(at=at, errno=chance.choice(ERRORS), lasts=at % 2 == 1) for at in places], 1)


@pytest.mark.timeout(300)
def test_a_start_after_a_cut_whose_disk_fails_at_the_settlement_shows_no_number_that_is_not_on_it(
    recorder: Path, tmp_path: Path
) -> None:
    with forking(recorder) as forks:
        lobby = FailingLobby(forks, tmp_path / "lobby", SEED, pace=SPEED)
        try:
            _cut_in_a_payment(lobby)
            at = _write_that_settles(lobby, tmp_path / "state before the start")
            Case(lobby, Failure(at=at, errno=errno.EIO), faces=()).run()
            with JournalReader(lobby.journal) as reader:
                kinds = [entry.header.kind for entry in reader.entries(0, 1000)]
            starts = [n for n, kind in enumerate(kinds) if kind == "agent.started"]
            assert len(starts) == 3, f"the disk did not fail between the second start and its settlement: {kinds}"
            assert kinds.index("payment.partial") > starts[2]
        finally:
            lobby.stop()


def _cut_in_a_payment(lobby: FailingLobby) -> None:
    lobby.begin_record(lobby.folder / "visit")
    lobby.start_failing(None)
    payer = Robot(lobby.socket)
    try:
        to_the_slot(lobby, payer, more_than=500)
        insert(lobby, payer, 500)
        lobby.kill_agent()
    finally:
        payer.stop()


def _write_that_settles(lobby: FailingLobby, kept: Path) -> int:
    """Which of the writes that may fail it is: from a start without the office, which is undone again."""
    lobby.cable.do("unplug")
    shutil.copytree(lobby.state, kept, ignore=shutil.ignore_patterns("*.sock"))
    lobby.begin_record(lobby.folder / "rehearsal")
    agent = lobby.start_failing(None)
    payer = Robot(lobby.socket)
    try:
        payer.wait_for(views.TroubleView, timeout_s=60)
        lobby.kill_agent()
    finally:
        payer.stop()
    shutil.rmtree(lobby.state)
    shutil.copytree(kept, lobby.state)
    lobby.cable.do("plug")
    names: dict[int, str] = {}
    asked = 0
    for one in read(lobby.record):
        if one.kind is Kind.CREATE:
            names[one.inode] = one.name
        elif one.kind is Kind.RENAME:
            names |= {inode: one.other for inode, name in names.items() if name == one.name}
        may_fail = one.kind in (Kind.WRITE, Kind.TRUNCATE, Kind.SYNC) and one.pid == agent.process.pid
        asked += may_fail and "/journal.db" in (one.name or names.get(one.inode, ""))
        if may_fail and b"payment.partial" in one.data:
            return asked
    raise AssertionError("the interrupted payment was not settled")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_none_of_300_writes_and_syncs_of_an_agent_may_fail_unnoticed(recorder: Path, tmp_path: Path) -> None:
    sweep(
        recorder,
        tmp_path,
        [Failure(at=at, errno=errno.EIO, lasts=at % 3 == 0) for at in range(1, LAST + 1)],
        SIDE_BY_SIDE,
    )
