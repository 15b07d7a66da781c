"""A file as tables of text: each row with its line number, whatever program wrote it."""

import codecs
import csv
import datetime
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MAX_ROWS = 200_000


class Unreadable(Exception):
    """The file is no table we can read; the message says what to do."""

    for_people = True


@dataclass(frozen=True)
class Row:
    """One row: the line a person sees in their program, and its cells by normalised column name."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A sheet, or the whole CSV file."""

    name: str
    kind: str  # units, residents, bills
    rows: tuple[Row, ...]


# What a column may be called, in the words of offices; normalised name first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("code", "unit", "房号", "房间", "房间号", "房屋编号"),
    "area": ("area", "面积", "建筑面积", "建筑面积(㎡)", "面积(㎡)", "area_m2"),
    "name": ("name", "owner", "resident", "姓名", "业主", "业主姓名", "住户", "户名"),
    "phone": ("phone", "电话", "手机", "手机号", "联系电话"),
    "role": ("role", "身份", "住户类型"),
    "item": ("item", "fee_item", "收费项目", "项目", "费用项目"),
    "period": ("period", "month", "账期", "月份", "所属期"),
    "amount": ("amount", "金额", "应收金额", "应收", "金额(元)"),
    "due": ("due", "due_on", "缴费期限", "到期日", "应缴日期"),
}
_NAMES = {spelling: name for name, spellings in COLUMNS.items() for spelling in spellings}
# Which columns make which table; the first that fits decides.
KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("bills", frozenset(["code", "item", "period", "amount", "due"])),
    ("units", frozenset(["code", "area"])),
    ("residents", frozenset(["code", "name"])),
)


def read_tables(path: Path) -> list[Table]:
    """The tables of a file.

    Raises:
        Unreadable: not xlsx or CSV, damaged, too long, or its columns are none we know.
    """
    try:
        sheets = list(_sheets(path))
    except (OSError, zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, csv.Error) as error:
        raise Unreadable(f"{path}: not a readable xlsx or CSV file ({error})") from error
    tables = [table for name, rows in sheets if (table := _table(name, rows))]
    if not tables:
        known = "; ".join(f"{kind}: {', '.join(sorted(columns))}" for kind, columns in KINDS)
        raise Unreadable(f"{path}: no header row with columns we know ({known})")
    return tables


def _sheets(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                yield sheet.title, _limited([_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
        finally:
            book.close()
        return
    text = _decoded(path.read_bytes())
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    yield path.name, _limited(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _limited(rows: Any) -> list[list[str]]:
    kept = []
    for row in rows:
        kept.append([" ".join(cell.split()) for cell in row])  # a line break inside a cell is a space
        if len(kept) > MAX_ROWS:
            raise ValueError(f"more than {MAX_ROWS} rows; split the file")
    return kept


def _decoded(raw: bytes) -> str:
    """UTF-8, or what Chinese spreadsheet programs write by default, or their "Unicode text"."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).replace("\0", "")


def _table(name: str, rows: list[list[str]]) -> Table | None:
    """The table below the first row that is a header we know."""
    for index, row in enumerate(rows[:10]):
        columns = [_NAMES.get(cell.lower().replace("（", "(").replace("）", ")"), "") for cell in row]
        kind = next((kind for kind, needed in KINDS if needed <= set(columns)), None)
        if kind:
            if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
                raise Unreadable(f"{name}: two columns for {', '.join(twice)}; leave one of each")
            body = [
                Row(line, {column: cell for column, cell in zip_longest(columns, cells, fillvalue="") if column})
                for line, cells in enumerate(rows[index + 1 :], start=index + 2)
                if any(cells)
            ]
            return Table(name, kind, tuple(body))
    return None
