"""A receipt (收据) as blocks, top to bottom: which words stand on a slip and in which order. Pure.

Source: ux-and-accessibility section 13.1 (order), decisions 9 (one number), 20 (refundable at the desk), 22 (as of).
"""

from collections.abc import Callable, Iterator

from kiosk.domain.money import FEN_PER_YUAN, Fen, capital_yuan, format_yuan
from kiosk.domain.receipt import Outcome, Receipt, ReceiptLine, SlipKind
from kiosk.hardware.receipt_printer.blocks import (
    Band,
    Block,
    Centred,
    Code,
    Paragraph,
    Plate,
    Row,
    Rule,
    RuleKind,
    Space,
    Stamp,
    Type,
)
from kiosk.text import say

WIDE_SPACE = "　"

_Part = Callable[[Receipt], Iterator[Block]]


def blocks_of(receipt: Receipt) -> tuple[Block, ...]:
    """Everything the slip says, in order."""
    return tuple(block for part in _parts_of(receipt) for block in part(receipt))


def _parts_of(receipt: Receipt) -> tuple[_Part, ...]:
    if _unsettled(receipt):
        return _UNSETTLED_PARTS
    if not receipt.claims:
        return _RECEIPT_PARTS
    return _CLAIM_PARTS if receipt.received else _CLAIM_ALONE_PARTS


def _unsettled(receipt: Receipt) -> bool:
    """A fault slip of a payment that has no receipt number: it lists what was inserted and promises nothing more.

    With a number the payment is settled, and the fault slip is the receipt with its claims.
    """
    return receipt.kind is SlipKind.FAULT and not receipt.receipt_no


def _head(receipt: Receipt) -> Iterator[Block]:
    language = receipt.language
    title = "receipt.title_fault" if receipt.kind is SlipKind.FAULT else "receipt.title"
    if receipt.estate:
        yield Centred(text=receipt.estate, bold=True)
    if receipt.payee:
        yield Centred(text=say(language, "receipt.payee", payee=receipt.payee), type=Type.SMALL)
    yield Space(8)
    yield Centred(text=say(language, title), type=Type.TITLE, bold=True, spread=language != "en")
    if receipt.copy_no:
        yield Band(say(language, "receipt.reprint", number=receipt.copy_no))
    if receipt.offline:
        yield Band(say(language, "receipt.offline"))
    if receipt.unit_words:
        yield Plate(WIDE_SPACE.join(part for part in (receipt.unit_words, receipt.masked_name) if part))
    yield Rule(RuleKind.THICK)


def _identity(receipt: Receipt) -> Iterator[Block]:
    language = receipt.language
    if receipt.receipt_no:
        yield Row(
            left=say(language, "receipt.number"),
            right=receipt.receipt_no,
            right_type=Type.STRONG,
            right_bold=True,
        )
    which = "receipt.copy" if receipt.copy_no else "receipt.original"
    nothing_paid = _unsettled(receipt) or not receipt.received
    when = "receipt.happened_at" if nothing_paid else "receipt.paid_at"
    yield Row(left=say(language, "receipt.kiosk"), right=say(language, which, kiosk=receipt.kiosk_code))
    yield Row(left=say(language, when), right=receipt.paid_at)
    yield Row(left=say(language, "receipt.printed_at"), right=receipt.printed_at)
    if not receipt.clock_verified:
        yield Paragraph(text=say(language, "receipt.clock_unverified"))
    if receipt.offline and receipt.lines and receipt.bills_as_of:
        yield Paragraph(text=say(language, "receipt.bills_as_of", time=receipt.bills_as_of))
    elif receipt.offline and receipt.received:
        yield Paragraph(text=say(language, "receipt.booked_later"))
    yield Rule()


def _bills(receipt: Receipt) -> Iterator[Block]:
    for line in receipt.lines:
        yield from _bill(receipt.language, line)
    late_fees = sum(line.late_fee_paid for line in receipt.lines)
    if late_fees and len(receipt.lines) > 1:
        yield Rule(RuleKind.DASHED)
        yield Row(left=say(receipt.language, "receipt.late_fee_total"), right=format_yuan(late_fees))
    if receipt.lines:
        yield Rule(RuleKind.THICK)


def _bill(language: str, line: ReceiptLine) -> Iterator[Block]:
    name = line.item_name_en if language == "en" and line.item_name_en else line.item_name
    yield Space(6)
    yield Row(left=name, left_bold=True, right=format_yuan(line.paid), right_bold=True)
    yield Row(
        left=line.period,
        right=say(language, "receipt.due_left", due_fen=line.due, left_fen=line.left),
        type=Type.SMALL,
    )
    if line.late_fee_paid:
        late_fee = say(language, "receipt.late_fee", late_fee_fen=line.late_fee_paid)
        yield Row(left="", right=late_fee, type=Type.SMALL)
    yield Space(6)


def _total(receipt: Receipt) -> Iterator[Block]:
    """The sum in digits and capitals; a payment without bills is all prepayment (预存)."""
    language = receipt.language
    total = receipt.total_paid_to_bills if receipt.lines else receipt.to_prepaid
    yield Row(
        left=say(language, "receipt.total" if receipt.lines else "receipt.total_prepaid"),
        left_bold=True,
        right=f"¥{format_yuan(total)}",
        right_bold=True,
        right_type=Type.TOTAL,
    )
    yield Row(left="", right=say(language, "receipt.capital", capital=capital_yuan(total)), type=Type.SMALL)
    yield Rule()


