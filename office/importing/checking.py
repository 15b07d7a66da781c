"""Which rows are good, and why the others are refused: each with its line number and one reason."""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kiosk.domain.identifiers import UnitAddress, parse_address
from kiosk.domain.money import NotMoney, parse_yuan
from office.billing.models import Bill, FeeItem
from office.importing.tables import Row, Table
from office.property.models import Occupancy, Project, Unit

AREA_RANGE_C = (100, 200_000)  # 1 to 2,000 square metres
_AREA = re.compile(r"(\d{1,9}(\.\d{1,20})?)(㎡|m²)?")
# As people type them and as spreadsheet programs show them: these turn 2026-11 into the first of that month.
_PERIOD = re.compile(r"(20\d{2})[-/.年](\d{1,2})(月|[-/.]0?1|月1日)?")
_DATE = re.compile(r"(20\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_ROLES = {
    "": "owner",
    "业主": "owner",
    "owner": "owner",
    "租户": "tenant",
    "tenant": "tenant",
    "开发商": "developer",
    "developer": "developer",
}


@dataclass(frozen=True)
class Refusal:
    """One row that stays out."""

    table: str
    line: int
    reason: str  # bad_area, duplicate_room, unknown_fee_item, …
    value: str

    def __str__(self) -> str:
        return f"{self.table} line {self.line}: {REASONS[self.reason]}: {self.value or '(empty)'}"


REASONS = {
    "bad_room": "not a room such as 3-1-502",
    "bad_area": "not an area between 1 and 2,000 square metres with at most two decimals",
    "duplicate_room": "this room is already there",
    "unknown_room": "no such room, neither here nor in the office",
    "no_name": "no name",
    "bad_role": "not owner, tenant or developer",
    "duplicate_resident": "this resident is already there",
    "unknown_fee_item": "no such fee item in this project",
    "bad_period": "not a month such as 2026-11",
    "bad_amount": "not an amount in yuan above zero",
    "bad_date": "not a date such as 2026-11-30",
    "duplicate_bill": "this room has a bill for this item and month already",
}


class _Refused(Exception):
    def __init__(self, reason: str, value: str) -> None:
        super().__init__(reason)
        self.reason, self.value = reason, value


@dataclass(frozen=True)
class NewUnit:
    address: UnitAddress
    area_c: int
    name: str
    phone: str


@dataclass(frozen=True)
class NewResident:
    code: str
    name: str
    phone: str
    role: str


@dataclass(frozen=True)
class NewBill:
    code: str
    item: FeeItem
    period_from: datetime.date
    amount_fen: int
    due_on: datetime.date


@dataclass
class Checked:
    """Everything good of a file, and every refusal."""

    project: Project
    units: list[NewUnit] = field(default_factory=list)
    residents: list[NewResident] = field(default_factory=list)
    bills: list[NewBill] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def check(project: Project, tables: Sequence[Table]) -> Checked:
    """Check all rows against each other and against the office; units before those who live in them."""
    checked, known = Checked(project), _Known(project)
    order = ("units", "residents", "bills")
    for table in sorted(tables, key=lambda table: order.index(table.kind)):
        read: Callable[[Checked, _Known, dict[str, str]], None] = {
            "units": _unit,
            "residents": _resident,
            "bills": _bill,
        }[table.kind]
        for row in table.rows:
            _checked_row(checked, known, table, row, read)
    checked.refusals.sort(key=lambda refusal: (refusal.table, refusal.line))
    return checked


def _checked_row(checked: Checked, known: "_Known", table: Table, row: Row, read: Callable[..., None]) -> None:
    try:
        read(checked, known, row.cells)
    except _Refused as refused:
        checked.refusals.append(Refusal(table.name, row.line, refused.reason, refused.value[:60]))


class _Known:
    """What the office has already, and what the file has added so far."""

    def __init__(self, project: Project) -> None:
        self.codes = set(Unit.objects.filter(project=project).values_list("code", flat=True))
        people = Occupancy.objects.filter(project=project, until=None)
        self.residents = set(people.values_list("unit__code", "party__name"))
        items = FeeItem.objects.filter(project=project)
        self.items = {item.code: item for item in items} | {item.name: item for item in items}
        self.bills = set(Bill.objects.filter(project=project).values_list("unit__code", "fee_item_id", "period_from"))


def _unit(checked: Checked, known: _Known, cells: dict[str, str]) -> None:
    address = parse_address(cells["code"])
    if address is None:
        raise _Refused("bad_room", cells["code"])
    if address.code in known.codes:
        raise _Refused("duplicate_room", address.code)
    area_c = _area(cells["area"])
    known.codes.add(address.code)
    name = cells.get("name", "")
    if name:
        known.residents.add((address.code, name))
    checked.units.append(NewUnit(address, area_c, name[:80], cells.get("phone", "")[:40]))


def _area(text: str) -> int:
    found = _AREA.fullmatch(text.replace(" ", ""))
    exact = Decimal(found[1]) * 100 if found else Decimal(0)
    if exact != exact.to_integral_value() or not AREA_RANGE_C[0] <= exact <= AREA_RANGE_C[1]:
        raise _Refused("bad_area", text)
    return int(exact)


def _code(known: _Known, text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise _Refused("bad_room", text)
    if address.code not in known.codes:
        raise _Refused("unknown_room", address.code)
    return address.code


def _resident(checked: Checked, known: _Known, cells: dict[str, str]) -> None:
    code, name = _code(known, cells["code"]), cells["name"][:80]
    if not name:
        raise _Refused("no_name", "")
    role = _ROLES.get(cells.get("role", "").lower())
    if role is None:
        raise _Refused("bad_role", cells["role"])
    if (code, name) in known.residents:
        raise _Refused("duplicate_resident", f"{code} {name}")
    known.residents.add((code, name))
    checked.residents.append(NewResident(code, name, cells.get("phone", "")[:40], role))


def _bill(checked: Checked, known: _Known, cells: dict[str, str]) -> None:
    code = _code(known, cells["code"])
    item = known.items.get(cells["item"])
    if item is None:
        raise _Refused("unknown_fee_item", cells["item"])
    period_from = _period(cells["period"])
    try:
        amount_fen = parse_yuan(cells["amount"])
    except NotMoney as error:
        raise _Refused("bad_amount", cells["amount"]) from error
    if amount_fen == 0:
        raise _Refused("bad_amount", cells["amount"])
    due_on = _date(cells["due"])
    if (code, item.id, period_from) in known.bills:
        raise _Refused("duplicate_bill", f"{code} {item.name} {period_from:%Y-%m}")
    known.bills.add((code, item.id, period_from))
    checked.bills.append(NewBill(code, item, period_from, amount_fen, due_on))


def _date(text: str) -> datetime.date:
    found = _DATE.fullmatch(text)
    try:
        return datetime.date(int(found[1]), int(found[2]), int(found[3]))
    except (TypeError, ValueError) as error:
        raise _Refused("bad_date", text) from error


def _period(text: str) -> datetime.date:
    found = _PERIOD.fullmatch(text)
    try:
        return datetime.date(int(found[1]), int(found[2]), 1)
    except (TypeError, ValueError) as error:
        raise _Refused("bad_period", text) from error
