"""A cut after the settlement and before its word: whoever paid reads the number after the restart, once; a stranger never does."""

from collections.abc import Iterator
from datetime import date
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
from kiosk.payment.events import JournalFailed
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone
from tests.end_to_end.lobby_runs import touch
from tests.offline_queue import journals
from tests.payment.kiosk_at_work import KioskAtWork, bill
from tests.payment.walker import WATER, Walker

NUMBER = "YG01-000001"
STARTED = journal.AgentStarted(software="1", sqlite="3", clean=False)
SLIP = {"payment_id": "p-1", "receipt_no": NUMBER}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.create(tmp_path / "journal.db", journals.SetClock(), journals.genesis())
    made.append(STARTED)
    journals.pay(made, "p-1")
    yield made
    made.close()


def restarted(book: Journal, *before: ScreenGone) -> Walker:
    """A new agent on this journal, with a printer that works; ``before``: what it hears before that."""
    with JournalReader(book.path) as reader:
        known = recovery.read(book, reader.entries)
    book.append(STARTED)
    walker = Walker()
    walker.state = replace(
        walker.state, numbers=known.numbers, interrupted=known.interrupted, untold=known.untold, view=None
    )
    for event in before:
        walker.tell(event)
    return walker.printer_says()


def test_settled_and_cut_before_the_word_the_payer_reads_number_and_amount_and_is_offered_a_slip(book):
    walker = restarted(book)
    view = walker.sees(views.TroubleView)
    assert (view.frame.code, view.frame.plate, view.amount) == ("E60", (), Fen(10_000))
    assert NUMBER in text.say("zh-Hans", f"{view.saying.key}.next", **view.saying.values)
    assert view.choices == ("trouble.print_slip", "trouble.ok")
    assert not walker.ordered(PrintSlip), "the first slip may be out: another comes only when somebody asks for it"


def test_the_slip_that_is_asked_for_is_marked_as_a_copy_and_the_number_stays_on_show(book):
    walker = restarted(book).wait(59).tap(taps.ChoiceTapped, choice="trouble.print_slip").wait(29)
    (slip,) = walker.ordered(PrintSlip)
    assert (slip.payment_id, slip.copy_no) == ("p-1", 1)
    assert walker.sees(views.TroubleView).choices == ("trouble.ok",)
    walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))
    assert [one.copy_no for one in walker.records(journal.ReceiptPrinted)] == [1]
    assert walker.tap(taps.ChoiceTapped, choice="trouble.ok").sees(views.AttractView)
    assert not walker.records(journal.ReceiptDeclined)


def test_without_paper_the_number_alone_is_told_and_a_slip_offered_when_there_is_paper_again(book):
    walker = restarted(book).printer_says(ports.Paper.OUT)
    assert walker.sees(views.TroubleView).choices == ("trouble.ok",)
    assert walker.printer_says().sees(views.TroubleView).choices == ("trouble.print_slip", "trouble.ok")


@pytest.mark.parametrize("leaves", ["by a touch", "without one"])
def test_it_is_told_once(book, leaves):
    walker = restarted(book)
    _ = walker.tap(taps.ChoiceTapped, choice="trouble.ok") if leaves == "by a touch" else walker.wait(61)
    walker.sees(views.AttractView)
    book.append(*walker.recorded)
    assert restarted(book).sees(views.AttractView).notice is None


def test_it_is_not_over_before_there_is_a_screen_to_read_it_on(book):
    walker = restarted(book).tell(ScreenGone("closed")).wait(600)
    walker.sees(views.TroubleView)
    walker.tell(ScreenConnected(pid=2)).wait(59).sees(views.TroubleView)
    walker.wait(2).sees(views.AttractView)


def test_without_a_screen_the_kiosk_counts_as_idle_and_stopped_then_it_owes_the_word_still(book):
    walker = restarted(book)
    assert not walker.state.is_idle
    walker.tell(ScreenGone("closed"))
    assert (walker.state.is_idle, walker.state.under_way) == (True, walker.state.finished.opened.payment_id)


def test_a_second_cut_before_anybody_could_read_it_owes_the_word_still(book):
    restarted(book).sees(views.TroubleView)
    assert restarted(book).sees(views.TroubleView).saying.values["receipt_no"] == NUMBER


def test_a_note_that_is_being_checked_is_named_as_well(book):
    book.append(journals.unknown(2))
    view = restarted(book).sees(views.TroubleView)
    assert [claim.claim_no for claim in view.claims] == ["YG01-Q000002"]


@pytest.mark.parametrize(
    "later",
    [
        [journal.ReceiptPrinted(**SLIP)],
        [journal.ReceiptFailed(**SLIP, fault="printer.error"), journal.ReceiptDeclined(**SLIP)],
        [journal.ReceiptDeclined(**SLIP)],
        [journal.AgentStopped()],
        [journals.opened("p-2"), journal.PaymentCancelled(payment_id="p-2", reason="payer")],
    ],
    ids=lambda later: type(later[-1]).__name__,
)
def test_whose_visit_was_over_is_shown_to_nobody(book, later):
    book.append(*later)
    assert restarted(book).sees(views.AttractView).notice is None


