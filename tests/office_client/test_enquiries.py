"""Look-ups: the office first, else the cache by its age; one answer for every request."""

import queue
import socket
import threading
import time
from contextlib import closing

import pytest

from kiosk.clock import SystemClock
from kiosk.office_client import enquiries
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.enquiries import Enquiries
from kiosk.office_client.events import BillsFound, EnquiryFailed, UnitFound, UnitNotFound
from kiosk.offline_queue.cache import DAY_MS, Cache
from tests.offline_queue.journals import SetClock
from tests.offline_queue.loopback_office import Refuse, unit_row


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def cache(tmp_path, clock):
    with closing(Cache(tmp_path / "cache.db", clock)) as made:
        yield made


@pytest.fixture
def filled(cache, client):
    page = client.changed_units("")
    cache.take(page)
    cache.take(client.changed_units(page.next_cursor))
    return cache


class Asked:
    """Enquiries, their inbox, and how often the office was heard."""

    def __init__(self, client, cache, journal_id="j-1"):
        self.inbox = queue.Queue()
        self.heard = 0
        self.enquiries = Enquiries(client, cache, self.inbox.put, journal_id=journal_id, answered=self._hear)
        self.enquiries.start()

    def _hear(self):
        self.heard += 1

    def unit(self, code="3-1-502", request_no=1):
        self.enquiries.find_unit(request_no, code)
        return self.inbox.get(timeout=15)

    def bills(self, unit_id="u-502", request_no=2):
        self.enquiries.bills(request_no, unit_id)
        return self.inbox.get(timeout=15)


@pytest.fixture
def ask(client, cache):
    made = Asked(client, cache)
    yield made
    made.enquiries.stop()


def test_the_office_is_asked_first(ask, filled, office):
    office.recent = {"amount_fen": 5000, "paid_at": "2026-11-24T08:00:00Z"}
    found = ask.unit()
    assert isinstance(found, UnitFound)
    assert (found.request_no, found.unit.code, found.offline) == (1, "3-1-502", False)
    told = ask.bills()
    assert isinstance(told, BillsFound)
    assert (told.request_no, told.offline, told.bills[0].principal_open, told.recent_payment.amount_fen) == (
        2,
        False,
        12_345,
        5000,
    )
    assert ask.heard == 2


@pytest.mark.parametrize(
    ("journal_id", "names_journals", "applied"), [("j-1", True, 2), ("j-2", True, 0), ("j-2", False, 2)]
)
def test_what_the_office_counts_of_another_journal_it_does_not_count_of_this_one(
    client, cache, office, journal_id, names_journals, applied
):
    office.journals["j-1"].extend([{}, {}])
    office.names_journals = names_journals
    asked = Asked(client, cache, journal_id)
    assert asked.bills().applied_seq == applied
    asked.enquiries.stop()


def test_an_unknown_unit_is_the_same_answer_online_and_offline(ask, filled, office):
    online = ask.unit("9-9-999")
    assert ask.bills("u-999", 1) == online == UnitNotFound(request_no=1)
    office.moods.extend(["drop"] * 2)
    assert ask.unit("9-9-999") == online
    assert ask.bills("u-999", 1) == online


@pytest.mark.parametrize("mood", ["drop", "html", "e500", "busy", "forged", "lose_answer"])
def test_without_the_office_the_cache_answers_and_says_so(ask, filled, office, mood):
    office.moods.extend([mood] * 2)
    found = ask.unit()
    assert (found.unit.unit_id, found.offline) == ("u-502", True)
    told = ask.bills()
    assert (told.offline, len(told.bills), told.prepay_only) == (True, 1, False)
    assert told.cached_at_ms == filled.refreshed().server_ms
    assert ask.heard == 0


def test_bills_older_than_a_week_are_not_shown_but_the_unit_may_get_a_prepayment(ask, filled, office, clock):
    clock.advance(8 * DAY_MS / 1000)
    office.moods.extend(["drop"] * 2)
    assert ask.unit().offline
    told = ask.bills()
    assert (told.bills, told.unit.code, told.offline, told.prepay_only) == ((), "3-1-502", True, True)


def test_after_thirty_days_nothing_is_taken(ask, filled, office, clock):
    clock.advance(31 * DAY_MS / 1000)
    office.moods.extend(["drop"] * 2)
    assert ask.unit() == EnquiryFailed(request_no=1, reason="cache_too_old")
    assert ask.bills() == EnquiryFailed(request_no=2, reason="cache_too_old")


def test_without_office_and_cache_the_enquiry_fails(ask, office):
    office.moods.extend(["drop"] * 2)
    assert ask.unit() == EnquiryFailed(request_no=1, reason="no_cache")
    assert ask.bills() == EnquiryFailed(request_no=2, reason="no_cache")


def test_a_kiosk_that_is_refused_does_not_go_on_from_its_cache(ask, filled, office):
    office.moods.append(Refuse(403, "revoked", retry="never"))
    assert ask.unit() == EnquiryFailed(request_no=1, reason="refused.revoked")


def test_after_a_silent_office_the_next_person_waits_less(identity, filled, monkeypatch):
    """A port that takes connections and says nothing: the first look-up waits its time, the next only a moment."""
    monkeypatch.setattr(enquiries, "PATIENT", (0.5, 1.0))
    monkeypatch.setattr(enquiries, "QUICK", (0.1, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = Asked(OfficeClient(f"http://127.0.0.1:{server.getsockname()[1]}", identity, SystemClock()), filled)
        waits = []
        for _ in range(2):
            started = time.monotonic()
            assert asked.unit().offline
            waits.append(time.monotonic() - started)
        asked.enquiries.stop()
    assert waits[0] > 0.9
    assert waits[1] < waits[0]


def test_a_call_that_no_time_limit_reaches_does_not_keep_a_person_waiting(ask, filled, client, monkeypatch):
    """Looking up a name can hang for as long as it likes; the next look-up does not even try while it does."""
    monkeypatch.setattr(enquiries, "QUICK", (0.1, 0.2))
    monkeypatch.setattr(ask.enquiries, "_patience", (0.1, 0.2))
    let_go, asked = threading.Event(), []
    real = client.find_unit

    def hang(code):
        asked.append(code)
        let_go.wait(10)
        return real(code)

    monkeypatch.setattr(client, "find_unit", hang)
    assert ask.unit().offline
    assert ask.unit("3-1-501").offline
    assert asked == ["3-1-502"]
    let_go.set()
    ask.enquiries._hanging.result(timeout=5)
    assert not ask.unit("3-1-503").offline


def test_an_error_that_nobody_thought_of_is_an_answer_and_the_next_person_is_served(ask, filled, client, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(client, "find_unit", lambda code: 1 / 0)
        assert ask.unit() == EnquiryFailed(request_no=1, reason="internal")
    assert isinstance(ask.unit(request_no=2), UnitFound)


def test_requests_are_answered_in_order_each_exactly_once(ask, filled):
    for number in range(20):
        ask.enquiries.find_unit(number, "3-1-501")
    assert [ask.inbox.get(timeout=10).request_no for _ in range(20)] == list(range(20))


def test_a_row_that_became_a_tombstone_is_not_found(ask, filled, office, client):
    office.units.append(unit_row(502, gone=True))
    filled.take(client.changed_units(filled.cursor()))
    office.moods.append("drop")
    assert ask.unit() == UnitNotFound(request_no=1)
