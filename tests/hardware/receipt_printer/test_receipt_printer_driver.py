"""The driver against the simulated printer: it never says more than the printer proved, and never waits for ever."""

import os
import threading
import time

import pytest
from PIL import Image

from kiosk.clock import SystemClock
from kiosk.hardware.flight_recorder.tape import Tape
from kiosk.hardware.ports import DeviceFault, FaultCleared, Paper, PrinterStatus, ReceiptFailed, ReceiptPrinted
from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter
from kiosk.hardware.receipt_printer.layout import render
from kiosk.hardware.receipt_printer.transport import Transport
from tests.hardware.receipt_printer.printer_bench import SPEED, Bench
from tests.hardware.receipt_printer.receipt_examples import FAULT, OFFLINE_COPY, USUAL


def test_a_receipt_is_printed_as_it_was_drawn_and_confirmed_by_its_process_id(bench: Bench) -> None:
    bench.drive()
    bench.print()
    assert bench.outcome() == ReceiptPrinted(event_no=1, job_id="job-1", confirmed=True)
    slip = bench.slip()
    drawn, printed = render(USUAL, 80).image, Image.open(slip["png"])
    assert printed.crop((0, 0, *drawn.size)).tobytes() == drawn.tobytes()
    assert slip["qr"] == USUAL.link
    assert bench.errors() == []


def test_a_printer_that_knows_no_process_id_is_believed_when_it_passes_the_fence(bench: Bench) -> None:
    bench.do(do="clone", process_id=False)
    bench.drive(process_id=False)
    bench.print()
    assert bench.outcome().confirmed
    assert bench.errors() == []


def test_a_missing_process_id_falls_back_to_the_fence(bench: Bench) -> None:
    bench.do(do="clone", process_id=False)
    bench.drive()
    bench.print()
    assert bench.outcome().confirmed


def test_a_printer_that_proves_nothing_leaves_the_slip_unconfirmed_until_one_is_proved(bench: Bench) -> None:
    bench.do(do="clone", process_id=False, gs_r=False)
    bench.drive()
    bench.print()
    assert bench.reported.of(DeviceFault).fault.code == "printer.unconfirmed"
    assert not bench.outcome().confirmed
    bench.do(do="clone", process_id=True)
    bench.print("job-2")
    assert bench.reported.of(FaultCleared).code == "printer.unconfirmed"
    assert bench.outcome().confirmed


def test_a_silent_printer_is_unknown_within_three_seconds_and_prints_nothing(bench: Bench) -> None:
    bench.do(do="clone", silent=True)
    bench.drive(speed=1)
    asked_at = time.monotonic()
    bench.driver.ask_status()
    status = bench.reported.of(PrinterStatus)
    assert time.monotonic() - asked_at < 3
    assert (status.paper, status.fault.code, status.can_print) == (Paper.UNKNOWN, "printer.silent", False)
    bench.print()
    assert bench.outcome() == ReceiptFailed(
        event_no=bench.reported.all[-1].event_no, job_id="job-1", clean=True, fault=status.fault
    )


@pytest.mark.parametrize(
    ("command", "paper", "code"),
    [
        ({"do": "paper", "is": "out"}, Paper.OUT, "printer.paper_out"),
        ({"do": "cover", "is": "open"}, Paper.UNKNOWN, "printer.cover_open"),
    ],
)
def test_a_fault_is_reported_once_and_cleared_once(
    bench: Bench, command: dict[str, str], paper: Paper, code: str
) -> None:
    bench.drive()
    bench.do(**command)
    assert bench.reported.of(DeviceFault).fault.code == code
    bench.driver.ask_status()
    status = bench.reported.of(PrinterStatus)
    assert (status.paper, status.fault.code) == (paper, code)
    bench.do(do="paper", **{"is": "ok"})
    bench.do(do="cover", **{"is": "closed"})
    assert bench.reported.of(FaultCleared).code == code
    bench.driver.ask_status()
    assert bench.reported.of(PrinterStatus).can_print
    assert [type(event) for event in bench.reported.all].count(DeviceFault) == 1


