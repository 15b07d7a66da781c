"""Every page, in both languages, for those who may see it: what stands on it, and what must never stand on it."""

import datetime
import re
from html.parser import HTMLParser

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from kiosk.domain.events import AcceptorCounted, AgentStarted, DeviceFault
from office.demo import visits
from office.demo.visits import ACCEPTOR
from office.kiosks import ingest
from office.kiosks.models import Alarm, KioskStatus, RawEvent
from office.payments.models import Payment
from office.staff.models import Role
from tests.office.engines import both_engines
from tests.office.estate import pay_without_contact, second_kiosk
from tests.office.pages.desk import HUNDRED, BusyDesk, person, signed_in

LANGUAGES = ("zh-hans", "en")
CHINESE = re.compile(r"[\u3001-\u303f\u3400-\u9fff\uff00-\uff60]+")
# Names of people stay as they are, the language switch speaks the other language.
NOT_OURS = {"林晓梅", "张", "李", "王", "欧阳", "中文"}


class Outline(HTMLParser):
    """The parts of a page that a content policy, a screen reader or a phone would trip over."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "style" or "style" in told or any(name.startswith("on") for name in told):
            self.inline.append(self.get_starttag_text() or tag)
        if tag == "script" and not (told.get("src") or "").startswith("/static/"):
            self.inline.append(tag)
        if told.get("id"):
            self.ids.append(told["id"] or "")
        if tag == "label":
            self.labelled.add(told.get("for") or "")
        if tag in ("input", "select", "textarea") and told.get("type") != "hidden" and "label" not in self._open:
            self.fields.append(told)
        if tag not in ("input", "meta", "link", "br", "path", "rect"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def pages_of(desk: BusyDesk) -> list[str]:
    fixed = (
        "today/", "today/live/", "uploads/", "uploads/?tab=exception", "uploads/?on=never", "uploads/?tab=disputed&kiosk=YG01",
        "cases/", "cases/?state=closed", "cases/?mine=1", "cases/?kind=bill_already_paid", "units/", "units/3-1-605/",
        "units/3-1-602/", "kiosks/", "kiosks/YG01/", "search/?q=", "search/?q=3-1", "search/?q=zzz",
    )  # fmt: skip
    return [desk.at(page) for page in fixed] + [desk.payment_page(name) for name in desk.payments]


@pytest.fixture
def finance(desk: BusyDesk) -> Client:
    return signed_in(person(desk.estate.project, Role.FINANCE_AUDIT, last_name="林", first_name="晓梅"))


@pytest.fixture
def reader(desk: BusyDesk) -> Client:
    user = person(desk.estate.project, Role.FINANCE_AUDIT, name="xm", last_name="林", first_name="晓梅")
    return signed_in(user, "en")


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(" ".join(Outline(answer.content.decode()).text).split())


@both_engines
def test_every_page_opens_in_both_languages_without_inline_style_or_script(desk, finance, reader) -> None:
    for client in (finance, reader):
        for address in pages_of(desk):
            answer = client.get(address)
            assert answer.status_code == 200, address
            outline = Outline(answer.content.decode())
            assert outline.inline == [], address
            assert len(outline.ids) == len(set(outline.ids)), address
            unlabelled = [told for told in outline.fields if told.get("id") not in outline.labelled]
            assert unlabelled == [], address
            assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"


def test_an_english_page_has_no_chinese_but_the_names_of_people(desk, reader) -> None:
    for address in pages_of(desk):
        left = set(CHINESE.findall(text_of(reader, address))) - NOT_OURS
        assert left == set(), address


def test_today_shows_money_in_cases_kiosks_and_alarms(desk, finance) -> None:
    text = text_of(finance, desk.at("today/"))
    assert "¥750.00" in text
    assert "YG01" in text
    assert "刚刚" in text
    assert "纸将尽" in text
    for word in ("账单已缴", "凭条未打印", "纸币去向不明"):
        assert word in text


@pytest.mark.parametrize(
    ("conflict", "words"),
    [
        (ingest.Fork(3, bytes(32)), ("终端记录对不上", "设备被复制，或装回了旧备份")),
        (ingest.Ahead(9, 3), ("终端记录变短了", "多半装回了旧备份")),
        (ingest.NotExpected("j"), ("多出一份终端记录", "另开了日志：可能被复制")),
    ],
    ids=lambda value: getattr(value, "alarm", ""),
)
def test_two_histories_of_a_kiosk_are_told_in_words_today_and_on_its_page(desk, finance, conflict, words) -> None:
    estate = desk.estate
    ingest._raise_alarm(estate.kiosk, estate.writer.journal_id, conflict, timezone.now())
    for page in ("today/", f"kiosks/{estate.kiosk.code}/"):
        text = text_of(finance, desk.at(page))
        assert words[0] in text, page
    assert words[1] in text
    assert "分叉" in text


def test_a_refresh_without_news_answers_nothing(desk, finance) -> None:
    page = finance.get(desk.at("today/")).content.decode()
    seen = re.search(r"/today/live/\?seen=([0-9a-f]+)", page)
    assert seen
    quiet = finance.get(f"/projects/YG{seen.group(0)}", headers={"hx-request": "true"})
    assert quiet.status_code == 204
    desk.pay("another", desk.household("606", "赵云", 3000, 9), [2000, 1000])
    news = finance.get(f"/projects/YG{seen.group(0)}", headers={"hx-request": "true"})
    assert news.status_code == 200
    assert "3-1-606" in news.content.decode()
    assert "¥780.00" in news.content.decode()


def test_a_payment_shows_bills_notes_number_postings_and_the_chain(desk, finance) -> None:
    text = text_of(finance, desk.payment_page("surplus"))
    assert "3栋1单元602" in text
    assert "李**" in text
    assert "李小龙" not in text
    assert "YG01-000002" in text
    assert "98.24 ㎡ × 2.50 元/㎡ 245.60" in text
    assert "转入预存" in text
    assert "4.40" in text
    assert "100 2 200.00 50 1 50.00 合计 3 ¥250.00" in text
    assert "1009.K 自助终端钱箱 250.00" in text
    assert "12 条，哈希相连" in text
    assert "note.accept_intent" in text
    assert '"kind":"payment.settled"' in text


def test_a_changed_stored_event_shows_as_a_broken_chain(desk, finance) -> None:
    settled = RawEvent.objects.get(payment_id=desk.payments["plain"], kind="payment.settled")
    settled.body = bytes(settled.body).replace(b'"received_fen":20000', b'"received_fen":10000')
    settled.save()
    text = text_of(finance, desk.payment_page("plain"))
    assert "断开" in text
    assert "哈希相连" not in text


def test_a_unit_shows_what_it_owes_and_how_it_was_computed(desk, finance) -> None:
    text = text_of(finance, desk.at("units/3-1-605/"))
    assert "欧阳**" in text
    assert "199****0421" in text
    assert "19900000421" not in text
    assert "逾期 40 天" in text
    assert "¥245.60" in text


def test_what_moved_a_prepaid_balance_is_no_case(desk, reader) -> None:
    assert "Date Note Change, ¥ Balance" in text_of(reader, desk.at("units/3-1-602/"))


def test_a_kiosk_shows_its_box_by_face_and_the_range_a_count_must_hit(desk, finance) -> None:
    text = text_of(finance, desk.at("kiosks/YG01/"))
    assert "100 7 – 700.00" in text
    assert "20 0 1 0.00" in text
    assert "750.00 至 770.00" in text
    assert "SSP-4711" in text


def test_who_counts_a_box_never_reads_what_to_expect_in_it(desk) -> None:
    cashier = signed_in(person(desk.estate.project, Role.CASHIER))
    desk.estate.writer.append(AcceptorCounted(acceptor_serial=ACCEPTOR, stacked=8, rejected=0))
    desk.estate.upload()
    for page in ("today/", "today/live/", "kiosks/", "kiosks/YG01/"):
        text = text_of(cashier, desk.at(page))
        assert "箱内现金" not in text, page
        assert "待核实" not in text, page
        assert "清点时应在此范围内" not in text, page
        assert "纸币器计数" not in text, page


def test_search_opens_the_only_hit_and_lists_several(desk, finance) -> None:
    for typed in ("3-1-602", "3栋1单元602", "03010602", " 3-1-602 "):
        assert finance.get(desk.at("search/"), {"q": typed}).url == desk.at("units/3-1-602/")
    assert finance.get(desk.at("search/"), {"q": "000002"}).url == desk.payment_page("surplus")
    assert finance.get(desk.at("search/"), {"q": "yg01-000002"}).url == desk.payment_page("surplus")
    assert "3-1-601" in text_of(finance, desk.at("search/?q=3-1"))
    assert "没有找到" in text_of(finance, desk.at("search/?q=\x00' OR 1=1 --"))


def test_uploads_filter_by_state_kiosk_kind_and_day(desk, finance) -> None:
    everything = text_of(finance, desk.at("uploads/"))
    assert everything.index("凭条未打印 缴") < everything.index("账单已缴 预存") < everything.index("3-1-601")
    assert "合计 5 笔" in everything
    assert "合计 1 笔" in text_of(finance, desk.at("uploads/?tab=exception"))
    assert "合计 5 笔" in text_of(finance, desk.at("uploads/?kiosk=YG01"))
    assert "没有符合筛选的记录" in text_of(finance, desk.at("uploads/?kiosk=YG99"))
    assert "合计 1 笔" in text_of(finance, desk.at("uploads/?kind=receipt_not_printed"))
    assert "合计 5 笔" in text_of(finance, desk.at(f"uploads/?on={desk.today.isoformat()}"))
    assert "没有符合筛选的记录" in text_of(finance, desk.at("uploads/?on=2001-01-01"))
    assert "这个条件没有起作用" in text_of(finance, desk.at("uploads/?on=22/11/2026"))


def test_a_payment_that_was_perhaps_made_twice_leads_to_the_other(desk, finance) -> None:
    first, other = desk.payment("plain"), second_kiosk(desk.estate)
    unit_id, faces = str(first.unit_id), [10000, 10000]
    payment_id = visits.pay(other.writer, unit_id, other.kiosk.code, [], faces, desk.today)
    other.upload()
    page = finance.get(desk.at(f"payments/{payment_id}/")).content.decode()
    assert f'<a href="{desk.payment_page("plain")}">另一笔缴费 {first.receipt_no}</a>' in page


def test_a_silent_kiosk_is_offline_and_what_it_said_last_is_not_called_now(desk, finance) -> None:
    desk.beat(unsent=3, oldest_unsent_s=4000)
    long_ago = timezone.now() - datetime.timedelta(minutes=38)
    KioskStatus.objects.update(seen_at=long_ago)
    cache.clear()
    text = text_of(finance, desk.at("kiosks/"))
    assert "离线 38 分" in text
    assert "未知（离线前 3 条）" in text
    assert "凭条纸 未知" in text


def test_a_kiosk_silent_for_a_day_says_what_that_means_for_its_money(desk, finance, reader) -> None:
    for hours, lost in ((23, False), (27, True)):
        KioskStatus.objects.update(seen_at=timezone.now() - datetime.timedelta(hours=hours))
        cache.clear()
        for page in ("today/", "kiosks/YG01/"):
            assert ("失去联系 1 天 3 小时" in text_of(finance, desk.at(page))) == lost
            assert ("No contact 1 d 3 h" in text_of(reader, desk.at(page))) == lost
        assert ("已经 1 天 3 小时没有联系。 记录可能还只在终端里" in text_of(finance, desk.at("kiosks/YG01/"))) == lost
        assert ("Records may be in the kiosk only" in text_of(reader, desk.at("kiosks/YG01/"))) == lost
    desk.beat()
    assert "没有联系" not in text_of(finance, desk.at("kiosks/YG01/"))


def test_a_lost_kiosk_stands_among_todays_alarms_until_it_is_heard_again(desk, finance, reader) -> None:
    elsewhere = BusyDesk(second_kiosk(desk.estate))
    for lobby, hours in ((desk, 27), (elsewhere, 75)):
        lobby.beat()
        long_ago = timezone.now() - datetime.timedelta(hours=hours)
        KioskStatus.objects.filter(kiosk=lobby.estate.kiosk).update(seen_at=long_ago)
    cache.clear()
    said = {
        finance: ("警报 3 3 条未确认", "YG02 失去联系 3 天 3 小时 记录可能还只在终端里", "YG01 失去联系 1 天 3 小时 记录可能", "联系上后自己解除"),
        reader: ("Alarms 3 3 not acknowledged", "YG02 No contact 3 d 3 h Records may be in the kiosk only", "YG01 No contact 1 d 3 h Records", "clears when it is heard"),
    }  # fmt: skip
    for client, sentences in said.items():
        for page in ("today/", "today/live/"):
            text = text_of(client, desk.at(page))
            assert [sentence for sentence in sentences if sentence not in text] == []
            assert text.index(sentences[1]) < text.index(sentences[2]), "the longest silence first"
    assert f'<a id="lost-YG02" href="{desk.at("kiosks/YG02/")}">' in finance.get(desk.at("today/")).content.decode()
    assert Alarm.objects.count() == 1, "to look writes nothing"
    elsewhere.beat()
    text = text_of(finance, desk.at("today/"))
    assert "警报 2 2 条未确认" in text
    assert "YG02 失去联系" not in text
    assert "YG01 失去联系" in text


def test_a_queue_of_a_day_and_a_full_disk_are_alarms_on_today_and_on_the_kiosks_page(desk, finance, reader) -> None:
    desk.beat(unsent=40, oldest_unsent_s=90_000)
    assert "YG01 记录积压" in text_of(finance, desk.at("kiosks/YG01/")), "the newest of two warnings"
    desk.beat(unsent=40, oldest_unsent_s=90_000, journal="disk.margin", disk_free_mb=21)
    said = {
        finance: ("记录积压", "有记录满一天没传上来", "磁盘空间不足", "清理状态分区。 21 MB"),
        reader: ("Records pile up", "this money is on record in the kiosk only", "Disk nearly full", "21 MB"),
    }
    for client, sentences in said.items():
        for page in ("today/", "kiosks/YG01/"):
            text = text_of(client, desk.at(page))
            assert [sentence for sentence in sentences if sentence not in text] == []
    desk.beat()
    assert "有记录满一天没传上来" not in text_of(finance, desk.at("today/"))


def test_a_warning_shows_in_its_own_word_and_a_fault_as_a_fault(desk, finance) -> None:
    assert "YG01 纸将尽" in text_of(finance, desk.at("kiosks/YG01/"))
    assert "设备异常" not in text_of(finance, desk.at("kiosks/"))
    desk.estate.writer.append(DeviceFault(device="printer", code="printer.paper_out"))
    desk.estate.upload()
    assert "YG01 设备异常" in text_of(finance, desk.at("kiosks/"))


def test_an_exception_sets_the_kiosks_account_beside_the_offices(desk, finance) -> None:
    text = text_of(finance, desk.payment_page("twice"))
    assert "终端所报与办公室入账" in text
    assert "100.00 0.00 −100.00" in text
    assert "转入预存 0.00 100.00 +100.00" in text
    assert "终端所报与办公室入账" not in text_of(finance, desk.payment_page("surplus"))


@pytest.mark.parametrize("clock", ["held", "unset"])
def test_an_estimated_time_stands_with_its_bounds(desk: BusyDesk, finance: Client, reader: Client, clock: str) -> None:
    """A boot without contact between two with: the kiosk's own word counts only between their times."""
    payment_id = pay_without_contact(desk.estate, clock)
    raw = RawEvent.objects.get(payment_id=payment_id, kind__startswith="payment.s")
    first, at, last = (f"{timezone.localtime(at, desk.estate.project.zone):%Y-%m-%d %H:%M:%S}"
                       for at in (raw.earliest_at, raw.corrected_at, raw.latest_at))  # fmt: skip
    page = desk.at(f"payments/{payment_id}/")
    assert f"收款时间 {at} 推算时间，在 {first} 至 {last} 之间" in text_of(finance, page)
    assert f"{at} estimated, between {first} and {last}" in text_of(reader, page)
    assert "推算" not in text_of(finance, desk.payment_page("plain"))


