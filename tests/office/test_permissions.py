"""Who may do what: the whole matrix, and the two walls (no role: nothing; another project: not there)."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client

from office.kiosks.models import Alarm
from office.payments import services
from office.payments.models import Case, Payment
from office.staff.models import Role
from office.staff.permissions import ROLES, Act, check, may, project_for, projects_of
from office.staff.services import grant, make_groups, make_user
from tests.office.estate import Estate, add_person, build_estate

MATRIX = {
    Act.SEE_MONEY: "business_admin project_manager finance_audit cashier",
    Act.SEE_UNITS: "sysadmin business_admin project_manager finance_audit cashier dunning",
    Act.SEE_KIOSKS: "sysadmin business_admin project_manager finance_audit cashier technician",
    Act.SEE_BOX: "project_manager finance_audit",
    Act.REVIEW: "project_manager finance_audit cashier",
    Act.HANDLE_CASES: "project_manager finance_audit cashier",
    Act.PROPOSE_CLAIM: "project_manager cashier",
    Act.CONFIRM_CLAIM: "finance_audit",
    Act.COUNT_BOX: "cashier",
    Act.ACKNOWLEDGE: "sysadmin project_manager finance_audit cashier technician",
    Act.PAIR_KIOSKS: "sysadmin technician",
    Act.IMPORT: "business_admin",
    Act.SEE_AUDIT: "sysadmin project_manager finance_audit",
}


def test_every_act_is_in_the_matrix() -> None:
    assert MATRIX.keys() == ROLES.keys() == set(Act)


def test_each_role_may_do_exactly_what_the_matrix_says(estate: Estate) -> None:
    for role in Role:
        user = add_person(estate.project, role)
        for act, allowed in MATRIX.items():
            assert may(user, estate.project.id, act) == (role in allowed.split()), (role, act)


def test_the_sysadmin_moves_no_money() -> None:
    for act in (Act.REVIEW, Act.HANDLE_CASES, Act.SEE_MONEY, Act.PROPOSE_CLAIM, Act.CONFIRM_CLAIM, Act.COUNT_BOX):
        assert Role.SYSADMIN not in ROLES[act]


@pytest.mark.parametrize("act", list(Act))
def test_without_a_role_a_person_sees_nothing(estate: Estate, act: Act) -> None:
    for user in (add_person(None, None), AnonymousUser()):
        assert projects_of(user) == []
        with pytest.raises(Http404):
            check(user, estate.project.id, act)


@pytest.mark.parametrize("role", list(Role))
def test_another_project_is_not_there_and_ones_own_may_be_forbidden(estate: Estate, role: Role) -> None:
    other = build_estate("LJ")
    user = add_person(estate.project, role)
    assert projects_of(user) == [estate.project]
    for act in Act:
        with pytest.raises(Http404):
            project_for(user, "LJ", act)
        with pytest.raises(Http404):
            project_for(user, "NOPE", act)
        if not may(user, estate.project.id, act):
            with pytest.raises(PermissionDenied):
                project_for(user, "YG", act)
    assert not may(user, other.project.id, Act.SEE_UNITS)


def test_a_person_who_left_has_no_roles_any_more(estate: Estate) -> None:
    user = add_person(estate.project, Role.CASHIER)
    user.is_active = False
    user.save()
    assert projects_of(user) == []
    assert not may(user, estate.project.id, Act.SEE_MONEY)


def test_services_check_the_person_themselves(estate: Estate) -> None:
    estate.pay(["water"], [10000, 1000], printed=False)
    estate.upload()
    payment, case = Payment.objects.get(), Case.objects.get()
    alarm = Alarm.objects.create(
        project=estate.project, kiosk=estate.kiosk, device="d", code="c", severity="now", raised_at=payment.opened_at
    )
    build_estate("LJ")
    stranger = add_person(build_estate("AA").project, Role.PROJECT_MANAGER)
    technician = add_person(estate.project, Role.DUNNING)
    for user, refusal in ((stranger, Http404), (technician, PermissionDenied)):
        with pytest.raises(refusal):
            services.review(user, payment, "accept")
        with pytest.raises(refusal):
            services.close_case(user, case, "why")
        with pytest.raises(refusal):
            services.assign_case(user, case, user)
        with pytest.raises(refusal):
            services.acknowledge_alarm(user, alarm)
    assert Payment.objects.get().review == "none"


def test_the_admin_shows_a_keeper_of_base_data_only_their_own_project(estate: Estate) -> None:
    make_groups()
    other = build_estate("LJ")
    keeper = make_user("keeper", "a-long-password-1")
    grant(keeper, estate.project, Role.BUSINESS_ADMIN)
    browser = Client()
    browser.force_login(keeper)
    listing = browser.get("/admin/property/unit/")
    assert listing.status_code == 200
    assert str(estate.unit.id) in listing.content.decode()
    assert str(other.unit.id) not in listing.content.decode()
    assert browser.get(f"/admin/property/unit/{other.unit.id}/change/").status_code == 302
    assert browser.get("/admin/auth/user/").status_code == 403
    form = browser.get(f"/admin/property/unit/{estate.unit.id}/change/").content.decode()
    assert str(other.project.id) not in form


def test_a_change_in_the_admin_reaches_the_kiosks_cache_and_the_audit_log(estate: Estate) -> None:
    from office.staff.models import AuditEntry

    make_groups()
    keeper = make_user("keeper", "a-long-password-1")
    grant(keeper, estate.project, Role.BUSINESS_ADMIN)
    before = estate.unit.changed_no
    browser = Client()
    browser.force_login(keeper)
    party = estate.unit.occupancies.get().party
    saved = browser.post(
        f"/admin/property/party/{party.id}/change/",
        {"project": str(estate.project.id), "name": "李明", "phone": "", "kind": "person"},
    )
    assert saved.status_code == 302
    estate.unit.refresh_from_db()
    assert estate.unit.changed_no > before
    assert AuditEntry.objects.get(verb="admin.change").actor == keeper


def test_a_cashier_does_not_enter_the_admin(estate: Estate) -> None:
    make_groups()
    cashier = make_user("cashier", "a-long-password-1")
    grant(cashier, estate.project, Role.CASHIER)
    browser = Client()
    browser.force_login(cashier)
    assert browser.get("/admin/property/unit/").status_code == 302
