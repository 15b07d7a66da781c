"""What a slip says, how it looks, and that its bytes say the same: text, picture, QR code."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from kiosk.domain.money import Fen
from kiosk.domain.receipt import Outcome, Receipt, SlipKind
from kiosk.hardware.receipt_printer import fonts, text_mode
from kiosk.hardware.receipt_printer.blocks import Row, Stamp, Type
from kiosk.hardware.receipt_printer.commands import REAL_TIME_STARTS, job_tag, pieces, split_tag
from kiosk.hardware.receipt_printer.content import blocks_of
from kiosk.hardware.receipt_printer.drawing import MARGIN, draw_blocks, qr_picture
from kiosk.hardware.receipt_printer.layout import WIDTH_DOTS, encode, make_job, render
from kiosk.hardware.receipt_printer.mechanism import Mechanism, Slip, Truth
from kiosk.hardware.receipt_printer.pictures import picture, printable
from kiosk.hardware.receipt_printer.qr_reading import read_qr
from kiosk.hardware.receipt_printer.tokens import RealTime, Tokenizer, Wrong
from kiosk.hardware.receipt_printer.wrapping import wrap
from kiosk.text import say
from tests.hardware.receipt_printer.receipt_examples import (
    CLAIM,
    CLAIM_ALONE,
    ENGLISH,
    FAULT,
    MANY_BILLS,
    OFFLINE_COPY,
    OFFLINE_PREPAID,
    PREPAID_ONLY,
    USUAL,
    bill,
    in_english,
)

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "receipts"
LOOKED_AT = {
    "usual-80": (USUAL, 80),
    "usual-58": (USUAL, 58),
    "offline-copy-80": (OFFLINE_COPY, 80),
    "english-80": (ENGLISH, 80),
    "fault-80": (FAULT, 80),
    "claim-58": (CLAIM, 58),
    "claim-80": (CLAIM, 80),
    "claim-english-58": (in_english(CLAIM), 58),
    "claim-alone-80": (CLAIM_ALONE, 80),
    "claim-alone-english-80": (in_english(CLAIM_ALONE), 80),
    "offline-prepaid-58": (OFFLINE_PREPAID, 58),
    "offline-prepaid-english-58": (in_english(OFFLINE_PREPAID), 58),
    "many-bills-80": (MANY_BILLS, 80),
}
# Another FreeType rounds a few outlines differently; a moved line or a changed word is far above this.
TOLERATED_SHARE = 0.002


def printed(data: bytes, width_mm: int = 80) -> list[Slip]:
    """Let the simulated printer carry out a job; anything it does not understand fails."""
    slips: list[Slip] = []
    machine = Mechanism(WIDTH_DOTS[width_mm], Truth(), 1000, lambda _answer: None, slips.append)
    now = 0.0
    for token in Tokenizer().feed(data):
        assert not isinstance(token, Wrong | RealTime), token
        machine.submit(token, now)
    while machine.busy:
        now += machine.step(now) or 0.001
    return slips


def words(receipt: Receipt) -> str:
    """All the text on a slip, as text mode prints it."""
    return printed(text_mode.encode_text(receipt, 80, None))[0].strip.text


@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_slip_is_the_one_that_was_looked_at(name: str) -> None:
    receipt, width_mm = LOOKED_AT[name]
    drawn, golden = render(receipt, width_mm).image, Image.open(GOLDEN / f"{name}.png")
    assert drawn.size == golden.size
    pairs = zip(drawn.tobytes(), golden.tobytes(), strict=True)
    different = sum((ours ^ theirs).bit_count() for ours, theirs in pairs)
    assert different <= TOLERATED_SHARE * drawn.width * drawn.height


@pytest.mark.parametrize("width_mm", [80, 58])
@pytest.mark.parametrize("receipt", [USUAL, OFFLINE_COPY, ENGLISH, FAULT, CLAIM, CLAIM_ALONE, MANY_BILLS, PREPAID_ONLY])
def test_the_printer_draws_exactly_what_was_rendered(receipt: Receipt, width_mm: int) -> None:
    slip = render(receipt, width_mm)
    (out,) = printed(encode(slip, "AB12"), width_mm)
    on_paper = out.strip.picture()
    assert on_paper.crop((0, 0, *slip.image.size)).tobytes() == slip.image.tobytes()
    assert read_qr(on_paper) == (receipt.link or None)


@pytest.mark.parametrize(
    "office", ["http://m.cn", "https://pay.example.cn", "https://payments.a-long-estate-name.example.com.cn"]
)
def test_the_code_is_at_least_25_mm_wide_and_read_back_from_paper(office: str) -> None:
    receipt = replace(USUAL, link=f"{office}/m/YG01-Q000042/1234567-7f3a91c2")
    black = qr_picture(receipt.link).convert("L").point(lambda dot: 255 - dot).getbbox()
    assert black is not None
    assert black[2] - black[0] >= 25 * 8  # eight dots a millimetre
    (out,) = printed(encode(render(receipt, 80), "AB12"))
    assert read_qr(out.strip.picture()) == receipt.link


@given(st.binary(min_size=72 * 3, max_size=72 * 3))
def test_no_picture_can_speak_to_the_printer(rows: bytes) -> None:
    image = Image.frombytes("1", (576, 3), rows)
    data = picture(image)[8:]
    assert not any(start in data for start in REAL_TIME_STARTS)
    assert printable(image).tobytes() == bytes(255 - byte for byte in data)


@pytest.mark.parametrize("width_mm", [80, 58])
@pytest.mark.parametrize("receipt", [USUAL, OFFLINE_COPY, ENGLISH, FAULT, CLAIM, CLAIM_ALONE, MANY_BILLS, PREPAID_ONLY])
def test_text_mode_fits_its_columns_and_ends_amounts_at_the_edge(receipt: Receipt, width_mm: int) -> None:
    (out,) = printed(text_mode.encode_text(receipt, width_mm, "AB12"), width_mm)
    columns = text_mode.COLUMNS[width_mm]
    amounts = [line for line in out.strip.text.split("\n") if re.search(r"(?<!￥)\d\.\d\d$", line) and "￥" not in line]
    assert {text_mode.columns(line) for line in amounts} <= {columns}
    assert amounts or not receipt.lines
    assert max(text_mode.columns(line) for line in out.strip.text.split("\n")) <= columns
    assert read_qr(out.strip.picture()) == (receipt.link or None)


def test_text_mode_has_no_question_mark_and_no_four_byte_code() -> None:
    lines = (bill("建筑面积 89.5㎡ ¥2.80", "", "2026-11", 25060),)
    hard = replace(USUAL, masked_name="王喆", payee="“阳光”物业", lines=lines, link="")  # a picture may hold any byte
    data = text_mode.encode_text(hard, 80, None)
    text = printed(data)[0].strip.text
    assert "王喆" in text
    assert "“阳光”物业" in text
    assert "89.5㎡ ￥2.80" in text
    assert b"?" not in data


def test_a_character_the_printers_font_lacks_becomes_a_picture_of_its_line() -> None:
    rare = replace(USUAL, lines=(bill("𠮷田费", "", "2026-11", 100),), link="")
    (out,) = printed(text_mode.encode_text(rare, 80, None))
    assert "田费" not in out.strip.text
    assert "余欠 0.00" in out.strip.text


def test_worked_vectors_of_text_mode() -> None:
    assert text_mode.gbk("3号楼2单元501室") == bytes.fromhex("33 BA C5 C2 A5 32 B5 A5 D4 AA 35 30 31 CA D2")
    assert text_mode.gbk("金额：128.50元") == bytes.fromhex("BD F0 B6 EE A3 BA 31 32 38 2E 35 30 D4 AA")
    assert text_mode.gbk("¥") == bytes.fromhex("A3 A4")
    assert text_mode.columns("“引号”") == 8


def test_a_slow_line_gets_text_and_a_fast_one_a_picture() -> None:
    fast, slow = (make_job(USUAL, job_id="j", width_mm=80, baud=baud) for baud in (115200, 9600))
    assert len(fast.data) > 50_000
    assert len(slow.data) < 12_000


def test_a_copy_can_be_told_from_its_original() -> None:
    assert "补打　第 2 次" in words(OFFLINE_COPY)
    assert "离线受理" in words(OFFLINE_COPY)
    assert "原件" in words(USUAL)
    assert encode(render(USUAL, 80), None) != encode(render(replace(USUAL, copy_no=1), 80), None)


def test_prepayment_is_refundable_at_the_desk_and_only_then_said() -> None:
    sentence = "预存可凭流水号到物业收费处退款"
    assert sentence in words(USUAL)
    assert sentence not in words(replace(USUAL, to_prepaid=Fen(0)))


def test_without_a_link_nobody_is_told_to_scan() -> None:
    assert "扫码" in words(USUAL)
    assert "扫码" not in words(OFFLINE_COPY)
    assert "不作为税务发票" in words(OFFLINE_COPY)


def test_the_slip_says_when_the_clock_was_not_checked() -> None:
    assert "时钟未经核对" in words(OFFLINE_COPY)
    assert "时钟" not in words(USUAL)


def test_an_unsettled_fault_slip_lists_notes_and_claims_and_what_to_do() -> None:
    said = words(FAULT)
    for part in ("故障凭条", "100元×1", "YG01-Q000042", "面额 100 元", "面额待核实", "不会丢失", "0571-0000 0123"):
        assert part in said
    assert "合计" not in said


def test_a_settled_payment_with_a_claim_still_shows_what_it_paid() -> None:
    said = words(CLAIM)
    for part in ("故障凭条", "流水号", "合计", "YG01-Q000042", "请保管本凭条"):
        assert part in said


def test_a_claim_stands_above_the_bills_with_the_number_to_ask_by_and_what_became_of_the_rest() -> None:
    said = words(CLAIM)
    places = [said.index(part) for part in ("需要人工核实", "其余 ￥350.00 已收到", "YG01-Q000042", "流水号", "合计")]
    assert places == sorted(places)


def test_a_slip_of_nothing_but_a_claim_speaks_of_no_payment() -> None:
    said = words(CLAIM_ALONE)
    assert "没有收到其他现金，账单没有变化" in said
    for untrue in ("0.00", "合计", "缴费时间", "收款凭证", "待入账"):
        assert untrue not in said, untrue


def test_every_offline_slip_says_that_it_is_booked_later() -> None:
    for receipt in (OFFLINE_COPY, OFFLINE_PREPAID, replace(OFFLINE_COPY, bills_as_of="")):
        assert "联网后入账" in words(receipt)
    assert "账单截至" not in words(OFFLINE_PREPAID)  # its bills were too old to be shown or paid


@pytest.mark.parametrize("width_mm", [80, 58])
@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_stamp_runs_off_the_paper(outcome: Outcome, language: str, width_mm: int) -> None:
    text = say(language, f"receipt.outcome.{outcome}")
    width = WIDTH_DOTS[width_mm]
    black = draw_blocks([Stamp(text=text, ticked=True)], width).convert("L").point(lambda dot: 255 - dot).getbbox()
    assert black is not None
    assert black[0] >= MARGIN
    assert black[2] <= width - MARGIN


@pytest.mark.parametrize("name", ["张*", "欧阳**", "S***"])
def test_a_masked_name_is_never_torn(name: str) -> None:
    for width in range(12, 40):
        assert any(name in line for line in wrap(f"Bldg 3, Entr. 1, Room 502　{name}", width, text_mode.columns))


@pytest.mark.parametrize(
    ("outcome", "stamp"),
    [
        (Outcome.BOOKED, "√已入账"),
        (Outcome.ACCEPTED, "已受理，待入账"),
        (Outcome.PROCESSING, "处理中"),
        (Outcome.NOT_COMPLETED, "未完成"),
    ],
)
def test_the_outcome_is_stamped(outcome: Outcome, stamp: str) -> None:
    assert f"【{stamp}】" in words(replace(USUAL, outcome=outcome))


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
@pytest.mark.parametrize("kind", list(SlipKind))
def test_every_kind_of_slip_can_be_said_in_every_language(language: str, kind: SlipKind) -> None:
    for receipt in (USUAL, OFFLINE_COPY, FAULT, PREPAID_ONLY):
        assert blocks_of(replace(receipt, language=language, kind=kind))


def test_a_missing_typeface_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "DIRECTORIES", (Path("/nowhere"),))
    with pytest.raises(fonts.FontMissing, match="fonts-noto-cjk"):
        fonts.font_file(fonts.REGULAR)


def test_the_typeface_is_the_simplified_chinese_one() -> None:
    assert fonts.font(24).getname()[0] == "Noto Sans CJK SC"


@given(st.text(alphabet="ABab12 /:-?=，。物业费", min_size=1, max_size=120))
@settings(max_examples=40)
def test_a_qr_code_is_read_back(text: str) -> None:
    assert read_qr(qr_picture(text)) == text


@given(st.text(alphabet="物业费abc 12，。！", max_size=80), st.integers(4, 30))
def test_wrapping_loses_nothing_and_overflows_nothing(text: str, width: int) -> None:
    lines = wrap(text, width, len)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= width for line in lines)


def test_no_line_starts_with_a_full_stop() -> None:
    assert wrap("请保管本凭条。好", 6, len) == ["请保管本凭", "条。好"]


def test_a_row_too_long_for_its_line_keeps_its_value_on_the_right() -> None:
    page = text_mode.Page(32)
    first, second = page.encode(Row(left="公共能耗及电梯运行维护分摊费用", right="250.01", type=Type.NORMAL)).split(
        b"\n"
    )[:2]
    assert first.decode("gbk") == "公共能耗及电梯运行维护分摊费用"
    assert second == b"250.01".rjust(32)


@given(st.text(min_size=1))
@settings(max_examples=10)
def test_a_jobs_tag_is_found_again_at_its_end(job_id: str) -> None:
    tag = job_tag(job_id)
    body, found = split_tag(encode(render(FAULT, 58), tag))
    assert found == tag
    assert b"".join(pieces(body)) == body
    assert len(pieces(body)) > 3
