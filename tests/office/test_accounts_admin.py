"""A sysadmin keeps the accounts of their own projects, and can't make themselves more than that."""

from django.contrib.auth import get_user_model
from django_otp.plugins.otp_totp.models import TOTPDevice

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
