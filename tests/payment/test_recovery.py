"""What the flow knows after a restart, from nothing but the journal."""

import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from kiosk import taps, text, views
from kiosk.domain import events as journal
from kiosk.domain.estate import Estate
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Outcome
from kiosk.hardware import ports
from kiosk.offline_queue import projections
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.projections import EventRefused
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import recovery, slip
from kiosk.payment.state import NoteStage, Ticket
from tests.offline_queue import journals
from tests.payment.walker import Walker


@pytest.fixture
def book(tmp_path):
    made = Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())
    yield made
    made.close()


def known(book: Journal) -> recovery.Known:
    with JournalReader(book.path) as reader:
        return recovery.read(book, reader.entries)


def intent(note_no: int, face: int, stacked_before: int | None) -> journal.NoteAcceptIntent:
    return journal.NoteAcceptIntent(
        payment_id="p-1",
        note_no=note_no,
        face_fen=face,
        acceptor_serial="SN1",
        protocol="ssp",
        channel=4,
        stacked_before=stacked_before,
    )


def credited(note_no: int, face: int) -> journal.NoteCredited:
    return journal.NoteCredited(payment_id="p-1", note_no=note_no, face_fen=face, acceptor_serial="SN1")


def counted(stacked: int) -> journal.AcceptorCounted:
    return journal.AcceptorCounted(acceptor_serial="SN1", stacked=stacked, rejected=0)


def test_a_new_journal_has_nothing_to_finish(book):
    read = known(book)
    assert (read.numbers.note, read.numbers.receipt, read.interrupted, read.stacked) == (1, 1, (), None)
    assert not read.intent_open


def test_an_open_intent_stays_in_hand_with_the_counter_from_before_it(book):
    book.append(counted(40), journals.opened(), journals.escrow(1, 500), intent(1, 500, 40), credited(1, 500))
    book.append(journals.escrow(2, 1_000), intent(2, 1_000, 41))
    read = known(book)
    payment = read.interrupted[0]
    assert (payment.notes, payment.ending, payment.recovering) == ((500,), "restart", True)
    assert payment.in_hand is not None
    assert (payment.in_hand.note_no, payment.in_hand.stage, payment.in_hand.stacked_before) == (
        2,
        NoteStage.KEEPING,
        41,
    )
    assert (read.intent_open, read.stacked, read.numbers.note) == (True, 41, 3)


def test_a_note_that_was_only_held_is_on_its_way_back(book):
    book.append(counted(7), journals.opened(), journals.escrow(1, 10_000))
    note = known(book).interrupted[0].in_hand
    assert note is not None
    assert (note.stage, note.stacked_before) == (NoteStage.RETURNING, 7)


def test_an_unclear_note_voids_the_count_and_an_unanswered_one_is_remembered(book):
    book.append(counted(7), journals.opened(), journals.escrow(1, 1_000), intent(1, 1_000, 7))
    book.append(
        journal.NoteUnknown(
            payment_id="p-1",
            note_no=1,
            face_fen=1_000,
            acceptor_serial="SN1",
            reason="no_answer",
            claim_no="YG01-Q000001",
        )
    )
    read = known(book)
    assert (read.stacked, read.unresolved) == (None, (Ticket("p-1", 1, Fen(1_000)),))
    assert read.intent_open, "the acceptor is asked again: its answer may be the proof"
    assert read.interrupted[0].claims[0].claim_no == "YG01-Q000001"
    book.append(counted(8))
    assert (known(book).stacked, known(book).unresolved) == (8, ())


def test_a_note_that_was_to_go_back_is_not_asked_about_by_a_poll_since_a_poll_keeps_it(book):
    book.append(
        counted(7), journals.opened(), journals.escrow(1, 1_000), replace(unclear(1, 1_000), reason="no_answer")
    )
    assert known(book).unresolved == (Ticket("p-1", 1, Fen(1_000), accepted=False),)
    assert not known(book).intent_open


def test_after_another_note_no_answer_about_the_one_before_is_waited_for(book):
    book.append(counted(7), journals.opened(), journals.escrow(1, 1_000), intent(1, 1_000, 7))
    book.append(replace(unclear(1, 1_000), reason="no_answer"), journals.escrow(2, 1_000))
    assert (known(book).unresolved, known(book).intent_open) == ((), False)


@pytest.mark.parametrize(
    "proof",
    [
        replace(credited(1, 1_000), recovered="late_answer"),
        journal.NoteReturned(payment_id="p-1", note_no=1, face_fen=1_000, acceptor_serial="SN1", reason="device"),
    ],
)
def test_a_claim_whose_late_answer_is_written_down_waits_for_no_other_one(book, proof):
    book.append(counted(7), journals.opened(), journals.escrow(1, 1_000), intent(1, 1_000, 7))
    book.append(replace(unclear(1, 1_000), reason="no_answer"))
    assert known(book).unresolved
    book.append(proof)
    assert known(book).unresolved == ()
    with closing(sqlite3.connect(book.path)) as db:
        kept = projections.dump(db)
        book.rebuild_projections()
        assert projections.dump(db) == kept


