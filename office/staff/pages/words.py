"""The word, and for states also the shape, of every code a clerk may meet; Chinese is the source of translation.

Source: shared/design/office/README.md (states), ux-and-accessibility 13.2 (glossary), office-domain 8 and 15.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Word = str | Promise


@dataclass(frozen=True)
class State:
    """A state is always a shape and a word; ``shape`` is a class of office.css."""

    shape: str
    word: Word


# A payment as the office holds it.
PAYMENT = {
    "booked": State("ok", _("已入账")),
    "exception": State("bad", _("异常")),
    "suspense": State("hold", _("待认领")),
    "queried": State("ask", _("核实中")),
    "disputed": State("no", _("争议")),
    "open": State("late", _("处理中")),
    "cancelled": State("idle", _("未收款")),
}

# What a clerk decided, and what has not been decided yet.
DECISION = {
    "accept": State("ok", _("已认可")),
    "query": State("ask", _("核实中")),
    "dispute": State("no", _("争议")),
    "": State("todo", _("未审核")),
}

# A kiosk's health, computed from its heartbeats and alarms.
KIOSK = {
    "ok": State("ok", _("正常")),
    "catching_up": State("late", _("补传中")),
    "late": State("late", _("迟报")),
    "degraded": State("bad", _("设备异常")),
    "warned": State("late", _("有提醒")),
    "offline": State("off", _("离线")),
    "suspended": State("stop", _("已停用")),
    "never": State("todo", _("未联系过")),
}

CASE = {
    "query": State("ask", _("核实中")),
    "dispute": State("no", _("争议")),
    "bill_already_paid": State("bad", _("账单已缴")),
    "bill_void": State("bad", _("账单已作废")),
    "amount_mismatch": State("bad", _("金额不符")),
    "late_fee_gap": State("bad", _("违约金差额")),
    "note_count_mismatch": State("bad", _("张数与金额不符")),
    "receipt_no_reused": State("bad", _("流水号重复")),
    "unknown_unit": State("bad", _("房号不明")),
    "unidentified_cash": State("hold", _("待认领现金")),
    "note_unknown": State("hold", _("纸币去向不明")),
    "clock_skew": State("bad", _("时钟偏差")),
    "unreadable_event": State("bad", _("看不懂的记录")),
    "journal_branch": State("no", _("终端有两份记录")),
    "branch_note": State("hold", _("另一份记录里的纸币")),
    "receipt_not_printed": State("bad", _("凭条未打印")),
    "duplicate_payment": State("ask", _("可能重复缴费")),
    "late_upload": State("bad", _("上传太晚")),
    "box_unplanned_removal": State("no", _("钞箱被取出")),
    "box_variance": State("no", _("清点不符")),
    "claim_contradicted": State("no", _("核实结果相反")),
    "claim_overtaken": State("no", _("可能给了两次")),
}

# A suspense item: open, or how it ended.
CLAIM = {
    "open": State("ask", pgettext_lazy("claim", "核实中")),
    "found": State("ok", _("已查明：在钞箱内")),
    "returned": State("ok", _("已查明：当时已退出")),
    "credited": State("ok", _("已记给住户")),
    "refunded": State("ok", _("已退还现金")),
    "not_received": State("idle", _("已核实：没有收下")),
}

# What may be proposed, and what it does to the books.
CLAIM_WAY: dict[str, tuple[Word, Word]] = {
    "credit": (_("记给住户"), _("先冲缴费人当时所选的账单，余款转入预存。借 2241.s 或 1901，贷 1122、6301、2203。")),
    "refund": (_("退还现金"), _("由收费处当面退还。借 2241.s 或 1901，贷 1001。")),
    "not_received": (_("没有收下"), _("终端没有收下这张纸币，不记账。")),
}

PROPOSAL = {
    "proposed": State("ask", _("等确认")),
    "confirmed": State("ok", _("已确认")),
    "cancelled": State("idle", _("已撤销")),
}

BILL = {
    "issued": State("todo", _("未到期")),
    "overdue": State("late", _("逾期")),
    "partly_paid": State("ask", _("部分缴纳")),
    "paid": State("ok", _("已缴")),
    "void": State("idle", _("已作废")),
    "draft": State("ask", _("草稿")),
}

TENDER = {
    "cash": _("现金"),
    "qr_wechat": _("微信支付"),
    "qr_alipay": _("支付宝"),
    "card": _("一卡通"),
    "prepaid": _("预存"),
    "claim": _("核实后记入"),
}

COMPONENT = {"cost": _("费用"), "late_fee": _("违约金"), "principal": ""}

ROLE = {
    "sysadmin": _("系统管理员"),
    "business_admin": _("业务管理员"),
    "project_manager": _("项目经理"),
    "finance_audit": _("财务审核"),
    "cashier": _("收费员"),
    "dunning": _("催缴员"),
    "technician": _("技术员"),
    "collector": _("收箱员"),
}

OCCUPANCY = {"owner": _("业主"), "tenant": _("租户"), "developer": _("开发商")}

UNIT_KIND = {"room": _("住宅"), "shop": _("商铺"), "parking": _("车位"), "storage": _("储藏间")}

DEVICE = {"acceptor": _("纸币器"), "printer": _("凭条打印机")}

SCREEN = {"attract": _("待机"), "busy": _("有人使用"), "out_of_service": _("暂停服务")}

PREPAID = {
    "overpay": _("余款转入"),
    "topup": _("预存"),
    "bill_gone": _("账单已缴，转入预存"),
    "opening": _("期初余额"),
    "apply": _("抵缴"),
    "refund": _("退款"),
    "claim": _("核实后转入"),
}

PAPER = {
    "ok": _("充足"),
    "near_end": _("将尽"),
    "out": _("缺纸"),
    "unknown": _("未知"),
}

SLIP = {
    "none": _("没有打印"),
    "printed": _("已打印"),
    "unconfirmed": _("已打印，未确认"),
    "failed": _("没有打出"),
    "declined": _("没有要凭条"),
}

NOTE = {
    "escrow": State("late", _("暂存")),
    "intent": State("late", _("收下中")),
    "credited": State("ok", _("已收下")),
    "returned": State("idle", _("已退钞")),
    "unknown": State("hold", _("去向不明")),
    "suspense": State("hold", _("待查")),
    "not_kept": State("idle", _("没有收下")),
}

ENDED = {
    "finished": _("缴费人完成"),
    "timeout": _("超时结束"),
    "restart": _("重启后结束"),
    "fault": _("设备异常结束"),
    "payer": _("缴费人取消"),
    "replaced": _("终端的旧记录停用，缴费没有完成"),
    "unreadable": _("缴费结束的记录看不懂"),
}

CLOCK = {"synced": _("已校准"), "rtc": _("走时芯片"), "held": _("未校准，保持走时"), "unset": _("未设定")}

EVENT = {
    "journal.genesis": _("日志开始"),
    "key.rolled": _("换了密钥"),
    "agent.started": _("程序启动"),
    "agent.stopped": _("程序停止"),
    "clock.step": _("时钟拨动"),
    "checkpoint": _("签名核对点"),
    "journal.checked": _("夜间自检无误"),
    "config.applied": _("启用新配置"),
    "payment.opened": _("打开缴费"),
    "payment.cancelled": _("取消缴费"),
    "payment.settled": _("完成缴费"),
    "payment.partial": _("部分缴纳"),
    "note.escrow": _("纸币暂存"),
    "note.accept_intent": _("决定收下"),
    "note.credited": _("已收下"),
    "note.returned": _("已退钞"),
    "note.unknown": _("去向不明"),
    "receipt.printed": _("凭条已打印"),
    "receipt.failed": _("凭条未打出"),
    "receipt.declined": _("不要凭条"),
    "cashbox.removed": _("钞箱取出"),
    "cashbox.replaced": _("钞箱装回"),
    "acceptor.counted": _("纸币器计数"),
    "device.fault": _("设备异常"),
    "device.fault_cleared": _("异常解除"),
    "screen.restarted": _("屏幕重启"),
}

# Events that are facts about money: their knots in the chain are filled.
MONEY_EVENTS = frozenset({"payment.opened", "payment.settled", "payment.partial", "note.credited", "note.unknown"})


def state(table: dict[str, State], code: str) -> State:
    """The state of a code; a code of a newer version is shown as it is, never hidden."""
    return table.get(code) or State("todo", code)


def word(table: dict[str, Word], code: str) -> Word:
    return table.get(code, code)
