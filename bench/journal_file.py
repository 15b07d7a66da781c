"""What the journal asks of the disk for a note, and what a long one costs at a start and in an audit.

Syncs and bytes are those that a recorder saw the process ask for, in a process of its own: ``python -m bench.journal_file FILE``.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kiosk
from bench import long_journal
from bench.figures import Figure, median
from kiosk.clock import SystemClock
from kiosk.domain.events import (
    AgentStarted,
    AgentStopped,
    JournalGenesis,
    NoteAcceptIntent,
    NoteCredited,
    NoteEscrow,
    PaymentOpened,
)
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.power_cut.operations import Kind, Recording, compile_recorder, mark

NOTES = 2_000
ENTRIES = int(os.environ.get("MENTING_BENCH_ENTRIES", "100000"))
OPENINGS = 5
COMMIT = "credited"


def measure() -> list[Figure]:
    # The file system of the working directory, as a kiosk's state is: /tmp may be memory.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        return [*_what_a_note_asks(Path(folder)), *_what_a_long_one_costs(Path(folder))]


def _what_a_note_asks(folder: Path) -> list[Figure]:
    disk = folder / "disk"
    disk.mkdir()
    recording = Recording(compile_recorder(folder), folder / "record", disk)
    with recording.preloaded():
        command = [sys.executable, "-m", "bench.journal_file", str(disk / "journal.db")]
        subprocess.run(command, check=True)
    recording.close()
    syncs = written = 0
    of_commits = [0, 0]
    for one in recording.operations():
        if one.kind is Kind.WRITE:
            written += len(one.data)
        elif one.kind in (Kind.SYNC, Kind.SYNC_DIRECTORY):
            syncs += 1
        elif one.kind is Kind.MARK:
            if one.data == COMMIT.encode():
                of_commits = [of_commits[0] + syncs, of_commits[1] + written]
            syncs = written = 0
    how = f"mean of {NOTES:,}, folding the WAL included"
    return [
        Figure(name="syncs of a money commit", value=of_commits[0] / NOTES, unit="", goal=1.05, how=how),
        Figure(name="written by a money commit", value=of_commits[1] / NOTES / 1000, unit="kB", goal=20, how=how),
    ]


def _what_a_long_one_costs(folder: Path) -> list[Figure]:
    path = folder / "long.db"
    journal = _new(path)
    journal.append(AgentStarted(software=kiosk.__version__, sqlite=sqlite3.sqlite_version, clean=True))
    long_journal.fill(journal, ["unit"], ENTRIES)
    journal.append(AgentStopped())
    journal.close()
    opened_s = median([_timed(lambda: _open(path).close()) for _ in range(OPENINGS)])
    with JournalReader(path) as reader:
        verified_s = median([_timed(lambda: verify(reader.db)) for _ in range(3)])
    return [
        Figure(name=f"open a journal with {ENTRIES:,} unsent entries", value=opened_s * 1000, unit="ms", goal=50),
        Figure(name=f"verify {ENTRIES:,} entries", value=verified_s, unit="s", goal=2),
    ]


def _new(path: Path) -> Journal:
    genesis = JournalGenesis(kiosk_id="bench", kiosk_code="BENCH", public_key="", software="bench")
    return Journal.create(path, SystemClock(), genesis)


def _open(path: Path) -> Journal:
    return Journal.open(path, SystemClock(), software=kiosk.__version__)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(path: Path) -> None:
    """Keep notes as a kiosk does, one commit for each step, and mark when each is over."""
    journal = _new(path)
    journal.append(PaymentOpened(payment_id="bench-payment", unit_id="unit", bills=(), due_fen=10**9))
    record = os.open(os.environ["POWER_CUT_RECORD"], os.O_WRONLY | os.O_APPEND)
    for number in range(1, NOTES + 1):
        note = {"payment_id": "bench-payment", "note_no": number, "face_fen": 100, "acceptor_serial": "bench"}
        journal.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
        os.write(record, mark("intended"))
        journal.append(NoteCredited(**note))
        os.write(record, mark(COMMIT))
    journal.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
