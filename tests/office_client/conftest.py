"""A loopback office that knows this kiosk, and a client of it."""

import pytest

from kiosk.clock import SystemClock
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.identity import Identity
from tests.offline_queue.journals import KIOSK_KEY
from tests.offline_queue.loopback_office import OFFICE_KEY, LoopbackOffice, unit_row


@pytest.fixture
def office():
    with LoopbackOffice(KIOSK_KEY) as running:
        running.units = [unit_row(number) for number in (501, 502, 503)]
        yield running


@pytest.fixture
def identity():
    return Identity(
        kiosk_id="k-1", kiosk_code="YG01", project_code="YG", key=KIOSK_KEY, office_key=OFFICE_KEY.public_key()
    )


@pytest.fixture
def client(office, identity):
    made = OfficeClient(office.url, identity, SystemClock(), connect_s=2, read_s=2)
    yield made
    made.close()
