"""Journals of every table version ever released, as SQL text: opened by this program, delivered to the office byte for byte.

A file in tests/golden/journals never changes once released. A new version of the tables gets one of its own:
``python -m tests.offline_queue.test_released_journals`` writes those that are missing.
"""

import hashlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from kiosk.clock import SystemClock
from kiosk.domain import events
from kiosk.domain.http_signature import public_text
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.pairing import exchange
from kiosk.offline_queue import database, projections
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.self_check import self_check
from kiosk.offline_queue.sync import Sync
from tests.end_to_end.parts import Office
from tests.offline_queue import journals
from tests.offline_queue.journals import KIOSK_KEY, SERIAL, SetClock
from tests.offline_queue.paired_box import TIMING

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "journals"
RELEASED = sorted(GOLDEN.glob("v*.sql"))
KIOSK_ID = "9d0f7c52-44a1-4e0b-8b7e-1f2a3b4c5d6e"
PAGE_SIZE_THEN = {1: 4096}


def load(golden: Path, path: Path) -> int:
    """Make the file that the program of that time left behind; its table version."""
    version = int(golden.stem.removeprefix("v"))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE_THEN.get(version, database.PAGE_SIZE)}")
        db.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        db.executescript(golden.read_text(encoding="utf-8"))
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("PRAGMA journal_mode = wal")
    return version


def stored(path: Path) -> list[tuple[int, bytes, bytes]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT seq, body, hash FROM event ORDER BY seq").fetchall()


def test_every_version_of_the_tables_has_its_journal():
    assert [golden.stem for golden in RELEASED] == [f"v{number}" for number in range(1, database.VERSION + 1)]


@pytest.mark.parametrize("golden", RELEASED, ids=lambda golden: golden.stem)
@pytest.mark.timeout(120)
def test_a_released_journal_is_opened_written_on_and_delivered_byte_for_byte(golden, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    path = state / "journal.db"
    load(golden, path)
    written = stored(path)
    clock = SystemClock()
    journal = Journal.open(path, clock)
    assert stored(path) == written
    assert self_check(path).wrong == ""
    before = projections.dump(journal._db)
    journal.rebuild_projections()
    assert projections.dump(journal._db) == before
    journal.append(events.AgentStarted(software="now", sqlite="", clean=True))
    journal.checkpoint(KIOSK_KEY.sign)
    office = Office(tmp_path)
    try:
        deliver(office, path, journal)
    finally:
        office.stop()
        journal.close()
    held = office.rows(
        "SELECT seq, body, hash FROM kiosks_rawevent WHERE journal_id = "
        "(SELECT id FROM kiosks_journal WHERE kiosk_id = ?) ORDER BY seq",
        KIOSK_ID.replace("-", ""),
    )
    assert [(seq, bytes(body), bytes(digest)) for seq, body, digest in held] == stored(path)
    assert stored(path)[: len(written)] == written
    office.verify()


def deliver(office: Office, path: Path, journal: Journal) -> None:
    """The kiosk of the golden journal is paired with this office, under its own key and name."""
    identity = exchange(office.url, office.pairing_code(), "now").identity
    key = KIOSK_KEY.public_key().public_bytes_raw()
    with closing(sqlite3.connect(office.file, timeout=20)) as db:
        (was,) = db.execute("SELECT id FROM kiosks_kiosk WHERE code = ?", (identity.kiosk_code,)).fetchone()
        now = KIOSK_ID.replace("-", "")
        db.execute("UPDATE kiosks_kiosk SET code = 'YG98' WHERE code = 'YG01'")  # the demo's own
        db.execute(
            "UPDATE kiosks_kiosk SET id = ?, code = 'YG01', public_key = ?, key_id = ? WHERE id = ?",
            (now, public_text(KIOSK_KEY), hashlib.sha256(key).hexdigest(), was),
        )
        db.execute("UPDATE kiosks_pairingcode SET kiosk_id = ? WHERE kiosk_id = ?", (now, was))
        db.commit()
    own = msgspec.structs.replace(identity, kiosk_id=KIOSK_ID, kiosk_code="YG01", key=KIOSK_KEY)
    heard, clock = threading.Event(), SystemClock()
    cache = Cache(path.with_name("cache.db"), clock)
    sync = Sync(
        OfficeClient(office.url, own, clock),
        path,
        cache,
        clock,
        lambda event: heard.set() if getattr(event, "ack_seq", 0) == journal.head_seq else None,
        software="now",
        timing=TIMING,
        rng=random.Random(1),
    )
    sync.start()
    try:
        assert heard.wait(60), f"not delivered; the link is {sync.link}"
    finally:
        sync.stop()
        cache.close()


def test_an_older_program_refuses_a_newer_journal_in_words_and_leaves_every_byte(tmp_path):
    path = tmp_path / "journal.db"
    load(RELEASED[-1], path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {database.VERSION + 1}")
    Path(f"{path}-wal").write_bytes(b"left by a kill" * 100)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for command in ("verify", "export", "show", "self-check"):
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", "journal", command, "--journal", str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "written by a newer program" in done.stderr
        assert "install that program again" in done.stderr
    with pytest.raises(database.JournalUnusable, match="newer program"):
        Journal.open(path, SetClock())
    index = tmp_path / "journal.db-shm"  # of the WAL: any reader makes it, and the next one makes it anew
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file != index} == before


def write_life(journal: Journal) -> None:
    """A day with every kind of event that the journal's own tables know, and some they do not."""
    journal.append(events.AgentStarted(software="0.1.0", sqlite="3.40.1", clean=True))
    journal.append(events.AcceptorCounted(acceptor_serial=SERIAL, stacked=0, rejected=0))
    journals.pay(journal, "p-1")
    journal.append(events.ReceiptPrinted(payment_id="p-1", receipt_no="YG01-000001"))
    journal.append(journals.opened("p-2"), journals.escrow(2, 2000, "p-2"), journals.returned(2, 2000, "p-2"))
    journal.append(events.PaymentCancelled(payment_id="p-2", reason="payer"))
    journal.append(journals.opened("p-3"), journals.escrow(3, 5000, "p-3"), journals.intent(3, 5000, "p-3"))
    journal.append(journals.credited(3, 5000, "p-3"), journals.escrow(4, 1000, "p-3"), journals.intent(4, 1000, "p-3"))
    journal.append(journals.unknown(4, 1000, "p-3"))
    journal.append(journals.partial(payment_id="p-3", number=2, received_fen=5000))
    journal.append(events.ReceiptDeclined(payment_id="p-3", receipt_no="YG01-000002"))
    journal.append(events.DeviceFault(device="bill_acceptor", code="acceptor.jam_safe", detail="E8"))
    journal.append(events.CashboxRemoved(acceptor_serial=SERIAL), events.CashboxReplaced(acceptor_serial=SERIAL))
    journal.append(events.ClockStepped(by_ms=-3_600_000), events.ScreenRestarted(reason="silent"))
    journal.checkpoint(KIOSK_KEY.sign)
    journal.append(events.AgentStopped())


if __name__ == "__main__":
    file = GOLDEN / f"v{database.VERSION}.sql"
    if not file.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = Journal.create(Path(folder) / "journal.db", SetClock(), journals.genesis(kiosk_id=KIOSK_ID))
            write_life(made)
            made.close()
            with JournalReader(made.path) as reader:
                file.write_text("\n".join(reader.db.iterdump()) + "\n", encoding="utf-8")
        print(f"wrote {file}")
