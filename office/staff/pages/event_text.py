"""One raw event of a kiosk's journal as one line for a clerk; the stored bytes stay the evidence."""

from django.utils.translation import gettext as _

from kiosk.domain import events
from kiosk.domain.money import format_yuan
from office.staff.pages import words
from office.staff.pages.fault_words import fault


def yuan(fen: int | None) -> str:
    return "¥?" if fen is None else f"¥{format_yuan(fen)}"


def note(note_no: int, face_fen: int | None) -> str:
    face = "¥?" if face_fen is None else f"¥{face_fen // 100}"
    return f"N-{note_no}　{face}"


def describe(event: events.AnyEvent) -> str:
    """The event's content in the reader's language; device words and ids are left as they are."""
    match event:
        case events.PaymentOpened(due_fen=due, bills=bills, offline=offline):
            text = _("应缴 {due}，账单 {n} 笔").format(due=format_yuan(due), n=len(bills))
            return text + (_("，离线") if offline else "")
        case events.PaymentSettled() | events.PaymentPartial():
            text = _("收 {received}").format(received=format_yuan(event.received_fen))
            if event.prepaid_fen:
                text += _("，预存 {prepaid}").format(prepaid=format_yuan(event.prepaid_fen))
            return f"{text}　{event.receipt_no}"
        case events.PaymentCancelled(reason=reason):
            return str(words.word(words.ENDED, reason))
        case events.NoteEscrow() | events.NoteAcceptIntent():
            return note(event.note_no, event.face_fen)
        case events.NoteCredited(recovered=recovered):
            return note(event.note_no, event.face_fen) + (f"　{recovered}" if recovered else "")
        case events.NoteReturned(reason=reason):
            return f"{note(event.note_no, event.face_fen)}　{reason}"
        case events.NoteUnknown():
            claim = _("认领号 {claim}").format(claim=event.claim_no)
            return f"{note(event.note_no, event.face_fen)}　{claim}"
        case events.ReceiptPrinted(copy_no=copy_no):
            return event.receipt_no + (_("　补打 {n}").format(n=copy_no) if copy_no else "")
        case events.ReceiptFailed():
            return f"{event.receipt_no}　{fault(event.fault).state.word}"
        case events.ReceiptDeclined():
            return event.receipt_no
        case events.DeviceFault() | events.DeviceFaultCleared():
            detail = getattr(event, "detail", "")
            return f"{fault(event.code).state.word}" + (f"　{detail}" if detail else "")
        case events.AcceptorCounted():
            return _("收下 {stacked} 张，拒收 {rejected} 张").format(stacked=event.stacked, rejected=event.rejected)
        case events.Checkpoint():
            return _("到序号 {seq}，累计 {sum}").format(seq=f"{event.up_to_seq:,}", sum=yuan(event.credited_fen))
        case events.ClockStepped(by_ms=by_ms):
            return _("拨动 {seconds} 秒").format(seconds=f"{by_ms / 1000:+.1f}")
        case events.AgentStarted(software=software, clean=clean):
            return software + ("" if clean else _("，上次没有正常停止"))
        case events.JournalGenesis():
            return f"{event.kiosk_code}　{event.software}"
        case events.ScreenRestarted(reason=reason):
            return reason
        case _:
            return ""


def kind_word(kind: str) -> words.Word:
    return words.word(words.EVENT, kind)