def test_a_roll_near_its_end_is_a_warning_and_prints(bench: Bench) -> None:
    bench.do(do="paper", **{"is": "near_end"})
    bench.drive()
    assert bench.reported.of(DeviceFault).fault.code == "printer.near_end"
    bench.driver.ask_status()
    status = bench.reported.of(PrinterStatus)
    assert (status.paper, status.can_print) == (Paper.NEAR_END, True)
    bench.print()
    assert bench.outcome().confirmed


def test_a_clone_that_sets_one_bit_for_paper_end_is_out_of_paper(bench: Bench) -> None:
    bench.do(do="clone", single_bit=True)
    bench.do(do="paper", **{"is": "out"})
    bench.drive()
    bench.driver.ask_status()
    assert bench.reported.of(PrinterStatus).paper is Paper.OUT


def test_nothing_of_a_slip_that_ran_out_of_paper_stands_on_the_next_one(bench: Bench) -> None:
    bench.drive()
    bench.do(do="paper", left_mm=300 / 8)
    bench.print("first", OFFLINE_COPY)
    outcome = bench.outcome()
    assert (outcome.job_id, outcome.clean, outcome.fault.code) == ("first", False, "printer.paper_out")
    assert bench.do(do="ledger")["buffered"] == 0
    bench.do(do="paper", **{"is": "ok"})
    bench.print("second")
    assert bench.outcome() == ReceiptPrinted(event_no=bench.reported.all[-1].event_no, job_id="second", confirmed=True)
    stump, slip = bench.slip(), bench.slip()
    assert stump["height_mm"] < 60
    drawn, printed = render(USUAL, 80).image, Image.open(slip["png"])
    assert printed.crop((0, 0, *drawn.size)).tobytes() == drawn.tobytes()
    assert bench.errors() == []


def test_a_cover_closed_again_in_time_lets_the_slip_go_on(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=1)
    bench.drive(speed=1)
    job = bench.print()
    bench.printed_mm(10)
    bench.do(do="cover", **{"is": "open"})
    assert bench.reported.of(DeviceFault).fault.code == "printer.cover_open"
    bench.do(do="cover", **{"is": "closed"})
    assert bench.outcome().confirmed
    assert bench.slip()["height_mm"] == pytest.approx(job.height_dots / 8 + 14, abs=0.5)


def test_a_stuck_cutter_fails_the_slip_and_the_next_one_comes_out_alone(bench: Bench) -> None:
    bench.drive()
    bench.do(do="cutter", **{"is": "jammed"})
    bench.print("first")
    outcome = bench.outcome()
    assert (outcome.clean, outcome.fault.code) == (False, "printer.cutter")
    bench.do(do="cutter", **{"is": "ok"})
    bench.print("second", FAULT)
    assert bench.outcome().confirmed
    assert bench.slip()["qr"] == USUAL.link
    assert bench.slip()["qr"] is None


def test_power_lost_in_the_middle_of_an_image_leaves_the_next_slip_clean(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=2)  # a second of paper, so that its middle can be met
    bench.drive(speed=2)
    bench.print("first")
    bench.printed_mm(5)
    bench.do(do="power", **{"is": "off"})
    outcome = bench.outcome()
    assert (outcome.clean, outcome.fault.code) == (False, "printer.silent")
    bench.do(do="power", **{"is": "on"})
    bench.print("second")
    assert bench.outcome().confirmed
    bench.slip()
    drawn, printed = render(USUAL, 80).image, Image.open(bench.slip()["png"])
    assert printed.crop((0, 0, *drawn.size)).tobytes() == drawn.tobytes()


@pytest.mark.parametrize("clear_buffer", [True, False])
def test_an_image_that_another_program_left_half_sent_swallows_nothing(bench: Bench, clear_buffer: bool) -> None:
    bench.do(do="clone", clear_buffer=clear_buffer)
    port = os.open(bench.link, os.O_RDWR | os.O_NOCTTY)
    os.write(port, bytes.fromhex("1d 76 30 00 48 00 40 00") + b"\xaa" * 100)
    while bench.do(do="ledger")["image_bytes_missing"] == 0:
        time.sleep(0.001)
    os.close(port)
    bench.drive()
    bench.print()
    assert bench.outcome().confirmed
    slip = bench.slip()
    assert slip["qr"] == USUAL.link


