"""A newer program with the same tables wrote a kind or version that this one does not know, and then this one is installed again."""

from pathlib import Path

import pytest

from kiosk.domain.events import AgentStarted, AgentStopped
from kiosk.offline_queue import database, newer
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.journal_command import main
from kiosk.offline_queue.self_check import self_check
from tests.offline_queue.journals import pay, tamper, write_newer

GOLDEN = Path(__file__).parent.parent / "golden" / "events"
VERSION = "1.0"
OURS = AgentStarted(software=VERSION, sqlite="3", clean=True)
NEWER = AgentStarted(software="99.0", sqlite="3", clean=True)
UNKNOWN = [("collection.counted", 1), ("note.credited", 2), ("checkpoint", 2), ("key.rolled", 2), ("agent.started", 2)]


@pytest.mark.parametrize("ending", ["clean", "killed", "doubted"])
@pytest.mark.parametrize(("kind", "v"), UNKNOWN)
def test_it_is_refused_in_words_and_left_as_it_is(journal, path, clock, kind, v, ending):
    journal.append(OURS)
    pay(journal, "p-1")
    seq = write_newer(journal, kind, v)
    if ending == "clean":
        journal.append(AgentStopped())
    elif ending == "doubted":
        database.doubt(path, "a test")
    journal.close()
    before = path.read_bytes()
    with pytest.raises(JournalUnusable) as refused:
        Journal.open(path, clock, software=VERSION)
    assert refused.value.code == "journal.unwritable"
    words = f"entry {seq} was written by a newer program ({kind}, v{v}); install that program again"
    assert words in refused.value.detail
    assert path.read_bytes() == before


def test_it_is_found_however_much_was_written_since(journal, path, clock, monkeypatch):
    monkeypatch.setattr(newer, "NEWEST", 5)
    journal.append(OURS, NEWER)
    seq = write_newer(journal, "collection.counted")
    for number in range(3):
        pay(journal, f"p-{number}")
    journal.append(AgentStopped())
    journal.close()
    with pytest.raises(JournalUnusable, match=f"entry {seq} was written by a newer program"):
        Journal.open(path, clock, software=VERSION)


def test_what_this_very_program_wrote_is_not_all_read_again_at_each_start(journal, path, clock, monkeypatch):
    """A start of this program was written only after all before it was found known."""
    monkeypatch.setattr(newer, "NEWEST", 5)
    write_newer(journal, "collection.counted")
    journal.append(OURS)
    pay(journal, "p-1")
    journal.append(AgentStopped())
    journal.close()
    Journal.open(path, clock, software=VERSION).close()


def test_every_kind_and_version_that_was_ever_released_is_known(journal, path):
    released = sorted(GOLDEN.glob("*.json"))
    for file in released:
        kind, _, v = file.stem.rpartition(".v")
        write_newer(journal, kind, int(v), file.read_bytes())
    assert journal.head_seq == 1 + len(released) >= 27
    newer.check_known(journal._db, path)


def test_a_kind_that_the_disk_changed_is_damage_and_no_newer_program(journal, path, clock):
    pay(journal, "p-1")
    journal.append(AgentStopped())
    journal.close()
    tamper(path, "UPDATE event SET kind = CAST(x'6eff' AS TEXT) WHERE seq = 3")
    with pytest.raises(JournalUnusable, match="entry 3: changed") as refused:
        Journal.open(path, clock, software=VERSION)
    assert refused.value.code == "journal.damaged"


@pytest.mark.parametrize(("kind", "v"), UNKNOWN)
def test_the_self_check_says_so_and_calls_nothing_damaged(journal, path, capsys, kind, v):
    pay(journal, "p-1")
    seq = write_newer(journal, kind, v)
    journal.close()
    with pytest.raises(JournalUnusable, match=f"entry {seq} was written by a newer program"):
        self_check(path)
    assert main(["self-check", "--journal", str(path)]) == 1
    said = capsys.readouterr()
    assert f"({kind}, v{v}); install that program again" in said.err
    assert not said.out
