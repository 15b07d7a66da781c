"""What the admin calls tables and fields. Set on the models at start: words are no part of the schema, so no migration
follows from them."""

from typing import NamedTuple

from django.apps import apps
from django.db.models import Field
from django.utils.translation import gettext_lazy as _

from office.staff.pages import words
from office.staff.pages.words import Word


class TableWords(NamedTuple):
    name: Word
    fields: dict[str, Word]


APPS = {
    "billing": _("收费"),
    "kiosks": _("终端"),
    "property": _("房产"),
    "staff": _("人员"),
    "otp_totp": _("两步验证"),
}

TABLES = {
    "property.Project": TableWords(
        _("小区"),
        {
            "code": _("编码"),
            "name": _("名称"),
            "name_en": _("英文名称"),
            "payee": _("收款单位"),
            "service_phone": _("服务电话"),
            "complaint": _("投诉方式"),
            "cash_desk_place": _("收费处地点"),
            "cash_desk_place_en": _("收费处地点（英文）"),
            "cash_desk_hours": _("收费处时间"),
            "time_zone": _("时区"),
            "cash_limit_fen": _("一次现金上限（分）"),
            "notes_limit": _("一次张数上限"),
            "held_note_threshold_fen": _("多出多少要先问（分）"),
            "config_version": _("设置版本"),
        },
    ),
    "property.Building": TableWords(_("楼栋"), {"name": _("楼号"), "position": _("顺序")}),
    "property.Entrance": TableWords(_("单元"), {"building": _("楼栋"), "name": _("单元号")}),
    "property.Unit": TableWords(
        _("房号"),
        {
            "building": _("楼栋"),
            "entrance": _("单元"),
            "room": _("室号"),
            "code": _("房号"),
            "kind": _("类型"),
            "area_c": _("面积（0.01 ㎡）"),
            "handover_on": _("交付日期"),
            "gone": _("已注销"),
        },
    ),
    "property.Party": TableWords(_("住户"), {"name": _("姓名"), "phone": _("电话"), "kind": _("类型")}),
    "property.Occupancy": TableWords(
        _("居住关系"),
        {
            "unit": _("房号"),
            "party": _("住户"),
            "role": _("身份"),
            "since": _("开始日期"),
            "until": _("结束日期"),
            "pays": _("由其缴费"),
        },
    ),
    "billing.FeeItem": TableWords(
        _("收费项目"),
        {
            "code": _("编码"),
            "name": _("名称"),
            "name_en": _("英文名称"),
            "category": _("类别"),
            "third_party": _("代收代付"),
            "pay_at_kiosk": _("可在终端缴纳"),
        },
    ),
    "billing.FeeStandard": TableWords(
        _("收费标准"),
        {
            "fee_item": _("收费项目"),
            "code": _("编码"),
            "version": _("版本"),
            "formula": _("算法"),
            "params": _("参数"),
            "late_rule": _("违约金规则"),
            "basis": _("依据"),
            "valid_from": _("生效日期"),
            "valid_to": _("失效日期"),
        },
    ),
    "billing.LateFeeRule": TableWords(
        _("违约金规则"),
        {
            "code": _("编码"),
            "version": _("版本"),
            "rate_ppm": _("日费率（百万分之）"),
            "grace_days": _("宽限天数"),
            "start": _("起算"),
            "cap_ppm": _("上限（百万分之）"),
            "cap_fen": _("上限（分）"),
        },
    ),
    "kiosks.Kiosk": TableWords(
        _("终端"),
        {
            "code": _("编码"),
            "location": _("位置"),
            "location_en": _("位置（英文）"),
            "state": _("状态"),
            "public_key": _("公钥"),
            "key_id": _("公钥指纹"),
            "next_public_key": _("待启用的公钥"),
            "next_key_id": _("待启用的公钥指纹"),
            "may_replace_until": _("允许换新日志至"),
            "software": _("软件版本"),
            "paired_at": _("配对时间"),
            "box_capacity_notes": _("钞箱容量（张）"),
        },
    ),
    "otp_totp.TOTPDevice": TableWords(_("动态口令"), {"user": _("人员"), "name": _("名称"), "confirmed": _("已确认")}),
    "staff.Membership": TableWords(_("角色"), {"user": _("人员"), "role": _("角色")}),
    "staff.AuditEntry": TableWords(
        _("审计记录"),
        {
            "at": _("时间"),
            "actor": _("谁"),
            "verb": _("做了什么"),
            "object_type": _("对象"),
            "object_id": _("对象编号"),
            "reason": _("理由"),
            "body": _("内容"),
        },
    ),
}

# Values of fields that are codes.
CHOICES: dict[str, dict[str, Word]] = {
    "property.Unit.kind": words.UNIT_KIND,
    "property.Party.kind": {"person": _("个人"), "company": _("单位")},
    "property.Occupancy.role": words.OCCUPANCY,
    "billing.FeeItem.category": {
        "property": _("物业服务费"),
        "water": _("水费"),
        "power": _("电费"),
        "parking": _("停车费"),
        "deposit": _("押金"),
        "one_off": _("一次性费用"),
    },
    "billing.FeeStandard.formula": {
        "area": _("按面积"),
        "fixed": _("固定金额"),
        "metered": _("按用量"),
        "share": _("分摊"),
    },
    "billing.LateFeeRule.start": {"after_due": _("自到期次日"), "after_grace": _("自宽限期后")},
    "kiosks.Kiosk.state": {"paired": _("已配对"), "suspended": _("已停用"), "revoked": _("已吊销")},
    "staff.Membership.role": words.ROLE,
}

OF_ANOTHER_PROJECT = _(
    "%(what)s不属于小区“%(project)s”；请改选该小区的一项。已有的记录不能换小区，如登记错了，请在正确的小区新建"
)
OF_ANOTHER_BUILDING = _("%(entrance)s不在%(building)s；请改选%(building)s的单元")
NO_SUCH_TIME_ZONE = _("没有这个时区；请填写地区名称，例如 Asia/Shanghai")


def put_on_models() -> None:
    """Give every table and field that the admin shows its word."""
    for label, word in APPS.items():
        apps.get_app_config(label).verbose_name = word
    for label, table in TABLES.items():
        model = apps.get_model(label)
        model._meta.verbose_name = model._meta.verbose_name_plural = table.name
        for field in model._meta.fields:
            field.verbose_name = table.fields.get(field.name, field.verbose_name)
            if field.name == "project":
                field.verbose_name = TABLES["property.Project"].name


def choices_of(field: Field) -> dict[str, Word]:
    """The words of a field's codes; empty when its values are no codes."""
    return CHOICES.get(f"{field.model._meta.label}.{field.name}", {})
