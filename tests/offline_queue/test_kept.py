"""What an old journal left in a new one's place never gets into it, and is kept."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.offline_queue import kept
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.offline_queue.journals import genesis, pay


@pytest.mark.parametrize("payments", [2, 30])
def test_a_new_journal_beside_the_wal_of_one_that_is_gone_is_its_own(tmp_path: Path, payments: int) -> None:
    """Somebody or a file system's repair took journal.db away; SQLite would have played the old pages into the new file."""
    place = tmp_path / "state" / "journal.db"
    place.parent.mkdir()
    with closing(Journal.create(tmp_path / "old.db", SystemClock(), genesis())) as old:
        for number in range(payments):
            pay(old, f"p-{number}")
        left = shutil.copy(tmp_path / "old.db-wal", place.with_name("journal.db-wal")).read_bytes()
    for _ in range(2):
        Journal.create(place, SystemClock(), genesis()).close() if not place.exists() else None
        with closing(Journal.open(place, SystemClock())) as journal:
            assert (journal.head_seq, journal.next_receipt_number()) == (1, 1)
            assert journal.journal_id != old.journal_id
    with JournalReader(place) as reader:
        assert verify(reader.db) is None
    assert (place.parent / kept.FOLDER / "1" / "journal.db-wal").read_bytes() == left


def test_a_journal_in_place_keeps_its_wal_when_somebody_begins_another(tmp_path: Path) -> None:
    place = tmp_path / "journal.db"
    with closing(Journal.create(place, SystemClock(), genesis())) as journal:
        pay(journal, "p-1")
        before = [path.read_bytes() for path in (place, tmp_path / "journal.db-wal")]
        with pytest.raises(JournalUnusable, match="there is a journal already"):
            Journal.create(place, SystemClock(), genesis())
        assert [path.read_bytes() for path in (place, tmp_path / "journal.db-wal")] == before
    assert not (tmp_path / kept.FOLDER).exists()
