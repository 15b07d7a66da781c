"""The sync thread against a loopback office that loses answers, forges them, refuses and comes back."""

import gzip
import json
import random
import sqlite3
import time
from contextlib import closing

import pytest

from kiosk.clock import SystemClock
from kiosk.domain import events
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.events import (
    OUT_OF_SERVICE,
    Acked,
    EstateRefused,
    EstateTold,
    JournalUnreadable,
    LinkChanged,
)
from kiosk.office_client.identity import Identity
from kiosk.office_client.wire import Condition
from kiosk.offline_queue import database, outbox
from kiosk.offline_queue.backoff import Backoff, Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.sync import Link, Sync
from tests.office_client.dripping import Cable
from tests.offline_queue.journals import KIOSK_KEY, SetClock, genesis, pay, tamper
from tests.offline_queue.loopback_office import OFFICE_KEY, LoopbackOffice, Refuse, unit_row

TIMING = Timing(first_try_s=0)
OWN_BEAT = Timing(first_try_s=0, heartbeat_s=5)


@pytest.fixture
def clock():
    return SetClock(wall_ms=int(time.time() * 1000))


@pytest.fixture
def office():
    with LoopbackOffice(KIOSK_KEY) as running:
        running.units = [unit_row(number) for number in (501, 502, 503)]
        yield running


class Kiosk:
    """A journal, its sync without a thread, and what the payment thread would do with the reports."""

    def __init__(self, office, journal, path, clock, timing=TIMING):
        identity = Identity(
            kiosk_id="k-1", kiosk_code="YG01", project_code="YG", key=KIOSK_KEY, office_key=OFFICE_KEY.public_key()
        )
        self.journal, self.clock = journal, clock
        self.reports = []
        self.cache = Cache(path.with_name("cache.db"), clock)
        client = OfficeClient(office.url, identity, clock, connect_s=2, read_s=2)
        self.sync = Sync(
            client, path, self.cache, clock, self.reports.append, software="0.1.0", timing=timing, rng=random.Random(7)
        )
        self.client = client

    def step(self, after_s=0.0):
        """Let time pass, do what is due, write the cursor as the payment thread does."""
        self.clock.advance(after_s)
        pause_s = self.sync.step()
        for acked in self.told(Acked):
            self.journal.advance_cursor(acked.ack_seq, acked.ack_hash, acked.posted_seq)
            self.sync.cursor_is(acked.ack_seq)
        return pause_s

    def told(self, kind):
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def last_link(self):
        return self.told(LinkChanged)[-1]

    def close(self):
        self.client.close()
        self.cache.close()
        self.sync._close_reader()


@pytest.fixture
def kiosk(office, journal, path, clock):
    made = Kiosk(office, journal, path, clock)
    yield made
    made.close()


def uploads(office):
    return [path for method, path in office.bodies_seen if path.endswith("/events")]


def test_what_is_in_the_journal_reaches_the_office_and_the_cursor_follows(kiosk, journal, office):
    pay(journal, "p-1")
    pause_s = kiosk.step()
    assert [event["seq"] for event in office.stored()] == [1, 2, 3, 4, 5, 6]
    assert (journal.cursor().ack_seq, journal.cursor().posted_seq) == (6, 6)
    (acked,) = kiosk.told(Acked)
    assert [(outcome.payment_id, outcome.state, outcome.receipt_no) for outcome in acked.outcomes] == [
        ("p-1", "booked", "YG01-000001")
    ]
    assert kiosk.last_link == LinkChanged(up=True)
    assert pause_s == pytest.approx(60, abs=1)


def test_the_stored_bytes_arrive_as_they_were_written(kiosk, journal, office):
    pay(journal, "p-1")
    kiosk.step()
    with JournalReader(journal.path) as reader:
        assert [event["body"].encode() for event in office.stored()] == [entry.body for entry in reader.entries(0, 100)]


