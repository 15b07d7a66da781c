"""The catalogue is complete in both languages, and every character of it can be drawn."""

from datetime import date
from string import Formatter

import pytest
from fontTools.ttLib import TTFont

from kiosk import text
from kiosk.screens.fonts import FontsMissing, simplified_fonts
from kiosk.views import Saying


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_key_has_both_languages_and_nothing_else():
    for key, message in text.catalogue().items():
        assert set(message) - {text.SINGULAR} == set(text.LANGUAGES), key
        assert all(sentence.strip() for sentence in message.values()), key


def test_placeholders_are_equal_in_both_languages():
    for key, message in text.catalogue().items():
        assert placeholders(message["zh-Hans"]) == placeholders(message["en"]), key
        if text.SINGULAR in message:
            assert "count" in placeholders(message["en"]), key
            assert placeholders(message[text.SINGULAR]) <= placeholders(message["en"]), key


def test_every_code_point_is_in_both_weights_of_the_font():
    try:
        files = simplified_fonts()
    except FontsMissing as error:
        pytest.skip(str(error))
    used = {char for message in text.catalogue().values() for sentence in message.values() for char in sentence}
    for path in files:
        with TTFont(str(path), lazy=True) as font:
            missing = {char for char in used if char not in "\n" and ord(char) not in font.getBestCmap()}
        assert not missing, f"{path.name}: {missing}"


def test_a_key_in_two_files_is_refused(tmp_path):
    (tmp_path / "a.toml").write_text('[pay.now]\nzh-Hans = "缴"\nen = "Pay"\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text('[pay.now]\nzh-Hans = "缴费"\nen = "Pay"\n', encoding="utf-8")
    with pytest.raises(text.DuplicateKey, match=r"pay\.now stands in a\.toml and b\.toml"):
        text.load_catalogue(tmp_path)


def test_a_message_may_have_messages_below_it(tmp_path):
    (tmp_path / "a.toml").write_text(
        '[a]\nzh-Hans = "甲"\nen = "A"\n[a.b]\nzh-Hans = "乙"\nen = "B"\n', encoding="utf-8"
    )
    assert set(text.load_catalogue(tmp_path)) == {"a", "a.b"}


@pytest.fixture
def catalogue(monkeypatch):
    messages = {
        "due": {"zh-Hans": "应缴 ¥{due_fen}", "en": "¥{due_fen} due"},
        "bills": {"zh-Hans": "{count} 笔", "en": "{count} bills", "en-one": "1 bill"},
        "until": {"zh-Hans": "期限 {due_on}", "en": "due {due_on}"},
        "half": {"zh-Hans": "只有中文"},
    }
    monkeypatch.setattr(text, "catalogue", lambda: messages)


@pytest.mark.usefixtures("catalogue")
def test_values_are_written_in_the_language_of_the_sentence():
    assert text.say("zh-Hans", "due", due_fen=123450) == "应缴 ¥1,234.50"
    assert text.say("en", "bills", count=1) == "1 bill"
    assert text.say("en", "bills", count=5) == "5 bills"
    assert text.say("zh-Hans", "bills", count=1) == "1 笔"
    assert text.say("zh-Hans", "until", due_on=date(2026, 2, 1)) == "期限 2026年2月1日"
    assert text.say_saying("en", Saying("until", {"due_on": "2026-02-01"})) == "due 1 Feb 2026"


@pytest.mark.usefixtures("catalogue")
def test_what_is_missing_is_named():
    with pytest.raises(text.MissingKey, match=r"no\.such\.key"):
        text.say("en", "no.such.key")
    with pytest.raises(text.MissingKey, match="half has no en"):
        text.say("en", "half")
    with pytest.raises(text.MissingValue, match="due needs 'due_fen'"):
        text.say("en", "due")
    assert not text.has("no.such.key")


@pytest.mark.parametrize(
    ("start", "end", "zh", "en"),
    [
        (date(2025, 12, 1), date(2026, 1, 1), "2025年12月", "Dec 2025"),
        (date(2025, 10, 1), date(2026, 1, 1), "2025年10月–12月", "Oct–Dec 2025"),
        (date(2025, 12, 1), date(2026, 3, 1), "2025年12月–2026年2月", "Dec 2025–Feb 2026"),
        (date(2026, 1, 5), date(2026, 2, 1), "2026年1月5日–2026年1月31日", "5 Jan 2026–31 Jan 2026"),
    ],
)
def test_a_billing_period_reads_as_whole_months_where_it_is_one(start, end, zh, en):
    assert text.say_period("zh-Hans", start, end) == zh
    assert text.say_period("en", start, end) == en


def test_the_small_plate_hides_the_entrance_and_is_written_in_the_payers_language():
    assert text.say_plate("zh-Hans", "3", "502") == "3栋***502"
    assert text.say_plate("en", "3", "502") == "3-***-502"
    assert text.say_plate("zh-Hans", "A 座", "502") == "A 座***502"


def test_the_local_time_is_split_into_day_and_clock():
    assert text.say_clock("zh-Hans", "2026-02-06 10:24") == ("2月6日 周五", "10:24")
    assert text.say_clock("en", "2026-02-06 10:24") == ("Fri 6 Feb", "10:24")
    assert text.say_clock("en", "") == ("", "")
