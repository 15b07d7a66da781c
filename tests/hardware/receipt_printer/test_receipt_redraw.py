"""``kiosk receipt``: a slip drawn again from the journal."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from kiosk.clock import SystemClock
from kiosk.domain import events
from kiosk.domain.estate import Estate
from kiosk.hardware.receipt_printer.redraw_command import main, redraw
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from tests.offline_queue.journals import SetClock, genesis, opened, pay


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with closing(Journal.create(path, SetClock(), genesis())) as journal:
        pay(journal, "p-1")
        journal.append(opened("p-2"))
    return path


def test_a_redrawn_slip_is_a_copy_with_the_same_number(
    journal_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "again.png"
    assert main(["--journal", str(journal_path), "--payment", "p-1", "--out", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["receipt_no"], facts["copy_no"]) == ("YG01-000001", 1)
    assert Image.open(out).width == 576


def test_each_copy_counts_on_from_the_last_one_printed(journal_path: Path) -> None:
    with closing(Journal.open(journal_path, SetClock())) as journal:
        journal.append(events.ReceiptPrinted(payment_id="p-1", receipt_no="YG01-000001", copy_no=3))
    assert redraw(journal_path, "p-1").copy_no == 4


def test_the_estates_texts_come_from_the_cache_beside_the_journal(journal_path: Path) -> None:
    assert redraw(journal_path, "p-1").payee == ""
    with closing(Cache(journal_path.with_name("cache.db"), SystemClock())) as cache:
        cache.take_estate(Estate(payee="阳光物业服务有限公司"), None, ())
    assert redraw(journal_path, "p-1").payee == "阳光物业服务有限公司"


@pytest.mark.parametrize(("payment", "words"), [("p-2", "no settlement"), ("p-9", "knows no payment")])
def test_what_can_not_be_drawn_is_refused_with_a_reason(
    journal_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], payment: str, words: str
) -> None:
    out = tmp_path / "again.png"
    assert main(["--journal", str(journal_path), "--payment", payment, "--out", str(out)]) == 1
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_journal_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--journal", str(tmp_path / "no.db"), "--payment", "p-1", "--out", str(tmp_path / "a.png")]) == 1
    assert "no.db" in capsys.readouterr().err
