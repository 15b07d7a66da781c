"""Base data is saved in the admin while a kiosk's payment is folded, its key changes hands, or somebody else saves too: on PostgreSQL
they really happen at one time, and each of both stays."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import ModelSignal, post_save, pre_save
from django.forms import model_to_dict
from django.test import Client

from kiosk.domain.http_signature import public_text
from office.kiosks.models import Kiosk
from office.ledger.verify import verify_everything
from office.property.models import Project, Unit
from office.staff.models import Role
from office.staff.services import make_groups, sync_groups
from tests.office.estate import Estate
from tests.office.pages.desk import person, signed_in
from tests.office.test_key_rolls import is_let_in, pair_again
from tests.office.test_project_admin import change, keeper_of, saved

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

HUNDRED = 10000


@contextmanager
def meanwhile(moment: ModelSignal, model: type, act: Callable[[], object]) -> Iterator[None]:
    """Another request comes at this moment of the first saving of such a row. It is given a second, and may have to wait for the rest
    of ours; what it fails with fails the test."""
    came: list[Future[None]] = []

    def request() -> None:
        try:
            act()
        finally:
            connection.close()

    def begin(**_: Any) -> None:
        if not came:
            came.append(other.submit(request))
            wait(came, timeout=1)

    with ThreadPoolExecutor(1) as other:
        moment.connect(begin, sender=model)
        try:
            yield
        finally:
            moment.disconnect(begin, sender=model)
        came[0].result(20)


@pytest.mark.parametrize("moment", [pre_save, post_save], ids=["before the row is written", "after"])
def test_a_home_that_is_changed_while_its_payment_is_folded_keeps_the_money_and_the_change(
    estate: Estate, moment: ModelSignal
) -> None:
    browser, unit = keeper_of(estate.project), Unit.objects.get(id=estate.unit.id)
    estate.pay([], [HUNDRED] * 3)
    with meanwhile(moment, Unit, estate.upload):
        assert saved(browser, unit, area_c=9999) == ""
    assert (estate.prepaid(), estate.unit.area_c) == (3 * HUNDRED, 9999)
    assert list(verify_everything()) == []


def test_a_kiosk_that_is_moved_while_it_first_signs_with_its_new_key_keeps_the_key(estate: Estate) -> None:
    browser, old, new = sysadmin_of(estate.project), estate.key, pair_again(estate, estate.key)
    with meanwhile(pre_save, Kiosk, lambda: is_let_in(new)):
        move(browser, location="东门")
    kiosk = Kiosk.objects.get()
    assert (kiosk.location, kiosk.public_key) == ("东门", public_text(new))
    assert (is_let_in(old), is_let_in(new)) == (False, True)


@pytest.mark.parametrize("moment", [pre_save, post_save], ids=["before the row is written", "after"])
def test_a_kiosk_that_is_moved_while_it_uploads_makes_neither_wait_for_ever(
    estate: Estate, moment: ModelSignal
) -> None:
    browser = sysadmin_of(estate.project)
    estate.pay([], [HUNDRED])
    with meanwhile(moment, Kiosk, estate.upload):
        move(browser, location="东门")
    assert (Kiosk.objects.get().location, estate.prepaid()) == ("东门", HUNDRED)


def sysadmin_of(project: Project) -> Client:
    make_groups()
    user = person(project, Role.SYSADMIN, name="sysadmin")
    sync_groups(user)
    return signed_in(user)


def move(browser: Client, **values: str) -> None:
    kiosk = Kiosk.objects.get()
    told = {name: value for name, value in model_to_dict(kiosk).items() if value is not None} | values
    assert browser.post(f"/admin/kiosks/kiosk/{kiosk.pk}/change/", told).status_code == 302


def test_two_people_who_change_a_project_at_once_make_two_versions_of_its_settings(estate: Estate) -> None:
    """Else the kiosk that has the first one's never asks for the second one's."""
    browser, before = keeper_of(estate.project), estate.project.config_version
    other, project = Client(), Project.objects.get()
    other.cookies = browser.cookies
    with meanwhile(pre_save, Project, lambda: change(other, project, service_phone="400-111-2222")):
        assert change(browser, Project.objects.get(), name="和安里二期") == ""
    project = Project.objects.get()
    assert (project.name, project.service_phone) == ("和安里二期", "400-111-2222")
    assert project.config_version == before + 2