def test_a_commit_wakes_the_upload_at_once(kiosk, journal, office):
    kiosk.step()
    pay(journal, "p-1")
    assert kiosk.step(1) > 50, "nothing is due without a wake-up"
    assert len(office.stored()) == 1
    kiosk.sync.wake()
    kiosk.step()
    assert len(office.stored()) == 6


def test_idle_means_a_heartbeat_a_minute_with_the_devices_state(kiosk, office, monkeypatch):
    kiosk.step()
    beats = []
    real = office.answer

    def listen(method, path, query, body, headers):
        if path.endswith("heartbeats"):
            beats.append(json.loads(body))
        return real(method, path, query, body, headers)

    monkeypatch.setattr(office, "answer", listen)
    kiosk.sync.tell(Condition(state="busy", acceptor="acceptor.silent", journal="disk.margin"))
    assert kiosk.step(59) == pytest.approx(1, abs=0.1)
    kiosk.step(1.1)
    (beat,) = beats
    assert (beat["state"], beat["acceptor"], beat["unsent"], beat["last_seq"]) == ("busy", "acceptor.silent", 0, 1)
    assert (beat["journal"], beat["sent"]["boot_id"]) == ("disk.margin", "boot-1")


@pytest.mark.parametrize(
    "mood", ["lose_answer", "drop", "html", "e500", "unsigned", "forged", "other_request", "broken_off", "redirect"]
)
def test_a_bad_answer_moves_no_cursor_and_the_entries_are_sent_again_and_stored_once(kiosk, journal, office, mood):
    pay(journal, "p-1")
    office.moods.append(mood)
    pause_s = kiosk.step()
    assert journal.cursor().ack_seq == 0
    assert not kiosk.last_link.up
    assert not kiosk.last_link.refused
    assert 0 <= pause_s <= 2
    kiosk.step(2.1)
    assert journal.cursor().ack_seq == 6
    assert [event["seq"] for event in office.stored()] == [1, 2, 3, 4, 5, 6]
    assert kiosk.last_link.up


def test_waiting_doubles_to_a_limit_and_is_short_again_after_a_success(kiosk, journal, office):
    office.moods.extend(["drop"] * 12)
    pauses = [kiosk.step(301) for _ in range(12)]
    assert all(pause <= min(60, 2 * 2**index) for index, pause in enumerate(pauses))
    assert max(pauses) > 10
    kiosk.step(301)
    assert kiosk.last_link.up
    office.moods.append("drop")
    assert kiosk.step(61) <= 2


def test_backoff_is_full_jitter():
    drawn = [Backoff(Timing(backoff_cap_s=300), random.Random(seed)) for seed in range(300)]
    firsts, tenths = [], []
    for backoff in drawn:
        waits = [backoff.next_s() for _ in range(12)]
        firsts.append(waits[0])
        tenths.append(waits[-1])
    assert 0 <= min(firsts) < 0.1
    assert 1.9 < max(firsts) <= 2
    assert 0 <= min(tenths) < 10
    assert 290 < max(tenths) <= 300


def test_the_first_call_after_a_start_is_not_the_neighbours_first_call(office, journal, path, clock):
    firsts = set()
    for seed in range(5):
        kiosk = Kiosk(office, journal, path, clock, Timing(first_try_s=10))
        kiosk.sync._rng = random.Random(seed)
        firsts.add(kiosk.sync.step())
        kiosk.close()
    assert all(0 <= first <= 10 for first in firsts)
    assert office.bodies_seen == []


def test_a_busy_office_is_left_alone_for_as_long_as_it_asks_whatever_is_written(kiosk, journal, office):
    pay(journal, "p-1")
    office.moods.append("busy")
    assert kiosk.step() == pytest.approx(7, abs=0.1)
    assert not kiosk.last_link.up
    kiosk.sync.wake()
    kiosk.step(6)
    assert office.stored() == []
    kiosk.step(1.1)
    assert len(office.stored()) == 6


