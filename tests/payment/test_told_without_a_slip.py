"""Where no slip comes out the screen says what it would have said to ask by: the number, and the check code of the settlement."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import taps, text, views
from kiosk.domain import events as journal
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import recovery
from kiosk.payment.commands import PrintSlip
from kiosk.payment.events import DiskMeasured, SettlementWritten
from tests.offline_queue import journals
from tests.payment.walker import WATER, Walker

CODE = "9-7f3a91c2"
NUMBER = "YG01-000001"


def paid(paper: ports.Paper) -> Walker:
    """100 yuan of 110 are in, and the cashier has said where on disk that stands; the result has been read."""
    walker = Walker().acceptor_ready().printer_says(paper).to_cash(WATER)
    if walker.view.frame.code == "E51":
        walker.tap(taps.ContinueTapped).acceptor_open()
    walker.insert(100).tap(taps.ContinueTapped)
    (settled,) = walker.records(journal.PaymentPartial)
    return walker.tell(SettlementWritten(settled.payment_id, CODE)).booked().tap(taps.ContinueTapped)


def test_without_paper_number_and_check_code_stand_on_the_screen():
    view = paid(ports.Paper.OUT).sees(views.ReceiptView)
    assert (view.state, view.receipt_no, view.check_code) == ("no_paper", NUMBER, CODE)


def test_a_slip_that_failed_leaves_them_on_the_screen_and_one_that_came_out_does_not():
    walker = paid(ports.Paper.OK)
    assert walker.sees(views.ReceiptView).check_code == ""
    (slip,) = walker.tap(taps.PrintAnswered, wanted=True).ordered(PrintSlip)
    assert walker.sees(views.ReceiptView).check_code == ""
    walker.tell(ports.ReceiptFailed(job_id=slip.job_id, clean=False, fault=Fault("printer.error")))
    assert walker.sees(views.ReceiptView).check_code == CODE
    again = walker.tap(taps.ReprintTapped).ordered(PrintSlip)[-1]
    walker.tell(ports.ReceiptPrinted(job_id=again.job_id, confirmed=True))
    assert walker.sees(views.ReceiptView).check_code == ""


def test_the_code_of_another_payment_is_not_shown():
    walker = paid(ports.Paper.OUT).tell(SettlementWritten("p-of-somebody-else", "10-00000000"))
    assert walker.sees(views.ReceiptView).check_code == CODE


@pytest.mark.parametrize(("yuan", "said"), [((100,), "error.no_slips.line"), ((), "error.no_slips.nothing")])
def test_where_nobody_is_to_pay_without_a_slip_the_slot_that_shuts_in_the_middle_says_why(yuan, said):
    walker = Walker(refuse_without_receipt=True).ready().to_cash(WATER).insert(*yuan).printer_says(ports.Paper.OUT)
    view = walker.sees(views.InsertCashView)
    assert (view.state, view.frame.code, view.notice.key) == ("stopped", "E51", said)
    assert walker.printer_says().sees(views.InsertCashView).notice is None


def test_where_the_only_note_is_a_claim_its_word_stands_whatever_else_shuts_the_slot():
    walker = Walker(refuse_without_receipt=True).ready().to_cash(WATER).note(100)
    walker.tell(ports.NoteUnclear(face=Fen(10_000), fault=Fault("acceptor.jam_safe")))
    for wrong in (ports.PrinterStatus(paper=ports.Paper.OUT), DiskMeasured(free_mb=1, enough=False)):
        view = walker.tell(wrong).sees(views.InsertCashView)
        assert (view.state, view.frame.code, view.notice) == (
            "stopped",
            "E32",
            views.Saying("error.e32.line"),
        )


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Journal]:
    """A payment that was settled, and cut before its word."""
    made = Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())
    journals.pay(made, "p-1")
    yield made
    made.close()


def restarted(book: Journal) -> Walker:
    with JournalReader(book.path) as reader:
        known = recovery.read(book, reader.entries)
    walker = Walker()
    walker.state = replace(walker.state, numbers=known.numbers, untold=known.untold, view=None)
    return walker.wait(0)


def code_on_disk(book: Journal) -> str:
    """As the printer would have been given it."""
    (settled,) = [one for one in book.entries_of("p-1") if one.header.kind == "payment.settled"]
    return f"{settled.seq}-{settled.hash.hex()[:8]}"


def test_after_a_cut_they_are_told_as_soon_as_it_is_sure_that_no_slip_can_come(book):
    walker = restarted(book)
    assert walker.sees(views.TroubleView).check_code == "", "nobody knows yet what paper there is"
    view = walker.printer_says(ports.Paper.OUT).sees(views.TroubleView)
    assert view.check_code == code_on_disk(book)
    assert all(NUMBER in text.say_saying(language, view.next_step) for language in ("zh-Hans", "en"))
    there_is_paper_again = walker.printer_says().sees(views.TroubleView)
    assert (there_is_paper_again.check_code, there_is_paper_again.next_step) == ("", None)


def test_after_a_cut_a_slip_that_fails_leaves_them_on_the_screen(book):
    walker = restarted(book).printer_says().tap(taps.ChoiceTapped, choice="trouble.print_slip")
    (slip,) = walker.ordered(PrintSlip)
    assert walker.sees(views.TroubleView).check_code == ""
    walker.tell(ports.ReceiptFailed(job_id=slip.job_id, clean=True, fault=Fault("printer.error")))
    assert walker.sees(views.TroubleView).check_code == code_on_disk(book)


def test_after_a_cut_a_payment_of_claims_alone_is_asked_about_by_claim_number_and_check_code():
    walker = Walker().acceptor_ready().printer_says(ports.Paper.OUT).to_cash(WATER).tap(taps.ContinueTapped)
    walker.acceptor_open().note(100)
    payment = replace(walker.state.payment, recovering=True, ending="restart")
    walker.state = replace(walker.state, payment=payment)
    walker.tell(ports.NoteUnclear(face=None, fault=Fault("acceptor.jam_safe")))
    (settled,) = walker.records(journal.PaymentPartial)
    view = walker.tell(SettlementWritten(settled.payment_id, CODE)).sees(views.TroubleView)
    assert settled.received_fen == 0
    assert view.check_code == CODE
    assert "核实号" in text.say_saying("zh-Hans", view.next_step)
    assert [claim.claim_no for claim in view.claims] == ["YG01-Q000001"]