UNSURE = {
    "failed": lambda job: ports.ReceiptFailed(job_id=job, clean=True, fault=Fault("printer.error")),
    "unconfirmed": lambda job: ports.ReceiptPrinted(job_id=job, confirmed=False),
}


@pytest.mark.parametrize("slip", UNSURE)
def test_a_slip_that_did_not_surely_come_out_before_there_was_a_screen_leaves_the_word_owed(tmp_path, slip):
    book = Journal.create(tmp_path / "other.db", journals.SetClock(), journals.genesis())
    book.append(journals.opened("p-1"), journals.escrow(1, 500), journals.intent(1, 500), journals.credited(1, 500))
    walker = restarted(book, ScreenGone("closed"))
    (ordered,) = walker.ordered(PrintSlip)
    walker.tell(UNSURE[slip](ordered.job_id)).wait(600)
    assert (walker.state.is_idle, walker.state.under_way) == (True, "p-1"), "a stop must not look like the end of it"
    book.append(*walker.recorded)
    again = restarted(book)
    assert again.sees(views.TroubleView).saying.values["receipt_no"] == NUMBER
    again.tap(taps.ChoiceTapped, choice="trouble.print_slip")
    assert [one.copy_no for one in again.ordered(PrintSlip)] == [1]
    again.tell(UNSURE[slip](again.ordered(PrintSlip)[0].job_id)).tap(taps.ChoiceTapped, choice="trouble.ok")
    book.append(*again.recorded)
    assert restarted(book).sees(views.AttractView).notice is None, "told once"
    book.close()


@pytest.mark.parametrize("leaves", ["by a touch", "without one"])
@pytest.mark.parametrize("slip", UNSURE)
def test_a_visit_whose_slip_was_unsure_is_over_on_disk_when_its_person_goes(slip, leaves):
    walker = Walker().ready().to_cash(WATER).insert(100).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)
    walker.tell(UNSURE[slip](walker.ordered(PrintSlip)[0].job_id))
    assert walker.state.under_way, "its person may still want another"
    assert not walker.records(journal.ReceiptDeclined)
    _ = walker.tap(taps.ContinueTapped) if leaves == "by a touch" else walker.wait(31)
    walker.sees(views.DoneView)
    assert (len(walker.records(journal.ReceiptDeclined)), walker.state.under_way) == (1, "")


def test_of_two_payments_only_the_one_that_was_cut_is_told(book):
    book.append(journals.opened("p-2"), journals.escrow(2, 500, "p-2"), journals.intent(2, 500, "p-2"))
    book.append(journals.credited(2, 500, "p-2"))
    walker = restarted(book)
    assert walker.sees(views.TroubleView).saying.values["receipt_no"] == "YG01-000002"
    book.append(*walker.recorded)
    walker.tap(taps.ChoiceTapped, choice="trouble.ok").sees(views.AttractView)


@pytest.mark.parametrize("cut", ["killed", "stopped"])
def test_the_real_agent_tells_who_stood_before_the_result_when_it_went_away(tmp_path, cut):
    kiosk = KioskAtWork(tmp_path, bills=(bill("b-12", 1_200, date(2099, 11, 30)),), speed=5)
    try:
        kiosk.to_cash()
        kiosk.insert(10)
        kiosk.finish()
        kiosk.sees(views.ResultView)
        _ = kiosk.kill() if cut == "killed" else kiosk.stop()
        kiosk.start()
        view = kiosk.sees(views.TroubleView, lambda view: len(view.choices) == 2)
        assert (view.frame.code, view.saying.values["receipt_no"]) == ("E60", NUMBER)
        asked = taps.ChoiceTapped(choice="trouble.print_slip")
        touch(kiosk.hand, asked, lambda view: view.choices == ("trouble.ok",))
        assert kiosk.wait_recorded(journal.ReceiptPrinted)[0].copy_no == 1
        kiosk.tap(taps.ChoiceTapped, choice="trouble.ok")
        kiosk.sees(views.AttractView)
        kiosk.look_away()
        kiosk.kill()
        kiosk.start()
        kiosk.sees(views.AttractView, lambda view: view.methods)
        kiosk.check_truth()
    finally:
        kiosk.close()


def test_a_settlement_that_never_reached_the_disk_is_told_to_nobody(tmp_path):
    """What the failed commit would have allowed is not done by the event that says so either."""
    book = Journal.create(tmp_path / "other.db", journals.SetClock(), journals.genesis())
    book.append(journals.opened(), journals.escrow(1, 500), journals.intent(1, 500), journals.credited(1, 500))
    with JournalReader(book.path) as reader:
        known = recovery.read(book, reader.entries)
    book.close()
    walker = Walker()
    walker.state = replace(walker.state, interrupted=known.interrupted)
    walker.tell(JournalFailed("journal.unwritable")).wait(1)
    closed = walker.sees(views.OutOfServiceView)
    assert (closed.frame.code, closed.money_unsure) == ("E80", True)
    assert not walker.recorded
