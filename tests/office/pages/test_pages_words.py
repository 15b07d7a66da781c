"""No word is missing: every Chinese string has its English, every code of the kiosk and the rules has its words."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import office
from kiosk.domain import events
from kiosk.hardware.faults import FAULTS
from kiosk.payment import note_fates
from office.kiosks.rules import Health
from office.payments import fold_branches
from office.payments.cases import KINDS
from office.payments.models import Note, Payment, Review
from office.staff.models import Role
from office.staff.pages import words
from office.staff.pages.case_words import SAYS
from office.staff.pages.claim_words import CAUSE
from office.staff.pages.fault_words import FAULT

OFFICE = Path(office.__file__).parent
CATALOGUE = OFFICE / "locale" / "en" / "LC_MESSAGES" / "django.po"
CHINESE = re.compile(r"[\u3001-\u303f\u3400-\u9fff\uff00-\uff60]")


def test_the_catalogue_holds_every_string_with_its_english(tmp_path: Path) -> None:
    """What makemessages finds today is what the catalogue has, wholly translated and nothing fuzzy."""
    copy = tmp_path / "office"
    for name in ("staff", "public", "templates", "locale"):
        shutil.copytree(OFFICE / name, copy / name)
    before = CATALOGUE.read_text(encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "en", "--no-location", "--no-obsolete", "--no-wrap"],
        cwd=copy,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    after = (copy / "locale" / "en" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    assert ids(after) == ids(before), found.stderr
    statistics = subprocess.run(
        ["msgfmt", "--check", "--statistics", "-o", "/dev/null", CATALOGUE],
        check=True,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert "untranslated" not in statistics.stderr
    assert "fuzzy" not in statistics.stderr


def ids(catalogue: str) -> set[str]:
    return set(re.findall(r'^msgid "(.+)"$', catalogue, flags=re.MULTILINE))


def test_no_template_says_anything_in_chinese_outside_a_translation() -> None:
    for template in (OFFICE / "templates" / "office").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        bare = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.DOTALL)
        bare = re.sub(r"{%.*?%}|{{.*?}}", "", bare)
        assert CHINESE.findall(bare.replace("中文", "")) == [], template.name


def test_every_code_has_its_words() -> None:
    assert set(FAULTS) <= set(FAULT)
    assert set(KINDS) == set(SAYS) == set(words.CASE)
    assert set(Role.values) == set(words.ROLE)
    assert {str(health) for health in Health} == set(words.KIOSK)
    assert set(Note.State.values) == set(words.NOTE)
    assert set(Payment.Slip.values) == set(words.SLIP)
    assert set(Review.Decision.values) <= set(words.DECISION)
    assert set(events.KINDS) == set(words.EVENT)
    assert {"exception", "suspense", "queried", "disputed", "booked", "open", "cancelled"} == set(words.PAYMENT)


def test_every_cause_of_a_claim_has_its_words() -> None:
    given = re.findall(r'reason ?= ?"(\w+)"(?: if .* else "(\w+)")?', inspect.getsource(note_fates))
    causes = {cause for pair in given for cause in pair if cause}
    assert len(causes) == 7
    assert causes <= set(CAUSE)
    told = {f"the kiosk told: {what}" for what in ("found", "returned", "the same, readably")}
    office = {"credited after its payment was over", "journal_replaced", fold_branches.CODE}
    office |= {"the event could not be understood", "cancelled after money was taken", "its settlement never came"}
    office |= {"its end could not be read"}
    assert set(CAUSE) - causes == office | told | {"unidentified_cash", "unknown_unit", "overtaken"}
