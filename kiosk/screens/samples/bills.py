"""Samples of S05 to S07: bills, how they were computed, how much to pay now."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from kiosk.domain.money import Fen
from kiosk.screens.samples.maker import USUAL_DUE, Maker
from kiosk.views import (
    AllocationRow,
    AmountChoice,
    AmountOption,
    AmountView,
    AnyView,
    BillListView,
    BillRowView,
    ExplainView,
    Saying,
    Step,
)

_ITEMS = (
    ("物业服务费", "Property service fee", "property", 22554),
    ("公共水电分摊", "Shared utilities", "power", 1874),
    ("物业服务费", "Property service fee", "property", 25060),
    ("车位管理费 B2-117", "Parking fee B2-117", "parking", 8000),
    ("水费 12 吨", "Water 12 t", "water", 4140),
)
_LONG_NAME = (
    "电梯、增压水泵及消防设施电费公共分摊费用",
    "Shared electricity of lifts, booster pumps and fire equipment",
)


def _row(index: int, item: tuple[str, str, str, int], *, overdue: bool, picked: bool = True) -> BillRowView:
    name, name_en, category, amount = item
    month = date(2025, 12, 1) if overdue else date(2026, 1, 1)
    return BillRowView(
        bill_id=f"bill-{index}",
        item_name=name,
        item_name_en=name_en,
        category=category,
        period_from=month,
        period_to=next_month(month),
        due_on=date(2026, 1 if overdue else 2, 10),
        amount=Fen(amount),
        late_fee=Fen(105 if overdue else 0),
        overdue=overdue,
        picked=picked,
    )


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def usual_rows(count: int = 3) -> tuple[BillRowView, ...]:
    return tuple(_row(index, item, overdue=index < 2) for index, item in enumerate(_ITEMS[:count]))


def bill_list(
    make: Maker, rows: tuple[BillRowView, ...], frame: dict[str, Any] | None = None, **changes: Any
) -> AnyView:
    whole: dict[str, Any] = {
        "frame": make.frame(Step.BILLS, can_go_back=True, can_cancel=True, **(frame or {})),
        "rows": rows,
        "page": 0,
        "pages": 1,
        "count": len(rows),
        "overdue_count": sum(row.overdue for row in rows),
        "picked_count": sum(row.picked for row in rows),
        "picked_total": Fen(sum(row.amount for row in rows if row.picked)),
        "amounts_shown": True,
        "prepaid": Fen(8660),
    }
    return BillListView(**(whole | changes))


def usual(make: Maker) -> dict[str, Any]:
    """The usual five bills, of which a page shows as many as fit."""
    pages = -(-len(_ITEMS) // make.rows)
    return {"pages": pages, "count": 5, "overdue_count": 2, "picked_count": 5, "picked_total": USUAL_DUE}


def bills(make: Maker) -> Iterator[tuple[str, AnyView]]:
    first = usual(make)
    yield "s05-bills", bill_list(make, usual_rows(make.rows), **first)
    yield "s05-bills-hidden", bill_list(make, usual_rows(make.rows), amounts_shown=False, **first)
    long_item = (*_LONG_NAME, "power", 1234567)
    rows = (_row(0, long_item, overdue=True), _row(1, long_item, overdue=False, picked=False), usual_rows()[2])
    yield "s05-bills-long-names", bill_list(make, rows, prepaid=Fen(999999))
    none = tuple(msgspec.structs.replace(row, picked=False) for row in usual_rows(2))
    yield "s05-bills-none-picked", bill_list(make, none, notice=Saying("notice.pick_one"))
    twenty: dict[str, Any] = {
        "page": 2,
        "pages": -(-20 // make.rows),
        "count": 20,
        "overdue_count": 14,
        "picked_count": 19,
        "picked_total": Fen(1234567),
    }
    cent = _row(9, ("水费零头", "Water, remainder", "water", 1), overdue=False)
    yield "s05-bills-twenty", bill_list(make, (*usual_rows(make.rows - 1), cent), **twenty)
    yield "s05-bills-zero", bill_list(make, (), notice=Saying("notice.nothing_to_pay"))
    offline = {"offline": True, "bills_as_of": "2026-02-06 08:00", "code": "E21"}
    yield "s05-bills-offline", bill_list(make, usual_rows(make.rows), offline, **first)
    prepay_only = {"offline": True, "code": "E21"}
    yield "s05-bills-prepay-only", bill_list(make, (), prepay_only, notice=Saying("notice.offline_prepay_only"))
    # The list itself is too old to be shown; the prepaid balance comes from it and keeps its time.
    eight_days = {**prepay_only, "bills_as_of": "2026-01-29 08:00"}
    yield "s05-bills-eight-days", bill_list(make, (), eight_days, notice=Saying("notice.offline_prepay_only"))
    yield from _explanations(make)


def _explanations(make: Maker) -> Iterator[tuple[str, AnyView]]:
    frame = make.frame(Step.BILLS, can_go_back=True, can_cancel=True)
    usual = ExplainView(
        frame=frame,
        item_name="物业服务费",
        item_name_en="Property service fee",
        period_from=date(2025, 12, 1),
        period_to=date(2026, 1, 1),
        due_on=date(2026, 1, 10),
        factors=(
            ("89.50 ㎡", "您家的面积", "Your floor area"),
            ("¥2.80", "每平方米每月", "per m² a month"),
            ("1 个月", "12月1日至31日", "1–31 December"),
        ),
        lines=(
            ("面积 × 单价 × 月数", "Area × price × months", Fen(25060)),
            ("2 号电梯停用 3 天，减一成", "Lift 2 out of use 3 days, 10% off", Fen(-2506)),
        ),
        late_fee=Fen(0),
        late_days=0,
        late_rate_ppm=0,
        total=Fen(22554),
        basis="《和安里小区物业服务合同》第十二条：物业服务费按房屋建筑面积计收，每月每平方米 2.80 元，次月 10 日前缴纳。",
        payee="和安物业服务有限公司",
        complaint="12315",
    )
    yield "s06-explain", usual
    yield (
        "s06-explain-late-fee",
        msgspec.structs.replace(usual, late_fee=Fen(203), late_days=27, late_rate_ppm=300, total=Fen(22757)),
    )
    yield (
        "s06-explain-bare",
        msgspec.structs.replace(
            usual,
            item_name="车位管理费 B2-117",
            item_name_en="Parking fee B2-117",
            factors=(),
            basis="",
            complaint="",
            lines=(("固定收费", "Fixed price", Fen(8000)),),
            total=Fen(8000),
        ),
    )
    two = (("12 吨", "本期用水", "Water used"), ("¥3.45", "每吨", "per tonne"))
    yield (
        "s06-explain-water",
        msgspec.structs.replace(
            usual,
            item_name="水费 12 吨",
            item_name_en="Water 12 t",
            factors=two,
            total=Fen(4140),
            basis="",
            lines=(("抄表 1,204 至 1,216", "Meter 1,204 to 1,216", Fen(4140)),),
        ),
    )


def _allocation(count: int = 5, **last: Any) -> tuple[AllocationRow, ...]:
    rows = [
        AllocationRow(
            item_name=row.item_name,
            item_name_en=row.item_name_en,
            period_from=row.period_from,
            period_to=row.period_to,
            amount=row.amount,
            cleared=True,
        )
        for row in usual_rows(count)
    ]
    rows[-1] = msgspec.structs.replace(rows[-1], **last)
    return tuple(rows)


def amounts(make: Maker) -> Iterator[tuple[str, AnyView]]:
    options = (
        AmountOption(choice=AmountChoice.ALL, amount=USUAL_DUE, bill_count=5),
        AmountOption(choice=AmountChoice.PICKED, amount=Fen(49488), bill_count=3),
        AmountOption(choice=AmountChoice.OVERDUE, amount=Fen(24428), bill_count=2),
        AmountOption(choice=AmountChoice.OTHER, amount=None, bill_count=0),
    )
    usual = AmountView(
        frame=make.frame(Step.BILLS, can_go_back=True, can_cancel=True),
        options=options,
        chosen=AmountChoice.ALL,
        typing=False,
        typed="",
        error=None,
        rows=_allocation(),
        more_rows=0,
        to_prepaid=Fen(0),
        amount=USUAL_DUE,
        can_continue=True,
    )
    yield "s07-amount", usual
    yield (
        "s07-amount-twenty",
        msgspec.structs.replace(
            usual,
            options=(AmountOption(choice=AmountChoice.ALL, amount=Fen(123456), bill_count=20), options[3]),
            more_rows=15,
            amount=Fen(123456),
        ),
    )
    yield (
        "s07-amount-other",
        msgspec.structs.replace(
            usual,
            chosen=AmountChoice.OTHER,
            rows=_allocation(2, amount=Fen(446), cleared=False),
            amount=Fen(23000),
            options=(*options[:3], msgspec.structs.replace(options[3], amount=Fen(23000), bill_count=2)),
        ),
    )
    typing: dict[str, Any] = {"chosen": AmountChoice.OTHER, "typing": True}
    yield (
        "s07-amount-typing",
        msgspec.structs.replace(usual, typed="700", to_prepaid=Fen(8372), amount=Fen(70000), **typing),
    )
    yield (
        "s07-amount-typing-empty",
        msgspec.structs.replace(usual, rows=(), amount=Fen(0), can_continue=False, **typing),
    )
    yield (
        "s07-amount-prepaying",
        msgspec.structs.replace(
            usual, options=options[3:], rows=(), amount=Fen(0), to_prepaid=Fen(0), can_continue=False, **typing
        ),
    )
    yield (
        "s07-amount-typing-error",
        msgspec.structs.replace(
            usual,
            typed="9000",
            rows=(),
            amount=Fen(900000),
            can_continue=False,
            error=Saying("notice.amount_maximum", {"limit_fen": 200000}),
            **typing,
        ),
    )
