"""A note that turns up after the slip came out is told like a settlement: through cuts, and on a screen that was away."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.domain.money import Fen
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.payment import recovery
from kiosk.payment.commands import PrintSlip
from kiosk.payment.events import TimePassed
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone
from tests.offline_queue import journals
from tests.payment.walker import ACCEPTOR, WATER, Walker

CLAIM = "YG01-Q000003"


def with_the_slip_in_hand() -> Walker:
    walker = Walker().ready().to_cash(WATER).insert(100, 10).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)
    (slip,) = walker.ordered(PrintSlip)
    return walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))


def counted_one_more(walker: Walker) -> Walker:
    return walker.tell(ports.CountersRead(counters=ports.AcceptorCounters(stacked=3, rejected=0)))


def known_after(walker: Walker, folder: Path) -> recovery.Known:
    """What an agent that starts behind a cut knows from all that this one wrote."""
    book = Journal.create(folder / "journal.db", journals.SetClock(), journals.genesis())
    book.append(*walker.recorded)
    with JournalReader(book.path) as reader:
        known = recovery.read(book, reader.entries)
    book.close()
    return known


def test_a_cut_after_the_count_of_the_goodbye_does_not_take_the_claim_from_its_person(tmp_path: Path) -> None:
    walker = counted_one_more(with_the_slip_in_hand().tap(taps.ContinueTapped))
    assert [one.claim_no for one in walker.sees(views.ResultView).claims] == [CLAIM]
    assert walker.state.under_way
    untold = known_after(walker, tmp_path).untold
    assert untold is not None
    assert [one.claim_no for one in untold.claims] == [CLAIM]


def e60_with_its_slip_out() -> Walker:
    """100 yuan that a restart cut, settled and printed before the acceptor was back."""
    cut = Walker().ready().to_cash(WATER).insert(100)
    payment = replace(cut.state.payment, ending="restart", recovering=True)
    walker = Walker()
    around = replace(walker.state.around, stacked=1, stacked_serial=ACCEPTOR.serial)
    walker.state = replace(walker.state, numbers=cut.state.numbers, interrupted=(payment,), around=around)
    (slip,) = walker.wait(0).printer_says().ordered(PrintSlip)
    return walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))


def test_a_claim_that_comes_while_e60_stands_is_read_in_peace_and_a_slip_with_it_can_be_had() -> None:
    walker = e60_with_its_slip_out().wait(59)
    assert walker.sees(views.TroubleView).choices == ("trouble.ok",)
    view = walker.acceptor_ready(stacked=2).wait(59).sees(views.TroubleView)
    assert [claim.claim_no for claim in view.claims] == ["YG01-Q000002"]
    assert view.choices == ("trouble.print_slip", "trouble.ok")
    walker.tap(taps.ChoiceTapped, choice="trouble.print_slip")
    assert [slip.copy_no for slip in walker.ordered(PrintSlip)] == [0, 1]
    assert walker.sees(views.TroubleView).choices == ("trouble.ok",), "while it is printed"


def test_nobody_prints_slips_with_a_late_claim_without_end() -> None:
    walker = e60_with_its_slip_out().acceptor_ready(stacked=2)
    for _ in range(9):
        if "trouble.print_slip" not in walker.sees(views.TroubleView).choices:
            break
        slip = walker.tap(taps.ChoiceTapped, choice="trouble.print_slip").ordered(PrintSlip)[-1]
        walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))
    assert len(walker.ordered(PrintSlip)) == 3


def test_once_its_person_went_on_it_is_told_no_more(tmp_path: Path) -> None:
    walker = counted_one_more(with_the_slip_in_hand().tap(taps.ContinueTapped))
    walker.tap(taps.ContinueTapped).tap(taps.ContinueTapped).wait(300).sees(views.AttractView)
    assert not walker.state.under_way
    assert known_after(walker, tmp_path).untold is None


def test_a_slip_that_was_ordered_before_the_claim_does_not_tell_it(tmp_path: Path) -> None:
    walker = Walker().ready().to_cash(WATER).insert(100, 10).tap(taps.ContinueTapped).booked()
    walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)
    (slip,) = walker.ordered(PrintSlip)
    walker.tell(ports.NoteUnclear(face=Fen(1_000), fault=Fault("acceptor.fraud")))
    walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))
    assert walker.state.under_way
    assert known_after(walker, tmp_path).untold is not None


def test_a_screen_that_was_away_shows_the_claim_when_it_is_back() -> None:
    walker = with_the_slip_in_hand().tell(ScreenGone("hung"))
    walker.tell(ports.NoteUnclear(face=Fen(1_000), fault=Fault("acceptor.fraud"))).wait(600)
    assert walker.state.under_way
    walker.tell(ScreenConnected(pid=2))
    assert [one.claim_no for one in walker.sees(views.ResultView).claims] == [CLAIM]


@pytest.mark.parametrize("comes_out", [True, False])
def test_the_word_after_a_restart_stays_while_its_slip_is_in_the_printer(tmp_path: Path, comes_out: bool) -> None:
    cut = Walker().ready().to_cash(WATER).insert(100)
    known = known_after(cut, tmp_path)
    walker = Walker()
    walker.state = replace(walker.state, numbers=known.numbers, interrupted=known.interrupted, view=None)
    walker.tell(TimePassed()).acceptor_ready(1).printer_says()
    (slip,) = walker.ordered(PrintSlip)
    assert walker.wait(100).sees(views.TroubleView).frame.code == "E60"
    if comes_out:
        walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))
    else:
        walker.tell(ports.ReceiptFailed(job_id=slip.job_id, clean=False, fault=Fault("printer.paper_out")))
    assert walker.wait(30).sees(views.TroubleView).frame.code == "E60", "time to read how the slip fared"
    walker.wait(60).sees(views.AttractView)
    assert len(walker.records(journal.ReceiptDeclined)) == (not comes_out)


def test_no_process_is_replaced_while_a_slip_that_nobody_reads_about_comes_out() -> None:
    walker = Walker().ready().to_cash(WATER).insert(100, 10).tap(taps.ContinueTapped).booked()
    walker.tell(ScreenGone("failed")).wait(70)
    (slip,) = walker.ordered(PrintSlip)
    assert not walker.state.is_idle
    walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True))
    assert walker.state.is_idle
