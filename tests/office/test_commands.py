"""The `office` command as people and scripts use it: real processes on a database of their own."""

import datetime
import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from office.database import BadDatabaseUrl, database_settings, wal_is_safe
from office.demo.estate import build
from office.demo.sizes import SIZES
from office.ledger.digest import books_digest
from office.ledger.rebuild import rebuild
from office.ledger.verify import verify_everything
from office.payments.models import Payment
from office.property.models import Project, Unit
from tests.office.engines import both_engines
from tests.office.running_office import OFFICE, ROOT, make_office

TODAY = datetime.date(2026, 11, 25)


def office(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [*OFFICE, *arguments, "--database", f"sqlite:///{directory / 'office.db'}"]
    environment = {**os.environ, "OFFICE_STATE_DIR": str(directory)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT, env=environment)


@pytest.fixture
def empty(sqlite_template: Path, tmp_path: Path) -> Path:
    """A directory with a migrated, empty office database: saves every process the migrations."""
    shutil.copy(sqlite_template, tmp_path / "office.db")
    return tmp_path


def test_the_demo_estate_is_there_within_twenty_seconds_and_its_passwords_are_told_once(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = office("demo", "--size", "demo", "--json", directory=tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The processor's time, not the wall's: other tests may be running beside this one.
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0, done.stderr
    told, *people = [json.loads(line) for line in done.stdout.splitlines()]
    assert told["projects"] == ["YG", "LJ"]
    assert told["units"] == 40
    assert [person["username"] for person in people] == ["admin", "cashier", "finance"]
    assert took_s < 20
    again = office("demo", directory=tmp_path)
    assert again.returncode == 1
    assert "already holds an estate" in again.stderr
    assert office("verify", directory=tmp_path).returncode == 0
    rebuilt = office("rebuild", "--json", directory=tmp_path)
    assert [json.loads(line)["equal"] for line in rebuilt.stdout.splitlines()] == [True, True]
    exported = office("export-ledger", "--format", "beancount", directory=tmp_path)
    assert "Assets:YG:1009-K" in exported.stdout


@both_engines
def test_a_demo_holds_all_invariants_and_comes_back_from_its_stream(database: str) -> None:
    built = build(SIZES["tiny"], seed=1, today=TODAY)
    assert [str(finding) for finding in verify_everything()] == []
    for project in built.projects:
        before = books_digest(project.id)
        rebuild(project.id)
        assert books_digest(project.id) == before
    shown = Unit.objects.get(project__code="YG", code="3-1-502")
    assert shown.bills.filter(status="issued").count() == shown.bills.count() >= 6
    assert Payment.objects.filter(state="exception").exists()


def test_the_same_seed_gives_the_same_estate(database: str, sqlite_template: Path, tmp_path: Path) -> None:
    from tests.office.conftest import point_at

    build(SIZES["tiny"], seed=3, today=TODAY)
    first = _figures()
    shutil.copy(sqlite_template, tmp_path / "second.db")
    point_at(f"sqlite:///{tmp_path / 'second.db'}")
    build(SIZES["tiny"], seed=3, today=TODAY)
    assert _figures() == first


def _figures() -> list[object]:
    units = Unit.objects.order_by("id").values_list("id", "code", "area_c", "prepaid_fen")
    payments = Payment.objects.order_by("id").values_list("id", "amount_fen", "receipt_no", "paid_at")
    return [list(units), list(payments), list(Project.objects.order_by("code").values_list("id", flat=True))]


def test_an_exported_journal_replayed_into_an_office_with_the_same_base_data_gives_the_same_money(
    tmp_path: Path, sqlite_template: Path
) -> None:
    source = make_office(tmp_path / "source", seed=5)
    rows = source.rows(
        "SELECT j.journal_id, e.seq, e.payment_id, e.kind, e.v, e.boot_id, e.mono_ms, e.wall_ms, e.clock, e.body, e.hash "
        "FROM kiosks_rawevent e JOIN kiosks_journal j ON j.id = e.journal_id "
        "JOIN kiosks_kiosk k ON k.id = e.kiosk_id WHERE k.code = 'YG01' ORDER BY e.seq"
    )
    for row in rows:
        row["body"], row["hash"] = row["body"].decode(), row["hash"].hex()
    exported = tmp_path / "journal.jsonl"
    exported.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(sqlite_template, bare / "office.db")
    done = office("replay", str(exported), "--json", directory=bare)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kiosk"], told["project"], told["events"], told["quarantined"]) == ("YG01", "YG", len(rows), 0)
    assert office("verify", directory=bare).returncode == 0
    assert office("replay", str(exported), directory=bare).returncode == 0, "twice changes nothing"
    assert office("verify", directory=bare).returncode == 0

    from tests.office.running_office import RunningOffice

    copy = RunningOffice(bare / "office.db")
    assert copy.box("YG01") == source.box("YG01")
    taken = [(row["id"], row["amount_fen"], row["receipt_no"], row["notes"]) for row in source.payments("YG01")]
    assert [(row["id"], row["amount_fen"], row["receipt_no"], row["notes"]) for row in copy.payments("YG01")] == taken


@pytest.mark.parametrize(("content", "words"), [("{}\n", "not an exported journal"), ("[1]\n", "line 1: not an event")])
def test_what_is_no_journal_is_refused_in_one_sentence(empty: Path, content: str, words: str) -> None:
    (empty / "j.jsonl").write_text(content)
    done = office("replay", str(empty / "j.jsonl"), directory=empty)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_import_is_a_dry_run_until_it_is_told_to_commit(empty: Path) -> None:
    table = empty / "units.csv"
    table.write_text("房号,面积\n1-1-101,90\n1-1-102,bad\n", encoding="utf-8")
    started = office("import", str(table), "--project", "NEW", "--new-project", "新小区", "--json", directory=empty)
    lines = [json.loads(line) for line in started.stdout.splitlines()]
    assert started.returncode == 1
    assert lines[0] == {"refused": "bad_area", "table": "units.csv", "line": 3, "value": "bad"}
    assert (lines[1]["units"], lines[1]["refused_rows"], lines[1]["written"]) == (1, 1, False)
    assert "this office has: none" in office("import", str(table), "--project", "NEW", directory=empty).stderr
    committed = ("import", str(table), "--commit", "--project", "NEW", "--new-project", "新小区")
    assert office(*committed, directory=empty).returncode == 1
    third = office("import", str(table), directory=empty)
    assert "line 2: this room is already there: 1-1-101" in third.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("demo", "--size", "huge"),
        ("verify", "--database", "mysql://x"),
        ("verify", "--database", "postgres://office@host:port/name"),
        ("verify", "--database", "postgres://office@host/"),
        ("serve", "--listen", "nowhere"),
        ("serve", "--public-url", "pay.example.cn"),
    ],
)
def test_wrong_usage_exits_with_two(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([*OFFICE, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("pairing-code", "--project", "NOPE"),
        ("export-ledger", "--project", "NOPE"),
        ("replay", "missing.jsonl"),
        ("user", "x", "--role", "king"),
    ],
)
def test_a_failure_is_one_sentence_and_exits_with_one(empty: Path, arguments: tuple[str, ...]) -> None:
    done = office(*arguments, directory=empty)
    assert done.returncode == 1
    assert done.stderr.startswith(f"office {arguments[0]}: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["verify", "rebuild", "export-ledger"])
def test_a_database_that_is_not_there_is_no_book_in_order(tmp_path: Path, command: str) -> None:
    """A misspelled path must not be told that its books balance."""
    done = office(command, directory=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"office {command}: there is no database {tmp_path / 'office.db'};")
    assert not (tmp_path / "office.db").exists()


def test_a_database_that_can_not_be_opened_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database")
    for url in ("postgres://nobody@/nothing?host=/nowhere", f"sqlite:///{tmp_path / 'text.db'}"):
        command = [*OFFICE, "verify", "--database", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "check --database" in done.stderr


def test_the_ledger_for_programs_is_one_json_object_a_line(empty: Path) -> None:
    done = office("export-ledger", "--json", directory=empty)
    assert [list(json.loads(line)) for line in done.stdout.splitlines()] == [["line"]] * len(done.stdout.splitlines())
    assert "operating_currency" in done.stdout


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0), True),
    ],
)
def test_wal_is_used_only_where_many_connections_are_safe(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_the_open_database_has_the_settings_that_keep_money(database: str) -> None:
    import sqlite3

    from django.db import connection

    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    assert mode == ("wal" if wal_is_safe(sqlite3.sqlite_version_info) else "truncate")
    assert synchronous == 2


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite://x", "mysql://h/n", "office.db"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        database_settings(url)


def test_a_postgres_url_gives_every_part() -> None:
    read = database_settings("postgres://me:p%40ss@db.example:5433/office?sslmode=require")
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
        "me",
        "p@ss",
        "db.example",
        "5433",
        "office",
    )
    assert read["OPTIONS"] == {"sslmode": "require"}


def test_the_offices_table_of_severities_is_the_kiosks() -> None:
    from kiosk.hardware.faults import FAULTS
    from office.kiosks.rules import severity_of

    assert {code: severity_of(code) for code in FAULTS} == {
        code: fault.severity.value for code, fault in FAULTS.items()
    }