def _cash(receipt: Receipt) -> Iterator[Block]:
    language = receipt.language
    yield from _notes(receipt, "receipt.cash", "receipt.note_count")
    if receipt.to_prepaid and receipt.lines:
        yield Row(left=say(language, "receipt.to_prepaid"), right=f"¥{format_yuan(receipt.to_prepaid)}")
    if receipt.prepaid_after is not None:
        after = f"¥{format_yuan(receipt.prepaid_after)}"
        yield Row(left=say(language, "receipt.prepaid_after"), right=after, right_bold=True)
    if receipt.to_prepaid:
        yield Paragraph(text=say(language, "receipt.refundable"))


def _inserted(receipt: Receipt) -> Iterator[Block]:
    yield from _notes(receipt, "receipt.inserted", "receipt.note_count_fault")


def _notes(receipt: Receipt, caption: str, count_key: str) -> Iterator[Block]:
    language = receipt.language
    received = f"¥{format_yuan(receipt.received)}"
    yield Row(left=say(language, caption), left_bold=True, right=received, right_bold=True)
    count = sum(number for _, number in receipt.notes)
    if count:
        faces = WIDE_SPACE.join(
            say(language, "receipt.note", yuan=_whole_yuan(face), number=number) for face, number in receipt.notes
        )
        yield Row(left=faces, right=say(language, count_key, count=count), type=Type.SMALL)


def _claims_first(receipt: Receipt) -> Iterator[Block]:
    """Whoever holds a claim slip asks about that note first: it stands above what was paid, with the number to ask by."""
    language = receipt.language
    yield Paragraph(text=say(language, "receipt.claims", count=len(receipt.claims)), type=Type.STRONG, bold=True)
    rest = "receipt.claims_rest" if receipt.received else "receipt.claims_alone"
    yield Paragraph(text=say(language, rest, received_fen=receipt.received), type=Type.NORMAL)
    yield from _claim_rows(receipt, Type.STRONG)
    yield Paragraph(text=say(language, "receipt.claim_next"), type=Type.NORMAL)
    yield Rule(RuleKind.THICK)


def _claims(receipt: Receipt) -> Iterator[Block]:
    if not receipt.claims:
        return
    yield Rule(RuleKind.DASHED)
    count = len(receipt.claims)
    yield Paragraph(text=say(receipt.language, "receipt.claims", count=count), type=Type.NORMAL, bold=True)
    yield from _claim_rows(receipt, Type.NORMAL)


def _claim_rows(receipt: Receipt, number_type: Type) -> Iterator[Block]:
    language = receipt.language
    for claim in receipt.claims:
        face = say(language, "receipt.claim_face_unknown")
        if claim.face is not None:
            face = say(language, "receipt.claim_face", yuan=_whole_yuan(claim.face))
        number = claim.claim_no
        yield Row(left=say(language, "receipt.claim"), right=number, right_type=number_type, right_bold=True)
        yield Row(left="", right=face)


def _what_next(receipt: Receipt) -> Iterator[Block]:
    yield Rule(RuleKind.THICK)
    yield Paragraph(text=say(receipt.language, "receipt.fault_next"), type=Type.NORMAL)


def _outcome(receipt: Receipt) -> Iterator[Block]:
    text = say(receipt.language, f"receipt.outcome.{receipt.outcome.value}")
    yield Stamp(text=text, ticked=receipt.outcome is Outcome.BOOKED)


def _proof(receipt: Receipt) -> Iterator[Block]:
    language = receipt.language
    paid = ("receipt.not_an_invoice", "receipt.invoice_at_desk")
    legal = tuple(say(language, key) for key in (paid if receipt.received else ("receipt.record_of_cash",)))
    if receipt.link:
        together = legal if language == "en" else ("".join(legal),)
        form = receipt.link.rsplit("/", 2)[0].partition("://")[2]
        sentences = (say(language, "receipt.scan"), say(language, "receipt.or_type", address=form), "", *together)
        yield Code(link=receipt.link, heading=say(language, "receipt.where_is_my_money"), sentences=sentences)
    else:
        yield from (Paragraph(text=sentence) for sentence in legal)


def _record_of_cash(receipt: Receipt) -> Iterator[Block]:
    yield Paragraph(text=say(receipt.language, "receipt.record_of_cash"))


def _foot(receipt: Receipt) -> Iterator[Block]:
    language = receipt.language
    yield Rule(RuleKind.DASHED)
    if receipt.phone:
        yield Paragraph(text=say(language, "receipt.phone", phone=receipt.phone), type=Type.NORMAL, bold=True)
    if receipt.complaint:
        yield Paragraph(text=say(language, "receipt.complaint", phone=receipt.complaint))
    yield Paragraph(text=say(language, "receipt.fades"))
    if receipt.check_code:
        yield Space(6)
        yield Paragraph(text=say(language, "receipt.check_code", code=receipt.check_code), type=Type.NORMAL, bold=True)


def _whole_yuan(face: Fen) -> int:
    return face // FEN_PER_YUAN


_RECEIPT_PARTS: tuple[_Part, ...] = (_head, _identity, _bills, _total, _cash, _outcome, _proof, _foot)
_CLAIM_PARTS: tuple[_Part, ...] = (_head, _claims_first, _identity, _bills, _total, _cash, _outcome, _proof, _foot)
_CLAIM_ALONE_PARTS: tuple[_Part, ...] = (_head, _claims_first, _identity, _outcome, _proof, _foot)
_UNSETTLED_PARTS: tuple[_Part, ...] = (
    _head,
    _identity,
    _inserted,
    _claims,
    _what_next,
    _outcome,
    _record_of_cash,
    _foot,
)
