"""A journal with very many entries: prepayments of one note each, through the journal's own commits, many in one."""

import uuid
from collections.abc import Iterator, Sequence

from kiosk.domain.events import (
    Event,
    NoteAcceptIntent,
    NoteCredited,
    NoteEscrow,
    PaymentOpened,
    PaymentSettled,
    ReceiptDeclined,
)
from kiosk.domain.identifiers import new_id, receipt_no
from kiosk.offline_queue.journal import Journal
from tests.end_to_end.parts import Office

FACE_FEN = 10_000
PER_COMMIT = 50  # payments; a kiosk commits event by event, which is not what is measured here


def fill(journal: Journal, unit_ids: Sequence[str], entries: int) -> None:
    """Append whole payments, the units in turn, until the journal has at least that many entries."""
    payments = _payments(journal, unit_ids)
    while journal.head_seq < entries:
        journal.append(*(event for _ in range(PER_COMMIT) for event in next(payments)))


def units_of(office: Office) -> list[str]:
    """Dwellings of the project that bench kiosks are paired for."""
    units = office.rows(
        "SELECT u.id FROM property_unit u JOIN property_project p ON p.id = u.project_id WHERE p.code = 'YG'"
    )
    return [str(uuid.UUID(unit)) for (unit,) in units]


def _payments(journal: Journal, unit_ids: Sequence[str]) -> Iterator[Sequence[Event]]:
    note_no, number, turn = journal.next_note_no(), journal.next_receipt_number(), 0
    while True:
        yield _prepayment(unit_ids[turn % len(unit_ids)], note_no, number, journal.kiosk_code)
        note_no, number, turn = note_no + 1, number + 1, turn + 1


def _prepayment(unit_id: str, note_no: int, number: int, kiosk_code: str) -> Sequence[Event]:
    payment_id, name = new_id(), receipt_no(kiosk_code, number)
    note = {"payment_id": payment_id, "note_no": note_no, "face_fen": FACE_FEN, "acceptor_serial": "bench"}
    return (
        PaymentOpened(payment_id=payment_id, unit_id=unit_id, bills=(), due_fen=FACE_FEN),
        NoteEscrow(**note),
        NoteAcceptIntent(**note, protocol="ssp", channel=6),
        NoteCredited(**note),
        PaymentSettled(
            payment_id=payment_id,
            unit_id=unit_id,
            receipt_no=name,
            receipt_number=number,
            received_fen=FACE_FEN,
            notes={str(FACE_FEN): 1},
            lines=(),
            prepaid_fen=FACE_FEN,
            late_days={},
            business_date="2026-11-25",
            time_zone="Asia/Shanghai",
            ended="finished",
        ),
        ReceiptDeclined(payment_id=payment_id, receipt_no=name),
    )
