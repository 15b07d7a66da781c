"""What works now: why cash does not, and why nothing does."""

from kiosk.hardware.faults import FAULTS
from kiosk.payment.state import Surroundings
from kiosk.views import Saying

OFFLINE_LIMIT_MS = 30 * 86_400_000  # decisions 22: after that no money

_CASH_REASONS = {
    "E31": "reason.cash_jam",
    "E32": "reason.cash_note_check",
    "E33": "reason.cash_full",
    "E34": "reason.cash_servicing",
    "E35": "reason.cash_stopped",
}
_MISSING = ("acceptor.port_missing", "acceptor.port_busy", "acceptor.silent")
_WORST_FIRST = ("E35", "E32", "E31", "E33", "E34")


def acceptor_fault(around: Surroundings) -> str:
    """The fault that stops cash, the one that matters most if there are several; empty when none does."""
    codes = [key.split(" ", 1)[1] for key in around.faults if key.startswith("bill_acceptor ")]
    stopping = [code for code in codes if FAULTS[code].stops_cash]
    return min(stopping, key=lambda code: (_WORST_FIRST.index(_payer_code(code)), code), default="")


def _payer_code(code: str) -> str:
    payer = FAULTS[code].payer_code
    return payer if payer in _CASH_REASONS else "E34"


def cash_reason(around: Surroundings) -> Saying | None:
    """Why cash can't be taken now; None when it can."""
    fault = acceptor_fault(around)
    if not around.takes_cash:
        return Saying("reason.cash_off")
    if around.disk_low:
        return Saying("reason.disk")
    if around.journal_fault:
        return Saying("reason.journal")
    if around.refused:
        return Saying("reason.refused")
    if fault in _MISSING:
        return Saying("reason.cash_missing")
    if fault:
        return Saying(_CASH_REASONS[_payer_code(fault)])
    if around.acceptor is None:
        return Saying("reason.cash_starting")
    if around.refuse_without_receipt and around.paper_read_at is not None and not around.can_print:
        return Saying("reason.no_paper")
    return None


NOT_PAIRED = "not_paired"  # stands where a journal's fault would: without pairing there is no journal


def blocked_by(around: Surroundings) -> Saying | None:
    """Why nothing at all can be paid here (E80); None when the kiosk serves."""
    if around.journal_fault == NOT_PAIRED:
        return Saying("reason.not_paired")
    if around.journal_fault == "disk.margin":
        return Saying("reason.disk")
    if around.journal_fault:
        return Saying("reason.journal")
    if around.disk_low:
        return Saying("reason.disk")
    if around.refused:
        return Saying("reason.refused")
    if (around.oldest_unsent_ms or 0) > OFFLINE_LIMIT_MS:
        return Saying("reason.offline_too_long")
    return None
