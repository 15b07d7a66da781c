"""Notes a journal tells about twice, or in a way the office can't read: each counts in the box once."""

import uuid

import pytest

from kiosk.domain import events
from office.demo import visits
from office.kiosks.models import CashBoxFace
from office.ledger.verify import verify_project
from office.payments import claims
from office.payments.models import Case, Note, SuspenseItem
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person

pytestmark = both_engines


def told(payment: str, note_no: int, face_fen: int) -> dict:
    return {"payment_id": payment, "note_no": note_no, "face_fen": face_fen, "acceptor_serial": "SSP-4711"}


def lost(payment: str, note_no: int, face_fen: int | None, claim_no: str = "RL-1") -> events.NoteUnknown:
    return events.NoteUnknown(**told(payment, note_no, face_fen), reason="power_cut", claim_no=claim_no)


def opened(estate: Estate) -> str:
    payment_id = str(uuid.uuid4())
    estate.writer.append(
        events.PaymentOpened(payment_id=payment_id, unit_id=str(estate.unit.id), bills=(), due_fen=10_000)
    )
    return payment_id


def box(estate: Estate) -> dict[int, tuple[int, int]]:
    rows = CashBoxFace.objects.filter(kiosk=estate.kiosk).exclude(confirmed=0, unknown=0)
    return {row.face_fen: (row.confirmed, row.unknown) for row in rows}


def sound(estate: Estate) -> bool:
    return [str(finding) for finding in verify_project(estate.project)] == []


@pytest.mark.parametrize("claim_no", ["RL-1", ""])
def test_a_note_of_unknown_fate_told_twice_is_in_the_box_once(estate: Estate, claim_no: str) -> None:
    payment = opened(estate)
    estate.writer.append(lost(payment, 1, 10_000, claim_no), lost(payment, 1, 10_000, claim_no))
    estate.upload()
    assert box(estate) == {10_000: (0, 1)}
    assert sound(estate)


def test_a_note_whose_face_was_forgotten_keeps_the_face_seen_in_escrow(estate: Estate) -> None:
    payment = opened(estate)
    estate.writer.append(events.NoteEscrow(**told(payment, 1, 10_000)), lost(payment, 1, None))
    estate.upload()
    assert box(estate) == {10_000: (0, 1)}
    assert sound(estate)
    estate.writer.append(events.NoteCredited(**told(payment, 1, 10_000)))
    estate.upload()
    assert box(estate) == {10_000: (1, 0)}
    assert sound(estate)


def test_a_credit_nobody_can_read_of_a_note_of_unknown_fate_moves_it_once(estate: Estate) -> None:
    payment = opened(estate)
    estate.writer.append(lost(payment, 1, 10_000))
    estate.writer.append_raw(b'{"note_no": 1, "face_fen": 10000, "new": 1}', "note.credited")
    estate.upload()
    assert box(estate) == {10_000: (1, 0)}
    assert sound(estate)
    assert list(SuspenseItem.objects.filter(state="open").values_list("kind", "amount_fen")) == [
        ("unreadable_event", 10_000)
    ]


def test_a_loss_told_first_unreadably_then_plainly_is_one_claim(estate: Estate) -> None:
    payment = opened(estate)
    estate.writer.append_raw(b'{"note_no": 1, "face_fen": 10000, "new": 1}', "note.unknown")
    estate.writer.append(lost(payment, 1, 5_000))
    estate.upload()
    assert box(estate) == {5_000: (0, 1)}
    assert sound(estate)
    assert Note.objects.get(journal__kiosk=estate.kiosk, note_no=1).claim_no == "RL-1"
    assert SuspenseItem.objects.filter(state="open").count() == 1


def test_a_loss_that_two_people_paid_out_and_the_kiosk_then_tells_plainly_is_no_second_claim(estate: Estate) -> None:
    payment = opened(estate)
    estate.writer.append_raw(b'{"note_no": 1, "face_fen": 10000, "new": 1}', "note.unknown")
    visits.settle(estate.writer, payment, str(estate.unit.id), estate.kiosk.code, [], [], TODAY)
    estate.upload()
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    item = SuspenseItem.objects.get()
    claims.confirm(finance, claims.propose(clerk, item, "credit", "camera", unit=estate.unit, amount_fen=10_000))
    estate.writer.append(lost(payment, 1, 10_000))
    estate.upload()
    assert not SuspenseItem.objects.filter(state="open").exists(), "it could be paid again"
    assert Case.objects.get(kind="unreadable_event", state="open").facts["code"] == "ratchet"
    assert (box(estate), estate.prepaid()) == ({10_000: (0, 1)}, 10_000)
    assert sound(estate)
