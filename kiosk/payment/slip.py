"""A payment's journal entries to its receipt (收据): the same slip now, after a restart, and when drawn again. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from kiosk.clock import TRUSTED, Reading
from kiosk.domain import events as journal
from kiosk.domain.chain import check_code
from kiosk.domain.estate import Estate
from kiosk.domain.identifiers import UnitAddress, parse_address
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome, Receipt, ReceiptLine, SlipKind
from kiosk.offline_queue.records import Entry
from kiosk.text import say, say_date, say_period


class NotSettled(ValueError):
    """The entries hold no settlement: there is nothing to print a slip about."""


def receipt_for(
    entries: Sequence[Entry],
    *,
    estate: Estate,
    kiosk_code: str,
    copy_no: int,
    outcome: Outcome,
    printed: Reading,
) -> Receipt:
    """Make the slip of one payment from its own entries.

    Raises:
        NotSettled: the payment was cancelled, or is still open.
    """
    opened, settled, settlement, claims = _parts(entries)
    zone = ZoneInfo(settlement.time_zone)
    offline = opened.offline and opened.bills_as_of_ms is not None
    before = opened.prepaid_before_fen
    language, address = opened.language, parse_address(opened.unit_code)
    code = check_code(settled.seq, settled.hash)
    return Receipt(
        kind=SlipKind.FAULT if claims else SlipKind.RECEIPT,
        language=language,
        estate=estate.estate_name_en if language == "en" and estate.estate_name_en else estate.estate_name,
        payee=estate.payee,
        receipt_no=settlement.receipt_no,
        kiosk_code=kiosk_code,
        printed_at=_moment(language, printed.wall_ms, zone),
        paid_at=_moment(language, settled.header.wall_ms, zone),
        clock_verified=settled.header.clock in TRUSTED and printed.trusted,
        copy_no=copy_no,
        offline=settlement.offline,
        bills_as_of=_minute(language, opened.bills_as_of_ms or 0, zone) if offline else "",
        unit_words=_unit_words(language, address) if address else opened.unit_code,
        masked_name=opened.masked_name,
        lines=tuple(
            _line(language, picked, settlement) for picked in opened.bills if _paid(picked.bill_id, settlement)
        ),
        received=Fen(settlement.received_fen),
        notes=tuple(sorted(((Fen(int(face)), count) for face, count in settlement.notes.items()), reverse=True)),
        to_prepaid=Fen(settlement.prepaid_fen),
        prepaid_after=None if before is None else Fen(before + settlement.prepaid_fen),
        # While a note is being checked the office's page says so of the whole payment, and the slip must not say more.
        outcome=Outcome.PROCESSING if claims else outcome,
        claims=claims,
        phone=estate.service_phone,
        complaint=estate.complaint,
        check_code=code,
        link=_link(estate, claims[0].claim_no if claims else settlement.receipt_no, code),
    )


def _link(estate: Estate, number: str, code: str) -> str:
    """Where the office tells what became of the money (docs/where-is-my-money.md); empty where it has no such address."""
    return f"{estate.public_url}/m/{number}/{code}" if estate.public_url else ""


def _parts(
    entries: Sequence[Entry],
) -> tuple[journal.PaymentOpened, Entry, journal.Settlement, tuple[Claim, ...]]:
    opened: journal.PaymentOpened | None = None
    settled: tuple[Entry, journal.Settlement] | None = None
    claims: dict[int, Claim] = {}
    for entry in entries:
        match entry.event:
            case journal.PaymentOpened() as event:
                opened = event
            case journal.PaymentSettled() | journal.PaymentPartial() as event:
                settled = (entry, event)
            case journal.NoteUnknown(note_no=note_no, claim_no=claim_no, face_fen=face):
                claims[note_no] = Claim(claim_no=claim_no, face=None if face is None else Fen(face))
            case journal.NoteCredited(note_no=note_no) | journal.NoteReturned(note_no=note_no) if settled is None:
                claims.pop(note_no, None)  # found out in time; what is found out later is in no settled amount
    if opened is None or settled is None:
        raise NotSettled("this payment has no settlement; it was cancelled or is still open")
    return opened, settled[0], settled[1], tuple(claims.values())


def _line(language: str, picked: journal.BillPicked, settlement: journal.Settlement) -> ReceiptLine:
    due = picked.principal_fen + picked.late_fee_fen
    paid = _paid(picked.bill_id, settlement)
    return ReceiptLine(
        item_name=picked.item_name or picked.bill_id,
        item_name_en=picked.item_name_en or picked.bill_id,
        period=_period(language, picked),
        due=Fen(due),
        late_fee_paid=Fen(_paid(picked.bill_id, settlement, "late_fee")),
        paid=Fen(paid),
        left=Fen(max(0, due - paid)),
    )


def _paid(bill_id: str, settlement: journal.Settlement, component: str | None = None) -> int:
    lines = (line for line in settlement.lines if line.bill_id == bill_id)
    return sum(line.amount_fen for line in lines if component in (None, line.component))


def _period(language: str, picked: journal.BillPicked) -> str:
    """2026年11月, or Sep–Oct 2026: months, as bills have them and as the screen said them."""
    if not (picked.period_from and picked.period_to):
        return ""
    return say_period(language, date.fromisoformat(picked.period_from), date.fromisoformat(picked.period_to))


def _unit_words(language: str, address: UnitAddress) -> str:
    """The unit as its plate on the screen has it."""
    return say(language, "receipt.unit", building=address.building, entrance=address.entrance, room=address.room)


def _moment(language: str, wall_ms: int, zone: ZoneInfo) -> str:
    """2026年11月24日 16:20:11 +08:00; 24 Nov 2026 16:20:11 +08:00."""
    local = _local(wall_ms, zone)
    offset = local.strftime("%z")
    return f"{say_date(language, local)} {local:%H:%M:%S} {offset[:3]}:{offset[3:]}"


def _minute(language: str, wall_ms: int, zone: ZoneInfo) -> str:
    local = _local(wall_ms, zone)
    return f"{say_date(language, local)} {local:%H:%M}"


def _local(wall_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(zone)
