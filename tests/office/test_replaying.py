"""What comes back of an office whose database is lost, from its base data and the journals of its kiosks."""

import copy
import datetime
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connections

from kiosk.domain.events import AgentStarted, NoteUnknown
from office.billing.wire import domain_bill
from office.demo import visits
from office.kiosks.models import CashBoxFace, Journal
from office.kiosks.replaying import NotAJournal, read, replay
from office.ledger.digest import books_digest
from office.ledger.models import Posting
from office.ledger.verify import verify_everything
from office.payments.models import Allocation, Case, Note, Payment, SuspenseItem
from office.property.models import Unit
from tests.office.conftest import point_at
from tests.office.estate import TODAY, Estate, exported, second_kiosk
from tests.office.test_commands import office

HUNDRED = 10000


@pytest.fixture
def second(estate: Estate) -> Estate:
    return second_kiosk(estate)


@pytest.fixture
def backup(estate: Estate, second: Estate, tmp_path: Path) -> Path:
    """The office's database before a kiosk sent anything: all its base data, as a restored backup or an import gives it."""
    connections.close_all()
    path = tmp_path / "backup.db"
    shutil.copy(tmp_path / "office.db", path)
    return path


def a_busy_day(first: Estate, second: Estate) -> None:
    """One bill paid at both kiosks, a claim at one of them, a boot without contact at the other. The second kiosk's upload
    comes before the first one's, though it took its money five minutes later."""
    first.pay(["aug", "water"], [HUNDRED] * 4)
    claim = {"note_no": first.writer.take_note_no(), "face_fen": HUNDRED, "claim_no": "YG01-Q000001"}
    first.writer.append(NoteUnknown(payment_id=None, acceptor_serial="S", reason="jam", **claim))
    second.writer.pass_time(300_000)
    second.pay(["aug"], [HUNDRED] * 3)
    second.upload()
    first.upload()
    writer = second.writer
    writer.boot_id, writer.mono_ms, writer.clock = "boot without contact", 0, "unset"
    second.pay(["sep"], [HUNDRED])
    writer.boot_id, writer.mono_ms, writer.clock = "boot with contact", 60_000, "synced"
    writer.pass_time(7_200_000)
    writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=False))
    second.upload()
    first.writer.pass_time(3_600_000)
    first.pay([], [HUNDRED])
    first.upload()


def whatever_the_order() -> dict[str, object]:
    """What the office's books say that does not depend on whose entries it had first."""
    cash, units = Counter[str](), Counter[str]()
    for kiosk, fen in Posting.objects.filter(account__code="1009.K").values_list("kiosk__code", "amount_fen"):
        cash[kiosk] += fen
    for unit, fen in Allocation.objects.values_list("payment__unit__code", "amount_fen"):
        units[unit] += fen
    for unit, fen in Unit.objects.values_list("code", "prepaid_fen"):
        units[unit] += fen
    return {
        "notes": sorted(Note.objects.values_list("kiosk__code", "note_no", "face_fen", "state", "claim_no")),
        "receipts": sorted(Payment.objects.values_list("receipt_no", "kiosk__code", "unit__code", "amount_fen")),
        "claims": sorted(SuspenseItem.objects.values_list("claim_no", "kiosk__code", "amount_fen", "state")),
        "box": sorted(CashBoxFace.objects.values_list("kiosk__code", "face_fen", "confirmed", "unknown")),
        "cash": cash,
        "paid and prepaid": units,
    }


def written(folder: Path, name: str, kiosk: Estate) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(line) + "\n" for line in exported(kiosk.writer)), encoding="utf-8")
    return str(path)


def test_two_kiosks_journals_give_the_same_money_back_and_in_any_order_the_same_books(
    estate: Estate, second: Estate, backup: Path, tmp_path: Path
) -> None:
    a_busy_day(estate, second)
    before, prepaid = whatever_the_order(), set(_prepaid())
    files = [written(tmp_path, "a.jsonl", estate), written(tmp_path, "b.jsonl", second)]
    digests = set()
    for number, order in enumerate((files, files[::-1])):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(backup, folder / "office.db")
        for _ in ("once", "twice changes nothing"):
            done = office("replay", *order, "--json", directory=folder)
            assert done.returncode == 0, done.stderr
        assert sorted(json.loads(line)["kiosk"] for line in done.stdout.splitlines()) == ["YG01", "YG02"]
        point_at(f"sqlite:///{folder / 'office.db'}")
        assert whatever_the_order() == before
        assert list(verify_everything(fold_again=True)) == []
        digests.add(books_digest(estate.project.id))
    assert len(digests) == 1
    assert set(_prepaid()) != prepaid, "who paid first is booked now; the office had heard of the second one first"
    assert dict(_prepaid())["YG01-000001"] < dict(prepaid)["YG01-000001"]


