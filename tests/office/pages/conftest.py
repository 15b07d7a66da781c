"""The pages are tested against real rows, written by folding a kiosk's real events."""

import subprocess
from pathlib import Path

import pytest
from django.test import Client

import office
from tests.office.estate import Estate, settlement_code
from tests.office.pages.desk import BusyDesk, busy_desk


@pytest.fixture(scope="session", autouse=True)
def _english_is_compiled() -> None:
    """make setup compiles the catalogue; a changed one is compiled again here, so that tests never read an old one."""
    source = Path(office.__file__).parent / "locale" / "en" / "LC_MESSAGES" / "django.po"
    compiled = source.with_suffix(".mo")
    if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["msgfmt", "--check-format", "-o", compiled, source], check=True, timeout=30)


@pytest.fixture
def desk(database: str) -> BusyDesk:
    return busy_desk()


@pytest.fixture
def browser() -> Client:
    """Whoever holds a slip: no sign-in."""
    return Client(HTTP_ACCEPT_LANGUAGE="zh-CN", REMOTE_ADDR="192.0.2.7")


@pytest.fixture
def slip(estate: Estate) -> str:
    """A visit with two notes is uploaded; the check code its slip prints."""
    estate.pay(["sep"], [10_000] * 3)
    estate.upload()
    return settlement_code(estate)
