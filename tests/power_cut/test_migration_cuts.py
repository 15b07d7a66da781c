"""A migration cut anywhere leaves the old journal or the new one, with every entry, and the next start can migrate it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from kiosk.offline_queue import migrations
from kiosk.offline_queue.verify import verify
from tests.power_cut.cuts import SEED, Cut, gather, images
from tests.power_cut.images import Model, check_replay
from tests.power_cut.migration import STEPS
from tests.power_cut.operations import Recording

ROOT = Path(__file__).parents[2]
PAYMENTS = 6


def test_a_migration_cut_anywhere_leaves_a_whole_journal(recorder: Path, tmp_path: Path) -> None:
    under = tmp_path / "disk"
    under.mkdir()
    recording = Recording(recorder, tmp_path / "record", under)
    command = [sys.executable, "-m", "tests.power_cut.migration", str(under / "journal.db"), str(PAYMENTS)]
    with recording.preloaded():
        subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    recording.close()
    operations = recording.operations()
    check_replay(operations, under)
    marks = {one.data: number for number, one in enumerate(operations, start=1)}
    whole = _entries(under / "journal.db")

    def check(cut: Cut) -> None:
        path = cut.folder / "journal.db"
        before = _version(path)
        assert before in (len(STEPS) - 1, len(STEPS))
        assert before == len(STEPS) or cut.after < marks[b"migrated"], "migrate() had returned"
        assert _entries(path) == whole
        assert migrations.migrate(path, STEPS) == (before < len(STEPS))
        assert _version(path) == len(STEPS)
        assert _entries(path) == whole

    cuts = list(range(marks[b"written"], len(operations) + 1))
    wrong = gather(images(operations, cuts, under), check)
    print(f"seed {SEED}: {len(cuts)} cuts x {len(Model)} models while migrating, {len(wrong)} findings")
    assert not wrong, "\n".join(wrong)


def _entries(path: Path) -> list[tuple[int, bytes]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert verify(db) is None
        return db.execute("SELECT seq, hash FROM event ORDER BY seq").fetchall()


def _version(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
