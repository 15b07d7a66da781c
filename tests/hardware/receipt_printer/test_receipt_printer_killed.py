"""A process that is killed half-way through a slip: nothing of it stands on the next payer's, and no paper is cut off for nothing."""

import subprocess
import sys

from PIL import Image

from kiosk.hardware.receipt_printer.layout import render
from tests.hardware.receipt_printer.printer_bench import Bench, until_ready
from tests.hardware.receipt_printer.receipt_examples import USUAL

SPEED = 2  # a second of paper, so that its middle can be met
DRIVER = """
import sys, threading
from pathlib import Path
from kiosk.clock import SystemClock
from kiosk.hardware.receipt_printer.driver import EscposReceiptPrinter
from kiosk.hardware.receipt_printer.layout import make_job
from tests.hardware.receipt_printer.receipt_examples import CLAIM
driver = EscposReceiptPrinter(sys.argv[1], print, SystemClock(), speed=int(sys.argv[3]), stump_path=Path(sys.argv[2]))
driver.start()
driver.print(make_job(CLAIM, job_id="first", width_mm=80))
threading.Event().wait()
"""


def killed_half_way(bench: Bench) -> None:
    bench.unplug()
    bench.plug_in(speed=SPEED)
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(bench.link), str(bench.directory / "stump"), str(SPEED)]
    )
    bench.printed_mm(5)
    process.kill()
    process.wait()


def alone_and_whole(bench: Bench) -> None:
    drawn, printed = render(USUAL, 80).image, Image.open(bench.slip()["png"])
    assert printed.crop((0, 0, *drawn.size)).tobytes() == drawn.tobytes()
    assert printed.height < drawn.height + 15 * 8, "something else hangs at its end"


def test_the_slip_after_a_killed_process_is_alone_on_its_paper(bench: Bench) -> None:
    killed_half_way(bench)
    bench.drive(speed=SPEED)
    bench.print("second")
    assert bench.outcome().confirmed
    stump = bench.slip()
    assert (stump["qr"], stump["height_mm"] < 220) == (None, True), stump
    alone_and_whole(bench)
    bench.driver.stop()
    bench.drive(speed=SPEED)
    bench.print("third")
    assert bench.outcome().confirmed
    alone_and_whole(bench)
    assert bench.do(do="ledger")["printed"] == 3


def test_a_printer_that_lost_power_with_the_kiosk_still_holds_the_stump(bench: Bench) -> None:
    killed_half_way(bench)
    bench.do(do="power", **{"is": "off"})
    bench.do(do="power", **{"is": "on"})
    bench.drive(speed=SPEED)
    until_ready(bench)
    bench.print("second")
    assert bench.outcome().confirmed
    bench.slip()
    alone_and_whole(bench)


def test_a_slip_without_a_disk_for_the_stump_comes_out_all_the_same(bench: Bench) -> None:
    (bench.directory / "stump" / "in the way").mkdir(parents=True)
    bench.drive()
    for number in range(2):
        bench.print(f"job-{number}")
        assert bench.outcome().confirmed
