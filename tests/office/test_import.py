"""Importing a clerk's file: a dry run first, every refused row with its line and reason, good rows only after a yes."""

import datetime
from pathlib import Path

import openpyxl
import pytest

from office.billing.models import Bill
from office.importing.checking import Checked, check
from office.importing.committing import commit
from office.importing.tables import Unreadable, read_tables
from office.ledger.verify import verify_project
from office.property.models import Occupancy, Unit
from office.staff.models import AuditEntry
from tests.office.engines import both_engines
from tests.office.estate import Estate


def checked(estate: Estate, tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "file.csv") -> Checked:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return check(estate.project, read_tables(path))


def refusals(found: Checked) -> list[tuple[int, str]]:
    return [(refusal.line, refusal.reason) for refusal in found.refusals]


UNITS = """房号,建筑面积,业主,电话
4-1-101,98.24,王芳,19900000001
4-1-102,abc,李强,
3-1-502,88.00,重复,
4-1-103,-5,无,
4-1-101,77,又一次,
nowhere,90,无,
4-1-104,89.375,无,
4栋1单元105,101.37,司徒静,
4-1-106,,无,
4-1-107,99999,无,
"""


def test_rows_with_a_bad_area_a_double_room_or_no_room_are_refused_by_line(estate: Estate, tmp_path: Path) -> None:
    found = checked(estate, tmp_path, UNITS)
    assert refusals(found) == [
        (3, "bad_area"),
        (4, "duplicate_room"),
        (5, "bad_area"),
        (6, "duplicate_room"),
        (7, "bad_room"),
        (8, "bad_area"),
        (10, "bad_area"),
        (11, "bad_area"),
    ]
    assert [(unit.address.code, unit.area_c, unit.name) for unit in found.units] == [
        ("4-1-101", 9824, "王芳"),
        ("4-1-105", 10137, "司徒静"),
    ]
    assert Unit.objects.count() == 1, "a dry run writes nothing"


@both_engines
def test_short_rows_and_numbers_beyond_reason_are_refused_like_any_other(estate: Estate, tmp_path: Path) -> None:
    areas = ["1E+9999999999", "1e2", "NaN", "1_0", "", "9" * 400]
    rows = "".join(f"4-1-{201 + n},{area}\n" for n, area in enumerate(areas))
    found = checked(estate, tmp_path, f"房号,面积,姓名\n4-1-101\n,88\n{rows}4-1-301,88,王芳,too,many,cells\n")
    assert refusals(found) == [(2, "bad_area"), (3, "bad_room"), *((line, "bad_area") for line in range(4, 10))]
    assert [unit.address.code for unit in found.units] == ["4-1-301"]


@pytest.mark.parametrize("month", ["2026-12", "2026/12/1", "2026年12月", "2026-12-01", "2026年12月1日"])
@pytest.mark.parametrize("day", ["2026-12-31", "2026/12/31", "2026年12月31日"])
def test_months_and_days_are_read_as_spreadsheet_programs_show_them(
    estate: Estate, tmp_path: Path, month: str, day: str
) -> None:
    found = checked(estate, tmp_path, f"房号,收费项目,账期,金额,缴费期限\n3-1-502,水费,{month},1.5,{day}\n")
    assert refusals(found) == []
    assert (found.bills[0].period_from, found.bills[0].due_on) == (
        datetime.date(2026, 12, 1),
        datetime.date(2026, 12, 31),
    )


@pytest.mark.parametrize(
    ("month", "day", "reason"),
    [
        ("9999-12", "2026-12-31", "bad_period"),
        ("2026/12/2", "2026-12-31", "bad_period"),
        ("2026-12", "2026-W01-1", "bad_date"),
        ("2026-12", "2026-02-30", "bad_date"),
        ("2026-12", "31/12/2026", "bad_date"),
    ],
)
def test_other_months_and_days_are_refused(estate: Estate, tmp_path: Path, month: str, day: str, reason: str) -> None:
    found = checked(estate, tmp_path, f"房号,收费项目,账期,金额,缴费期限\n3-1-502,水费,{month},1.5,{day}\n")
    assert refusals(found) == [(2, reason)]


def test_two_columns_that_mean_the_same_are_refused_and_not_chosen_from(estate: Estate, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="two columns for area"):
        checked(estate, tmp_path, "房号,面积,建筑面积\n4-1-101,88,99\n")


def test_a_line_break_inside_a_cell_becomes_a_space_and_lines_are_counted_as_the_program_shows_them(
    estate: Estate, tmp_path: Path
) -> None:
    found = checked(estate, tmp_path, '房号,面积,姓名\n4-1-101,88,"王\n芳"\n4-1-102,x,李\n')
    assert (found.units[0].name, refusals(found)) == ("王 芳", [(3, "bad_area")])


