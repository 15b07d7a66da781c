"""One 80 mm receipt, drawn and encoded."""

import time

from bench.figures import Figure, median
from kiosk.domain.money import Fen
from kiosk.domain.receipt import Outcome, Receipt, ReceiptLine, SlipKind
from kiosk.hardware.receipt_printer import layout

ROUNDS = 30


def sample() -> Receipt:
    """A usual slip: five bills, three kinds of notes, a surplus."""
    line = ReceiptLine(
        item_name="物业服务费", item_name_en="Property service fee", period="2026-10", due=Fen(24560), late_fee_paid=Fen(0),
        paid=Fen(24560), left=Fen(0),
    )  # fmt: skip
    return Receipt(
        kind=SlipKind.RECEIPT, language="zh-Hans", estate="橄榄花园", payee="橄榄物业服务有限公司", receipt_no="GL01-000123",
        kiosk_code="GL01", printed_at="2026-11-25 09:10:11", paid_at="2026-11-25 09:10:05 +08:00", clock_verified=True,
        unit_words="3栋1单元502", masked_name="张*", lines=(line,) * 5, received=Fen(125000),
        notes=((Fen(10000), 12), (Fen(5000), 1)), to_prepaid=Fen(2200), prepaid_after=Fen(2200), outcome=Outcome.BOOKED,
        phone="0571-0000 0000", complaint="12315", check_code="41-0a1b2c3d",
    )  # fmt: skip


def measure() -> list[Figure]:
    """Median over warm rounds: the first one loads the font, as the agent does at start."""
    times = []
    for number in range(ROUNDS + 3):
        began = time.perf_counter()
        slip = layout.render(sample(), 80)
        layout.encode(slip, f"{number:04d}")
        times.append(time.perf_counter() - began)
    return [Figure(name="80 mm receipt drawn and encoded", value=median(times[3:]) * 1000, unit="ms", goal=60)]