def test_kiosks_that_were_asked_for_the_same_patience_do_not_come_back_at_the_same_instant(
    office, journal, path, clock
):
    pauses = []
    for seed in range(20):
        kiosk = Kiosk(office, journal, path, clock, Timing(first_try_s=10))
        kiosk.sync._rng = random.Random(seed)
        office.moods.append("busy")
        pauses.append(kiosk.step(10))
        kiosk.close()
    assert all(7 <= pause <= 14 for pause in pauses)
    assert max(pauses) - min(pauses) > 4


def test_no_wait_after_a_failure_is_the_same_for_most_kiosks(office, journal, path, clock):
    office.moods.extend(["drop"] * 400)
    pauses = []
    for seed in range(40):
        kiosk = Kiosk(office, journal, path, clock)
        kiosk.sync._backoff = Backoff(TIMING, random.Random(seed))
        pauses.append([kiosk.step(301) for _ in range(10)][-1])
        kiosk.close()
    assert len(set(pauses)) == len(pauses), "a street must not call in one instant"


def test_a_line_that_lets_only_short_requests_through_is_used_with_short_ones(kiosk, journal, office):
    for number in range(40):
        pay(journal, f"p-{number}")
    office.longest_body = 4_000
    for _ in range(12):
        kiosk.step(61)
    assert len(office.stored()) == journal.head_seq
    assert kiosk.last_link.up


def test_an_office_too_busy_for_a_refresh_is_left_alone_with_uploads_as_well(kiosk, journal, office):
    office.moods += ["", "busy"]  # the upload goes through, the refresh after it does not
    assert kiosk.step() == pytest.approx(7, abs=0.1)
    pay(journal, "p-1")
    kiosk.sync.wake()
    kiosk.step(6)
    assert len(office.stored()) == 1
    kiosk.step(1.1)
    assert len(office.stored()) == 6


def test_a_new_entry_while_the_link_is_down_is_tried_after_two_seconds_at_the_latest(kiosk, journal, office):
    office.moods.extend(["drop"] * 8)
    for _ in range(8):
        kiosk.step(301)
    kiosk.sync.wake()
    kiosk.step(2.1)
    assert kiosk.last_link.up


def test_a_good_answer_to_someone_else_ends_the_waiting(kiosk, journal, office):
    office.moods.extend(["drop"] * 8)
    for _ in range(8):
        kiosk.step(301)
    kiosk.sync.office_answered()
    kiosk.step(2.1)
    assert kiosk.last_link.up


def test_a_change_of_the_network_ends_the_waiting_for_the_next_heartbeat_and_for_the_next_try(kiosk, office):
    assert kiosk.step() > 30
    office.moods.extend(["drop"] * 8)
    kiosk.sync.network_changed()
    kiosk.step(2.1)
    assert not kiosk.last_link.up
    for _ in range(6):
        kiosk.step(301)
    office.moods.clear()
    kiosk.sync.network_changed()
    kiosk.step(2.1)
    assert kiosk.last_link.up


def test_a_loose_plug_makes_one_call_in_two_seconds_at_most(kiosk, office):
    kiosk.step()
    office.moods.extend(["drop"] * 100)
    for _ in range(100):
        kiosk.sync.network_changed()
        kiosk.step(0.1)
    assert 4 <= 100 - len(office.moods) <= 10  # each of five tries is two calls at most


def test_a_fork_stops_the_upload_for_good_and_deletes_nothing(kiosk, journal, office):
    kiosk.step()
    pay(journal, "p-1")
    office.journals[journal.journal_id].append({"seq": 2, "hash": "00" * 32})
    kiosk.sync.wake()
    kiosk.step()
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="fork")
    assert kiosk.sync.link is Link.REFUSED
    before = len(uploads(office))
    for _ in range(5):
        kiosk.sync.wake()
        kiosk.step(3601)
    assert len(uploads(office)) == before
    assert kiosk.last_link.reason == "fork"
    assert journal.head_seq == 6


def test_an_acknowledgement_with_another_hash_is_a_fork(kiosk, journal, office, monkeypatch):
    real = office._take

    def lie(journal_id, batch):
        return real(journal_id, batch) | {"ack_hash": "11" * 32}

    monkeypatch.setattr(office, "_take", lie)
    kiosk.step()
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="fork")
    assert kiosk.told(Acked) == []