def test_noise_on_the_line_never_makes_a_printer_without_paper_ready(bench: Bench) -> None:
    bench.do(do="paper", **{"is": "out"})
    bench.do(do="line", garbage=0.7)
    bench.drive()
    for _ in range(10):
        bench.driver.ask_status()
        assert not bench.reported.of(PrinterStatus).can_print
    bench.do(do="line", garbage=0)
    bench.do(do="paper", **{"is": "ok"})
    bench.print()
    assert bench.outcome().confirmed


def test_a_printer_that_is_plugged_in_again_comes_back_by_itself(bench: Bench) -> None:
    bench.drive()
    bench.driver.ask_status()
    assert bench.reported.of(PrinterStatus).can_print
    bench.unplug()
    assert bench.reported.of(DeviceFault).fault.code == "printer.port_missing"
    bench.driver.ask_status()
    assert bench.reported.of(PrinterStatus).fault.code == "printer.port_missing"
    bench.print("while away")
    assert bench.outcome().clean
    bench.plug_in()
    assert bench.reported.of(FaultCleared).code == "printer.port_missing"
    bench.print("back")
    assert bench.outcome().confirmed


def test_unplugged_in_the_middle_of_a_slip_is_a_failure_that_is_not_clean(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=2)  # a second of paper, so that its middle can be met
    bench.drive(speed=2)
    bench.print()
    bench.printed_mm(5)
    bench.unplug()
    outcome = bench.outcome()
    assert (outcome.clean, outcome.fault.code) == (False, "printer.port_missing")


def test_a_port_that_another_program_holds_is_busy(bench: Bench) -> None:
    other = Transport(str(bench.link), 115200, Tape("receipt_printer", "escpos", SystemClock()))
    bench.drive()
    assert bench.reported.of(DeviceFault).fault.code == "printer.port_busy"
    other.close()
    assert bench.reported.of(FaultCleared).code == "printer.port_busy"


def test_a_port_that_is_no_device_is_named(tmp_path) -> None:
    (tmp_path / "file").touch()
    for path, words in ((tmp_path / "file", "not a device"), (tmp_path / "nothing", "No such file")):
        reported = []
        driver = EscposReceiptPrinter(str(path), reported.append, SystemClock(), speed=SPEED)
        driver.start()
        driver.ask_status()
        driver.stop()
        assert all(words in event.fault.detail for event in reported)


def test_status_is_answered_while_a_slip_is_printed(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=1)  # two seconds of paper
    bench.drive(speed=1)
    bench.print()
    bench.driver.ask_status()
    assert bench.reported.of(PrinterStatus).can_print
    assert bench.outcome().confirmed


def test_stopping_lets_a_slip_that_is_being_printed_come_out(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=2)
    bench.drive(speed=2)
    bench.print()
    bench.printed_mm(1)
    bench.driver.stop()
    assert bench.outcome().confirmed
    assert bench.slip()["qr"] == USUAL.link


def test_stopping_does_not_wait_for_a_slip_that_can_not_go_on(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=1)
    bench.drive(speed=1)
    bench.print("first")
    bench.print("never begun")
    bench.printed_mm(1)
    bench.do(do="cover", **{"is": "open"})
    stopped_at = time.monotonic()
    bench.driver.stop()
    assert time.monotonic() - stopped_at < 5
    first, second = bench.outcome(), bench.outcome()
    assert (first.job_id, first.clean) == ("first", False)
    assert (second.job_id, second.clean) == ("never begun", True)
    assert not any(thread.name == "receipt_printer" for thread in threading.enumerate())
    bench.do(do="cover", **{"is": "closed"})
    assert bench.slip()["height_mm"] < 60
