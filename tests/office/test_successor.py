"""A journal is replaced while a visit is open: its settlement never comes, so its money and the note under way wait for people."""

from pathlib import Path

from kiosk.domain.events import DeviceFault, NoteAcceptIntent, NoteCredited, NoteEscrow, NoteUnknown
from office.demo import visits
from office.kiosks.models import Alarm
from office.payments import claims
from office.payments.models import Case, Note, Payment, SuspenseItem
from office.public.lookup import find, read_question
from office.staff.models import Role
from tests.office import test_beancount
from tests.office.engines import both_engines
from tests.office.estate import TODAY, Estate, add_person, settlement_code
from tests.office.pages.desk import person, signed_in
from tests.office.pages.test_public_page import text_of
from tests.office.parted_journals import HUNDRED, Parted, box, copied, findings, follow

pytestmark = both_engines

TWENTY = 2000


def cut_off(estate: Estate) -> str:
    """A visit of which the office hears one note credited and the next one on its way into the box; its payment."""
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    visits.insert_note(estate.writer, payment_id, HUNDRED)
    note = {"payment_id": payment_id, "note_no": estate.writer.take_note_no(), "face_fen": TWENTY}
    estate.writer.append(NoteEscrow(**note, acceptor_serial=visits.ACCEPTOR))
    estate.writer.append(NoteAcceptIntent(**note, acceptor_serial=visits.ACCEPTOR, protocol="ssp", channel=1))
    estate.upload()
    return payment_id


def replace_journal(estate: Estate) -> None:
    follow(estate, estate.writer.next_receipt)
    estate.upload()


def found_by(estate: Estate, *numbers: str) -> set[str]:
    """The payments whose pages staff come to from the numbers on a slip."""
    finance = signed_in(person(estate.project, Role.FINANCE_AUDIT))
    pages = {finance.get("/projects/YG/search/", {"q": number}).url for number in numbers}
    for page in pages:
        text = text_of(finance.get(page))
        assert "到达办公室，收到的钱记入待查款项" in text
        assert "已按规则入账" not in text
    return {page.split("/")[-2] for page in pages}


def test_what_an_open_payment_took_waits_for_two_people_and_the_note_under_way_is_a_claim(
    estate: Estate, tmp_path: Path
) -> None:
    payment_id = cut_off(estate)
    assert estate.payment(payment_id).state == Payment.State.OPEN
    replace_journal(estate)
    payment = estate.payment(payment_id)
    assert (payment.state, payment.ended, payment.suspense_fen) == (Payment.State.EXCEPTION, "replaced", HUNDRED)
    put_in = {note.face_fen: note.at for note in Note.objects.all()}
    assert payment.paid_at == put_in[HUNDRED], "late fees are due to the day of the visit, not of the new journal"
    assert {item.amount_fen: item.at for item in SuspenseItem.objects.all()} == put_in
    assert box(estate) == {HUNDRED: (1, 0), TWENTY: (0, 1)}
    assert sorted(Case.objects.values_list("kind", "amount_fen")) == [
        ("note_unknown", TWENTY),
        ("unidentified_cash", HUNDRED),
    ]
    assert findings() == []

    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    for item in SuspenseItem.objects.order_by("amount_fen"):
        claims.confirm(finance, claims.propose(clerk, item, "credit", "the payer came", unit=estate.unit))
    payment.refresh_from_db()
    assert (payment.state, payment.amount_fen, payment.suspense_fen) == (Payment.State.BOOKED, HUNDRED + TWENTY, 0)
    assert estate.prepaid() == HUNDRED + TWENTY
    assert findings() == []
    assert test_beancount.bean_check(test_beancount.exported(tmp_path)) == ""


def test_a_payment_that_took_nothing_is_cancelled(estate: Estate) -> None:
    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    estate.upload()
    replace_journal(estate)
    assert estate.payment(payment_id).state == Payment.State.CANCELLED
    assert not Case.objects.exists()
    assert findings() == []


def test_payments_that_ended_and_those_of_other_journals_are_left_alone(estate: Estate) -> None:
    paid = estate.pay(["water"], [HUNDRED])
    estate.upload()
    before = estate.payment(paid)
    replace_journal(estate)
    opened = visits.open_payment(estate.writer, str(estate.unit.id), [], TODAY)
    estate.upload()
    assert estate.payment(opened).state == Payment.State.OPEN
    assert (estate.payment(paid).state, estate.payment(paid).ingest_no) == (before.state, before.ingest_no)
    assert findings() == []


def test_the_lost_end_of_the_visit_taken_in_from_a_file_answers_the_claim_and_the_payers_slip(estate: Estate) -> None:
    """The disk that died could be read after all: the note was credited there, and the slip was printed."""
    payment_id = cut_off(estate)
    old = copied(estate)
    told = {"payment_id": payment_id, "note_no": old.writer.next_note - 1, "face_fen": TWENTY}
    old.writer.append(NoteCredited(**told, acceptor_serial=visits.ACCEPTOR))
    visits.settle(old.writer, payment_id, str(old.unit.id), "YG01", [], [HUNDRED, TWENTY], TODAY)
    replace_journal(estate)
    Parted(estate, old, 0).take_in()
    assert box(estate) == {HUNDRED: (1, 0), TWENTY: (1, 0)}
    assert Note.objects.get(face_fen=TWENTY).state == Note.State.SUSPENSE
    question = read_question("YG01-000001", settlement_code(old))
    assert find(question).outcome == "processing"
    assert found_by(estate, "yg01-000001") == {payment_id}
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    for item in SuspenseItem.objects.filter(state="open"):
        claims.confirm(finance, claims.propose(clerk, item, "credit", "slip seen", unit=estate.unit))
    found = find(question)
    assert (found.outcome, found.booked_fen) == ("booked", HUNDRED + TWENTY)
    assert findings() == []


def test_a_claim_of_the_lost_end_gives_its_number_to_the_one_that_began_without(estate: Estate) -> None:
    """The slip that the payer holds names a number which the office has from the file alone."""
    payment_id = cut_off(estate)
    old = copied(estate)
    claim = {"payment_id": payment_id, "note_no": old.writer.next_note - 1, "claim_no": "YG01-Q000002"}
    old.writer.append(NoteUnknown(**claim, face_fen=TWENTY, acceptor_serial=visits.ACCEPTOR, reason="no_evidence"))
    visits.settle(old.writer, payment_id, str(old.unit.id), "YG01", [], [HUNDRED], TODAY)
    replace_journal(estate)
    assert SuspenseItem.objects.get(amount_fen=TWENTY).claim_no == ""
    Parted(estate, old, 0).take_in()
    assert SuspenseItem.objects.get(amount_fen=TWENTY).claim_no == "YG01-Q000002"
    assert found_by(estate, "yg01-q000002", "YG01-000001") == {payment_id}
    assert findings() == []


def test_what_was_wrong_with_a_device_is_told_anew_by_the_new_journal_s_process_and_a_missing_note_stays_missing(
    estate: Estate,
) -> None:
    for code in ("acceptor.jam_safe", "acceptor.note_lost"):
        estate.writer.append(DeviceFault(device="bill_acceptor", code=code))
    estate.upload()
    replace_journal(estate)
    assert list(Alarm.objects.filter(cleared_at=None).values_list("code", flat=True)) == ["acceptor.note_lost"]
    estate.writer.append(DeviceFault(device="bill_acceptor", code="acceptor.jam_safe"))
    estate.upload()
    assert Alarm.objects.filter(code="acceptor.jam_safe").count() == 2
    assert findings() == []