def test_a_journal_older_than_the_office_knows_is_refused_as_ahead(kiosk, office):
    office.moods.append(Refuse(409, "ahead", expected_seq=900, retry="never"))
    kiosk.step()
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="ahead")


def test_a_gap_is_filled_from_where_the_office_says(kiosk, journal, office):
    pay(journal, "p-1")
    kiosk.step()
    del office.journals[journal.journal_id][2:]
    pay(journal, "p-2")
    kiosk.sync.wake()
    kiosk.step()
    kiosk.step(2.1)
    assert [event["seq"] for event in office.stored()] == list(range(1, 12))


def test_an_office_restored_from_an_old_copy_gets_everything_again(kiosk, journal, office):
    pay(journal, "p-1")
    kiosk.step()
    office.journals.clear()
    kiosk.step(61)
    kiosk.step(1)
    assert [event["seq"] for event in office.stored()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("status", "code", "wait_s"), [(403, "revoked", 3600), (401, "key_unknown", 300), (403, "kiosk_suspended", 300)]
)
def test_a_refused_kiosk_keeps_everything_and_keeps_asking(kiosk, journal, office, status, code, wait_s):
    pay(journal, "p-1")
    office.moods.append(Refuse(status, code, retry="after_fix"))
    assert kiosk.step() == pytest.approx(wait_s)
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason=code)
    kiosk.sync.wake()
    assert kiosk.step(10) > 200, "a new entry does not hurry a refusal"
    kiosk.step(wait_s)
    assert kiosk.last_link.up
    assert len(office.stored()) == 6


@pytest.mark.parametrize("silence", ["drop", Refuse(503, "overloaded")])
@pytest.mark.parametrize("code", ["revoked", "fork"])
def test_a_refusal_stands_until_the_office_takes_it_back_whoever_pulls_the_cable(kiosk, journal, office, code, silence):
    kiosk.step()
    pay(journal, "p-1")
    office.moods += [Refuse(403 if code == "revoked" else 409, code), silence]
    kiosk.sync.wake()
    kiosk.step()
    kiosk.step(3601)
    assert not office.moods
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason=code)
    kiosk.step(3601)
    assert kiosk.last_link.up == (code == "revoked"), "only a person ends a fork"


def test_a_refusal_outlives_a_restart_without_a_network(kiosk, journal, office, path):
    office.moods += [Refuse(403, "revoked"), *["drop"] * 100]
    kiosk.step()
    again = Kiosk(office, journal, path, SystemClock())
    again.sync.start()
    office.wait_for(lambda office: len(office.moods) < 100)
    again.sync.stop()
    assert again.told(LinkChanged) == [LinkChanged(up=False, refused=True, reason="revoked")]
    office.moods.clear()
    restored = Kiosk(office, journal, path, SystemClock())
    restored.sync.step()
    assert restored.last_link.up
    assert restored.cache.refusal() == ""
    again.cache.close()
    restored.close()


def test_a_refusal_for_another_reason_is_told_as_well(kiosk, journal, office):
    pay(journal, "p-1")
    office.moods += [Refuse(401, "key"), Refuse(403, "revoked")]
    kiosk.step()
    assert kiosk.last_link.reason == "key"
    kiosk.step(301)
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="revoked")


def refuse_units(office, status, code):
    """Until what is returned is called, the office answers everything but what it should tell of bills and units."""
    real = office.answer

    def answer(method, path, query, body, headers):
        if "sync" in path:
            raise Refuse(status, code)
        return real(method, path, query, body, headers)

    office.answer = answer
    return lambda: setattr(office, "answer", real)


LESSER = [(426, "upgrade_required"), (401, "signature_invalid"), (422, "validation_failed"), (404, "not_found")]


