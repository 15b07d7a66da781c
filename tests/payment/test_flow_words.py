"""Every sentence that the flow can put into a view exists in both languages, with its values."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk import text, views
from kiosk.hardware.faults import FAULTS
from tests.payment.test_random_walks import walk

ROOT = Path(__file__).resolve().parents[2]
FLOW = ROOT / "config" / "messages" / "flow.toml"
SOURCES = sorted((ROOT / "kiosk" / "payment").glob("*.py"))
SAMPLES = (ROOT / "kiosk" / "screens" / "samples" / "ending.py").read_text(encoding="utf-8")
PARTS = ("what", "money", "next")


def literals() -> set[str]:
    """Message keys that stand in the flow's own source."""
    families = "error|notice|reason|waiting|trouble|works|method"
    return {
        key
        for source in SOURCES
        for key in re.findall(rf'"((?:{families})\.[a-z0-9_.]+)"', source.read_text(encoding="utf-8"))
    }


def sayings_in(value: Any) -> list[views.Saying]:
    if isinstance(value, views.Saying):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [one for field in value.__struct_fields__ for one in sayings_in(getattr(value, field))]
    if isinstance(value, tuple):
        return [one for item in value for one in sayings_in(item)]
    return []


def test_every_key_in_the_source_is_in_the_catalogue():
    missing = [key for key in literals() if not text.has(key) and not text.has(f"{key}.what")]
    assert missing == []


def test_every_fault_that_stops_cash_has_its_sentence_for_the_payer_with_and_without_money_in():
    codes = {kind.payer_code.lower() for kind in FAULTS.values() if kind.code.startswith("acceptor.")} | {"e80"}
    keys = [f"error.{code}.{part}" for code in codes for part in ("line", "nothing")]
    assert [key for key in keys if not text.has(key)] == []


def test_what_is_written_for_the_flow_is_used_by_it():
    with FLOW.open("rb") as file:
        tables = tomllib.load(file)
    used = literals() | {key for key in ("trouble.go_on_without_receipt",) if key in SAMPLES}
    for family in ("notice", "waiting", "trouble", "reason", "works"):
        unused = [name for name in tables[family] if f"{family}.{name}" not in used]
        assert unused == [], family


@pytest.mark.parametrize("language", text.LANGUAGES)
def test_every_sentence_seen_on_random_walks_can_be_said(language):
    seen = 0
    for seed in range(10):
        for view in walk(seed)[0].views:
            for saying in sayings_in(view):
                whole = not isinstance(view, views.TroubleView)
                keys = [saying.key] if whole else [f"{saying.key}.{part}" for part in PARTS]
                for key in keys:
                    assert text.say(language, key, **saying.values)
                seen += 1
            choices = view.choices if isinstance(view, views.TroubleView) else ()
            assert all(text.say(language, choice) for choice in choices)
    assert seen > 100
