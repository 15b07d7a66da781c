"""The ledger and its watchers: postings of office-domain section 7, verification that names what was tampered with, an
export that an independent reader can add up."""

import datetime
import shutil
import sqlite3
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from kiosk.domain.events import AcceptorCounted, CashboxRemoved, DeviceFault
from office.billing.services import NotAllowed, void_bill
from office.kiosks.models import Alarm
from office.ledger.models import Posting
from office.ledger.posting import Entry, post
from office.ledger.rebuild import DERIVED, rebuild
from office.ledger.rules import Line, Unbalanced, balanced, bill_issued, issue_account
from office.ledger.verify import QUICK, THOROUGH, verify_everything, verify_project
from office.payments import claims, counting, services
from office.payments.claim_rules import FACES
from office.payments.models import SuspenseItem
from office.rows import derived_id
from office.staff.models import Role
from tests.office.conftest import point_at
from tests.office.engines import both_engines
from tests.office.estate import NOON, Estate, add_person

HUNDRED, TEN_YUAN = 10000, 1000


def balances() -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in Posting.objects.select_related("account"):
        found[row.account.code] += row.amount_fen
    return {code: amount for code, amount in found.items() if amount}


@both_engines
def test_bills_of_ones_own_are_revenue_and_water_is_owed_to_the_waterworks(estate: Estate) -> None:
    assert balances() == {"1122": 60120, "6001": -49120, "2241.t": -11000}


@both_engines
def test_a_voided_bill_takes_its_postings_back(estate: Estate) -> None:
    void_bill(estate.bills["water"], None, "billed twice")
    assert balances() == {"1122": 49120, "6001": -49120}
    with pytest.raises(NotAllowed):
        void_bill(estate.bills["water"], None, "again")


@both_engines
def test_kiosk_cash_of_case_a2_leaves_the_balances_of_the_sheet(estate: Estate) -> None:
    estate.pay(["aug", "sep", "water"], [HUNDRED] * 6 + [TEN_YUAN])
    estate.upload()
    assert balances() == {"1009.K": 61000, "2203": -548, "6301": -332, "6001": -49120, "2241.t": -11000}


