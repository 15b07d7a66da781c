"""The page "Where is my money": what a slip's number and check code tell, and that nothing else tells anything."""

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kiosk.domain import events
from kiosk.domain.chain import check_code
from kiosk.text import say
from office.demo import visits
from office.kiosks import services as kiosk_services
from office.kiosks.models import Journal, Kiosk, RawEvent
from office.payments import claims
from office.payments.models import Payment, SuspenseItem
from office.public import throttle
from office.public.lookup import read_question
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import Estate, add_person, pay_without_contact, second_kiosk, settlement_code

HUNDRED = 10000
RECEIPT, CLAIM = "YG01-000001", "YG01-Q000002"
NAME, ROOM = "欧阳", "502"


def claim_slip(estate: Estate) -> str:
    """One note is credited, the next one's fate is unclear; the check code of the fault slip."""
    writer, unit = estate.writer, str(estate.unit.id)
    owed = []
    payment_id = visits.open_payment(writer, unit, owed, timezone.localdate())
    visits.insert_note(writer, payment_id, HUNDRED)
    note = {"payment_id": payment_id, "note_no": writer.take_note_no(), "acceptor_serial": visits.ACCEPTOR}
    writer.append(events.NoteEscrow(**note, face_fen=HUNDRED))
    writer.append(events.NoteAcceptIntent(**note, face_fen=HUNDRED, protocol="ssp", channel=7))
    writer.append(events.NoteUnknown(**note, face_fen=HUNDRED, reason="no_evidence", claim_no=CLAIM))
    visits.settle(writer, payment_id, unit, estate.kiosk.code, owed, [HUNDRED], timezone.localdate())
    return settlement_code(estate)


