"""The address in a slip's QR code: where the office tells what became of this money."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiosk.clock import Reading
from kiosk.domain.estate import Estate
from kiosk.domain.receipt import Outcome, Receipt, SlipKind
from kiosk.offline_queue.journal import Journal
from kiosk.payment.slip import receipt_for
from tests.offline_queue.journals import SetClock, credited, escrow, genesis, intent, opened, settled, unknown

OFFICE = "https://pay.example.cn"


def slip(directory: Path, *events: Any, public_url: str = OFFICE) -> Receipt:
    with closing(Journal.create(directory / "journal.db", SetClock(), genesis())) as journal:
        journal.append(opened(), escrow(1), intent(1), credited(1))
        for event in events:
            journal.append(event)
        return receipt_for(
            journal.entries_of("p-1"),
            estate=Estate(public_url=public_url),
            kiosk_code="YG01",
            copy_no=0,
            outcome=Outcome.BOOKED,
            printed=Reading(0, "rtc"),
        )


def test_the_code_asks_the_office_with_the_receipt_number_and_the_check_code(tmp_path: Path) -> None:
    receipt = slip(tmp_path, settled())
    assert receipt.link == f"{OFFICE}/m/YG01-000001/{receipt.check_code}"


@pytest.mark.parametrize("late", [False, True])
def test_on_a_fault_slip_it_asks_with_the_claim_number_and_the_settlement_s_check_code(
    tmp_path: Path, *, late: bool
) -> None:
    claim = [escrow(2), intent(2), unknown(2)]
    receipt = slip(tmp_path, *([settled(), *claim] if late else [*claim, settled()]))
    assert (receipt.kind, receipt.outcome) == (SlipKind.FAULT, Outcome.PROCESSING)  # even where the rest is booked
    assert receipt.link == f"{OFFICE}/m/{receipt.claims[0].claim_no}/{receipt.check_code}"
    assert receipt.check_code.startswith("6-" if late else "9-")


def test_an_office_without_a_public_address_leaves_the_slip_without_a_code(tmp_path: Path) -> None:
    assert slip(tmp_path, settled(), public_url="").link == ""
