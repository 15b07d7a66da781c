"""The disposable cache: ages, damage, and a disk that takes nothing."""

import sqlite3
from contextlib import closing
from datetime import date

import msgspec
import pytest

from kiosk.domain.estate import Estate
from kiosk.office_client.wire import ChangedUnits
from kiosk.offline_queue.cache import DAY_MS, Age, Cache
from tests.offline_queue.loopback_office import unit_row

SERVER_TIME = "2025-11-24T16:00:00Z"


def page(*rows, cursor="1", next_cursor=None, applied_seq=5, **more):
    told = {
        "units": list(rows),
        "cursor": cursor,
        "next_cursor": next_cursor,
        "as_of": "2025-11-24",
        "server_time": SERVER_TIME,
        "applied_seq": applied_seq,
    } | more
    return msgspec.convert(told, ChangedUnits, strict=False)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "cache.db"


@pytest.fixture
def cache(file, clock):
    made = Cache(file, clock)
    yield made
    made.close()


def test_an_empty_cache_is_good_for_nothing(cache):
    assert cache.good_for() is Age.NOTHING
    assert cache.refreshed() is None
    assert (cache.cursor(), cache.find("3-1-502"), cache.estate()) == ("", None, None)


def test_nobody_else_reads_its_names_and_debts(cache, file):
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_complete_only_with_its_last_page(cache):
    cache.take(page(unit_row(501), next_cursor="1"))
    assert cache.good_for() is Age.NOTHING
    assert cache.cursor() == "1"
    cache.take(page(unit_row(502), cursor="2"))
    assert cache.good_for() is Age.BILLS
    assert cache.refreshed().as_of == date(2025, 11, 24)


def test_each_unit_remembers_what_the_office_had_folded_when_it_told_it(cache):
    cache.take(page(unit_row(501), unit_row(502), applied_seq=5))
    cache.take(page(unit_row(502), applied_seq=9))
    assert cache.unit("u-501").applied_seq == 5
    assert cache.unit("u-502").applied_seq == 9


def test_a_room_that_got_another_id_is_not_kept_twice(cache):
    cache.take(page(unit_row(501)))
    moved = unit_row(501)
    moved["unit"]["unit_id"] = "u-new"
    cache.take(page(moved))
    assert cache.find("3-1-501").unit.unit_id == "u-new"
    assert cache.unit("u-501") is None


@pytest.mark.parametrize(
    ("days", "age"), [(0, Age.BILLS), (7, Age.BILLS), (7.01, Age.PREPAID), (30, Age.PREPAID), (30.01, Age.NOTHING)]
)
@pytest.mark.parametrize("rebooted", [False, True])
def test_its_age_decides_what_it_is_good_for(cache, clock, days, age, rebooted):
    cache.take(page(unit_row(501)))
    if rebooted:
        clock.boot_id = "boot-2"
        clock.seconds = 0
        clock.offset_ms = 1_764_000_000_000 + int(days * DAY_MS)
    else:
        clock.advance(days * DAY_MS / 1000)
    assert cache.good_for() is age


def test_a_wall_clock_that_jumps_does_not_age_the_cache_within_one_boot(cache, clock):
    cache.take(page(unit_row(501)))
    clock.offset_ms += 90 * DAY_MS
    assert cache.good_for() is Age.BILLS


def test_an_unset_clock_does_not_stop_cash(cache, clock):
    cache.take(page(unit_row(501)))
    clock.boot_id, clock.says, clock.offset_ms = "boot-2", "unset", 0
    assert cache.good_for() is Age.BILLS


def test_an_unset_clock_still_counts_the_days_that_the_box_has_run(cache, clock):
    cache.take(page(unit_row(501)))
    clock.boot_id, clock.says, clock.offset_ms, clock.seconds = "boot-2", "unset", 0, 0
    for days, age in ((7, Age.BILLS), (1, Age.PREPAID), (22, Age.PREPAID), (1, Age.NOTHING)):
        clock.advance(days * DAY_MS / 1000)
        assert cache.good_for() is age


def test_it_survives_a_restart(cache, file, clock):
    cache.take(page(unit_row(501)))
    cache.take_estate(Estate(estate_name="阳光花园"), '"1"', [("3", ("1",))])
    cache.close()
    with closing(Cache(file, clock)) as again:
        assert again.find("3-1-501").unit.masked_name == "王*"
        assert again.estate() == (Estate(estate_name="阳光花园"), '"1"', (("3", ("1",)),))


