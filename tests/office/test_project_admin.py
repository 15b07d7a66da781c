"""A project's settings in the admin: what the books were dated by stays, and nothing can be saved that stops the office."""

from django.forms import model_to_dict
from django.test import Client

from office.ledger.stream import open_books
from office.property.models import Project
from office.staff.models import Role
from office.staff.services import make_groups, sync_groups
from tests.office.estate import Estate
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
