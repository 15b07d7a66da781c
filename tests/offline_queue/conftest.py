"""One journal on a real file, and a clock that tests advance."""

import pytest

from kiosk.offline_queue.journal import Journal
from tests.offline_queue.journals import SetClock, genesis


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path, clock):
    made = Journal.create(path, clock, genesis())
    yield made
    made.close()
