"""A slip that takes long: nobody is told that it failed while it comes out, and what comes out late is written down."""

from pathlib import Path

import pytest

from kiosk import taps
from kiosk.domain import events as journal
from kiosk.domain.receipt import Receipt
from kiosk.hardware import ports
from kiosk.hardware.faults import Fault
from kiosk.hardware.receipt_printer import driver
from kiosk.hardware.receipt_printer.layout import PICTURE_BAUD, make_job
from kiosk.hardware.receipt_printer.patience import COMPLETION_S, line_s, until_proved_s
from kiosk.payment.deadlines import PRINTING_S
from kiosk.views import ReceiptState, ReceiptView
from tests.hardware.receipt_printer import receipt_examples
from tests.hardware.receipt_printer.printer_bench import Bench
from tests.payment.walker import WATER, Walker

LONGEST = [one for one in vars(receipt_examples).values() if isinstance(one, Receipt)]


def printing() -> Walker:
    walker = Walker().ready().to_cash(WATER).insert(100, 10).tap(taps.ContinueTapped).booked()
    return walker.tap(taps.ContinueTapped).tap(taps.PrintAnswered, wanted=True)


def job_of(walker: Walker) -> str:
    assert walker.state.printing is not None
    return walker.state.printing.job_id


@pytest.mark.parametrize("baud", [PICTURE_BAUD, 57600, 115200])
def test_every_slip_may_take_what_its_line_and_its_printer_need(baud: int) -> None:
    for receipt in LONGEST:
        job = make_job(receipt, job_id="a/0", width_mm=80, baud=baud)
        needs_s = line_s(job, baud) + until_proved_s(job, baud) + COMPLETION_S
        assert needs_s + driver.PASSING_S < ports.LONGEST_PRINT_S, job.job_id
    assert ports.LONGEST_PRINT_S < PRINTING_S, "the flow gives up before the driver does"


def test_a_slip_that_takes_two_minutes_is_told_as_printed() -> None:
    walker = printing()
    job_id = job_of(walker)
    walker.wait(120)
    assert walker.sees(ReceiptView).state is ReceiptState.PRINTING
    walker.tell(ports.ReceiptPrinted(job_id=job_id, confirmed=True))
    assert walker.sees(ReceiptView).state is ReceiptState.PRINTED
    assert not walker.records(journal.ReceiptFailed)


def test_a_slip_that_comes_out_after_it_was_given_up_is_told_and_written_down() -> None:
    walker = printing()
    job_id = job_of(walker)
    walker.wait(PRINTING_S + 1)
    assert walker.sees(ReceiptView).state is ReceiptState.FAILED
    walker.tell(ports.ReceiptPrinted(job_id=job_id, confirmed=True))
    assert walker.sees(ReceiptView).state is ReceiptState.PRINTED
    assert [(one.copy_no, one.confirmed) for one in walker.records(journal.ReceiptPrinted)] == [(0, True)]
    walker.tell(ports.ReceiptPrinted(job_id=job_id, confirmed=True))
    assert len(walker.records(journal.ReceiptPrinted)) == 1, "one answer, one entry"


def test_a_late_slip_does_not_pass_for_its_copy_that_is_being_printed() -> None:
    walker = printing()
    first = job_of(walker)
    walker.wait(PRINTING_S + 1).tap(taps.ReprintTapped)
    second = job_of(walker)
    walker.tell(ports.ReceiptPrinted(job_id=first, confirmed=True))
    assert walker.sees(ReceiptView).state is ReceiptState.PRINTING
    walker.tell(ports.ReceiptFailed(job_id=second, clean=True, fault=Fault("printer.paper_out")))
    assert walker.sees(ReceiptView).state is ReceiptState.FAILED
    assert [one.copy_no for one in walker.records(journal.ReceiptPrinted)] == [0]
    assert [one.copy_no for one in walker.records(journal.ReceiptFailed)] == [0, 1]


@pytest.mark.parametrize(
    ("longest_s", "told"),
    [
        (0.0, ("ReceiptFailed", "takes too long")),  # a line that crawls: the slip is not out
        (0.5, ("ReceiptPrinted", False)),  # a printer that has all of it and proves nothing
    ],
)
def test_the_driver_answers_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest_s: float, told: tuple[str, object]
) -> None:
    monkeypatch.setattr(driver, "LONGEST_PRINT_S", longest_s)
    bench = Bench(tmp_path)
    bench.plug_in(speed=1)  # two seconds of paper
    bench.drive(speed=1)
    bench.print()
    outcome = bench.outcome()
    said = outcome.fault.detail if isinstance(outcome, ports.ReceiptFailed) else outcome.confirmed
    assert (type(outcome).__name__, said) == told
    bench.close()
