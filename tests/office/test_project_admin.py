"""Base data in the admin: what the books were made by stays, and nothing can be saved that stops the office."""

import html

from django.forms import model_to_dict
from django.test import Client

from office.ledger.mending import rebuild_and_compare
from office.ledger.stream import open_books
from office.ledger.verify import verify_everything
from office.property.models import Building, Entrance, Project, Unit
from office.staff.models import Membership, Role
from office.staff.services import make_groups, sync_groups
from tests.office.estate import Estate, add_unit
from tests.office.pages.desk import person, signed_in


def keeper_of(project: Project) -> Client:
    make_groups()
    user = person(project, Role.BUSINESS_ADMIN, name="keeper")
    sync_groups(user)
    return signed_in(user)


def change(browser: Client, project: Project, **values: str) -> str:
    """Send the project's form with these values changed; the page that answers, empty when all was saved."""
    answer = browser.post(f"/admin/property/project/{project.id}/change/", model_to_dict(project) | values)
    project.refresh_from_db()
    return "" if answer.status_code == 302 else answer.content.decode()


def test_the_time_zone_stays_once_something_is_posted_in_it(estate: Estate) -> None:
    browser = keeper_of(estate.project)
    assert change(browser, estate.project, time_zone="Europe/Berlin", name="和安里二期") == ""
    assert (estate.project.time_zone, estate.project.name) == ("Asia/Shanghai", "和安里二期")


def test_a_time_zone_that_is_none_is_refused_before_anything_is_posted(estate: Estate) -> None:
    empty = Project.objects.create(code="NEW", name="新区")
    open_books(empty)
    browser = keeper_of(empty)
    assert "没有这个时区" in change(browser, empty, time_zone="Mars/Olympus")
    assert empty.time_zone == "Asia/Shanghai"
    assert change(browser, empty, time_zone="Europe/Berlin") == ""
    assert empty.time_zone == "Europe/Berlin"


def two_projects(estate: Estate, language: str = "zh-hans") -> tuple[Client, Unit]:
    """Somebody who keeps the estate's base data and another project's; a unit of that other one."""
    other = Project.objects.create(code="XX", name="别处")
    open_books(other)
    away = add_unit(other, "9", "2", "101", "李四")
    make_groups()
    user = person(estate.project, Role.BUSINESS_ADMIN, name="keeper")
    Membership.objects.create(project=other, user=user, role=Role.BUSINESS_ADMIN)
    sync_groups(user)
    return signed_in(user, language), away


def saved(browser: Client, row: Building | Entrance | Unit | None, **values: object) -> str:
    """Send a row's form (None: a new unit's) with these values changed; the page that answers, empty when all was saved."""
    told = model_to_dict(row) if row else {}
    told = {name: value for name, value in told.items() if value not in (None, False)} | values
    page = f"{row._meta.model_name}/{row.pk}/change/" if row else "unit/add/"
    answer = browser.post(f"/admin/property/{page}", told)
    return "" if answer.status_code == 302 else html.unescape(answer.content.decode())


def test_nothing_moves_to_another_project_because_its_money_would_stay_behind(estate: Estate) -> None:
    estate.pay(["aug"], [10000] * 3)
    estate.upload()
    browser, away = two_projects(estate)
    unit = Unit.objects.get(id=estate.unit.id)
    for row in (unit, unit.building, unit.entrance):
        assert saved(browser, row, project=away.project_id) == ""
        row.refresh_from_db()
        assert row.project == estate.project
    assert list(verify_everything()) == []
    assert rebuild_and_compare(estate.project).mended == []


def test_a_unit_is_of_its_projects_building_and_of_its_buildings_entrance(estate: Estate) -> None:
    browser, away = two_projects(estate)
    unit = Unit.objects.get(id=estate.unit.id)
    page = saved(browser, unit, building=away.building_id, entrance=away.entrance_id)
    assert page.count("不属于小区“橄榄花园”；请改选该小区的一项") == 2
    assert "不属于小区" in saved(browser, None, project=unit.project_id, building=away.building_id,
                              entrance=away.entrance_id, room="1", code="9-2-1", kind="room", area_c=0)  # fmt: skip
    beside = add_unit(estate.project, "4", "1", "101", "王五")
    assert "4栋1单元不在3栋；请改选3栋的单元" in saved(browser, unit, entrance=beside.entrance_id)
    assert saved(browser, unit, building=beside.building_id, entrance=beside.entrance_id) == ""
    assert saved(browser, beside.entrance, building=unit.building_id) == ""
    beside.entrance.refresh_from_db()
    assert beside.entrance.building == beside.building, "the units behind it did not move"


def test_a_code_that_another_unit_of_the_project_has_is_refused_on_the_form(estate: Estate) -> None:
    browser, _ = two_projects(estate)
    other = add_unit(estate.project, "3", "1", "503", "王五")
    assert "errornote" in saved(browser, other, code=estate.unit.code)