@both_engines
def test_the_database_itself_refuses_what_the_rules_forbid(estate: Estate) -> None:
    from django.db import IntegrityError, transaction

    from office.billing.models import Bill
    from office.property.models import Unit

    for change in (
        lambda: Unit.objects.update(prepaid_fen=-1),
        lambda: Bill.objects.update(principal_paid_fen=10**9),
        lambda: post(estate.project.id, [_issue_again(estate)], ingest_no=99, at=NOON),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def _issue_again(estate: Estate) -> Entry:
    bill = estate.bills["aug"]
    return Entry("bill_issued", "bill", bill.id, bill.due_on, bill_issued(1, "6001"))


def test_an_entry_that_is_off_by_a_fen_is_never_posted(estate: Estate) -> None:
    before = Posting.objects.count()
    lopsided = Entry("x", "y", derived_id("z"), datetime.date(2026, 1, 1), [Line("1122", 100), Line("6001", -99)])
    with pytest.raises(Unbalanced, match="off by 1 fen"):
        post(estate.project.id, [lopsided], ingest_no=1, at=NOON)
    assert Posting.objects.count() == before
    assert balanced([Line("1122", 0)]) == []


@pytest.mark.parametrize(
    ("category", "third_party", "account"),
    [("property", False, "6001"), ("water", True, "2241.t"), ("deposit", False, "2241.d"), ("parking", False, "6001")],
)
def test_each_kind_of_item_credits_its_own_account(category: str, third_party: bool, account: str) -> None:
    assert issue_account(category, third_party=third_party) == account


POSTINGS_OF = "entry_id IN (SELECT id FROM ledger_ledgerentry WHERE event = '{}')"
TAMPERING = {
    "entries_balance": ["UPDATE ledger_posting SET amount_fen = amount_fen + 1 WHERE amount_fen = 11000"],
    "accounts_agree": [
        "UPDATE ledger_posting SET amount_fen = amount_fen * 2 WHERE " + POSTINGS_OF.format("bill_issued"),
        "UPDATE billing_bill SET late_fee_paid_fen = late_fee_paid_fen + 1",
        "UPDATE ledger_posting SET account_id = (SELECT id FROM ledger_account WHERE code = '1002') WHERE n = 1",
        "UPDATE billing_bill SET status = 'void' WHERE status = 'issued'",
    ],
    "bills_agree": [
        "UPDATE billing_bill SET principal_paid_fen = principal_paid_fen - 1 WHERE status = 'paid'",
        "UPDATE billing_bill SET status = 'partly_paid' WHERE status = 'issued'",
        "UPDATE payments_allocation SET amount_fen = amount_fen + 1",
    ],
    "prepaid_agrees": [
        "UPDATE property_unit SET prepaid_fen = prepaid_fen + 100",
        "UPDATE payments_prepaidentry SET amount_fen = amount_fen + 100",
    ],
    "boxes_agree": [
        "UPDATE kiosks_cashboxface SET confirmed = confirmed - 1 WHERE face_fen = 10000",
        "UPDATE kiosks_cashboxface SET unknown = 7 WHERE face_fen = 10000",
        "DELETE FROM payments_note WHERE state = 'credited'",
        "UPDATE payments_note SET state = 'returned' WHERE state = 'unknown'",
    ],
    "payments_add_up": [
        "UPDATE payments_payment SET amount_fen = amount_fen + 100",
        "UPDATE payments_payment SET refunded_fen = refunded_fen + 100",
        "DELETE FROM payments_tender",
    ],
    "tenders_are_their_notes": ["UPDATE payments_tender SET notes = '{\"10000\": 9}' WHERE kind = 'cash'"],
    "suspense_agrees": [
        "UPDATE payments_payment SET state = 'open'",
        "UPDATE payments_suspenseitem SET amount_fen = 1 WHERE kind = 'unidentified_cash'",
    ],
    "difference_agrees": [
        "UPDATE payments_suspenseitem SET amount_fen = amount_fen + 1 WHERE outcome = 'credited'",
        "UPDATE payments_resolution SET amount_fen = amount_fen + 1 WHERE outcome = 'refund'",
        "UPDATE ledger_posting SET amount_fen = amount_fen * 2 WHERE " + POSTINGS_OF.format("claim_answered"),
    ],
    "claims_are_cared_for": [
        "UPDATE payments_case SET state = 'closed' WHERE suspense_id IS NOT NULL",
        "UPDATE payments_case SET owner_role = '' WHERE suspense_id IS NOT NULL",
        "UPDATE payments_suspenseitem SET state = 'open'",
    ],
    "claims_ended_by_two": [
        "DELETE FROM payments_resolution WHERE state = 'confirmed'",
        "UPDATE payments_resolution SET outcome = 'not_received' WHERE outcome = 'credit'",
        "UPDATE ledger_officecommand SET kind = 'x' WHERE kind = 'claim.confirmed'",
        "UPDATE ledger_officecommand SET by_id = (SELECT max(id) FROM auth_user) WHERE kind = 'claim.proposed'",
        "UPDATE ledger_ledgerentry SET event = 'x' WHERE event = 'claim_answered'",
        "UPDATE payments_suspenseitem SET outcome = 'returned' WHERE outcome = 'credited'",
    ],
    "stream_whole": [
        "DELETE FROM kiosks_rawevent WHERE seq = 5",
        "DELETE FROM ledger_officecommand WHERE kind = 'claim.confirmed'",
        "UPDATE kiosks_rawevent SET state = 'stored' WHERE seq = 5",
        "UPDATE kiosks_journal SET posted_seq = posted_seq - 1",
        "UPDATE ledger_officecommand SET ingest_no = (SELECT max(ingest_no) FROM kiosks_rawevent) WHERE ingest_no = 1",
    ],
    "quarantine_is_cared_for": [
        "UPDATE kiosks_rawevent SET state = 'quarantined', reject_code = 'x' WHERE seq = 5",
        "UPDATE kiosks_rawevent SET state = 'thrown away' WHERE seq = 5",
    ],
    "journals_whole": [
        "UPDATE kiosks_rawevent SET mono_ms = mono_ms + 1 WHERE seq = 7",
        "UPDATE kiosks_journal SET high_seq = high_seq + 1",
        "DELETE FROM kiosks_rawevent WHERE seq = (SELECT max(seq) FROM kiosks_rawevent)",
    ],
    "checkpoints_signed": [
        "UPDATE kiosks_rawevent SET body = replace(CAST(body AS TEXT), '10000', '20000') WHERE kind = 'checkpoint'",
        "UPDATE kiosks_rawevent SET hash = zeroblob(32) WHERE seq + 1 IN (SELECT seq FROM kiosks_rawevent WHERE kind = 'checkpoint')",
    ],
    "receipts_whole": [
        "UPDATE payments_payment SET receipt_number = receipt_number + 7 WHERE receipt_number = 2",
        "UPDATE payments_payment SET receipt_number = NULL WHERE receipt_number = 1",
    ],
}


@pytest.mark.parametrize(
    ("invariant", "crime"), [(name, crime) for name, crimes in TAMPERING.items() for crime in crimes]
)
def test_verify_names_what_somebody_changed_behind_the_offices_back(
    busy_books: Path, tmp_path: Path, invariant: str, crime: str
) -> None:
    shutil.copy(busy_books, tmp_path / "office.db")
    with closing(sqlite3.connect(tmp_path / "office.db")) as thief, thief:
        assert thief.execute(crime).rowcount > 0
    point_at(f"sqlite:///{tmp_path / 'office.db'}")
    assert invariant in {finding.invariant for finding in verify_everything()}


def test_every_invariant_has_its_crime_and_without_one_nothing_is_named(busy_books: Path) -> None:
    assert set(TAMPERING) == {check.__name__ for check in (*QUICK, *THOROUGH)}
    point_at(f"sqlite:///{busy_books}")
    assert [str(finding) for finding in verify_everything(fold_again=True)] == []


def test_verify_names_the_sequence_number_of_a_changed_event(estate: Estate) -> None:
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.upload()
    connection.close()
    with sqlite3.connect(connection.settings_dict["NAME"]) as thief:
        thief.execute("UPDATE kiosks_rawevent SET body = replace(CAST(body AS TEXT), '10000', '5000') WHERE seq = 7")
    findings = [finding for finding in verify_project(estate.project) if finding.invariant == "journals_whole"]
    assert [finding.where.rpartition(" ")[2] for finding in findings] == ["7"]


def test_verify_names_every_derived_row_that_the_stream_does_not_give(estate: Estate) -> None:
    """Of each derived table one row gets another value in a column of no other check, and one row is deleted."""
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN], printed=False)
    estate.pay([], [HUNDRED])
    estate.writer.append_raw(b'{"note_no": 90, "face_fen": 10000, "new": 1}', "note.credited")
    estate.writer.append_raw(b'{"note_no": 91, "face_fen": 10000, "new": 1}', "note.unknown")
    estate.writer.append(DeviceFault(device="printer", code="printer.paper_out"))
    estate.writer.append(DeviceFault(device="printer", code="printer.cutter"))
    estate.writer.append(AcceptorCounted(acceptor_serial="another", stacked=1, rejected=0))
    estate.upload()
    clerk = add_person(estate.project, Role.PROJECT_MANAGER)
    for decision in ("query", "dispute"):
        services.review(clerk, estate.payment(payment_id), decision, "why")
    for _ in range(2):
        estate.writer.append(CashboxRemoved(acceptor_serial="SSP-4711"))
    estate.upload()
    items = SuspenseItem.objects.filter(state="open").order_by("id")
    for item in items[:2]:
        claims.propose(clerk, item, "refund", "why", amount_fen=HUNDRED)
    for removal in counting.removals(estate.project):
        counting.count_box(add_person(estate.project, Role.CASHIER), removal, dict.fromkeys(FACES, 0))
    assert list(verify_everything(fold_again=True)) == []
    tables = {table._meta.db_table: table._meta.model_name for table in (*DERIVED, Alarm)}
    quiet = {"ledger_posting": "kiosk_id = NULL, n = n + 50", "kiosks_cashboxface": "unknown = unknown + 1"}
    dates = {"ledger_ledgerentry": "posted_at", "payments_payment": "opened_at", "kiosks_acceptorcounter": "read_at"}
    quiet |= {table: f"{column} = '2020-01-01'" for table, column in dates.items()}
    quiet |= {"payments_boxcount": "explained = 1 - explained"}
    quiet |= {f"payments_{table}": "reason = 'x'" for table in ("review", "case", "suspenseitem", "resolution")}
    quiet |= {
        "payments_prepaidentry": "kind = 'x'",
        "payments_allocation": "late_days = 9",
        "payments_tender": "kind = 'x'",
    }
    quiet |= {"payments_note": "recovered = 'x'", "kiosks_alarm": "detail = 'x'"}
    named = set()
    for change in ("UPDATE {table} SET {quiet} WHERE id = ?", "DELETE FROM {table} WHERE id = ?"):
        connection.close()
        with sqlite3.connect(connection.settings_dict["NAME"]) as thief:
            for table, name in tables.items():
                (row,) = thief.execute(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
                thief.execute(change.format(table=table, quiet=quiet[table]), [row])
                named.add(f"{name} {uuid.UUID(row)}")
        found = {f.where for f in verify_everything(fold_again=True) if f.invariant == "folds_to_the_same"}
        assert named <= found, change
    rebuild(estate.project.id)
    assert list(verify_everything(fold_again=True)) == []
