"""A roll of the key and a replacement of the journal, cut at every operation: a usable identity, and every entry in its place or aside."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from kiosk import replace_journal
from kiosk.clock import SystemClock
from kiosk.domain.http_signature import key_pin, public_text, raw_public
from kiosk.office_client import pairing
from kiosk.office_client.identity import Identity
from kiosk.offline_queue import kept
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.verify import verify
from tests.offline_queue.journals import KIOSK_KEY, genesis, pay
from tests.offline_queue.loopback_office import OFFICE_KEY, LoopbackOffice
from tests.power_cut.cuts import SEED, Cut, gather, images
from tests.power_cut.images import Model
from tests.power_cut.operations import Recording, standing

ROOT = Path(__file__).parents[2]
CODE = "ABCD2345" + key_pin(raw_public(OFFICE_KEY))
Entries = list[tuple[int, bytes]]


class Renewal:
    """A kiosk killed with entries in its WAL, and one command on its disk, recorded."""

    def __init__(self, recorder: Path, folder: Path, *command: str) -> None:
        self.disk = folder / "disk"
        self._leave_a_kiosk(folder / "made")
        record = folder / "record"
        record.write_bytes(standing(self.disk))
        recording = Recording(recorder, record, self.disk)
        self.begins = len(recording.operations())
        with LoopbackOffice(KIOSK_KEY) as office:
            settings = folder / "kiosk.toml"
            settings.write_text(
                f'[kiosk]\nstate_dir = "{self.disk}"\ndisk_margin_mb = 8\n[office]\nurl = "{office.url}"\n'
            )
            with recording.preloaded():
                arguments = [sys.executable, "-m", "kiosk", *command, "--config", str(settings), "--code", CODE]
                done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
        recording.close()
        self.operations = recording.operations()

    def _leave_a_kiosk(self, made: Path) -> None:
        with closing(Journal.create(made / "journal.db", SystemClock(), genesis())) as journal:
            pay(journal, "p-1")
            self.entries = entries(made / "journal.db")
            who = Identity(
                kiosk_id="k-1", kiosk_code="YG01", project_code="YG", key=KIOSK_KEY, office_key=OFFICE_KEY.public_key()
            )
            who.save(made / "identity.json")
            self.disk.mkdir()
            for name in ("journal.db", "journal.db-wal", "identity.json"):
                shutil.copy(made / name, self.disk / name)  # the writer still has it open: as after a kill

    def cut_everywhere(self, check) -> int:
        cuts = list(range(self.begins, len(self.operations) + 1))
        wrong = gather(images(self.operations, cuts, self.disk), check)
        print(f"seed {SEED}: {len(cuts)} cuts x {len(Model)} models, {len(wrong)} findings")
        assert not wrong, "\n".join(wrong)
        return len(cuts)


def entries(path: Path) -> Entries:
    with JournalReader(path) as reader:
        assert verify(reader.db) is None
        return [(entry.seq, entry.hash) for entry in reader.entries(0, 10**6)]


def usable(folder: Path) -> Identity:
    """An identity that speaks for the journal beside it, once the agent has written down what happened to its key."""
    identity = Identity.load(folder / "identity.json")
    with closing(Journal.open(folder / "journal.db", SystemClock())) as journal:
        journal.follow(identity.rolls)
        journal.checkpoint(identity.key.sign)
    with JournalReader(folder / "journal.db") as reader:
        assert verify(reader.db) is None
        assert reader.signing_key() == public_text(identity.key)
    return identity


def test_a_roll_of_the_key_cut_anywhere_leaves_one_of_both_keys(recorder: Path, tmp_path: Path) -> None:
    renewal = Renewal(recorder, tmp_path, "pair")
    keys = set()

    def check(cut: Cut) -> None:
        keys.add(raw_public(usable(cut.folder).key))
        assert entries(cut.folder / "journal.db")[: len(renewal.entries)] == renewal.entries

    assert renewal.cut_everywhere(check) >= 5
    assert len(keys) == 2, "some cuts fell before, some after"
    assert raw_public(KIOSK_KEY) in keys


def begin_again(folder: Path, command: Callable[[list[str]], int]) -> None:
    """What a person does where the power went between the old journal's leaving and the new one's coming."""
    with LoopbackOffice(Identity.load(folder / "identity.json").key) as office:
        settings = folder / "kiosk.toml"
        settings.write_text(f'[kiosk]\nstate_dir = "{folder}"\ndisk_margin_mb = 8\n[office]\nurl = "{office.url}"\n')
        assert command(["--config", str(settings), "--code", CODE]) == 0
        if command is replace_journal.main:
            assert office.stored(), "what was kept is sent, should it not be there yet"


def test_a_replacement_cut_anywhere_loses_no_entry(recorder: Path, tmp_path: Path) -> None:
    """In place are the whole old journal, the new one, or none; and then there is one again, after the old one's receipts."""
    renewal = Renewal(recorder, tmp_path, "journal", "replace")
    states, ways = set(), itertools.cycle([replace_journal.main, pairing.main])

    def check(cut: Cut) -> None:
        place = cut.folder / "journal.db"
        held = entries(place) if place.exists() else []
        if not held:
            states.add("none")
            begin_again(cut.folder, next(ways))
            assert entries(place)[0] != renewal.entries[0]
        elif held[0] == renewal.entries[0]:
            states.add("old")
            assert held == renewal.entries, "in place without its end"
        else:
            states.add("new")
        aside = [entries(path) for path in sorted((cut.folder / kept.FOLDER).glob("*/journal.db"))]
        assert renewal.entries in [*aside, held], "the old entries are nowhere"
        usable(cut.folder)
        with closing(Journal.open(place, SystemClock())) as journal:
            assert journal.next_receipt_number() == 2

    assert renewal.cut_everywhere(check) >= 20
    assert states == {"old", "none", "new"}


def test_the_tester_notices_a_replacement_that_keeps_nothing_aside(recorder: Path, tmp_path: Path) -> None:
    renewal = Renewal(recorder, tmp_path, "journal", "replace")

    def check(cut: Cut) -> None:
        shutil.rmtree(cut.folder / kept.FOLDER, ignore_errors=True)
        assert renewal.entries == entries(cut.folder / "journal.db")

    last = len(renewal.operations)
    assert gather(images(renewal.operations, [last], renewal.disk), check)
    assert list((renewal.disk / kept.FOLDER).iterdir())
