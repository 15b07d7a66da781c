"""Whatever happens to the printer: what the driver said about a slip is what lies in the tray."""

import random
import time
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from kiosk.hardware.ports import ReceiptFailed, ReceiptPrinted
from kiosk.hardware.receipt_printer.layout import render
from tests.hardware.receipt_printer.printer_bench import Bench, until_ready
from tests.hardware.receipt_printer.receipt_examples import USUAL

# What is done to the printer while a slip is printed, and what undoes it.
MISHAPS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"do": "ledger"}, {"do": "ledger"}),
    ({"do": "paper", "is": "out"}, {"do": "paper", "is": "ok"}),
    ({"do": "paper", "left_mm": 60}, {"do": "paper", "is": "ok"}),
    ({"do": "cover", "is": "open"}, {"do": "cover", "is": "closed"}),
    ({"do": "cutter", "is": "jammed"}, {"do": "cutter", "is": "ok"}),
    ({"do": "power", "is": "off"}, {"do": "power", "is": "on"}),
    ({"do": "power"}, {"do": "power", "is": "on"}),
    ({"do": "line", "garbage": 0.3}, {"do": "line", "garbage": 0}),
    ({"do": "clone", "process_id": False}, {"do": "clone", "process_id": True}),
    ({"do": "clone", "silent": True}, {"do": "clone", "silent": False}),
)
WHOLE_MM = 150


def one_slip(bench: Bench, chance: random.Random, number: int) -> tuple[str, ReceiptPrinted | ReceiptFailed]:
    """Print one slip, let one thing happen at some length of paper, undo it; return link and answer."""
    link = f"https://office.example.cn/r/{number:05d}"
    mishap, remedy = chance.choice(MISHAPS)
    at_mm = chance.uniform(0, 220)
    before = len(bench.reported.all)
    bench.print(f"job-{number}", replace(USUAL, link=link))

    def answered() -> list[Any]:
        return [event for event in bench.reported.all[before:] if isinstance(event, ReceiptPrinted | ReceiptFailed)]

    while not answered() and bench.do(do="ledger")["uncut_mm"] < at_mm:
        time.sleep(0.0005)  # paper moves; there is no event for a millimetre
    bench.do(**mishap)
    if chance.random() < 0.3:
        bench.do(**remedy)
    outcome = bench.outcome()
    bench.do(**remedy)
    until_ready(bench)
    assert len(answered()) == 1
    return link, outcome


def check(bench: Bench, outcomes: dict[str, ReceiptPrinted | ReceiptFailed]) -> None:
    printed = [event for name, event in bench.seen.all if name == "printed"]
    for link, outcome in outcomes.items():
        whole = [slip for slip in printed if slip["qr"] == link and slip["height_mm"] > WHOLE_MM]
        match outcome:
            case ReceiptPrinted(confirmed=True):
                assert len(whole) == 1, (link, outcome)
                drawn, on_paper = render(replace(USUAL, link=link), 80).image, Image.open(whole[0]["png"])
                assert on_paper.crop((0, 0, *drawn.size)).tobytes() == drawn.tobytes()
            case ReceiptFailed(clean=True):
                assert whole == [], (link, outcome)
            case _:
                assert len(whole) <= 1, (link, outcome)
    assert bench.errors() == []


def run(bench: Bench, seed: int, slips: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    bench.drive()
    until_ready(bench)
    check(bench, dict(one_slip(bench, chance, number) for number in range(slips)))


def test_what_was_said_of_a_slip_is_what_lies_in_the_tray(bench: Bench) -> None:
    run(bench, seed=20261125, slips=15)


@pytest.mark.long
def test_the_same_for_two_hundred_slips(bench: Bench) -> None:
    run(bench, seed=random.SystemRandom().randrange(1 << 32), slips=200)
