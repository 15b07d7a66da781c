"""The money commit against the physical limit: appending 4 KiB to a file and syncing it, in alternating blocks."""

import os
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, median, percentile
from kiosk.clock import SystemClock
from kiosk.domain.events import JournalGenesis, NoteAcceptIntent, NoteCredited, NoteEscrow, PaymentOpened
from kiosk.offline_queue.journal import Journal

BLOCKS = 100
PER_BLOCK = 100
RAW = bytes(4096)
FACE = 100


def measure() -> list[Figure]:
    """Rates per block, and the ratio of neighbouring blocks."""
    # The file system of the working directory, as a kiosk's state is: /tmp may be memory.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Figure]:
    journal = Journal.create(
        folder / "journal.db",
        SystemClock(),
        JournalGenesis(kiosk_id="bench", kiosk_code="BENCH", public_key="", software="bench"),
    )
    payment = "bench-payment"
    journal.append(PaymentOpened(payment_id=payment, unit_id="unit", bills=(), due_fen=10**9))
    raw = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    raw_times: list[float] = []
    commit_times: list[float] = []
    ratios: list[float] = []
    try:
        for _ in range(BLOCKS):
            raw_block = [_timed(lambda: (os.write(raw, RAW), os.fsync(raw))) for _ in range(PER_BLOCK)]
            commit_block = _block_of_credits(journal, payment)
            raw_times += raw_block
            commit_times += commit_block
            ratios.append(sum(raw_block) / sum(commit_block))
    finally:
        os.close(raw)
        journal.close()
    return [
        Figure(
            name="money commit (note.credited, WAL FULL)",
            value=median(ratios),
            unit="of the raw rate",
            goal=0.75,
            better="higher",
            how=f"median of {BLOCKS} ratios of neighbouring blocks of {PER_BLOCK}",
        ),
        Figure(
            name="money commit p99",
            value=percentile(commit_times, 99) * 1000,
            unit="ms",
            beside=percentile(raw_times, 99) * 1000,
            beside_name="raw append + fsync",
            goal=4,
        ),
        Figure(
            name=f"money commit, worst of {len(commit_times):,}",
            value=max(commit_times) * 1000,
            unit="ms",
            beside=max(raw_times) * 1000,
            beside_name="worst raw append + fsync",
            how="which of the two meets the disk's worst moment is chance; blocks alternate, so both are at it as long",
        ),
    ]


def _block_of_credits(journal: Journal, payment: str) -> list[float]:
    """Each credit's commit is timed; the intent before it is not, so the figure is one commit and nothing else."""
    times = []
    for _ in range(PER_BLOCK):
        note = {"payment_id": payment, "note_no": journal.next_note_no(), "face_fen": FACE, "acceptor_serial": "bench"}
        journal.append(NoteEscrow(**note), NoteAcceptIntent(**note, protocol="ssp", channel=1))
        times.append(_timed(lambda note=note: journal.append(NoteCredited(**note))))
    return times


def _timed(work) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