@pytest.mark.parametrize("code", sorted(OUT_OF_SERVICE))
def test_a_lesser_refusal_does_not_lift_one_that_ends_the_service(kiosk, journal, office, code):
    pay(journal, "p-1")
    office.moods += [Refuse(409, code), *[Refuse(*lesser) for lesser in LESSER]]
    while office.moods:
        kiosk.step(3601)
    assert kiosk.told(LinkChanged) == [LinkChanged(up=False, refused=True, reason=code)]
    assert kiosk.cache.refusal() == code, "nor does a restart"


@pytest.mark.parametrize("lesser", [(500, "internal"), *LESSER])
def test_a_suspended_kiosk_whose_journal_is_taken_is_not_welcome_before_all_else_is_answered(
    kiosk, journal, office, lesser
):
    pay(journal, "p-1")
    office.moods.append(Refuse(403, "kiosk_suspended"))
    kiosk.step()
    answer_again = refuse_units(office, *lesser)
    kiosk.step(301)
    assert len(office.stored()) == 6
    assert kiosk.told(LinkChanged) == [LinkChanged(up=False, refused=True, reason="kiosk_suspended")]
    answer_again()
    kiosk.step(301)
    assert kiosk.last_link.up
    assert kiosk.cache.refusal() == ""


def test_a_suspension_ends_also_where_the_office_cannot_read_an_entry(kiosk, journal, office):
    """No upload can say so before it can, so the kiosk asks beside it."""
    pay(journal, "p-1")
    office.moods.append(Refuse(403, "kiosk_suspended"))
    kiosk.step()
    office.poison = "p-1"
    answer_again = refuse_units(office, 403, "kiosk_suspended")
    kiosk.step(301)
    assert kiosk.last_link.reason == kiosk.cache.refusal() == "kiosk_suspended"
    answer_again()
    kiosk.step(301)
    assert [(link.up, link.reason) for link in kiosk.told(LinkChanged)][-2:] == [(True, ""), (False, "malformed")]
    assert kiosk.cache.refusal() == "malformed"


def test_after_a_lesser_refusal_an_office_that_takes_the_journal_is_back(kiosk, journal, office):
    pay(journal, "p-1")
    office.max_events = 0
    kiosk.step()
    assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="too_large")
    office.max_events = 500
    refuse_units(office, 404, "not_found")
    kiosk.step(301)
    assert kiosk.last_link.up


def test_a_batch_too_large_is_halved_until_it_fits(kiosk, journal, office):
    for number in range(20):
        pay(journal, f"p-{number}")
    office.max_events = 7
    kiosk.step()
    assert [event["seq"] for event in office.stored()] == list(range(1, 102))


def test_one_poisonous_entry_holds_back_only_what_follows_it_and_is_never_dropped(kiosk, journal, office, monkeypatch):
    beats, real = [], office.answer

    def listen(method, path, query, body, headers):
        if path.endswith("heartbeats"):
            beats.append(json.loads(body))
        return real(method, path, query, body, headers)

    monkeypatch.setattr(office, "answer", listen)
    for number in range(10):
        pay(journal, f"p-{number}")
    office.poison = "p-7"
    for _ in range(2):
        kiosk.step(301)
        assert len(office.stored()) == 1 + 7 * 5
        assert kiosk.last_link.reason == "malformed"
    assert [beat["unsent"] for beat in beats][-1] == 3 * 5, "it says how much waits"
    office.poison = ""
    kiosk.step(301)
    assert len(office.stored()) == journal.head_seq


def test_a_large_backlog_goes_in_batches_one_after_the_other(kiosk, journal, office):
    journal.append(*[events.ScreenRestarted(reason="silent")] * 1200)
    kiosk.step()
    assert len(office.stored()) == 1201
    assert len(uploads(office)) == 3


