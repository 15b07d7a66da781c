"""The word, and for states also the shape, of every code a clerk may meet; Chinese is the source of translation.

Source: shared/design/office/README.md (states), ux-and-accessibility 13.2 (glossary), office-domain 8 and 15.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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
    "unclaimed": State("hold", _("待认领")),
    "queried": State("ask", _("核实中")),
    "disputed": State("no", _("争议")),
    "reversed": State("idle", _("已冲销")),
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
    "offline": State("off", _("离线")),
    "stuck": State("stop", _("停滞")),
    "suspended": State("stop", _("已停用")),
    "waiting": State("todo", _("未配对")),
    "retired": State("idle", _("已退役")),
}

CASE = {
    "txn_conflict": State("bad", _("记录冲突")),
    "duplicate_payment": State("bad", _("疑似重复缴费")),
    "bill_already_paid": State("bad", _("账单已缴")),
    "bill_void": State("bad", _("账单已作废")),
    "amount_mismatch": State("bad", _("金额不符")),
    "unknown_unit": State("bad", _("房号不明")),
    "unidentified_cash": State("hold", _("待认领现金")),
    "abandoned_cash": State("hold", _("离开未完成")),
    "clock_skew": State("bad", _("时钟偏差")),
    "seq_gap": State("bad", _("序号缺口")),
    "chain_break": State("no", _("记录链断开")),
    "note_count_mismatch": State("bad", _("张数与金额不符")),
    "note_unknown": State("hold", _("纸币去向不明")),
    "receipt_not_printed": State("bad", _("收据未打印")),
    "receipt_no_reused": State("bad", _("收据号重复")),
    "box_unplanned_removal": State("no", _("钞箱被取出")),
    "box_variance": State("no", _("钞箱长短款")),
    "late_upload": State("late", _("补传过晚")),
    "over_limit": State("bad", _("超过限额")),
    "late_fee_gap": State("bad", _("违约金差额")),
    "quarantined": State("bad", _("看不懂的记录")),
    "fork": State("no", _("记录分叉")),
    "query": State("ask", _("核实中")),
    "dispute": State("no", _("争议")),
}

CASE_STATE = {
    "open": State("todo", _("待处理")),
    "closed": State("ok", _("已结")),
}

BILL = {
    "issued": State("todo", _("未到期")),
    "overdue": State("late", _("逾期")),
    "partly_paid": State("ask", _("部分缴纳")),
    "paid": State("ok", _("已缴")),
    "void": State("idle", _("已作废")),
    "written_off": State("idle", _("已核销")),
    "draft": State("ask", _("草稿")),
}

TENDER = {
    "cash": _("现金"),
    "qr_wechat": _("微信支付"),
    "qr_alipay": _("支付宝"),
    "card": _("一卡通"),
    "prepaid": _("预存"),
}

COMPONENT = {"cost": _("费用"), "late_fee": _("违约金"), "principal": ""}

ACCOUNT = {
    "1009": _("终端钱箱"),
    "1122": _("应收账款"),
    "2203": _("预收账款"),
    "2241.s": _("待查款项"),
    "2241.t": _("代收代付"),
    "6001": _("收费收入"),
    "6301": _("违约金收入"),
}

ROLE = {
    "sysadmin": _("系统管理员"),
    "business_admin": _("业务管理员"),
    "project_manager": _("项目经理"),
    "finance": _("财务审核"),
    "cashier": _("收费员"),
    "dunning": _("催缴员"),
    "technician": _("技术员"),
    "collector": _("收箱员"),
}

OCCUPANCY = {"owner": _("业主"), "tenant": _("租户"), "developer": _("开发商")}

UNIT_KIND = {"room": _("住宅"), "shop": _("商铺"), "parking": _("车位"), "storage": _("储藏间")}

DEVICE = {
    "acceptor": _("纸币器"),
    "printer": _("凭条打印机"),
    "reader": _("读卡器"),
    "scanner": _("扫码器"),
    "journal": _("日志"),
    "disk": _("磁盘"),
    "office": _("网络"),
    "screen": _("屏幕"),
    "internal": _("程序"),
    "kiosk": _("终端"),
}

SCREEN = {"attract": _("待机"), "busy": _("有人使用"), "out_of_service": _("暂停服务")}

PREPAID = {
    "overpay": _("余款转入"),
    "apply": _("抵缴"),
    "refund": _("退款"),
    "reversal": _("冲销"),
    "topup": _("预存"),
}

EVENT = {
    "journal.genesis": _("日志开始"),
    "agent.started": _("程序启动"),
    "agent.stopped": _("程序停止"),
    "clock.step": _("时钟拨动"),
    "checkpoint": _("签名核对点"),
    "payment.opened": _("打开缴费"),
    "payment.cancelled": _("未收款结束"),
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
