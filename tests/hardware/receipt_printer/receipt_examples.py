"""Receipts that the tests, the golden pictures and the bench share; all names and numbers are invented."""

from msgspec.structs import replace

from kiosk.domain.money import Fen
from kiosk.domain.receipt import Claim, Outcome, Receipt, ReceiptLine, SlipKind


def bill(name: str, name_en: str, period: str, fen: int, *, paid: int | None = None, late: int = 0) -> ReceiptLine:
    paid = fen if paid is None else paid
    return ReceiptLine(
        item_name=name,
        item_name_en=name_en,
        period=period,
        due=Fen(fen),
        late_fee_paid=Fen(late),
        paid=Fen(paid),
        left=Fen(fen - paid),
    )


USUAL = Receipt(
    kind=SlipKind.RECEIPT,
    language="zh-Hans",
    estate="阳光花园",
    payee="阳光物业服务有限公司",
    receipt_no="YG01-000123",
    kiosk_code="YG01",
    printed_at="2026年11月24日 16:20:14 +08:00",
    paid_at="2026年11月24日 16:20:11 +08:00",
    clock_verified=True,
    unit_words="3栋 1单元 502",
    masked_name="张*",
    lines=(
        bill("物业服务费", "Property service fee", "2026年9月", 22554, late=312),
        bill("公共水电分摊", "Shared utilities", "2026年9月", 1874),
        bill("车位管理费", "Parking fee", "2026年10月", 8000),
    ),
    received=Fen(35000),
    notes=((Fen(10000), 3), (Fen(5000), 1)),
    to_prepaid=Fen(2572),
    prepaid_after=Fen(11232),
    outcome=Outcome.BOOKED,
    phone="0571-0000 0123",
    complaint="12315",
    check_code="1234-7f3a91c2",
    link="https://pay.example.cn/m/YG01-000123/1234-7f3a91c2",
)

OFFLINE_COPY = replace(
    USUAL,
    copy_no=2,
    offline=True,
    clock_verified=False,
    bills_as_of="2026年11月22日 08:00",
    outcome=Outcome.ACCEPTED,
    prepaid_after=None,
    link="",
)

ENGLISH = replace(
    USUAL,
    language="en",
    estate="Sunshine Garden",
    paid_at="24 Nov 2026 16:20:11 +08:00",
    printed_at="24 Nov 2026 16:20:14 +08:00",
    unit_words="Bldg 3, Entr. 1, Room 502",
    lines=(
        bill("物业服务费", "Property service fee", "Sep 2026", 22554, late=312),
        bill("公共水电分摊", "Shared utilities", "Sep 2026", 1874),
        bill("车位管理费", "Parking fee", "Oct 2026", 8000),
    ),
    outcome=Outcome.ACCEPTED,
)

FAULT = replace(
    USUAL,
    kind=SlipKind.FAULT,
    receipt_no="",
    lines=(),
    received=Fen(15000),
    notes=((Fen(10000), 1), (Fen(5000), 1)),
    to_prepaid=Fen(0),
    prepaid_after=None,
    claims=(Claim(claim_no="YG01-Q000042", face=Fen(10000)), Claim(claim_no="YG01-Q000043", face=None)),
    outcome=Outcome.PROCESSING,
    link="",
)

CLAIM = replace(
    USUAL,
    kind=SlipKind.FAULT,
    claims=FAULT.claims[:1],
    outcome=Outcome.PROCESSING,
    link="https://pay.example.cn/m/YG01-Q000042/1234-7f3a91c2",
)

# The only note that went in is unclear: nothing was paid.
CLAIM_ALONE = replace(CLAIM, lines=(), received=Fen(0), notes=(), to_prepaid=Fen(0))

MANY_BILLS = replace(
    USUAL,
    lines=tuple(
        bill(
            "物业服务费" if month % 2 else "公共能耗及电梯运行维护分摊费用（含二次供水）",
            "Fee",
            f"2025年{month}月",
            24999 + month,
        )
        for month in range(1, 13)
    ),
    received=Fen(305000),
    notes=((Fen(10000), 29), (Fen(5000), 2), (Fen(2000), 1), (Fen(1000), 2), (Fen(500), 1), (Fen(100), 15)),
    to_prepaid=Fen(4934),
)

PREPAID_ONLY = replace(USUAL, lines=(), received=Fen(10000), notes=((Fen(10000), 1),), to_prepaid=Fen(10000))

# Bills 8 days old are not shown any more: only prepayment, by a clock that nobody verified.
OFFLINE_PREPAID = replace(
    PREPAID_ONLY,
    offline=True,
    clock_verified=False,
    bills_as_of="2026年11月16日 08:00",
    outcome=Outcome.ACCEPTED,
    prepaid_after=None,
)


def in_english(receipt: Receipt) -> Receipt:
    """The same slip for somebody who reads English."""
    as_of = "16 Nov 2026 08:00" if receipt.bills_as_of else ""
    words = {name: getattr(ENGLISH, name) for name in ("language", "estate", "paid_at", "printed_at", "unit_words")}
    return replace(receipt, **words, lines=ENGLISH.lines if receipt.lines else (), bills_as_of=as_of)
