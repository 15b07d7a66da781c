"""Sign-in: one step or two, locked after five wrong tries, never to another site, over after a quarter of an hour alone."""

import datetime
import time

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from office.staff.models import Role, SignInGuard
from office.staff.pages.session import IDLE_S, LAST_USED
from tests.office.pages.desk import PASSWORD, BusyDesk, person


def sign_in(client: Client, username: str = "lin", password: str = PASSWORD, **more: str):
    return client.post("/sign-in/", {"username": username, "password": password, **more})


def code_of(device: TOTPDevice) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    return f"{totp.token():06d}"


@pytest.fixture
def clerk(desk: BusyDesk):
    return person(desk.estate.project, Role.CASHIER)


def test_who_may_not_enter_the_admin_is_told_so_and_not_sent_round_for_ever(desk: BusyDesk, clerk) -> None:
    client = Client()
    door = client.get("/admin/").url
    assert client.get(door).url == "/sign-in/?next=%2Fadmin%2F"
    sign_in(client)
    assert client.get("/admin/").url == door
    assert client.get(door).status_code == 403


def test_name_and_password_open_the_first_page(desk: BusyDesk, clerk) -> None:
    client = Client()
    assert client.get("/").url == "/sign-in/?next=%2F"
    answer = sign_in(client)
    assert answer.url == "/"
    assert client.get("/").url == desk.at("today/")
    assert client.post("/sign-out/").status_code == 302
    assert client.get(desk.at("today/")).status_code == 302


def test_a_wrong_password_and_an_unknown_name_read_the_same(desk: BusyDesk, clerk) -> None:
    pages = []
    for name in ("lin", "nobody"):
        page = sign_in(Client(), name, "wrong").content.decode()
        assert "账号或密码有一项不对" in page
        assert "还可以再试 4 次" in page
        pages.append(page.count("<"))
    assert pages[0] == pages[1]


def test_five_wrong_tries_lock_the_account_for_a_quarter_of_an_hour(desk: BusyDesk, clerk) -> None:
    for _ in range(4):
        assert "已锁定" not in sign_in(Client(), password="wrong").content.decode()
    assert "已锁定" in sign_in(Client(), password="wrong").content.decode()
    assert "已锁定" in sign_in(Client()).content.decode()
    SignInGuard.objects.update(locked_until=timezone.now() - datetime.timedelta(seconds=1))
    assert sign_in(Client()).status_code == 302
    assert not SignInGuard.objects.exists()


def test_a_second_factor_is_asked_only_of_those_who_have_one(desk: BusyDesk, clerk) -> None:
    device = TOTPDevice.objects.create(user=clerk, name="phone")
    client = Client()
    assert 'name="otp"' not in client.get("/sign-in/").content.decode()
    assert sign_in(client).url == "/sign-in/code/"
    assert client.get(desk.at("today/")).status_code == 302
    assert 'name="otp"' in client.get("/sign-in/code/").content.decode()
    assert "动态验证码不对" in client.post("/sign-in/code/", {"otp": "000000"}).content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert client.post("/sign-in/code/", {"otp": code_of(device)}).url == "/"
    assert client.get(desk.at("today/")).status_code == 200


def test_the_second_step_alone_opens_nothing(desk: BusyDesk, clerk) -> None:
    TOTPDevice.objects.create(user=clerk, name="phone")
    assert Client().post("/sign-in/code/", {"otp": "000000"}).url == "/sign-in/"


def test_signing_in_leads_back_to_the_page_asked_for_but_never_to_another_site(desk: BusyDesk, clerk) -> None:
    assert sign_in(Client(), next=desk.at("uploads/")).url == desk.at("uploads/")
    for evil in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert sign_in(Client(), next=evil).url == "/"


def test_a_session_left_alone_ends_and_a_page_that_refreshes_itself_does_not_keep_it(desk: BusyDesk, clerk) -> None:
    client = Client()
    sign_in(client)
    client.get(desk.at("today/"))
    session = client.session
    session[LAST_USED] = time.time() - IDLE_S + 5
    session.save()
    assert client.get(desk.at("today/live/"), headers={"hx-request": "true"}).status_code == 200
    assert client.session[LAST_USED] < time.time() - IDLE_S + 60
    session[LAST_USED] = time.time() - IDLE_S - 1
    session.save()
    over = client.get(desk.at("today/live/"), headers={"hx-request": "true"})
    assert over.headers["HX-Redirect"] == "/sign-in/"
    assert client.get(desk.at("uploads/")).status_code == 302


def test_the_language_is_kept_and_leads_back_to_the_same_page(desk: BusyDesk, clerk) -> None:
    client = Client()
    assert 'lang="zh-Hans"' in client.get("/sign-in/").content.decode()
    answer = client.post("/language/", {"language": "en", "next": "/sign-in/"})
    assert answer.url == "/sign-in/"
    page = client.get("/sign-in/").content.decode()
    assert '<html lang="en"' in page
    assert "Sign in" in page
    assert client.post("/language/", {"language": "xx", "next": "//evil.example"}).url == "/"
    assert '<html lang="en"' in client.get("/sign-in/").content.decode()


def test_a_page_that_does_not_exist_says_so_without_a_traceback(desk: BusyDesk, clerk) -> None:
    answer = Client().get("/no/such/page/")
    assert answer.status_code == 404
    assert "没有这一页" in answer.content.decode()


def test_everybody_can_change_the_password_that_was_handed_to_them(desk: BusyDesk, clerk) -> None:
    client = Client()
    assert client.get("/password/").status_code == 302
    sign_in(client)
    wrong = {"old_password": "wrong", "new_password1": "a-new-lobby-key-7", "new_password2": "a-new-lobby-key-7"}
    refused = client.post("/password/", wrong)
    assert refused.status_code == 422
    assert "密码没有修改" in refused.content.decode()
    assert client.post("/password/", {**wrong, "old_password": PASSWORD}).url == "/"
    assert client.get(desk.at("today/")).status_code == 200
    assert sign_in(Client(), password="a-new-lobby-key-7").status_code == 302
