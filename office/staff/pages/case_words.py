"""One sentence a case kind: what happened, where the money is, what to do. No blame, no code as headline."""

from collections.abc import Mapping

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
        _("没有记入任何账户。清点钞箱可查明；否则由两人处理：一人提出，另一人确认。"),
    ),
    "clock_skew": (_("终端的时钟与办公室差得太多。"), _("收款时间已按办公室时钟更正。请技术员校时。")),
    "unreadable_event": (
        _("终端送来一条看不懂的记录。"),
        _("原文已保存，不会丢失；后面的记录照常入账。请联系技术员。"),
    ),
    "journal_branch": (
        _("这台终端的记录从某一条起有两份，与办公室不同的那一份已从导出文件收入。"),
        _("那一份里的钱没有入账，每张纸币各有一件等待处理。请查清设备是被复制，还是装回了旧备份。"),
    ),
    "branch_note": (
        _("终端的另一份记录里有这张纸币，缴费账里没有。"),
        _("缴费人拿凭条来时，用“我的钱在哪里”核对流水号和校验码，再由两人处理：一人提出，另一人确认。"),
    ),
    "receipt_not_printed": (_("凭条没有打印出来。"), _("钱已入账。缴费人需要时请补打，注明补打。")),
    "duplicate_payment": (
        _("十分钟内，同一户在另一台终端缴了同样的金额，可能是重复缴费。"),
        _("两笔都已入账，没有丢失。请问住户；如属重复，按住户意愿退款或留作预存。"),
    ),
    "late_upload": (_("这笔缴费三天以后才传到办公室。"), _("钱已按缴费当时入账。请技术员查看这台终端的网络。")),
    "box_variance": (_("清点的张数与账上不符。"), _("清点结果已保存，账目没有改动。请复点并查明原因。")),
    "claim_contradicted": (
        _("两人已给了缴费人，终端后来却说那张纸币当时已退出。"),
        _("差额留在 1901 待处理，请查明。"),
    ),
    "claim_overtaken": (
        _("两人已把这笔钱给了缴费人，后来终端的记录另有结果，可能给了两次。"),
        _("两人所给的那一次留在 1901 待处理，没有撤回。请对照终端的记录查明。"),
    ),
    "box_unplanned_removal": (_("钞箱被取出，没有登记收箱。"), _("请立即查清是谁取走的，并清点钞箱。")),
}


# Unidentified cash of a payment that was completed: the case of one that was not says why (``facts``).
SURPLUS = (
    _("终端收下的纸币比它所报的多。"),
    _("多出的钱在终端钞箱内，记入待查款项。等缴费人来认领，或按规定处理。"),
)


def says(kind: str, facts: Mapping[str, object]) -> tuple[Word, Word]:
    if kind == "unidentified_cash" and "reason" not in facts:
        return SURPLUS
    return SAYS.get(kind, (kind, ""))
