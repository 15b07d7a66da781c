"""The real agent process: a payment from the first touch to the slip, stops, deaths, and what is true afterwards."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk import taps, views
from kiosk.domain import events as journal
from kiosk.domain.receipt import Outcome
from tests.payment.kiosk_at_work import KioskAtWork, bill

TWELVE = bill("b-12", 1_200, date(2099, 11, 30))


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[KioskAtWork]:
    work = KioskAtWork(tmp_path, bills=(TWELVE,))
    yield work
    work.close()


def test_a_payment_goes_from_the_first_touch_to_the_slip(kiosk: KioskAtWork) -> None:
    kiosk.to_cash()
    kiosk.insert(10)
    kiosk.insert(1)
    kiosk.insert(1)
    kiosk.finish_and_take_slip()
    kiosk.sees(views.AttractView)
    settled = kiosk.recorded(journal.PaymentSettled)[0]
    assert (settled.receipt_no, settled.received_fen, settled.offline) == ("YG01-000001", 1_200, True)
    kinds = [journal.kind_of(event) for event in kiosk.recorded() if journal.kind_of(event).startswith("note")]
    assert kinds == ["note.escrow", "note.accept_intent", "note.credited"] * 3
    assert len(kiosk.recorded(journal.ReceiptPrinted)) == 1
    assert "错" not in kiosk.log
    kiosk.check_truth()
