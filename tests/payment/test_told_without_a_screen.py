"""The screen may be away when a payment ends: what became of the money waits for it, and nobody's slip is declined for them."""

from datetime import date

import pytest

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.payment.commands import PrintSlip
from kiosk.screen_link.agent_end import ScreenConnected, ScreenGone
from tests.payment.kiosk_at_work import KioskAtWork, bill
from tests.payment.walker import WATER, Walker

HUNG, BACK = ScreenGone("hung"), ScreenConnected(pid=2)


@pytest.fixture
def nobody_sees_it() -> Walker:
    """100 yuan in, then the screen is gone for longer than anybody is waited for; there is paper."""
    return Walker().ready().to_cash(WATER).insert(100).tell(HUNG).wait(150)


def without_paper() -> Walker:
    walker = Walker().acceptor_ready().printer_says(ports.Paper.OUT).to_cash(WATER).tap(taps.ContinueTapped)
    return walker.acceptor_open().insert(100)


def test_without_paper_the_result_waits_for_the_screen_and_then_has_its_whole_time():
    walker = without_paper().tell(HUNG).wait(900)
    assert [type(one) for one in walker.recorded[-2:]] == [journal.NoteCredited, journal.PaymentPartial]
    assert walker.tell(BACK).wait(29).sees(views.ResultView).receipt_no == "YG01-000001"
    walker.wait(1).sees(views.ReceiptView)
    assert walker.records(journal.ReceiptDeclined)
    walker.wait(35).sees(views.AttractView)


def test_the_slip_comes_out_all_the_same_once_and_the_result_waits_beside_it(nobody_sees_it):
    (slip,) = nobody_sees_it.ordered(PrintSlip)
    nobody_sees_it.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True)).wait(900)
    nobody_sees_it.tell(BACK).sees(views.ResultView)
    assert nobody_sees_it.tap(taps.ContinueTapped).sees(views.ReceiptView).state == "printed"
    nobody_sees_it.wait(35)
    assert nobody_sees_it.sees(views.AttractView).notice == views.Saying("notice.last_slip")
    assert len(nobody_sees_it.ordered(PrintSlip)) == 1


def test_a_slip_that_came_out_unseen_is_not_printed_again_when_nobody_touches_the_result(nobody_sees_it):
    (slip,) = nobody_sees_it.ordered(PrintSlip)
    nobody_sees_it.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True)).tell(BACK).wait(31)
    assert nobody_sees_it.sees(views.ReceiptView).state == "printed"
    assert len(nobody_sees_it.ordered(PrintSlip)) == 1


def test_a_slip_that_failed_unseen_leaves_the_result_to_be_read(nobody_sees_it):
    (slip,) = nobody_sees_it.ordered(PrintSlip)
    nobody_sees_it.tell(ports.ReceiptFailed(job_id=slip.job_id, clean=False, fault=Fault("printer.error"))).wait(900)
    assert nobody_sees_it.tell(BACK).sees(views.ResultView).received == 10_000
    assert nobody_sees_it.tap(taps.ContinueTapped).sees(views.ReceiptView).can_reprint


def test_paper_that_comes_while_the_screen_is_away_is_used_for_the_slip():
    walker = without_paper().tell(HUNG).wait(150)
    assert not walker.ordered(PrintSlip)
    assert walker.printer_says().wait(60).ordered(PrintSlip)


def test_the_number_on_the_slips_screen_stays_as_well():
    walker = Walker().ready().to_cash(WATER).insert(100).tap(taps.ContinueTapped).booked().tap(taps.ContinueTapped)
    (slip,) = walker.tell(HUNG).wait(300).ordered(PrintSlip)
    walker.tell(ports.ReceiptPrinted(job_id=slip.job_id, confirmed=True)).wait(300)
    assert walker.tell(BACK).wait(29).sees(views.ReceiptView).receipt_no == "YG01-000001"
    walker.wait(7).sees(views.AttractView)


def test_a_slip_still_in_the_printer_when_the_screen_comes_back_keeps_its_screen():
    walker = Walker().ready().to_cash(WATER).insert(100).tap(taps.ContinueTapped).booked().tap(taps.ContinueTapped)
    assert walker.tell(HUNG).wait(31).ordered(PrintSlip)
    walker.tell(BACK).wait(35).sees(views.ReceiptView)


def test_the_kiosk_counts_as_idle_meanwhile_and_stopped_then_it_owes_the_word_still():
    walker = without_paper().tap(taps.ContinueTapped).booked()
    assert not walker.state.is_idle
    walker.tell(HUNG).wait(300)
    assert (walker.state.is_idle, bool(walker.state.under_way)) == (True, True)


def test_the_real_agent_tells_the_screen_that_comes_back_and_its_successor_if_it_is_killed_first(tmp_path):
    kiosk = KioskAtWork(tmp_path, bills=(bill("b-12", 11_000, date(2099, 11, 30)),), speed=20)
    try:
        kiosk.to_cash()
        kiosk.insert(100)
        kiosk.sees(views.InsertCashView, lambda view: view.can_finish)
        kiosk.look_away()
        kiosk.printer.do(do="paper", **{"is": "out"})
        kiosk.wait_recorded(journal.PaymentPartial)
        kiosk.look()
        assert kiosk.sees(views.ResultView).receipt_no == "YG01-000001"
        kiosk.look_away()
        kiosk.kill()
        kiosk.start()
        assert kiosk.sees(views.TroubleView).frame.code == "E60"
    finally:
        kiosk.close()