def test_a_batch_keeps_to_its_size_when_compressed(journal, path, clock):
    rng = random.Random(3)
    for _ in range(500):
        journal.append(events.DeviceFault(device="d", code="internal", detail=rng.randbytes(1000).hex()))
    with JournalReader(path) as reader:
        batch = outbox.next_batch(reader, 0, clock)
        assert len(batch.gzipped) <= outbox.MAX_BYTES
        assert 1 < batch.count < 500
        told = json.loads(gzip.decompress(batch.gzipped))
        assert (told["first_seq"], told["last_seq"], told["prev_hash"]) == (1, batch.count, "0" * 64)
        following = outbox.next_batch(reader, batch.last_seq, clock)
        assert json.loads(gzip.decompress(following.gzipped))["prev_hash"] == told["events"][-1]["hash"]
        assert outbox.next_batch(reader, 501, clock) is None


def test_the_office_may_ask_for_quiet(kiosk, journal, office):
    office.hold_ms = 5000
    assert kiosk.step() >= 5
    pay(journal, "p-1")
    kiosk.sync.wake()
    kiosk.step(4)
    assert len(office.stored()) == 1


def test_booking_that_comes_later_is_told_by_a_heartbeat_within_seconds(kiosk, journal, office):
    office.posting = False
    pay(journal, "p-1")
    assert kiosk.step() == pytest.approx(1, abs=0.1)
    assert kiosk.step(1) == pytest.approx(2, abs=0.1), "asked again, and rarer and rarer"
    assert journal.cursor().posted_seq == 0
    office.posting = True
    assert kiosk.step(2) > 50
    assert journal.cursor().posted_seq == 6
    assert [(one.payment_id, one.state) for one in kiosk.told(Acked)[-1].outcomes] == [("p-1", "booked")]


def test_an_idle_kiosk_beats_as_often_as_the_office_asks_unless_its_settings_say_otherwise(
    office, journal, path, clock
):
    office.interval_s = 120
    follows, has_its_own = (Kiosk(office, journal, path, clock, timing) for timing in (TIMING, OWN_BEAT))
    for kiosk, every_s in ((follows, 120), (has_its_own, 5)):
        kiosk.step()
        kiosk.step(60)
        assert kiosk.step(5) == pytest.approx(every_s if kiosk is has_its_own else every_s - 5, abs=0.1)
        kiosk.close()


# --- estate and cache ----------------------------------------------------------------------------------------------


def test_the_estate_is_told_when_it_is_new_or_changed_and_from_the_cache_at_start(kiosk, office, journal, path, clock):
    kiosk.step()
    (told,) = kiosk.told(EstateTold)
    assert (told.estate.estate_name, told.buildings) == ("阳光花园", (("3", ("1", "2")),))
    kiosk.step(301)
    assert len(kiosk.told(EstateTold)) == 1, "unchanged is not told twice"
    office.estate = office.estate | {"config_version": 2, "estate_name": "月光花园"}
    kiosk.step(61)
    assert kiosk.told(EstateTold)[-1].estate.estate_name == "月光花园"
    again = Kiosk(office, journal, path, clock)
    again.sync._refresh.tell_cached_estate()
    assert again.told(EstateTold)[0].estate.estate_name == "月光花园"
    again.close()


UNFIT = {
    "another kiosk's": {"kiosk_code": "YG99"},
    "an unknown zone": {"time_zone": "Asia/Nowhere"},
    "a zone that is a path": {"time_zone": "../../etc/passwd"},
    "no cash": {"cash_limit_fen": 0},
    "any cash": {"cash_limit_fen": 10**12},
    "no note": {"notes_limit": 0},
    "a threshold below zero": {"held_note_threshold_fen": -1},
    "no address": {"public_url": "javascript:alert(1)"},
}


