"""Several lobbies at once, each in its own thread and folder, with one tally; a failure names seed, lobby and round."""

import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

SEED = int(os.environ.get("MENTING_SEED", "20261125"))

Begins = Callable[[int], None]  # told the number of each round, a visit or a kill, for the report of a failure
Share = Callable[[Path, int, Counter[str], Begins], None]  # folder, seed, tally, begins


def run_side_by_side(tmp_path: Path, lobbies: int, share: Share) -> Counter[str]:
    """Run ``share`` once per lobby, print what all of them did, and return it.

    Raises:
        AssertionError: one of them failed.
    """
    did: Counter[str] = Counter()
    failures: list[str] = []

    def run(number: int) -> None:
        folder, seed, rounds = tmp_path / str(number), SEED + number, [0]
        folder.mkdir()
        own: Counter[str] = Counter()
        try:
            share(folder, seed, own, rounds.append)
        except Exception as error:  # noqa: BLE001 - a thread can't fail a test: reported below
            where = "".join(traceback.format_exception(error)[-3:])
            failures.append(f"MENTING_SEED={SEED} lobby seed {seed}, round {rounds[-1]}, in {folder}: {where}")
        did.update(own)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(lobbies)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ", ".join(f"{what}: {count}" for what, count in sorted(did.items()))
    print(f"\nseeds {SEED}..{SEED + lobbies - 1}, {time.monotonic() - began:.0f} s: {counts}")
    assert not failures, "\n".join(failures)
    return did
