"""Who sees what: by role inside a project, nothing of another project, nothing at all without a role."""

import re

import pytest
from django.test import Client

from office.kiosks.models import PairingCode
from office.payments.models import Case
from office.staff.models import AuditEntry, Role
from office.staff.permissions import ROLES, Act
from tests.office.pages.desk import BusyDesk, busy_desk, person, signed_in

PAGES = {
    "today/": Act.SEE_MONEY,
    "today/live/": Act.SEE_MONEY,
    "uploads/": Act.SEE_MONEY,
    "cases/": Act.SEE_MONEY,
    "units/": Act.SEE_UNITS,
    "units/3-1-605/": Act.SEE_UNITS,
    "kiosks/": Act.SEE_KIOSKS,
    "kiosks/YG01/": Act.SEE_KIOSKS,
    "search/?q=3-1": Act.SEE_UNITS,
}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_its_own_pages_and_is_refused_the_others(desk: BusyDesk, role: Role) -> None:
    client = signed_in(person(desk.estate.project, role))
    pages = {**{desk.at(page): act for page, act in PAGES.items()}, desk.payment_page("twice"): Act.SEE_MONEY}
    for address, act in pages.items():
        expected = 200 if role in ROLES[act] else 403
        assert client.get(address).status_code == expected, address
    assert client.get(desk.at("units/9-9-999/")).status_code in (403, 404)


def test_a_person_without_a_role_sees_nothing(desk: BusyDesk) -> None:
    client = signed_in(person(None, name="nobody"))
    for page in PAGES:
        answer = client.get(desk.at(page))
        assert answer.status_code == 404, page
        assert "橄榄花园" not in answer.content.decode()
    assert client.get("/").status_code == 403


def test_project_a_never_sees_project_b(desk: BusyDesk) -> None:
    other = busy_desk("LJ")
    client = signed_in(person(desk.estate.project, *Role, name="all_roles"))
    for address in (
        other.at("today/"),
        other.at("units/3-1-605/"),
        other.payment_page("plain"),
        other.at("kiosks/LJ01/"),
    ):
        assert client.get(address).status_code == 404, address
    # Their things do not exist under our own project's address either.
    for address in (desk.at(f"payments/{other.payments['plain']}/"), desk.at("kiosks/LJ01/")):
        assert client.get(address).status_code == 404, address
    case = Case.objects.filter(project=other.estate.project).first()
    assert case is not None
    assert client.post(desk.at(f"cases/{case.id}/close/"), {"why": "mine"}).status_code == 404
    assert client.post(desk.at(f"payments/{other.payments['plain']}/review/"), {"d": "accept"}).status_code == 404
    case.refresh_from_db()
    assert case.state == Case.State.OPEN


def test_the_navigation_offers_only_what_one_may_open(desk: BusyDesk) -> None:
    technician = signed_in(person(desk.estate.project, Role.TECHNICIAN, name="zhou"))
    assert technician.get("/").url == desk.at("kiosks/")
    page = technician.get(desk.at("kiosks/")).content.decode()
    assert desk.at("uploads/") not in page
    assert "/admin/" not in page
    sysadmin = signed_in(person(desk.estate.project, Role.SYSADMIN, name="root", is_staff=True, is_superuser=True))
    assert "/admin/" in sysadmin.get(desk.at("kiosks/")).content.decode()


def test_two_projects_are_offered_as_two_doors(desk: BusyDesk) -> None:
    other = busy_desk("LJ")
    user = person(desk.estate.project, Role.CASHIER)
    person(None, name="unused")
    user.memberships.create(project=other.estate.project, role=Role.CASHIER)
    page = signed_in(user).get("/").content.decode()
    assert desk.at("today/") in page
    assert other.at("today/") in page


def test_nobody_signed_in_is_sent_to_the_door_and_a_refresh_says_so_quietly(desk: BusyDesk) -> None:
    client = Client()
    answer = client.get(desk.at("uploads/?tab=booked"))
    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=%2Fprojects%2FYG%2Fuploads%2F%3Ftab%3Dbooked"
    quiet = client.get(desk.at("today/live/"), headers={"hx-request": "true"})
    assert (quiet.status_code, quiet.headers["HX-Redirect"]) == (204, "/sign-in/")
    assert client.get("/admin/login/?next=/admin/").url.startswith("/sign-in/")


@pytest.mark.parametrize("role", list(Role))
def test_a_kiosks_pairing_code_is_shown_once_to_who_may_pair_and_says_why_in_the_audit(
    desk: BusyDesk, role: Role
) -> None:
    user = person(desk.estate.project, role)
    client, address = signed_in(user), desk.at("kiosks/YG01/renew/")
    allowed, sees = role in ROLES[Act.PAIR_KIOSKS], role in ROLES[Act.SEE_KIOSKS]
    if sees:
        assert (address in client.get(desk.at("kiosks/YG01/")).content.decode()) is allowed
    answer = client.post(address, {"why": "换了存储卡"})
    if not allowed:
        assert answer.status_code == 403
        assert not PairingCode.objects.exists()
        return
    code = re.search(r"--code ([0-9A-Z]{16})<", answer.content.decode())
    assert code
    assert "no-store" in answer["Cache-Control"]
    assert PairingCode.objects.get().renews == desk.estate.kiosk
    entry = AuditEntry.objects.get(verb="kiosk.pairing_code")
    assert (entry.actor, entry.reason, entry.body) == (user, "换了存储卡", {"kiosk": "YG01"})
    assert client.get(address).status_code == 405
    for page in (desk.at("kiosks/YG01/"), desk.at("kiosks/")):
        assert code[1][:8] not in client.get(page).content.decode()


def test_a_pairing_code_needs_its_reason_and_a_kiosk_of_this_project(desk: BusyDesk) -> None:
    client = signed_in(person(desk.estate.project, Role.TECHNICIAN))
    answer = client.post(desk.at("kiosks/YG01/renew/"), {"why": " "}, follow=True)
    assert "没有生成配对码：请写明理由。" in answer.content.decode()
    assert client.post(desk.at("kiosks/LJ01/renew/"), {"why": "x"}).status_code == 404
    assert not PairingCode.objects.exists()
