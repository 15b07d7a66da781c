"""Before a journal is replaced, all that the office still takes of it is there: no lost answer and no busy minute costs a household its payment."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import replace_journal
from kiosk.clock import SystemClock
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.identity import Identity
from kiosk.offline_queue import kept
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.last_upload import LastUpload, NotDelivered
from kiosk.offline_queue.reader import JournalReader
from tests.office.running_office import running_office
from tests.offline_queue.journals import KIOSK_KEY, genesis, pay
from tests.offline_queue.loopback_office import LoopbackOffice, Refuse
from tests.offline_queue.paired_box import PairedBox, paired
from tests.offline_queue.test_histories import alarms, held
from tests.offline_queue.test_renewal import replace
from tests.power_cut.test_renewal_cuts import CODE, OFFICE_KEY

AT_ONCE = Timing(backoff_base_s=0, backoff_cap_s=0)
PAYMENTS = 3


@pytest.fixture
def office() -> Iterator[LoopbackOffice]:
    with LoopbackOffice(KIOSK_KEY) as running:
        yield running


@pytest.fixture
def who() -> Identity:
    return Identity(
        kiosk_id="k-1", kiosk_code="YG01", project_code="YG", key=KIOSK_KEY, office_key=OFFICE_KEY.public_key()
    )


@pytest.fixture
def state(tmp_path: Path, office: LoopbackOffice, who: Identity) -> Path:
    """A stopped kiosk with payments that wait for the office."""
    who.save(tmp_path / "kiosk" / "identity.json")
    (tmp_path / "kiosk.toml").write_text(f'[kiosk]\nstate_dir = "kiosk"\n[office]\nurl = "{office.url}"\n')
    with closing(Journal.create(tmp_path / "kiosk" / "journal.db", SystemClock(), genesis())) as journal:
        for number in range(PAYMENTS):
            pay(journal, f"p-{number}")
    return tmp_path / "kiosk"


def command(state: Path, *more: str) -> int:
    return replace_journal.main(["--config", str(state.parent / "kiosk.toml"), "--code", CODE, *more])


def settled(office: LoopbackOffice) -> int:
    return sum(event["kind"] == "payment.settled" for event in office.stored())


def upload(office: LoopbackOffice, state: Path, who: Identity, patience_s: float) -> int:
    with closing(OfficeClient(office.url, who, SystemClock())) as client, JournalReader(state / "journal.db") as reader:
        last = LastUpload(client, reader, SystemClock(), patience_s, AT_ONCE)
        last.run()
        return last.sent


@pytest.mark.parametrize("mood", ["drop", "lose_answer", "html", "e500", "broken_off"])
def test_a_lost_answer_costs_no_payment_its_place(office: LoopbackOffice, state: Path, mood: str) -> None:
    office.moods.extend(["", mood])  # the question is answered, the entries are not
    assert command(state) == 0
    assert settled(office) == PAYMENTS


def test_an_office_that_is_busy_for_a_while_gets_all(office: LoopbackOffice, state: Path, who: Identity) -> None:
    busy = [Refuse(503, "busy"), Refuse(429, "rate_limited"), Refuse(500, "internal")]
    office.moods.extend(busy * 4)
    assert upload(office, state, who, patience_s=60) == len(office.stored())
    assert settled(office) == PAYMENTS


@pytest.mark.parametrize("mood", ["drop", "busy", Refuse(401, "signature_invalid", retry="after_fix")])
def test_an_office_that_takes_nothing_now_leaves_the_journal_as_it_is(
    office: LoopbackOffice, state: Path, mood: object, capsys
) -> None:
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    office.moods.extend([mood] * 1000)
    assert command(state, "--wait", "1") == 1
    told = capsys.readouterr().err
    assert "try again, nothing was changed; --leave-unsent goes on" in told
    after = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before
    assert not (state / kept.FOLDER).exists()
    assert office.token, "nothing was exchanged"
    office.moods.clear()
    assert command(state) == 0
    assert settled(office) == PAYMENTS


def test_a_person_may_insist_on_leaving_entries_behind(office: LoopbackOffice, state: Path, capsys) -> None:
    with JournalReader(state / "journal.db") as reader:
        waiting = reader.head()[0]
    office.moods.append(Refuse(404, "not_found", retry="never"))
    assert command(state, "--leave-unsent") == 0
    assert f"{waiting} of its entries are not at the office" in capsys.readouterr().out
    assert settled(office) == 0


@pytest.mark.parametrize("code", ["fork", "revoked", "key_unknown"])
def test_an_office_that_will_never_take_them_is_not_waited_for(
    office: LoopbackOffice, state: Path, code: str, capsys
) -> None:
    office.moods.extend([Refuse(409 if code == "fork" else 403, code, retry="never")] * (10 if code == "fork" else 1))
    assert command(state) == 0
    assert not office.moods
    assert code in capsys.readouterr().err


def test_a_journal_that_another_program_can_read_is_not_replaced(office: LoopbackOffice, state: Path, capsys) -> None:
    """Nothing of it can be sent by this one, and all of it by the newer one."""
    with closing(sqlite3.connect(state / "journal.db")) as db:
        db.execute("PRAGMA user_version = 99")
    assert command(state) == 1
    assert "install that program again" in capsys.readouterr().err
    assert office.token, "nothing was exchanged"
    assert command(state, "--leave-unsent") == 0
    assert settled(office) == 0


def test_a_gap_that_leads_nowhere_ends(office: LoopbackOffice, state: Path, who: Identity) -> None:
    office.moods.extend(["", *[Refuse(409, "gap", expected_seq=99, retry="after_fix")] * 50])
    with pytest.raises(NotDelivered):
        upload(office, state, who, patience_s=60)
    assert len(office.moods) > 40


def test_an_office_restored_from_a_backup_gets_again_what_it_lost_before_the_journal_is_replaced(
    tmp_path: Path, capsys
) -> None:
    with running_office(tmp_path / "office") as office:
        state = tmp_path / "kiosk"
        paired(office.url, office.pairing_code(), state)
        (tmp_path / "kiosk.toml").write_text(f'[kiosk]\nstate_dir = "kiosk"\n[office]\nurl = "{office.url}"\n')
        box = PairedBox(state, office.url)
        box.pay()
        box.drain()
        with closing(sqlite3.connect(office.path)) as db, closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
            db.backup(backup)
        for _ in range(2):
            box.pay()
        box.drain()
        head, code = box.journal.head_seq, box.journal.kiosk_code
        box.close()
        address = office.address
        office.stop()
        for beside in ("", "-wal", "-shm"):
            Path(f"{office.path}{beside}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "backup.db", office.path)
        office.start(address)
        assert len(office.payments(code)) == 1
        assert replace(office, state, capsys)["unsent"] == 0
        assert [seq for seq, _ in held(office, state)] == list(range(1, head + 1))
        assert (len(office.payments(code)), alarms(office, state)) == (3, [])
        with JournalReader(state / "journal.db") as reader:
            assert reader.genesis().replaces_seq == head
        office.verify()


def test_what_a_restored_office_lacks_is_counted_where_it_is_left_behind(
    office: LoopbackOffice, state: Path, who: Identity, capsys
) -> None:
    """By what the office itself names as the old journal's end; the cursor says that it has all."""
    upload(office, state, who, patience_s=60)
    with closing(Journal.open(state / "journal.db", SystemClock())) as journal:
        (entries,) = office.journals.values()
        journal.advance_cursor(journal.head_seq, entries[-1]["hash"], 0)
        lost = entries[4:]
        del entries[4:]
        office.replaces = {"journal_id": journal.journal_id, "seq": 4, "hash": entries[-1]["hash"]}
    office.moods.append(Refuse(404, "not_found", retry="never"))
    assert command(state, "--leave-unsent") == 0
    assert f"{len(lost)} of its entries are not at the office" in capsys.readouterr().out