def _prepaid() -> list[tuple[str, int]]:
    return list(Payment.objects.values_list("receipt_no", "prepaid_fen"))


def test_an_earlier_export_beside_a_later_one_changes_nothing(
    estate: Estate, second: Estate, backup: Path, tmp_path: Path
) -> None:
    """`office replay *.jsonl` over the exports of every week."""
    home, at = str(estate.unit.id), estate.kiosk.code
    for day in range(5):
        date = TODAY + datetime.timedelta(days=day)
        owed = [domain_bill(estate.reload("aug"), date)] if day == 2 else []
        visits.pay(estate.writer, home, at, owed, [HUNDRED, HUNDRED, 5000], date)
        if day == 3:
            early = read(exported(estate.writer))
        estate.writer.pass_time(86_400_000)
    late, other = read(exported(estate.writer)), read(exported(second.writer))
    digests = set()
    for number, exports in enumerate(([late, other], [early, late, other], [other, late, late, early])):
        copied = shutil.copy(backup, tmp_path / f"{number}.db")
        point_at(f"sqlite:///{copied}")
        results = replay(exports)
        assert {(one.kiosk_code, one.payments) for one in results} == {("YG01", 5), ("YG02", 0)}
        assert not Case.objects.exists()
        digests.add(books_digest(estate.project.id))
    assert len(digests) == 1


@pytest.mark.parametrize("crime", ["without its first entry", "with a changed entry", "with an entry left out"])
def test_an_export_that_is_not_whole_is_refused_before_anything_is_stored(
    estate: Estate, second: Estate, backup: Path, tmp_path: Path, crime: str
) -> None:
    a_busy_day(estate, second)
    good, lines = written(tmp_path, "a.jsonl", estate), exported(second.writer)
    if crime == "with a changed entry":
        lines[7]["body"] = str(lines[7]["body"]).replace("10000", "20000")
    else:
        del lines[0 if crime == "without its first entry" else 7]
    with pytest.raises(NotAJournal):
        read(lines)
    bad = tmp_path / "b.jsonl"
    bad.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    folder = tmp_path / "restored"
    folder.mkdir()
    shutil.copy(backup, folder / "office.db")
    done = office("replay", good, str(bad), directory=folder)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"office replay: {bad}: entry {1 if 'first' in crime else 8} is missing or not as it was written"
    )
    point_at(f"sqlite:///{folder / 'office.db'}")
    assert not Note.objects.exists()


@pytest.mark.parametrize("how", ["two histories", "a replaced journal that went on"])
def test_money_that_only_a_forked_journal_knows_is_named_and_not_stored(
    estate: Estate, second: Estate, tmp_path: Path, how: str
) -> None:
    """A box was copied, or an old image went on: its notes are in a box, and the office has never heard of them."""
    estate.pay(["water"], [HUNDRED, 1000])
    estate.upload()
    old, parted_at = copy.deepcopy(estate.writer), len(estate.writer.events) + 1
    if how == "two histories":
        estate.pay(["sep"], [HUNDRED] * 3)
        estate.upload()
    else:
        Journal.objects.filter(kiosk=estate.kiosk).update(state=Journal.State.REPLACED)
    old.pass_time(60_000)
    box = replace(estate, writer=old)
    box.pay([], [HUNDRED, 2000, HUNDRED])
    claim = {"note_no": old.take_note_no(), "face_fen": HUNDRED, "claim_no": "YG01-Q000009"}
    old.append(NoteUnknown(payment_id=None, acceptor_serial="S", reason="jam", **claim))
    before = books_digest(estate.project.id)
    connections.close_all()
    files = [written(tmp_path, "branch.jsonl", box), written(tmp_path, "other.jsonl", second)]
    done = office("replay", *files, "--json", directory=tmp_path)
    assert done.returncode == 1
    assert "nothing was stored; office replay --branch takes a branch in; see docs/journal.md" in done.stderr
    assert json.loads(done.stdout) == {
        "kiosk": "YG01",
        "branch_from": parted_at,
        "events": len(old.events) - parted_at + 1,
        "held": 0,
        "credited": {"10000": 2, "2000": 1},
        "credited_fen": 22000,
        "unknown": 1,
        "receipts": ["YG01-000002"],
    }
    assert "notes credited 2 x 100, 1 x 20, together 220.00 yuan" in office("replay", *files, directory=tmp_path).stdout
    assert books_digest(estate.project.id) == before
    assert Journal.objects.count() == 1