@pytest.mark.parametrize("changed", UNFIT.values(), ids=UNFIT)
def test_a_configuration_that_can_not_be_worked_with_is_told_once_and_the_one_before_stays(
    kiosk, office, journal, path, clock, changed
):
    good = office.estate
    kiosk.step()
    asked = len(office.bodies_seen)
    office.estate = good | {"config_version": 2, "estate_name": "月光花园"} | changed
    for _ in range(3):
        kiosk.step(61)
    (refused,) = kiosk.told(EstateRefused)
    assert refused.config_version == 2
    assert next(iter(changed)) in refused.why or changed.get("kiosk_code", "?") in refused.why
    assert len([one for one in office.bodies_seen[asked:] if one[1].endswith("/config")]) == 1, "not with every answer"
    assert len(kiosk.told(EstateTold)) == 1
    again = Kiosk(office, journal, path, clock)
    again.sync._refresh.tell_cached_estate()
    assert again.told(EstateTold)[0].estate.estate_name == "阳光花园", "also after a restart"
    again.close()
    office.estate = good | {"config_version": 3, "estate_name": "星光花园"}
    kiosk.step(61)
    assert kiosk.told(EstateTold)[-1].estate.estate_name == "星光花园"


def test_changed_units_come_page_by_page_and_tombstones_remove(kiosk, office):
    kiosk.step()
    assert kiosk.cache.find("3-1-503").bills[0].principal_open == 12_345
    assert kiosk.cache.cursor() == "3"
    office.units.extend([unit_row(502, gone=True), unit_row(503, amount_fen=99)])
    kiosk.step(301)
    assert kiosk.cache.find("3-1-502") is None
    assert kiosk.cache.find("3-1-503").bills[0].principal_open == 99


def test_a_cursor_the_office_no_longer_knows_begins_again(kiosk, office):
    kiosk.step()
    kiosk.cache.take(_page(kiosk.client, cursor="lost"))
    kiosk.step(301)
    assert kiosk.cache.cursor() == "3"


def _page(client, cursor):
    page = client.changed_units("2")
    return type(page)(units=(), cursor=cursor, as_of=page.as_of, server_time=page.server_time)


def test_an_office_without_bills_for_us_still_takes_the_journal(kiosk, journal, office):
    pay(journal, "p-1")
    refuse_units(office, 404, "not_found")
    kiosk.step()
    assert len(office.stored()) == 6
    assert kiosk.last_link.up


def test_one_slow_answer_to_a_heartbeat_is_no_pulled_cable_and_two_are_noticed_soon(office, journal, path, clock):
    kiosk = Kiosk(office, journal, path, clock, Timing(first_try_s=0, answer_s=0.3))
    kiosk.step()
    office.moods.append("slow")  # 0.6 s
    kiosk.step(61)
    assert (kiosk.sync.link, list(office.moods)) == (Link.UP, [])
    office.moods += ["slow", "slow"]
    began = time.monotonic()
    kiosk.step(61)
    assert kiosk.last_link == LinkChanged(up=False, reason=kiosk.last_link.reason)
    assert time.monotonic() - began < 2, "the client's own patience is longer"
    office.moods.append("slow")
    kiosk.step(61)
    assert kiosk.last_link.up, "whether it is back is asked with patience"
    kiosk.close()


def test_a_header_that_drips_is_a_line_that_is_down_and_the_next_try_uploads_all(office, journal, path, clock):
    with Cable(office.server.server_port) as cable:
        kiosk = Kiosk(cable, journal, path, clock)
        kiosk.client._transport.authority = office.url.removeprefix("http://")  # what the office takes itself for
        kiosk.step()
        cable.falls_ill()
        pay(journal, "p-1")
        kiosk.client.be_patient(0.3, 0.5)
        kiosk.sync.wake()
        began = time.monotonic()
        kiosk.step(5)
        assert time.monotonic() - began < 5
        assert (kiosk.sync.link, kiosk.last_link.up, len(office.stored())) == (Link.DOWN, False, 1)
        kiosk.client.be_patient(2, 2)
        kiosk.step(60)
        assert (kiosk.sync.link, kiosk.last_link.up, len(office.stored())) == (Link.UP, True, journal.head_seq)
        kiosk.close()


