"""Why nobody knows where a note is, or whose money is, for the clerk; the causes are kiosk/payment/note_fates.py's, or the code of a fault."""

from django.utils.translation import gettext_lazy as _

from office.staff.pages.fault_words import fault
from office.staff.pages.words import Word

CAUSE: dict[str, Word] = {
    "no_evidence": _("中断后，纸币器说不出这张纸币的去向"),
    "no_answer": _("纸币器一直没有回答"),
    "counter": _("纸币器的计数与终端的记录不符"),
    "not_counted": _("终端下令收下，纸币器却没有数到"),
    "another_acceptor": _("中断后换了一台纸币器"),
    "credit_without_payment": _("没有人缴费时，纸币器收下了一张"),
    "credit_without_face": _("纸币器没有说出面额"),
    "journal_replaced": _("终端的旧记录停用时，这张纸币还没有下落"),
    "branch": _("只有终端的另一份记录知道它"),
    "credited after its payment was over": _("缴费结束以后才收下的一张"),
    "the event could not be understood": _("终端记下它的那条记录看不懂"),
    "cancelled after money was taken": _("收下纸币以后，缴费被取消"),
    "its settlement never came": _("终端的旧记录停用时，缴费还没有完成"),
    "its end could not be read": _("缴费结束的记录看不懂"),
    "unidentified_cash": _("终端收下的纸币比它所报的多"),
    "unknown_unit": _("终端所报的房号这里没有"),
    "the kiosk told: found": _("终端后来的记录说，它在钞箱内"),
    "the kiosk told: returned": _("终端后来的记录说，它退回了缴费人"),
    "overtaken": _("两人办理以后，终端的记录已另有结果"),
    "the kiosk told: the same, readably": _("终端又记了一次，这次看得懂"),
}


def cause(reason: str, told: str) -> Word:
    """The words of a claim's reason; an unknown one stands for itself. Of money whose payment was never settled the reason
    is only that nobody can place it, and what its case ``told`` says why."""
    why = told if reason == "unidentified_cash" and told else reason
    return CAUSE.get(why) or fault(why).state.word