def test_after_the_yes_the_good_rows_are_there_and_the_kiosks_hear_of_them(estate: Estate, tmp_path: Path) -> None:
    commit(checked(estate, tmp_path, UNITS))
    assert AuditEntry.objects.get(verb="import").body["units"] == Unit.objects.count() - 1
    unit = Unit.objects.get(code="4-1-105")
    assert (unit.area_c, unit.building.name, unit.occupancies.get().party.name) == (10137, "4", "司徒静")
    assert unit.changed_no > 0
    again = checked(estate, tmp_path, UNITS)
    assert again.units == []


BILLS = """房号,收费项目,账期,金额,缴费期限
3-1-502,物业服务费,2026-10,245.60,2026-10-31
3-1-502,water,2026年10月,110,2026/11/15
3-1-502,电梯费,2026-10,10,2026-10-31
9-9-999,water,2026-10,10,2026-10-31
3-1-502,water,十月,10,2026-10-31
3-1-502,water,2026-11,0,2026-10-31
3-1-502,water,2026-11,1.005,2026-10-31
3-1-502,water,2026-11,10,31.10.2026
3-1-502,water,2026-10,10,2026-10-31
3-1-502,water,2026-09,10,2026-10-31
"""


@both_engines
def test_bills_for_unknown_items_rooms_months_or_amounts_are_refused(estate: Estate, tmp_path: Path) -> None:
    found = checked(estate, tmp_path, BILLS)
    assert refusals(found) == [
        (4, "unknown_fee_item"),
        (5, "unknown_room"),
        (6, "bad_period"),
        (7, "bad_amount"),
        (8, "bad_amount"),
        (9, "bad_date"),
        (10, "duplicate_bill"),
        (11, "duplicate_bill"),
    ]
    assert str(found.refusals[0]) == "file.csv line 4: no such fee item in this project: 电梯费"
    commit(found)
    bill = Bill.objects.get(period_from=datetime.date(2026, 10, 1), fee_item__code="property")
    assert (bill.amount_fen, bill.due_on, bill.status) == (24560, datetime.date(2026, 10, 31), "issued")
    assert list(verify_project(estate.project)) == []


def test_residents_are_added_to_rooms_that_exist(estate: Estate, tmp_path: Path) -> None:
    found = checked(
        estate,
        tmp_path,
        "房号,姓名,电话,身份\n3-1-502,李四,1,租户\n3-1-502,,1,\n3-1-502,王五,1,路人\n3-1-502,欧阳小明,1,业主\n8-1-101,赵六,,\n",
    )
    assert refusals(found) == [(3, "no_name"), (4, "bad_role"), (5, "duplicate_resident"), (6, "unknown_room")]
    commit(found)
    assert Occupancy.objects.get(party__name="李四").role == "tenant"


def test_a_workbook_may_hold_all_three_tables_and_dates_and_numbers_as_cells(estate: Estate, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    bills = book.active
    bills.title = "账单"
    bills.append(["二〇二六年十月账单"])
    bills.append(["房号", "收费项目", "账期", "金额", "缴费期限"])
    bills.append(["5-1-101", "物业服务费", datetime.datetime(2026, 10, 1), 245.6, datetime.datetime(2026, 10, 31)])
    units = book.create_sheet("房号")
    units.append(["房号", "面积"])
    units.append(["5-1-101", 98.24])
    units.append(["5-1-102", 100])
    people = book.create_sheet("住户")
    people.append(["房号", "姓名"])
    people.append(["5-1-101", "王芳"])
    book.save(tmp_path / "all.xlsx")
    found = check(estate.project, read_tables(tmp_path / "all.xlsx"))
    assert refusals(found) == []
    assert (len(found.units), len(found.residents), len(found.bills)) == (2, 1, 1)
    commit(found)
    assert Bill.objects.get(unit__code="5-1-101").amount_fen == 24560


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_of_any_spreadsheet_program_are_read(
    estate: Estate, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = "房号,面积,业主\r\n6-1-101,90,诸葛亮\r\n".replace(",", delimiter)
    found = checked(estate, tmp_path, text, encoding)
    assert [(unit.address.code, unit.name) for unit in found.units] == [("6-1-101", "诸葛亮")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("words.csv", b"hello,world\n1,2\n"),
        ("not.xlsx", b"PK\x03\x04 nonsense"),
        ("picture.csv", bytes(range(256)) * 4),
        ("quote.csv", '房号,面积\n"4-1-101,90\n'.encode()),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(estate: Estate, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable):
        read_tables(tmp_path / name)
    with pytest.raises(Unreadable):
        read_tables(tmp_path / "missing.csv")
