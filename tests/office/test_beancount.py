"""The exported ledger before an independent checker: Beancount's own bean-check, a program beside ours and never part of it."""

import datetime
import subprocess
from pathlib import Path

import pytest

from office.demo.estate import build
from office.demo.sizes import SIZES
from office.ledger.beancount import export
from office.property.models import Project
from tests.office.conftest import point_at


def bean_check(file: Path) -> str:
    """What Debian's bean-check finds in a ledger; empty when all is well."""
    # Not through our own Python: the checker must know nothing of ours. Missing is a failure, never a reason to skip.
    done = subprocess.run(
        ["bean-check", "--no-cache", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert (done.returncode == 0) == (not done.stderr.strip()), done.stderr
    return done.stderr


def exported(folder: Path) -> Path:
    file = folder / "ledger.beancount"
    file.write_text("".join(f"{line}\n" for line in export(Project.objects.order_by("code"))), encoding="utf-8")
    return file


def test_bean_check_finds_nothing_in_the_demo_estates_ledger(database: str, tmp_path: Path) -> None:
    build(SIZES["tiny"], seed=1, today=datetime.date(2026, 11, 25))
    file = exported(tmp_path)
    assert file.read_text().count("balance Assets:") > 4
    assert bean_check(file) == ""


@pytest.fixture
def ledger(busy_books: Path, tmp_path: Path) -> Path:
    """The ledger of a lobby with notes whose fate is unclear, some of them credited or refunded by two people."""
    point_at(f"sqlite:///{busy_books}")
    file = exported(tmp_path)
    assert "claim_answered" in file.read_text()
    return file


def test_bean_check_finds_nothing_in_the_ledger_of_a_lobby_with_unclear_notes(ledger: Path) -> None:
    assert bean_check(ledger) == ""


@pytest.mark.parametrize(
    ("whole", "altered"),
    [
        ("  Assets:YG:1901  100.00 CNY", "  Assets:YG:1901  100.01 CNY"),
        ("  Liabilities:YG:2203  -100.00 CNY", "  Liabilities:YG:2241-S  -100.00 CNY"),
        ("  Assets:YG:1009-K  100.00 CNY", ""),
        (" open Assets:YG:1122 CNY", " open Assets:YG:1123 CNY"),
    ],
)
def test_bean_check_names_one_altered_line(ledger: Path, whole: str, altered: str) -> None:
    text = ledger.read_text()
    assert whole in text
    ledger.write_text(text.replace(whole, altered, 1))
    assert f"{ledger}:" in bean_check(ledger)


def test_bean_check_misses_an_entry_that_was_cut_out(ledger: Path) -> None:
    entries = ledger.read_text().split("\n\n")
    whole = [n for n, entry in enumerate(entries) if '"note_credited"' in entry]
    ledger.write_text("\n\n".join(entries[: whole[0]] + entries[whole[0] + 1 :]))
    assert "Balance failed" in bean_check(ledger)
