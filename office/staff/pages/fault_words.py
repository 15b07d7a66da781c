"""What a fault code means and what to do next, for the clerk; the codes are kiosk/hardware/faults.py's (docs/fault-codes.md)."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from office.staff.pages.words import State, Word


class FaultWords(NamedTuple):
    state: State
    next_step: Word


FAULT = {
    "acceptor.port_missing": FaultWords(State("bad", _("纸币器端口不在")), _("检查数据线和设置里的端口。")),
    "acceptor.port_busy": FaultWords(State("bad", _("纸币器端口被占用")), _("停掉占用端口的程序。")),
    "acceptor.silent": FaultWords(State("bad", _("纸币器没有应答")), _("检查它的电源和数据线。")),
    "acceptor.wrong_device": FaultWords(State("bad", _("接的不是可用的纸币器")), _("核对型号、币种和协议版本。")),
    "acceptor.protocol": FaultWords(State("bad", _("纸币器说了听不懂的话")), _("记下日志里的原始帧，联系厂家。")),
    "acceptor.jam_safe": FaultWords(State("bad", _("卡钞（取不到）")), _("开箱取出纸币，按认领号登记面额。")),
    "acceptor.jam_unsafe": FaultWords(State("no", _("卡钞（可能被抽走）")), _("开箱取出纸币还给缴费人，再断电重启。")),
    "acceptor.fraud": FaultWords(State("no", _("疑似抽钞")), _("查看日志和大堂录像，检查入钞通道。")),
    "acceptor.stacker_full": FaultWords(State("bad", _("箱满")), _("请安排收箱。")),
    "acceptor.cashbox_removed": FaultWords(State("no", _("钞箱不在")), _("装回钞箱，查清是谁取走的。")),
    "acceptor.note_lost": FaultWords(State("bad", _("计数差一张")), _("收箱时清点，凭证据处理认领号。")),
    "acceptor.path_open": FaultWords(State("bad", _("入钞通道未合上")), _("合上盖子。")),
    "printer.port_missing": FaultWords(State("bad", _("打印机端口不在")), _("检查数据线和设置里的端口。")),
    "printer.port_busy": FaultWords(State("bad", _("打印机端口被占用")), _("停掉占用端口的程序。")),
    "printer.silent": FaultWords(State("bad", _("打印机没有应答")), _("检查它的电源和数据线。")),
    "printer.paper_out": FaultWords(State("bad", _("缺纸")), _("装一卷新纸。")),
    "printer.near_end": FaultWords(State("late", _("纸将尽")), _("请今天换纸。")),
    "printer.cover_open": FaultWords(State("bad", _("打印机盖未合上")), _("合上盖子。")),
    "printer.cutter": FaultWords(State("bad", _("切刀卡住")), _("清开切刀，合上盖子。")),
    "printer.error": FaultWords(State("bad", _("打印机报错")), _("断电重启打印机。")),
    "printer.unconfirmed": FaultWords(State("late", _("打印没有确认")), _("看凭条有没有出来；没有就补打。")),
    "journal.unwritable": FaultWords(State("no", _("日志写不进")), _("腾出空间或更换存储；期间不收款。")),
    "journal.damaged": FaultWords(State("no", _("日志自检不符")), _("保留文件，运行 kiosk journal verify，联系厂家。")),
    "journal.fork": FaultWords(
        State("no", _("终端记录对不上")),
        _(
            "同一终端有两份不同的记录：设备被复制，或装回了旧备份。停用它，用 kiosk journal export 存下它的日志，用 office replay 看只有它知道的钱，加 --branch 就记入待查款项；查清后换新日志。"
        ),
    ),
    "journal.ahead": FaultWords(
        State("no", _("终端记录变短了")), _("终端丢了已上传的记录，多半装回了旧备份。停用它，查清后换新日志。")
    ),
    "journal.unexpected": FaultWords(
        State("no", _("多出一份终端记录")),
        _("有设备用这台终端的身份另开了日志：可能被复制。停用它，查清后再给配对码。"),
    ),
    "disk.margin": FaultWords(State("bad", _("磁盘空间不足")), _("清理状态分区。")),
    "office.unreachable": FaultWords(State("off", _("连不上办公室")), _("检查网络；现金照收，稍后补传。")),
    "office.refused": FaultWords(State("bad", _("办公室拒绝了终端")), _("重新配对；排队的记录都还在。")),
    "config.unfit": FaultWords(State("late", _("终端不能用新配置")), _("终端仍用原来的配置；按说明改正。")),
    "screen.gone": FaultWords(State("late", _("屏幕程序重启")), _("会自己恢复；反复出现时查看日志。")),
    "internal": FaultWords(State("bad", _("程序遇到未知情况")), _("把日志发给厂家。")),
    "upload.behind": FaultWords(
        State("late", _("记录积压")),
        _("有记录满一天没传上来，或积压满 1,000 条：这些钱还只记在终端里。检查它的网络；不见减少就联系厂家。"),
    ),
    "kiosk.offline": FaultWords(
        State("bad", _("失去联系")),
        _("记录可能还只在终端里：今天去看网络和电源。离线满 7 天，现金只进预存；满 30 天停收。"),
    ),
    "kiosk.late": FaultWords(State("late", _("迟报")), _("超过 3 分钟没有心跳；先看网络。")),
    "cashbox.removed": FaultWords(State("no", _("钞箱被取出")), _("查清是谁取走的；这不是收箱。")),
    "clock.skew": FaultWords(State("late", _("时钟不准")), _("先校时，再看期间的缴费。")),
}


def fault(code: str) -> FaultWords:
    """The words of a code; an unknown one stands for itself."""
    return FAULT.get(code) or FaultWords(State("bad", code), "")
