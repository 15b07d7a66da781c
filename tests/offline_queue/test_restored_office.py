"""An office that was restored from a backup gets back what it lost, and no kiosk goes on with what never was."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.office.running_office import RunningOffice, running_office
from tests.offline_queue.paired_box import PairedBox, paired
from tests.offline_queue.test_histories import held


@pytest.fixture
def office(tmp_path: Path) -> Iterator[RunningOffice]:
    with running_office(tmp_path / "office") as running:
        yield running


@pytest.fixture
def box(office: RunningOffice, tmp_path: Path) -> Iterator[PairedBox]:
    """A kiosk that has sent nothing yet."""
    paired(office.url, office.pairing_code(), tmp_path / "kiosk")
    made = PairedBox(tmp_path / "kiosk", office.url)
    yield made
    made.close()


def backup(office: RunningOffice) -> Path:
    copy = office.path.with_suffix(".backup")
    with closing(sqlite3.connect(office.path)) as now, closing(sqlite3.connect(copy)) as then:
        now.backup(then)
    return copy


def restore(office: RunningOffice, copy: Path) -> None:
    """As an administrator does it: stop, put the file back, start."""
    listen = office.address
    office.stop()
    for beside in ("-wal", "-shm"):
        Path(f"{office.path}{beside}").unlink(missing_ok=True)
    shutil.copy(copy, office.path)
    office.start(listen)


def test_an_office_that_lost_a_whole_journal_gets_it_back_from_a_kiosk_at_which_nobody_pays(
    office: RunningOffice, box: PairedBox, tmp_path: Path
) -> None:
    before = backup(office)
    box.pay()
    box.drain()
    sent = held(office, tmp_path / "kiosk")
    restore(office, before)
    assert held(office, tmp_path / "kiosk") == []
    for _ in range(20):  # heartbeats; the first may meet the connection that the old process closed
        box.step()
    assert held(office, tmp_path / "kiosk") == sent
    assert box.refusal == ""
    office.verify()


def add_home(office: RunningOffice, code: str) -> None:
    table = office.path.with_suffix(".csv")
    table.write_text(f"房号,建筑面积,业主\n{code},88.00,钱来\n", encoding="utf-8")
    office.run("import", str(table), "--project", "YG", "--commit")


def test_a_change_whose_number_a_restored_office_gives_again_reaches_the_offline_cache(
    office: RunningOffice, box: PairedBox
) -> None:
    """The kiosk has fetched later ones, of a history that never was."""

    def fetch() -> None:
        for _ in range(3):  # the first may meet the connection that the old process closed
            box.sync._refresh.want()
            box.step()

    before = backup(office)
    for code in ("8-1-101", "8-1-102"):
        add_home(office, code)
    fetch()
    assert box.cache.find("8-1-102")
    restore(office, before)
    add_home(office, "8-1-103")
    fetch()
    assert box.cache.find("8-1-103")
    assert box.cache.find("8-1-102") is None