def text_of(answer) -> str:
    """What a person reads, without markup."""
    page = re.sub(r"<(script|style|head)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# --- what a slip tells -------------------------------------------------------------------------------------------


@both_engines
def test_the_link_of_a_slip_says_that_the_money_is_booked_how_much_and_when(browser: Client, slip: str) -> None:
    answer = browser.get(f"/m/{RECEIPT}/{slip}")
    text = text_of(answer)
    assert answer.status_code == 200
    assert "已入账" in text
    assert "¥300.00 已经入账" in text
    assert re.search(r"2026-10-15 12:0\d", text)
    assert "完整" in text


def test_it_is_found_as_people_type_it(browser: Client, slip: str) -> None:
    seq, digits = slip.split("-")
    for number, check in [
        (" yg01-00 0001 ", slip.upper()),
        ("ＹＧ０１－０００００１", f"{seq}{digits}"),
        ("YG01–000001", f" {seq} - {digits} "),
    ]:
        assert "已经入账" in text_of(browser.get("/m/", {"number": number, "check": check})), (number, check)


def test_nobody_is_named_and_no_room_is_shown(browser: Client, estate: Estate, slip: str) -> None:
    answer = browser.get(f"/m/{RECEIPT}/{slip}")
    page = answer.content.decode()
    assert not re.search(rf"{NAME}|{ROOM}|0421|{estate.unit.id}|payment_id", page)
    assert answer["Cache-Control"] == "no-store"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "<script" not in page
    assert "sessionid" not in answer.cookies


def test_a_phone_set_to_english_reads_english(estate: Estate, slip: str) -> None:
    answer = Client(HTTP_ACCEPT_LANGUAGE="en-GB,en").get(f"/m/{RECEIPT}/{slip}")
    assert "¥300.00 is booked." in text_of(answer)
    assert "Olive Garden" in text_of(answer)


def test_a_record_that_is_here_but_not_folded_is_accepted(
    browser: Client, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.pay(["sep"], [HUNDRED])
    with monkeypatch.context() as busy:
        busy.setattr(kiosk_services.books, "fold", lambda *_args, **_more: None)
        estate.upload()
    answer = browser.get(f"/m/{RECEIPT}/{settlement_code(estate)}")
    assert not Payment.objects.exists()
    assert "已受理，待入账" in text_of(answer)
    assert "¥100.00" in text_of(answer)


def test_an_estimated_time_is_told_with_its_bounds(browser: Client, estate: Estate) -> None:
    payment_id = pay_without_contact(estate, "held")
    raw = RawEvent.objects.get(payment_id=payment_id, kind__startswith="payment.s")
    first, last = (
        f"{timezone.localtime(at, estate.project.zone):%Y-%m-%d %H:%M}" for at in (raw.earliest_at, raw.latest_at)
    )
    link = f"/m/{RECEIPT}/{settlement_code(estate)}"
    assert f"推算时间，在 {first} 至 {last} 之间" in text_of(browser.get(link))
    english = Client(HTTP_ACCEPT_LANGUAGE="en-GB,en")
    assert f"estimated, between {first} and {last}" in text_of(english.get(link))


def test_a_claim_of_a_clock_that_was_never_set_does_not_wait_since_1970(browser: Client, estate: Estate) -> None:
    other = second_kiosk(estate, clock="unset")
    code = claim_slip(other)
    other.writer.boot_id, other.writer.mono_ms, other.writer.clock = "with contact", 60_000, "synced"
    other.writer.wall_ms = estate.writer.wall_ms
    other.writer.append(events.AgentStarted(software="0.1.0", sqlite="3", clean=False))
    other.upload()
    text = text_of(browser.get(f"/m/YG02-000001/{code}"))
    days = (timezone.now() - RawEvent.objects.get(kind="note.unknown").latest_at).days
    assert "缴费时间 不晚于 2026-10-15" in text
    assert re.findall(r"正在核实，已 (\d+) 天", text) == [str(days)] * 2


def test_a_slip_whose_record_is_still_in_the_kiosk_is_told_to_come_again(browser: Client, estate: Estate) -> None:
    estate.pay(["sep"], [HUNDRED])
    answer = browser.get(f"/m/{RECEIPT}/{settlement_code(estate)}")
    assert answer.status_code == 404
    assert "未找到" in text_of(answer)
    assert "记录要晚些才到收费处：钱在终端里是安全的" in text_of(answer)
    estate.upload()
    assert "已经入账" in text_of(browser.get(f"/m/{RECEIPT}/{settlement_code(estate)}"))


@both_engines
@pytest.mark.parametrize("number", [CLAIM, RECEIPT])
@pytest.mark.parametrize(
    ("outcome", "sentence", "found"),
    [
        ("credit", "¥200.00 已经入账。", "已核实：已记入您的缴费"),
        ("refund", "¥100.00 已经入账，¥100.00 已退还现金。", "已核实：已退还现金"),
        ("not_received", "¥100.00 已经入账。", "已核实：终端没有收下这张纸币"),
    ],
)
def test_a_claim_is_processing_with_its_age_until_two_people_end_it(
    browser: Client, estate: Estate, number: str, outcome: str, sentence: str, found: str
) -> None:
    code = claim_slip(estate)
    estate.upload()
    text = text_of(browser.get(f"/m/{number}/{code}"))
    assert "处理中" in text
    assert re.search(r"有 1 张纸币正在核实，已 \d+ 天", text)
    assert f"核实号 {CLAIM} 100 元纸币 正在核实" in text
    clerk, finance = add_person(estate.project, Role.CASHIER), add_person(estate.project, Role.FINANCE_AUDIT)
    claims.confirm(finance, claims.propose(clerk, SuspenseItem.objects.get(), outcome, "why", unit=estate.unit))
    text = text_of(browser.get(f"/m/{number}/{code}"))
    assert sentence in text
    assert f"100 元纸币 {found}" in text


def test_a_visit_of_nothing_but_a_note_that_went_back_is_not_called_booked(browser: Client, estate: Estate) -> None:
    writer, unit = estate.writer, str(estate.unit.id)
    payment_id = visits.open_payment(writer, unit, [], timezone.localdate())
    note = {"payment_id": payment_id, "note_no": writer.take_note_no(), "acceptor_serial": visits.ACCEPTOR}
    writer.append(events.NoteEscrow(**note, face_fen=HUNDRED))
    writer.append(events.NoteAcceptIntent(**note, face_fen=HUNDRED, protocol="ssp", channel=7))
    alone = f"YG01-Q{note['note_no']:06d}"
    writer.append(events.NoteUnknown(**note, face_fen=HUNDRED, reason="no_evidence", claim_no=alone))
    visits.settle(writer, payment_id, unit, estate.kiosk.code, [], [], timezone.localdate())
    estate.upload()
    link = f"/m/{alone}/{settlement_code(estate)}"
    text = text_of(browser.get(link))
    assert "没有收到其他现金。请保留凭条" in text
    assert "其余" not in text
    writer.append(events.NoteReturned(**note, face_fen=HUNDRED, reason="power_up"))
    estate.upload()
    text = text_of(browser.get(link))
    assert "未完成 没有收您的钱，账单没有变化。" in text
    assert "入账" not in text


def test_english_says_the_outcomes_as_the_slip_does(estate: Estate) -> None:
    code = claim_slip(estate)
    estate.upload()
    text = text_of(Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/m/{CLAIM}/{code}"))
    assert say("en", "receipt.outcome.processing") in text


def test_a_note_that_the_kiosk_found_again_counts_on_the_page(browser: Client, estate: Estate) -> None:
    code = claim_slip(estate)
    told = {"note_no": 2, "face_fen": HUNDRED, "acceptor_serial": visits.ACCEPTOR}
    payment_id = next(event.header.payment_id for event in estate.writer.events if event.header.payment_id)
    estate.writer.append(events.NoteReturned(payment_id=payment_id, reason="power_up", **told))
    estate.upload()
    text = text_of(browser.get(f"/m/{CLAIM}/{code}"))
    assert "已查明：当时已退出" in text
    assert "处理中" not in text


@pytest.mark.parametrize(
    ("language", "sentence", "found"),
    [
        ("zh", "¥200.00 已经入账。", "已查明：在钞箱内，已记入您的缴费"),
        ("en", "¥200.00 is booked.", "found: it is in the cash box and added to your payment"),
    ],
)
def test_a_note_that_the_acceptor_told_of_late_is_said_to_be_in_the_payment(
    estate: Estate, language: str, sentence: str, found: str
) -> None:
    code = claim_slip(estate)
    told = {"note_no": 2, "face_fen": HUNDRED, "acceptor_serial": visits.ACCEPTOR}
    payment_id = next(event.header.payment_id for event in estate.writer.events if event.header.payment_id)
    estate.writer.append(events.NoteCredited(payment_id=payment_id, recovered="late_answer", **told))
    estate.upload()
    text = text_of(Client(HTTP_ACCEPT_LANGUAGE=language).get(f"/m/{CLAIM}/{code}"))
    assert sentence in text
    assert found in text


def test_a_settlement_that_could_not_be_read_is_being_checked(browser: Client, estate: Estate) -> None:
    writer = estate.writer
    body = b'{"kind":"payment.settled","v":9,"receipt_no":"YG01-000001","received_fen":20000,"new":true}'
    sent = writer.append_raw(body, "payment.settled", 9, "5c0e3a52-6a2f-4d39-9f0b-94a6a7a8a001")
    estate.upload()
    text = text_of(browser.get(f"/m/{RECEIPT}/{check_code(sent.seq, sent.hash)}"))
    assert RawEvent.objects.get(seq=sent.seq).state == RawEvent.State.QUARANTINED
    assert "¥200.00 已收到，收费处正在核对" in text


@pytest.mark.parametrize("state", [Kiosk.State.SUSPENDED, Kiosk.State.REVOKED])
def test_a_kiosk_that_is_out_of_use_keeps_answering_for_its_slips(
    browser: Client, estate: Estate, slip: str, state: str
) -> None:
    Kiosk.objects.update(state=state)
    Journal.objects.update(state=Journal.State.REPLACED)
    text = text_of(browser.get(f"/m/{RECEIPT}/{slip}"))
    assert "已经入账" in text
    assert "完整" in text


# --- wrong questions ---------------------------------------------------------------------------------------------


def wrong_questions(slip: str) -> Iterator[tuple[str, str]]:
    seq, digits = slip.split("-")
    other = f"{int(digits, 16) ^ 1:08x}"
    yield RECEIPT, f"{seq}-{other}"  # right entry, wrong hash
    yield RECEIPT, f"{int(seq) - 1}-{digits}"  # another entry
    yield RECEIPT, f"999999-{digits}"  # no such entry
    yield RECEIPT, "0-00000000"
    yield "YG01-000002", slip  # another number
    yield "YG02-000001", slip  # no such kiosk
    yield "hello", "world"
    yield "' OR 1=1 --", "%"
    yield "\0", "\0"
    yield "YG01-" + "9" * 200, "9" * 200


def test_whatever_is_wrong_the_page_and_the_work_are_the_same(browser: Client, slip: str) -> None:
    pages, work = set(), set()
    for number, check in wrong_questions(slip):
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = browser.get("/m/", {"number": number, "check": check})
        assert answer.status_code == 404, (number, check)
        pages.add(re.sub(r'value="[^"]*"', "", answer.content.decode()))
        statements = [re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in asked.captured_queries]
        work.add(tuple(statement.replace("(?, ?)", "(?)") for statement in statements))
    claim = browser.get("/m/", {"number": "YG01-Q000001", "check": slip})  # who has the code has the slip
    pages.add(re.sub(r'value="[^"]*"', "", claim.content.decode()))
    assert len(pages) == 1
    assert len(work) == 1, work


def test_a_question_looks_at_one_row_of_the_journal_not_at_all(browser: Client, slip: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        browser.get(f"/m/{RECEIPT}/999999-00000000")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + asked.captured_queries[-1]["sql"])
        plan = [row[3] for row in cursor.fetchall()]
    assert len(plan) == 1
    assert re.search(r"^SEARCH .*project_id=\? AND journal_id=\? AND seq=\?", plan[0]), plan


def test_an_entry_that_is_no_settlement_is_not_found_by_its_own_hash(
    browser: Client, estate: Estate, slip: str
) -> None:
    for event in estate.writer.events:
        if not event.header.kind.startswith("payment.s"):
            assert browser.get(f"/m/{RECEIPT}/{check_code(event.seq, event.hash)}").status_code == 404
            cache.clear()


@pytest.mark.parametrize("number", ["", "YG01", "-000001", "YG01-1", "YG-01-000001", "YG01-000001x"])
def test_what_is_no_number_asks_for_an_entry_that_never_is(number: str) -> None:
    assert read_question(number, "57-7f3a91c2").seq == 0


def test_only_looking_is_possible(browser: Client, slip: str) -> None:
    assert browser.post(f"/m/{RECEIPT}/{slip}").status_code in (403, 405)
    assert Client(enforce_csrf_checks=False).post("/m/").status_code == 405


# --- how often ---------------------------------------------------------------------------------------------------


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time the throttle sees, 100 s into a period; change it by assignment."""
    now = [throttle.PERIOD_S * 1000 + 100.0]
    monkeypatch.setattr("office.public.pages.time.time", lambda: now[0])
    return now


def test_guessing_is_stopped_in_words_and_only_for_the_one_who_guesses(
    browser: Client, slip: str, frozen: list[float]
) -> None:
    for _ in range(throttle.CLIENT_WRONG):
        assert browser.get(f"/m/{RECEIPT}/1-00000000").status_code == 404
    refused = browser.get(f"/m/{RECEIPT}/{slip}")
    assert (refused.status_code, refused["Retry-After"]) == (429, "500")
    assert "查询太频繁" in text_of(refused)
    assert "请 8 分后再查" in text_of(refused)
    assert "入账。" not in text_of(refused)
    assert browser.get("/m/").status_code == 200  # the form itself tells nothing and is not counted
    assert Client(REMOTE_ADDR="192.0.2.8").get(f"/m/{RECEIPT}/{slip}").status_code == 200
    frozen[0] += 500
    assert browser.get(f"/m/{RECEIPT}/{slip}").status_code == 200


def test_right_questions_have_a_limit_too(
    browser: Client, slip: str, frozen: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "CLIENT_QUESTIONS", 3)
    codes = [browser.get(f"/m/{RECEIPT}/{slip}").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


def test_many_addresses_together_have_a_limit(slip: str, frozen: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "ALL_WRONG", 5)
    for last in range(5):
        assert Client(REMOTE_ADDR=f"198.51.100.{last}").get("/m/YG01-000001/1-00000000").status_code == 404
    assert Client(REMOTE_ADDR="192.0.2.9").get(f"/m/{RECEIPT}/{slip}").status_code == 429


def test_one_subscribers_addresses_count_as_one() -> None:
    assert throttle.client_of("2001:db8:1:2:aaaa::1") == throttle.client_of("2001:db8:1:2:bbbb::9")
    assert throttle.client_of("2001:db8:1:3::1") != throttle.client_of("2001:db8:1:2::1")
    assert throttle.client_of("::ffff:192.0.2.1") == throttle.client_of("192.0.2.1") == "192.0.2.1"
    assert throttle.client_of("") == "unknown"