@pytest.mark.parametrize(
    ("journal", "head_seq", "kept"), [("j-1", 5, True), ("j-1", 900, True), ("j-2", 900, False), ("j-1", 4, False)]
)
def test_bills_are_kept_only_for_the_journal_whose_payments_are_taken_off_them(
    cache, file, clock, journal, head_seq, kept
):
    """Another journal, or this one from an older image, has other entries under those numbers."""
    cache.keep_only_for("j-1", 1)
    cache.take(page(unit_row(501), applied_seq=5))
    cache.take_estate(Estate(estate_name="阳光花园"), '"1"', [("3", ("1",))])
    cache.take_refusal("kiosk_suspended")
    cache.close()
    with closing(Cache(file, clock)) as again:
        again.keep_only_for(journal, head_seq)
        assert (again.find("3-1-501") is not None) == kept
        assert (again.good_for(), again.cursor()) == ((Age.BILLS, "1") if kept else (Age.NOTHING, ""))
        assert again.estate()[0].estate_name == "阳光花园"
        assert again.refusal() == "kiosk_suspended", "nor is a suspended kiosk welcome by it"
        again.take(page(unit_row(502), applied_seq=3))
    with closing(Cache(file, clock)) as once_more:
        once_more.keep_only_for(journal, head_seq)
        assert once_more.find("3-1-502"), "it is read for this one now"


@pytest.mark.parametrize(
    ("told", "kept"), [({"journal_id": "j-2"}, 5), ({"journal_id": "j-1"}, 0), ({"journal_id": None}, 0), ({}, 5)]
)
def test_another_journals_number_is_not_taken_for_this_ones(cache, told, kept):
    """Before a new journal's first upload the office still counts in the old one; an older office does not say."""
    cache.keep_only_for("j-2", 900)
    cache.take(page(unit_row(501), applied_seq=5, **told))
    assert cache.unit("u-501").applied_seq == kept


def test_bills_that_can_not_be_forgotten_are_not_shown_either(cache, file):
    cache.keep_only_for("j-1", 1)
    cache.take(page(unit_row(501)))
    with closing(sqlite3.connect(file)) as shell:
        shell.execute("BEGIN EXCLUSIVE")
        cache.keep_only_for("j-2", 1)
        assert cache.find("3-1-501") is None
    assert cache.find("3-1-501") is None


@pytest.mark.parametrize("damage", [b"not a database", b"", bytes(8192)])
def test_a_damaged_file_is_replaced_by_an_empty_one(cache, file, clock, damage):
    cache.take(page(unit_row(501)))
    cache.close()
    file.write_bytes(damage)
    with closing(Cache(file, clock)) as again:
        assert again.find("3-1-501") is None
        again.take(page(unit_row(502)))
        assert again.find("3-1-502")


def test_damage_while_it_is_open_starts_over(cache, file, clock):
    cache.take(page(*[unit_row(number) for number in range(100, 400)]))
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (size - 4096))
    for number in range(100, 400):
        cache.find(f"3-1-{number}")
    cache.take(page(unit_row(501)))
    cache.take(page(unit_row(501)))
    assert cache.find("3-1-501")


@pytest.mark.parametrize("number", range(12))
def test_one_damaged_page_never_keeps_a_kiosk_from_starting(cache, file, clock, number):
    cache.take(page(*[unit_row(number) for number in range(100, 140)]))
    cache.close()
    with file.open("r+b") as raw:
        raw.seek(4096 * number + 100)
        raw.write(b"\xff" * 3996)
    with closing(Cache(file, clock)) as again:
        again.take(page(unit_row(501)))
        again.take(page(unit_row(501)))
        assert again.find("3-1-501")


def test_a_rollback_journal_does_not_outlive_the_file_it_belongs_to(cache, file, clock):
    cache.take(page(unit_row(501)))
    cache.close()
    file.write_bytes(b"not a database")
    left = file.with_name("cache.db-journal")
    left.write_bytes(b"of the file that was there")
    with closing(Cache(file, clock)):
        assert not left.exists() or left.stat().st_size == 0


def test_another_programs_shape_is_replaced(cache, file, clock):
    cache.take(page(unit_row(501)))
    cache.close()
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 77")
    with closing(Cache(file, clock)) as again:
        assert again.refreshed() is None


def test_where_no_file_can_be_made_it_lives_in_memory(tmp_path, clock):
    (tmp_path / "file").write_text("in the way")
    with closing(Cache(tmp_path / "file" / "cache.db", clock)) as cache:
        cache.take(page(unit_row(501)))
        assert cache.find("3-1-501")


def test_a_page_with_a_time_nobody_understands_changes_nothing(cache):
    with pytest.raises(ValueError, match="offset"):
        cache.take(ChangedUnits(units=(), cursor="9", as_of=date(2025, 11, 24), server_time="2025-11-24T16:00:00"))
    assert cache.cursor() == ""


@pytest.mark.parametrize("server_time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2024-12-31T23:59:59Z"])
def test_a_page_of_an_impossible_year_is_refused_since_slips_say_as_of_when_bills_were(cache, server_time):
    with pytest.raises(ValueError, match=r"server_time|before all time"):
        cache.take(page(unit_row(501), server_time=server_time))
    assert cache.good_for() is Age.NOTHING
