"""The demo's bills: property fee by area, water by meter with tiers, parking, lift power shared by area."""

import calendar
import datetime
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.domain.money import format_yuan, share_by_weight
from office.billing.models import Bill, FeeItem, FeeStandard, LateFeeRule
from office.billing.rules import area_fee, metered_fee
from office.property.models import Project, Unit
from office.rows import derived_id

PROPERTY_E4, WATER_E4, PARKING_FEN, LIFT_POWER_FEN = 25_000, 50_000, 15_000, 128_435


@dataclass(frozen=True)
class Tariff:
    """The items of one project and what they cost."""

    items: dict[str, FeeItem]
    standards: dict[str, FeeStandard]
    rule: LateFeeRule


def make_tariff(project: Project, valid_from: datetime.date) -> Tariff:
    """Four items; property and parking bear a late fee of 0.03 % a day, capped at 30 % of the principal."""
    rule = LateFeeRule.objects.create(id=derived_id(project.id, "rule"), project=project)
    rows = (
        ("property", "物业服务费", "Property service fee", "property", False, "area", {"price_e4": PROPERTY_E4}, rule),
        ("water", "水费", "Water", "water", True, "metered", {"price_e4": WATER_E4}, None),
        ("parking", "车位管理费", "Parking fee", "parking", False, "fixed", {"price_fen": PARKING_FEN}, rule),
        ("lift-power", "公共电费分摊", "Shared lift power", "power", True, "share", {"cost_fen": LIFT_POWER_FEN}, None),
    )
    items, standards = {}, {}
    for code, name, name_en, category, third_party, formula, params, late_rule in rows:
        items[code] = FeeItem.objects.create(
            id=derived_id(project.id, "item", code),
            project=project,
            code=code,
            name=name,
            name_en=name_en,
            category=category,
            third_party=third_party,
        )
        standards[code] = FeeStandard.objects.create(
            id=derived_id(project.id, "standard", code),
            project=project,
            fee_item=items[code],
            formula=formula,
            params=params,
            late_rule=late_rule,
            basis="物业服务合同第 8 条" if code == "property" else "",
            valid_from=valid_from,
        )
    return Tariff(items, standards, rule)


def month_of_bills(tariff: Tariff, units: Sequence[Unit], month: datetime.date, chance: random.Random) -> list[Bill]:
    """Draft bills of one month for these units; parking for every third, water for all."""
    power = share_by_weight(LIFT_POWER_FEN, [unit.area_c for unit in units])
    bills = []
    for index, unit in enumerate(units):
        bills.append(_bill(tariff, "property", unit, month, *_property(unit)))
        bills.append(_bill(tariff, "water", unit, month, *_water(8_000 + 1_000 * chance.randrange(18))))
        if index % 3 == 0:
            bills.append(_bill(tariff, "parking", unit, month, *_parking(index)))
        bills.append(_bill(tariff, "lift-power", unit, month, *_power(unit, power[index])))
    return bills


def next_month(month: datetime.date) -> datetime.date:
    return (month.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)


def _factor(value: str, caption: str, caption_en: str) -> dict[str, str]:
    return {"value": value, "caption": caption, "caption_en": caption_en}


def _computed(
    amount_fen: int, factors: list[dict[str, str]], text: str, text_en: str, basis: str = ""
) -> tuple[int, dict[str, Any]]:
    lines = [{"text": text, "text_en": text_en, "amount_fen": amount_fen}]
    return amount_fen, {"factors": factors, "lines": lines, "basis": basis}


def _property(unit: Unit) -> tuple[int, dict[str, Any]]:
    area = f"{unit.area_c // 100}.{unit.area_c % 100:02d}"
    factors = [
        _factor(f"{area} ㎡", "建筑面积", "Floor area"),
        _factor("2.50 元/㎡·月", "单价", "Price per m² and month"),
        _factor("1 个月", "月数", "Months"),
    ]
    amount = area_fee(unit.area_c, PROPERTY_E4)
    return _computed(amount, factors, f"{area} × 2.50", f"{area} × 2.50", "物业服务合同第 8 条")


def _water(quantity_m: int) -> tuple[int, dict[str, Any]]:
    tons = quantity_m // 1_000
    factors = [_factor(f"{tons} m³", "用水量", "Consumption"), _factor("5.00 元/m³", "一档单价", "First tier price")]
    return _computed(metered_fee(quantity_m, WATER_E4), factors, f"{tons} × 5.00", f"{tons} × 5.00")


def _parking(index: int) -> tuple[int, dict[str, Any]]:
    factors = [
        _factor("150.00 元/月", f"车位 B1-{index + 1:03d}", f"Place B1-{index + 1:03d}"),
        _factor("1 个月", "月数", "Months"),
    ]
    return _computed(PARKING_FEN, factors, "150.00 × 1", "150.00 × 1")


def _power(unit: Unit, part_fen: int) -> tuple[int, dict[str, Any]]:
    area = f"{unit.area_c // 100}.{unit.area_c % 100:02d}"
    share = f"{100 * part_fen / LIFT_POWER_FEN:.2f}%"
    factors = [
        _factor(f"{format_yuan(LIFT_POWER_FEN)} 元", "本月电梯用电", "Lift power this month"),
        _factor(share, f"本户占比（{area} ㎡）", f"Your share ({area} m²)"),
    ]
    return _computed(part_fen, factors, "按面积分摊", "Shared by floor area")


def _bill(
    tariff: Tariff, code: str, unit: Unit, month: datetime.date, amount_fen: int, computation: dict[str, Any]
) -> Bill:
    item, standard = tariff.items[code], tariff.standards[code]
    last_day = calendar.monthrange(month.year, month.month)[1]
    return Bill(
        id=_bill_id(unit, code, month),
        unit=unit,
        fee_item=item,
        standard=standard,
        late_rule=standard.late_rule,
        period_from=month,
        period_to=next_month(month),
        due_on=month.replace(day=last_day),
        amount_fen=amount_fen,
        computation=computation,
    )


def _bill_id(unit: Unit, code: str, month: datetime.date) -> uuid.UUID:
    return derived_id(unit.id, "bill", code, month)
