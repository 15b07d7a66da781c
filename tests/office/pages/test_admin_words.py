"""The admin speaks the clerk's language: every table, field and code that it shows has its word."""

import re

from django.contrib import admin
from django.core.management import call_command

from office.billing.models import FeeItem
from office.property.models import Unit
from office.staff.admin_words import CHOICES, TABLES
from office.staff.models import Role
from office.staff.services import make_groups, sync_groups
from tests.office.estate import Estate, add_unit
from tests.office.pages.desk import person, signed_in
from tests.office.test_project_admin import saved, two_projects

OURS = ("property", "billing", "kiosks", "staff")


def text_of(client, path: str) -> str:
    page = client.get(f"/admin/{path}")
    assert page.status_code == 200, path
    bare = re.sub(r"(?s)<script.*?</script>", " ", page.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


def keeper(estate: Estate, language: str = "zh-hans"):
    make_groups()
    user = person(estate.project, Role.BUSINESS_ADMIN, name=f"keeper-{language}")
    sync_groups(user)
    return signed_in(user, language)


def test_every_field_and_code_of_the_admin_has_a_word() -> None:
    for model, shown in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        label = model._meta.label
        for field in model._meta.fields:
            if field.name in ("id", "project") or not (field.editable or field.name in shown.list_display):
                continue
            assert field.name in TABLES[label].fields, f"{label}.{field.name}"
            if field.choices:
                assert set(CHOICES[f"{label}.{field.name}"]) == {code for code, _ in field.choices}


def test_a_clerk_reads_base_data_in_chinese_and_in_english(estate: Estate) -> None:
    add_unit(estate.project, "9", "1", "101", "李四")
    chinese = keeper(estate)
    assert "房号" in text_of(chinese, "")
    for path in ("property/unit/add/", f"property/unit/{estate.unit.id}/change/", "property/unit/", "billing/feeitem/"):
        text = text_of(chinese, path)
        assert not re.search(r"\b(Unit|Room|Kind|Area|Handover|Gone|Category|Property fee|Third|Code|Name)\b", text), (
            path
        )
    assert "住宅" in text_of(chinese, "property/unit/")
    assert "代收代付" in text_of(chinese, "billing/feeitem/")
    english = text_of(keeper(estate, "en"), "billing/feeitem/add/")
    assert "Collected for third parties" in english
    assert "One-off" in english


def test_words_are_no_part_of_the_schema(database: str) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_what_decides_an_items_account_stays_once_it_was_billed(estate: Estate) -> None:
    """Voiding one of its bills, or a rebuild, posts to the account of the issue."""
    item = estate.items["water"]
    told = {"project": str(estate.project.id), "code": "water", "name": "水费", "category": "property"}
    path = f"/admin/billing/feeitem/{item.id}/change/"
    assert keeper(estate).post(path, told).status_code == 302
    changed = FeeItem.objects.get(id=item.id)
    assert (changed.category, changed.third_party, changed.pay_at_kiosk) == ("water", True, False)


def test_what_is_wrong_about_a_unit_is_said_in_english_too(estate: Estate) -> None:
    browser, away = two_projects(estate, "en")
    unit = Unit.objects.get(id=estate.unit.id)
    page = saved(browser, unit, building=away.building_id)
    assert "is not of the estate “橄榄花园”; choose one that is" in page
    assert "is not in 3栋; choose an entrance of 3栋" in saved(
        browser, unit, entrance=add_unit(estate.project, "4", "1", "101", "王五").entrance_id
    )