def test_a_torn_page_that_the_upload_meets_is_told_and_a_lock_is_not(kiosk, journal, path):
    for number in range(60):
        pay(journal, f"p-{number}")
    database.fold_wal(journal._db)
    with path.open("r+b") as file:  # not the first pages, which hold the schema and say whose file it is
        file.seek(database.PAGE_SIZE * 40)
        file.write(b"\0" * (path.stat().st_size - database.PAGE_SIZE * 40))
    kiosk.step()
    (told,) = kiosk.told(JournalUnreadable)
    assert told.code == "journal.damaged"
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorname = "SQLITE_BUSY"
    for passing in (locked, JournalUnusable("journal.unwritable", "no descriptors are left")):
        assert not database.has_failed(passing)


# --- the real thread -------------------------------------------------------------------------------------------------


def test_the_thread_uploads_when_woken_and_stops_at_once(office, journal, path):
    kiosk = Kiosk(office, journal, path, SystemClock(), Timing(first_try_s=0))
    kiosk.sync.start()
    office.wait_for(lambda office: len(office.stored()) == 1)
    pay(journal, "p-1")
    started = time.monotonic()
    kiosk.sync.wake()
    office.wait_for(lambda office: len(office.stored()) == 6)
    assert time.monotonic() - started < 5
    started = time.monotonic()
    kiosk.sync.stop()
    assert time.monotonic() - started < 5
    kiosk.cache.close()


def test_an_error_that_nobody_thought_of_delays_the_upload_and_does_not_end_it(office, journal, path, monkeypatch):
    kiosk = Kiosk(office, journal, path, SystemClock(), Timing(first_try_s=0, backoff_base_s=0.05))
    upload, broken = kiosk.client.upload, [True]
    monkeypatch.setattr(kiosk.client, "upload", lambda *sent: 1 / 0 if broken and broken.pop() else upload(*sent))
    kiosk.sync.start()
    office.wait_for(lambda office: len(office.stored()) == 1)
    kiosk.sync.stop()
    kiosk.cache.close()


def test_many_commits_under_a_bad_line_arrive_once_and_in_order(office, journal, path):
    timing = Timing(first_try_s=0, backoff_base_s=0.01, backoff_cap_s=0.05, retry_spacing_s=0.0)
    kiosk = Kiosk(office, journal, path, SystemClock(), timing)
    rng = random.Random(11)
    kiosk.sync.start()
    for number in range(60):
        office.moods.append(rng.choice(["lose_answer", "drop", "html", "e500", "forged", "", "", ""]))
        pay(journal, f"p-{number}")
        kiosk.sync.wake()
    office.moods.clear()
    kiosk.sync.wake()
    office.wait_for(lambda office: len(office.stored()) == journal.head_seq)
    kiosk.sync.stop()
    kiosk.cache.close()
    assert [event["seq"] for event in office.stored()] == list(range(1, journal.head_seq + 1))
    for acked in kiosk.told(Acked):
        journal.advance_cursor(acked.ack_seq, acked.ack_hash, acked.posted_seq)


def test_an_unreadable_journal_is_tried_again_and_not_given_up(kiosk, journal, path, office):
    path.rename(path.with_name("away.db"))
    assert kiosk.step() <= 2
    path.with_name("away.db").rename(path)
    kiosk.step(2.1)
    assert len(office.stored()) == 1


def test_a_tampered_journal_is_noticed_by_the_office_at_the_latest(office, journal, path, clock):
    pay(journal, "p-1")
    journal.close()
    tamper(path, "UPDATE event SET wall_ms = 1 WHERE seq = 3")
    with closing(sqlite3.connect(path)):
        kiosk = Kiosk(office, journal, path, clock)
        kiosk.sync.step()
        assert kiosk.last_link == LinkChanged(up=False, refused=True, reason="fork")
        kiosk.close()


def test_a_restart_goes_on_from_the_cursor(office, path, clock):
    journal = Journal.create(path, clock, genesis())
    first = Kiosk(office, journal, path, clock)
    pay(journal, "p-1")
    first.step()
    first.close()
    journal.close()
    with closing(Journal.open(path, clock)) as journal:
        pay(journal, "p-2")
        second = Kiosk(office, journal, path, clock)
        second.step()
        second.close()
        assert journal.cursor().ack_seq == 11
    assert len(uploads(office)) == 2