def test_where_nobody_knows_the_earliest_time_only_the_latest_is_said(desk: BusyDesk, finance: Client) -> None:
    """The first boot of a kiosk had no contact and stood in 1970: no date before the office heard of it means anything."""
    other = second_kiosk(desk.estate, clock="unset")
    payment_id = other.pay([], [HUNDRED])
    other.writer.boot_id, other.writer.mono_ms, other.writer.clock = "with contact", 60_000, "synced"
    other.writer.wall_ms = desk.estate.writer.wall_ms
    other.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=False))
    other.upload()
    raw = RawEvent.objects.get(payment_id=payment_id, kind__startswith="payment.s")
    last = f"{timezone.localtime(raw.latest_at, desk.estate.project.zone):%Y-%m-%d %H:%M:%S}"
    text = text_of(finance, desk.at(f"payments/{payment_id}/"))
    assert f"收款时间 不晚于 {last} 终端时钟没有设定，准确时间不知道" in text
    assert "1970" not in text
    assert "1970" not in text_of(finance, desk.at(f"units/{desk.estate.unit.code}/"))


def test_nothing_that_people_type_becomes_markup(desk, finance) -> None:
    evil = "<script>alert(1)</script>"
    desk.estate.kiosk.location = evil
    desk.estate.kiosk.save()
    payment = Payment.objects.get(id=desk.payments["plain"])
    finance.post(f"{desk.payment_page('plain')}review/", {"d": "query", "why": evil, "seen": "0"})
    assert payment.reviews.get().reason == evil
    for address in (desk.payment_page("plain"), desk.at("kiosks/"), desk.at("today/"), desk.at(f"search/?q={evil}")):
        page = finance.get(address).content.decode()
        assert evil not in page, address
        assert "&lt;script&gt;" in page, address
