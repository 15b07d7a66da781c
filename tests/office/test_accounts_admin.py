"""A sysadmin keeps the accounts of their own projects, and can't make themselves more than that."""

from django.contrib.auth import get_user_model
from django_otp.plugins.otp_totp.models import TOTPDevice

from office.property.models import Building
from office.staff.models import Role
from office.staff.services import make_groups, sync_groups
from tests.office.estate import Estate, add_person, build_estate
from tests.office.pages.desk import person, signed_in

USERS, DEVICES = "/admin/auth/user/", "/admin/otp_totp/totpdevice/"


def sysadmin(estate: Estate):
    make_groups()
    user = person(estate.project, Role.SYSADMIN, name="root-of-yg")
    sync_groups(user)
    return user, signed_in(user)


def test_a_sysadmin_cannot_make_anybody_a_superuser_or_hand_out_rights_beside_roles(estate: Estate) -> None:
    user, browser = sysadmin(estate)
    page = browser.get(f"{USERS}{user.id}/change/").content.decode()
    assert not [name for name in ("is_superuser", "is_staff", "user_permissions", "groups") if f'name="{name}"' in page]
    told = {"username": user.username, "is_active": "on", "is_superuser": "on", "is_staff": "on", "user_permissions": 1}
    assert browser.post(f"{USERS}{user.id}/change/", told).status_code == 302
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff, user.user_permissions.count()) == (False, True, 0)


def test_people_of_other_projects_and_superusers_are_out_of_reach(estate: Estate) -> None:
    _, browser = sysadmin(estate)
    stranger = add_person(build_estate("LJ").project, Role.CASHIER, "stranger")
    both = add_person(estate.project, Role.CASHIER, "both")
    both.memberships.create(project=stranger.memberships.get().project, role=Role.CASHIER)
    above = get_user_model().objects.create_superuser("above")
    own = add_person(estate.project, Role.CASHIER, "own")
    newcomer = add_person(None, None, "newcomer")
    for who, is_there in ((stranger, False), (both, False), (above, False), (own, True), (newcomer, True)):
        for page in (f"{USERS}{who.id}/change/", f"{USERS}{who.id}/password/"):
            assert (browser.get(page).status_code == 200) == is_there, page
        device = TOTPDevice.objects.create(user=who)
        assert (browser.get(f"{DEVICES}{device.id}/change/").status_code == 200) == is_there


def test_a_role_that_keeps_base_data_keeps_it_in_its_own_project_only(estate: Estate) -> None:
    """Business admin here and cashier there: there, the admin shows and takes nothing."""
    make_groups()
    other = build_estate("LJ")
    keeper = person(estate.project, Role.BUSINESS_ADMIN, name="keeper")
    keeper.memberships.create(project=other.project, role=Role.CASHIER)
    sync_groups(keeper)
    browser = signed_in(keeper)
    for path, here, there in (
        ("property/unit", estate.unit, other.unit),
        ("property/project", estate.project, other.project),
        ("billing/feeitem", estate.items["water"], other.items["water"]),
    ):
        assert browser.get(f"/admin/{path}/{here.pk}/change/").status_code == 200
        assert browser.get(f"/admin/{path}/{there.pk}/change/").status_code != 200
    told = {"project": str(other.project.id), "name": "77", "position": 1}
    refused = browser.post("/admin/property/building/add/", told)
    assert refused.status_code == 200
    assert not Building.objects.filter(name="77").exists()
    assert browser.post("/admin/property/building/add/", told | {"project": str(estate.project.id)}).status_code == 302


def test_who_only_looks_at_a_project_in_the_admin_changes_nothing_in_it(estate: Estate) -> None:
    make_groups()
    other = build_estate("LJ")
    keeper = person(estate.project, Role.BUSINESS_ADMIN, name="keeper")
    keeper.memberships.create(project=other.project, role=Role.SYSADMIN)
    sync_groups(keeper)
    browser = signed_in(keeper)
    assert browser.get(f"/admin/property/unit/{other.unit.id}/change/").status_code == 200
    assert browser.post(f"/admin/property/unit/{other.unit.id}/change/", {"room": "1"}).status_code == 403
    assert browser.post(f"/admin/property/project/{other.project.id}/change/", {"name": "x"}).status_code == 403
