"""`office rebuild` as a bookkeeper meets it: equal books and 0, or which rows had differed and 1."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from office.billing.models import Bill, FeeItem
from office.ledger import mending
from office.ledger.digest import books_digest, derived, table_name
from office.ledger.mending import rebuild_and_compare
from office.payments import claims
from office.payments.models import Note
from office.staff.models import Role
from tests.office.conftest import point_at
from tests.office.engines import both_engines
from tests.office.estate import Estate, add_person
from tests.office.test_claims import claim
from tests.office.test_commands import office

HUNDRED = 10000


@pytest.fixture
def books(busy_books: Path, tmp_path: Path) -> Path:
    """A directory with an office's full books."""
    shutil.copy(busy_books, tmp_path / "office.db")
    return tmp_path


def changed(directory: Path, *crimes: str) -> subprocess.CompletedProcess[str]:
    """Change rows behind the office's back, then rebuild."""
    with closing(sqlite3.connect(directory / "office.db")) as thief, thief:
        for crime in crimes:
            assert thief.execute(crime).rowcount > 0
    return office("rebuild", directory=directory)


def test_books_that_are_what_the_stream_gives_are_equal_and_exit_with_0(books: Path) -> None:
    done = office("rebuild", "--json", directory=books)
    assert (done.returncode, done.stderr) == (0, "")
    (told,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (told["project"], told["equal"], told["differed"]) == ("YG", True, {})


def test_a_row_that_somebody_changed_is_mended_and_named_with_what_it_was_and_is(books: Path) -> None:
    done = changed(
        books,
        "UPDATE property_unit SET prepaid_fen = prepaid_fen + 777",
        "UPDATE kiosks_cashboxface SET confirmed = confirmed - 1 WHERE face_fen = 10000",
        "DELETE FROM payments_tender WHERE payment_id IN (SELECT id FROM payments_payment WHERE receipt_number = 1)",
    )
    assert done.returncode == 1
    assert "rows had differed and are mended" in done.stdout
    assert "unit 3-1-502: prepaid_fen was " in done.stdout
    assert "cashboxface YG01 10000: confirmed was " in done.stdout
    assert "tender YG01-000001 3-1-502 cash 1: was missing, is there again" in done.stdout
    assert "find out by whom" in done.stderr
    assert "Traceback" not in done.stderr
    assert office("verify", "--fold-again", directory=books).returncode == 0
    again = office("rebuild", directory=books)
    assert (again.returncode, again.stderr) == (0, "")


def test_what_no_rebuild_can_mend_is_a_finding_and_exits_with_1(books: Path) -> None:
    done = changed(books, "UPDATE kiosks_rawevent SET mono_ms = mono_ms + 1 WHERE seq = 7")
    assert done.returncode == 1
    assert "equal books" in done.stdout
    assert "journals_whole: kiosk YG01" in done.stdout
    assert "raw events only a backup mends" in done.stderr
    assert office("rebuild", directory=books).returncode == 1


@both_engines
def test_the_first_rows_of_each_table_are_told_and_all_are_counted(estate: Estate) -> None:
    estate.pay(["aug"], [HUNDRED] * 5)
    estate.upload()
    before = books_digest(estate.project.id)
    Note.objects.update(recovered="x")
    Bill.objects.filter(id=estate.bills["water"].id).update(version=99)
    result = rebuild_and_compare(estate.project)
    assert result.differed == {"note": 5, "bill": 1}
    assert [str(row) for row in result.mended if row.table == "bill"] == [
        "bill 3-1-502 water 2026-09-01: version was 99, is 1"
    ]
    assert len([row for row in result.mended if row.table == "note"]) == mending.SHOWN
    assert books_digest(estate.project.id) == before == result.digest


@both_engines
def test_a_row_that_somebody_made_up_is_gone_and_named(estate: Estate) -> None:
    estate.pay(["water"], [HUNDRED, 1000])
    estate.upload()
    real = Note.objects.get(note_no=2)
    Note.objects.create(project=real.project, kiosk=real.kiosk, journal=real.journal, note_no=77, face_fen=HUNDRED,
                        state="credited", first_seq=real.seq, seq=real.seq, at=real.at)  # fmt: skip
    (made_up,) = rebuild_and_compare(estate.project).mended
    assert str(made_up) == "note YG01 77: nothing in the stream gives it, is gone"
    assert not Note.objects.filter(note_no=77).exists()


@both_engines
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fee_that_is_no_longer_paid_at_the_kiosk_changes_nothing_for_the_bill_a_payer_had_picked(
    estate: Estate, when: str
) -> None:
    """The office may untick that any day; what the stream gives is the same."""
    item = claim(estate, ["sep"], credited=[HUNDRED])
    if when == "before":
        FeeItem.objects.update(pay_at_kiosk=False)
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    claims.confirm(finance, claims.propose(clerk, item, "credit", "camera", unit=estate.unit))
    FeeItem.objects.update(pay_at_kiosk=False)
    assert rebuild_and_compare(estate.project).mended == []
    assert (estate.reload("sep").principal_paid_fen, estate.prepaid()) == (2 * HUNDRED, 0)


def test_every_derived_table_has_a_name_for_its_rows(books: Path) -> None:
    """Read from the full books, so that each name is a look-up which the database can do and says something."""
    point_at(f"sqlite:///{books / 'office.db'}")
    project_id = Bill.objects.values_list("project_id", flat=True)[0]
    for rows, _ in derived(project_id):
        for values in rows.values_list(*mending._NAMED_BY[table_name(rows)])[:5]:
            assert any(value not in (None, "") for value in values), table_name(rows)
    connection.close()
