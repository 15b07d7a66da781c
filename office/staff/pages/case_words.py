"""One sentence a case kind: what happened, where the money is, what to do. No blame, no code as headline."""

from django.utils.translation import gettext_lazy as _

from office.staff.pages.words import Word

SAYS: dict[str, tuple[Word, Word]] = {
    "query": (_("这笔缴费正在核实。"), _("账目没有因此改动。弄清后认可，或转为争议。")),
    "dispute": (_("双方对这笔缴费说法不同。"), _("账目没有因此改动。由项目经理裁定。")),
    "bill_already_paid": (
        _("同一张账单已经缴清，这笔钱没有账单可冲。"),
        _("钱在终端钞箱内，已按规则转入该户预存，没有丢失。核对后认可，或按住户意愿退款。"),
    ),
    "bill_void": (
        _("账单已作废，这笔钱没有账单可冲。"),
        _("钱在终端钞箱内，已按规则转入该户预存，没有丢失。核对后认可。"),
    ),
    "amount_mismatch": (
        _("终端所报与办公室重算的金额不同。"),
        _("钱在终端钞箱内，没有丢失。对照下面的账单和事件核实。"),
    ),
    "late_fee_gap": (
        _("终端离线时不知道后来的违约金，少收了一部分。"),
        _("收到的钱都已入账。差额仍挂在账单上，可减免或下次收取。"),
    ),
    "note_count_mismatch": (
        _("终端所报的金额与收下的纸币张数对不上。"),
        _("账上按收下的纸币记。收箱清点前请查看原始事件。"),
    ),
    "receipt_no_reused": (_("这个流水号已经用过。"), _("钱已入账；这笔缴费没有流水号，请联系技术员。")),
    "unknown_unit": (_("终端所报的房号这里没有。"), _("钱在终端钞箱内，记入待查款项。查明房号后处理。")),
    "unidentified_cash": (
        _("收下了纸币，但缴费没有完成。"),
        _("钱在终端钞箱内，记入待查款项。等缴费人来认领，或按规定处理。"),
    ),
    "note_unknown": (
        _("一张纸币去向不明，可能在箱内，也可能退回了缴费人。"),
        _("没有记入任何账单。收箱清点后凭认领号处理。"),
    ),
    "clock_skew": (_("终端的时钟与办公室差得太多。"), _("收款时间已按办公室时钟更正。请技术员校时。")),
    "unreadable_event": (
        _("终端送来一条看不懂的记录。"),
        _("原文已保存，不会丢失；后面的记录照常入账。请联系技术员。"),
    ),
    "receipt_not_printed": (_("凭条没有打印出来。"), _("钱已入账。缴费人需要时请补打，注明补打。")),
    "box_unplanned_removal": (_("钞箱被取出，没有登记收箱。"), _("请立即查清是谁取走的，并清点钞箱。")),
}


def says(kind: str) -> tuple[Word, Word]:
    return SAYS.get(kind, (kind, ""))