def test_a_credit_that_comes_again_after_its_record_finds_no_claim_and_no_note_to_credit(book):
    """The driver knows such a note as settled; were it told again all the same, no note is credited twice."""
    book.append(counted(7), journals.opened(), journals.escrow(1, 1_000), intent(1, 1_000, 7))
    book.append(replace(unclear(1, 1_000), reason="no_answer"))
    late = replace(credited(1, 1_000), recovered="late_answer")
    book.append(late)
    with pytest.raises(EventRefused):
        book.append(late)
    assert known(book).unproven


@pytest.mark.parametrize("counters", [None, 8])
def test_a_held_note_that_went_into_the_box_in_a_power_cut_is_no_note_from_before_it(book, counters):
    """An acceptor tells at its start of the last note it saw: the held one, though another was credited since the last count."""
    book.append(*([counted(6)] if counters else []), journals.opened(), journals.escrow(1, 500), intent(1, 500, 6))
    book.append(credited(1, 500))
    assert known(book).count_before, "the credited note itself may be told again"
    book.append(journals.escrow(2, 10_000))
    read = known(book)
    assert read.count_before is None
    walker = Walker()
    around = replace(walker.state.around, stacked=read.stacked, stacked_serial=read.stacked_serial)
    walker.state = replace(walker.state, interrupted=read.interrupted, numbers=read.numbers, around=around)
    walker.printer_says().tell(ports.NoteCredited(face=Fen(10_000), channel=6, at_power_up=True))
    walker.acceptor_ready(counters)
    fates = [one for one in walker.recorded if getattr(one, "note_no", None) == 2]
    assert [(type(one), one.recovered) for one in fates] == [(journal.NoteCredited, "power_up")]
    assert [one.received_fen for one in walker.records(journal.Settlement)] == [10_500]


@pytest.mark.parametrize("after_the_settlement", [True, False])
def test_the_slip_and_the_word_after_a_cut_name_a_claim_that_ended_only_after_the_settlement(
    book, after_the_settlement
):
    late = replace(credited(1, 1_000), recovered="late_answer")
    book.append(journals.opened(), journals.escrow(1, 1_000), intent(1, 1_000, 7))
    book.append(replace(unclear(1, 1_000), reason="no_answer"))
    if after_the_settlement:
        nothing = {"notes": {}, "lines": (), "prepaid_fen": 0, "claims": ("YG01-Q000001",)}
        book.append(journals.settled("p-1", 1, 0, **nothing), late)
    else:
        book.append(late, journals.settled("p-1", 1, 1_000))
    named = ["YG01-Q000001"] if after_the_settlement else []
    untold = known(book).untold
    assert untold is not None
    assert [claim.claim_no for claim in untold.claims] == named
    receipt = slip.receipt_for(
        book.entries_of("p-1"),
        estate=Estate(),
        kiosk_code="YG01",
        copy_no=1,
        outcome=Outcome.ACCEPTED,
        printed=journals.SetClock().reading(),
    )
    assert [claim.claim_no for claim in receipt.claims] == named
    assert receipt.received == (0 if after_the_settlement else 1_000)


def unclear(note_no: int, face: int) -> journal.NoteUnknown:
    told = {
        "payment_id": "p-1",
        "note_no": note_no,
        "face_fen": face,
        "acceptor_serial": "SN1",
        "reason": "no_evidence",
    }
    return journal.NoteUnknown(**told, claim_no=f"YG01-Q{note_no:06d}")


@pytest.mark.parametrize(
    ("entries", "money"),
    [
        ([journals.escrow(1, 500), intent(1, 500, 7), credited(1, 500)], "投入的钱已保存，将入账。"),
        (
            [
                *(journals.escrow(1, 500), intent(1, 500, 7), credited(1, 500)),
                journals.escrow(2, 1_000),
                unclear(2, 1_000),
            ],
            "收到的钱已保存，将入账。另有 1 张纸币要人工核实。",
        ),
        ([journals.escrow(1, 500), unclear(1, 500)], "没有入账。有 1 张纸币要人工核实，已记录，不会丢失。"),
    ],
)
def test_after_a_restart_the_payer_reads_of_all_their_notes_and_of_nothing_else(book, entries, money):
    book.append(journals.opened(), *entries)
    walker = Walker()
    walker.state = replace(walker.state, interrupted=known(book).interrupted)
    view = walker.printer_says().sees(views.TroubleView)
    assert view.frame.code == "E60"
    assert text.say("zh-Hans", f"{view.saying.key}.money", **view.saying.values) == money
    assert len(view.claims) == money.count("核实")


def test_after_a_restart_with_nothing_in_the_payer_reads_that_nothing_was_taken(book):
    book.append(journals.opened())
    walker = Walker()
    walker.state = replace(walker.state, interrupted=known(book).interrupted)
    assert walker.printer_says().sees(views.AttractView).notice == views.Saying("notice.nothing_taken")
    walker.tap(taps.StartTapped).tap(taps.CancelTapped)
    assert walker.sees(views.AttractView).notice is None
