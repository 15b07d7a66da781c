"""A real writer, killed by SIGKILL at random moments: what it said was written is there, without a gap."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.offline_queue import projections
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.offline_queue.journals import genesis

ROOT = Path(__file__).parents[2]
WRITER = [sys.executable, "-m", "tests.offline_queue.writer_process"]
SEED = int(os.environ.get("MENTING_SEED", "20261125"))


def run_and_kill(path: Path, after_s: float) -> int:
    """The last entry the writer acknowledged before it was killed."""
    with subprocess.Popen(
        [*WRITER, path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writer:
        said = writer.stdout.readline()
        assert said.startswith("ready"), writer.stderr.read()
        acknowledged = int(said.split()[1])
        time.sleep(after_s)  # the random instant itself, not a wait for something
        writer.kill()
        lines = writer.stdout.read().splitlines(keepends=True)
        wrong = writer.stderr.read()
    assert writer.returncode == -signal.SIGKILL, f"it ended by itself:\n{wrong}"
    whole = [int(line) for line in lines if line.endswith("\n")]
    return whole[-1] if whole else acknowledged


def killed_again_and_again(path: Path, kills: int, seed: int) -> int:
    """Kill after kill on one file, every promise checked after each; how many commits outlived their acknowledgement."""
    rng = random.Random(seed)
    unacknowledged = wrote = 0
    before_it = 1  # the genesis
    for kill in range(kills):
        acknowledged = run_and_kill(path, rng.uniform(0.0, 0.05))
        with JournalReader(path) as reader:
            head_seq, _ = reader.head()
            assert verify(reader.db) is None, (seed, kill)
            assert head_seq >= acknowledged, (seed, kill)
            assert [entry.seq for entry in reader.entries(0, 10**6)] == list(range(1, head_seq + 1)), (seed, kill)
        unacknowledged += head_seq - acknowledged
        wrote += head_seq > before_it
        before_it = head_seq
        with closing(Journal.open(path, SystemClock())) as journal:
            before = projections.dump(journal._db)
            journal.rebuild_projections()
            assert projections.dump(journal._db) == before, (seed, kill)
    assert wrote >= kills // 4, f"only {wrote} of {kills} writers came to write"
    return unacknowledged


def test_no_acknowledged_entry_is_lost_to_a_kill(path):
    Journal.create(path, SystemClock(), genesis()).close()
    unacknowledged = killed_again_and_again(path, kills=12, seed=SEED)
    print(f"seed {SEED}: 12 kills, {unacknowledged} commits outlived one before they were acknowledged")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_acknowledged_entry_is_lost_to_two_hundred_kills(path):
    Journal.create(path, SystemClock(), genesis()).close()
    unacknowledged = killed_again_and_again(path, kills=200, seed=SEED)
    print(f"seed {SEED}: 200 kills, {unacknowledged} commits outlived one before they were acknowledged")
    assert unacknowledged >= 10, "the window between commit and acknowledgement was hardly ever hit"
