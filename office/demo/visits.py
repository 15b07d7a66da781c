"""What a kiosk writes when somebody pays: the events of one visit, in the order in which a real kiosk writes them."""

import datetime
import uuid
from collections.abc import Sequence

from kiosk.domain import events
from kiosk.domain.allocation import allocate
from kiosk.domain.billing import Bill, BillOwed
from kiosk.domain.identifiers import receipt_no
from kiosk.domain.money import Fen
from office.demo.journal_writer import JournalWriter

ACCEPTOR = "SSP-4711"


def genesis(writer: JournalWriter, kiosk_id: str, kiosk_code: str, public_key: str) -> None:
    """The first entry of a journal, and the acceptor's counters as they were found."""
    writer.append(
        events.JournalGenesis(kiosk_id=kiosk_id, kiosk_code=kiosk_code, public_key=public_key, software="0.1.0"),
        events.AgentStarted(software="0.1.0", sqlite="3.40.1", clean=True),
        events.AcceptorCounted(acceptor_serial=ACCEPTOR, stacked=0, rejected=0),
    )


def open_payment(
    writer: JournalWriter,
    unit_id: str,
    owed: Sequence[BillOwed],
    date: datetime.date | None,
    *,
    due_fen: int | None = None,
    offline: bool = False,
) -> str:
    """payment.opened for the picked bills; the new payment's id."""
    payment_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{writer.journal_id}-{len(writer.events)}"))
    picked = tuple(
        events.BillPicked(
            bill_id=item.bill.bill_id,
            version=item.bill.version,
            principal_fen=item.bill.principal_open,
            late_fee_fen=item.late_fee,
            late_days=item.late_days,
            due_on=item.bill.due_on.isoformat(),
        )
        for item in owed
    )
    due = sum(item.outstanding for item in owed) if due_fen is None else due_fen
    opened = events.PaymentOpened(
        payment_id=payment_id,
        unit_id=unit_id,
        bills=picked,
        due_fen=due,
        offline=offline,
        business_date=date.isoformat() if date else None,
    )
    writer.append(opened)
    return payment_id


def insert_note(writer: JournalWriter, payment_id: str, face_fen: int) -> int:
    """A note that is kept: escrow, intent, credit; its number."""
    note_no = writer.take_note_no()
    told = {"payment_id": payment_id, "note_no": note_no, "face_fen": face_fen, "acceptor_serial": ACCEPTOR}
    writer.append(events.NoteEscrow(**told))
    writer.append(events.NoteAcceptIntent(**told, protocol="ssp", channel=1))
    writer.pass_time(1_800)
    writer.append(events.NoteCredited(**told))
    return note_no


def settle(
    writer: JournalWriter,
    payment_id: str,
    unit_id: str,
    kiosk_code: str,
    owed: Sequence[BillOwed],
    faces: Sequence[int],
    date: datetime.date | None,
    *,
    offline: bool = False,
    printed: bool = True,
) -> str:
    """payment.settled or payment.partial with the kiosk's own allocation, and the slip; the receipt number."""
    received, number = sum(faces), writer.take_receipt_number()
    allocation = allocate(Fen(received), owed, date)
    kind = events.PaymentSettled if received >= sum(item.outstanding for item in owed) else events.PaymentPartial
    name = str(receipt_no(kiosk_code, number))
    settled = kind(
        payment_id=payment_id,
        unit_id=unit_id,
        receipt_no=name,
        receipt_number=number,
        received_fen=received,
        notes={str(face): faces.count(face) for face in dict.fromkeys(faces)},
        lines=tuple(
            events.LinePaid(bill_id=line.bill_id, component=line.component.value, amount_fen=line.amount)
            for line in allocation.lines
        ),
        prepaid_fen=allocation.prepayment,
        late_days={item.bill.bill_id: item.late_days for item in owed},
        business_date=date.isoformat() if date else None,
        time_zone="Asia/Shanghai",
        ended="finished",
        offline=offline,
    )
    writer.append(settled)
    writer.pass_time(3_000)
    slip = {"payment_id": payment_id, "receipt_no": name}
    writer.append(events.ReceiptPrinted(**slip) if printed else events.ReceiptFailed(**slip, fault="printer.paper_out"))
    return name


def pay(
    writer: JournalWriter,
    unit_id: str,
    kiosk_code: str,
    bills: Sequence[Bill],
    faces: Sequence[int],
    date: datetime.date | None,
    *,
    offline: bool = False,
    printed: bool = True,
) -> str:
    """A whole visit: these bills, these notes; the payment's id. No date: the kiosk's clock is unset."""
    owed = [bill.owed_on(date) for bill in bills]
    payment_id = open_payment(writer, unit_id, owed, date, offline=offline)
    for face in faces:
        writer.pass_time(4_000)
        insert_note(writer, payment_id, face)
    settle(writer, payment_id, unit_id, kiosk_code, owed, list(faces), date, offline=offline, printed=printed)
    return payment_id
