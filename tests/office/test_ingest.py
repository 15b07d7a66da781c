"""Taking in a journal: at least once on the wire, exactly once in the office; on both database engines."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from kiosk.domain import events
from office.kiosks import ingest, services
from office.kiosks.models import Alarm, Journal, Kiosk, RawEvent
from office.ledger import stream
from office.ledger.models import Stream
from office.ledger.verify import verify_project
from office.payments.models import Payment
from tests.office.engines import both_engines
from tests.office.estate import NOON, Estate, build_estate
from tests.office.signed_client import SignedClient, wire_batch

pytestmark = both_engines

HUNDRED, TEN_YUAN = 10000, 1000


def post(estate: Estate, body: dict, **options: object):
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    return SignedClient(estate.key).call("POST", path, body, encoding="gzip", **options)


def test_a_batch_sent_again_is_acknowledged_again_and_counts_once(estate: Estate) -> None:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    body = wire_batch(estate.writer)
    answers = [post(estate, body).json() for _ in range(3)]
    assert {answer["ack_seq"] for answer in answers} == {len(estate.writer.events)}
    assert {answer["ack_hash"] for answer in answers} == {estate.writer.head.hex()}
    for answer in answers:
        assert answer["outcomes"] == [{"payment_id": payment_id, "state": "booked", "receipt_no": "YG01-000001"}]
    assert RawEvent.objects.count() == len(estate.writer.events)
    assert list(verify_project(estate.project)) == []


def test_a_grown_batch_stores_only_what_is_new(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer))
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    answer = post(estate, wire_batch(estate.writer)).json()
    assert answer["ack_seq"] == RawEvent.objects.count() == len(estate.writer.events)


def test_an_outcome_that_no_answer_has_named_comes_with_the_next_one(estate: Estate) -> None:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    ingest.store(estate.kiosk, estate.writer.journal_id, estate.writer.batch())
    stream.fold(estate.project.id)
    first_new = len(estate.writer.events) + 1
    estate.writer.append(events.AgentStopped())
    told = {"posted_seq": first_new - 3}
    for _ in ("its answer is lost", "and it is sent again"):
        answer = post(estate, wire_batch(estate.writer, first_new) | told).json()
        assert [outcome["payment_id"] for outcome in answer["outcomes"]] == [payment_id]
    estate.writer.append(events.AgentStopped())
    told = {"posted_seq": answer["posted_seq"]}
    assert post(estate, wire_batch(estate.writer, first_new + 1) | told).json()["outcomes"] == []


def test_missing_events_are_asked_for_by_number(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer, 1, 2))
    estate.writer.append(events.AgentStopped(), events.AgentStopped())
    answer = post(estate, wire_batch(estate.writer, 5))
    assert (answer.status_code, answer.json()["code"], answer.json()["expected_seq"]) == (409, "gap", 3)
    assert RawEvent.objects.count() == 2


def test_a_journal_that_nobody_knows_must_begin_at_one(estate: Estate) -> None:
    answer = post(estate, wire_batch(estate.writer, 2))
    assert (answer.json()["code"], answer.json()["expected_seq"]) == ("gap", 1)


def test_two_histories_are_a_fork_with_the_stored_hash_and_an_alarm(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer))
    stored = estate.writer.events[2].hash.hex()
    other = build_other_history(estate)
    answer = post(estate, wire_batch(other))
    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["seq"], told["stored_hash"], told["retry"]) == ("fork", 3, stored, "never")
    assert Alarm.objects.get(code="journal.fork").severity == "security"
    assert Journal.objects.get().state == Journal.State.FORKED
    continued = post(estate, wire_batch(other, 4))
    assert continued.json()["code"] == "fork"
    assert Alarm.objects.filter(code="journal.fork").count() == 1
    assert RawEvent.objects.count() == 3


def build_other_history(estate: Estate):
    from office.demo.journal_writer import JournalWriter

    other = JournalWriter(wall_ms=estate.writer.wall_ms, journal_id=estate.writer.journal_id)
    for event in estate.writer.events[:2]:
        other.append_raw(event.body, event.header.kind, event.header.v, event.header.payment_id)
    other.append(events.AgentStopped(), events.AgentStopped())
    return other


def test_a_kiosk_that_wrote_less_than_the_office_holds_is_told_so(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer))
    empty = {**wire_batch(estate.writer), "first_seq": 3, "last_seq": 2, "events": []}
    answer = post(estate, empty)
    assert (answer.status_code, answer.json()["code"], answer.json()["expected_seq"]) == (409, "ahead", 4)
    assert [(alarm.code, alarm.severity) for alarm in Alarm.objects.all()] == [("journal.ahead", "security")]
    assert post(estate, empty).json()["code"] == "ahead"
    assert Alarm.objects.count() == 1


def test_a_changed_byte_is_found_by_the_hash_and_nothing_is_stored(estate: Estate) -> None:
    body = wire_batch(estate.writer)
    body["events"][2]["body"] = body["events"][2]["body"].replace('"stacked":0', '"stacked":9')
    answer = post(estate, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"] == [{"pointer": "/events/2/hash", "code": "hash_mismatch"}]
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [("seq", 7, "/events/1/seq"), ("mono_ms", 5, "/events/1/hash"), ("kind", "agent.stopped", "/events/1/hash")],
)
def test_a_changed_header_is_found_as_well(estate: Estate, field: str, value: object, pointer: str) -> None:
    body = wire_batch(estate.writer)
    body["events"][1][field] = value
    assert post(estate, body).json()["errors"][0]["pointer"] == pointer


def test_another_kiosks_journal_does_not_exist_for_this_one(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer))
    stranger = build_estate("LJ")
    path = f"/kiosks/{stranger.kiosk.id}/journals/{estate.writer.journal_id}/events"
    answer = SignedClient(stranger.key).call("POST", path, wire_batch(estate.writer), encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    own_path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    assert SignedClient(stranger.key).call("POST", own_path, wire_batch(estate.writer)).status_code == 404


def test_a_genesis_that_names_another_kiosk_is_quarantined(estate: Estate) -> None:
    from office.demo import visits
    from office.demo.journal_writer import JournalWriter

    writer = JournalWriter(wall_ms=estate.writer.wall_ms)
    visits.genesis(writer, str(uuid.uuid4()), "XX99", "a")
    estate.writer = writer
    answer = post(estate, wire_batch(writer)).json()
    assert (answer["ack_seq"], answer["rejected"]) == (3, [{"seq": 1, "code": "other_kiosk"}])


def successor(estate: Estate, **changed: object) -> dict:
    """A new journal of the kiosk that names the old one's end, as it travels."""
    from office.demo.journal_writer import JournalWriter

    old, estate.writer = estate.writer, JournalWriter(wall_ms=estate.writer.wall_ms)
    named = {"replaces_journal_id": old.journal_id, "replaces_seq": len(old.events), "replaces_hash": old.head.hex()}
    who = {"kiosk_id": str(estate.kiosk.id), "kiosk_code": estate.kiosk.code, "public_key": "k", "software": "0.1.0"}
    estate.writer.append(events.JournalGenesis(**(who | named | changed)))
    return wire_batch(estate.writer)


def give_leave(estate: Estate, hours: int = 24) -> None:
    Kiosk.objects.filter(id=estate.kiosk.id).update(may_replace_until=timezone.now() + timedelta(hours=hours))


def test_a_new_journal_replaces_the_old_one_once_and_with_leave(estate: Estate) -> None:
    post(estate, wire_batch(estate.writer))
    old = estate.writer.journal_id
    post(estate, {**wire_batch(estate.writer), "first_seq": 3, "last_seq": 2, "events": []})
    give_leave(estate)
    assert post(estate, successor(estate)).status_code == 200
    assert Journal.objects.get(journal_id=old).state == Journal.State.REPLACED
    assert Journal.objects.get(journal_id=estate.writer.journal_id).state == Journal.State.ACTIVE
    assert not Alarm.objects.filter(cleared_at=None).exists(), "the alarm about the old journal is over with it"
    assert post(estate, successor(estate)).json()["code"] == "journal_not_expected", "the leave was for one"


@pytest.mark.parametrize(
    "changed",
    [
        {"replaces_journal_id": None},
        {"replaces_journal_id": "x" * 32},
        {"replaces_seq": 2},
        {"replaces_hash": "0" * 64},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_new_journal_that_does_not_name_the_old_ones_end_is_refused(estate: Estate, changed: dict) -> None:
    post(estate, wire_batch(estate.writer))
    give_leave(estate)
    answer = post(estate, successor(estate, **changed))
    assert (answer.status_code, answer.json()["code"]) == (409, "journal_not_expected")
    assert Alarm.objects.get().code == "journal.unexpected"
    assert RawEvent.objects.count() == 3


@pytest.mark.parametrize("hours", [None, -1])
def test_a_new_journal_without_leave_or_with_an_old_one_is_refused(estate: Estate, hours: int | None) -> None:
    post(estate, wire_batch(estate.writer))
    if hours is not None:
        give_leave(estate, hours)
    assert post(estate, successor(estate)).json()["code"] == "journal_not_expected"
    assert Journal.objects.count() == 1


def test_an_unset_clock_is_corrected_by_the_boots_offset_and_order_comes_from_seq(estate: Estate) -> None:
    estate.writer.clock, estate.writer.wall_ms = "unset", 5_000  # 1970
    estate.pay(["water"], [HUNDRED, TEN_YUAN])
    batch = estate.writer.batch()
    services.take(estate.kiosk, estate.writer.journal_id, batch, "n", NOON)
    payment = Payment.objects.get()
    ago = timedelta(milliseconds=estate.writer.mono_ms - estate.writer.events[-2].header.mono_ms)
    assert payment.paid_at == NOON - ago
    corrected = list(RawEvent.objects.order_by("seq").values_list("corrected_at", flat=True))
    assert corrected == sorted(corrected)
    assert not RawEvent.objects.filter(time_measured=False).exists()


def test_a_boot_without_contact_gets_an_estimate_between_its_neighbours(estate: Estate) -> None:
    estate.writer.boot_id, estate.writer.clock, estate.writer.wall_ms = "lost-boot", "unset", 0
    estate.writer.append(events.AgentStarted(software="0.1.0", sqlite="3", clean=False))
    estate.writer.boot_id, estate.writer.mono_ms = "next-boot", 1_000
    estate.writer.append(events.AgentStarted(software="0.1.0", sqlite="3", clean=False))
    services.take(estate.kiosk, estate.writer.journal_id, estate.writer.batch(), "n", NOON)
    lost = RawEvent.objects.get(boot_id="lost-boot")
    assert not lost.time_measured
    assert lost.corrected_at <= NOON
    assert RawEvent.objects.get(boot_id="next-boot").corrected_at == NOON


def test_the_same_batch_from_four_threads_at_once_counts_once(estate: Estate) -> None:
    estate.pay(["aug", "sep", "water"], [HUNDRED] * 6 + [TEN_YUAN])
    batch, barrier = estate.writer.batch(), threading.Barrier(4)

    def send(_: int) -> int:
        try:
            barrier.wait(30)
            for _ in range(3):
                taken = services.take(estate.kiosk, estate.writer.journal_id, batch, uuid.uuid4().hex, NOON)
            return taken.ack_seq
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, range(4))) == [batch.last_seq] * 4
    assert RawEvent.objects.count() == batch.last_seq
    assert Payment.objects.count() == 1
    assert list(verify_project(estate.project)) == []


def test_what_an_answer_had_no_time_to_fold_is_folded_later(estate: Estate) -> None:
    for _ in range(8):
        estate.pay([], [HUNDRED])
    ingest.store(estate.kiosk, estate.writer.journal_id, estate.writer.batch(), now=NOON)
    books = Stream.objects.get(project=estate.project)
    assert books.folded_no < books.last_no
    assert stream.projects_behind() == [estate.project.id]
    assert stream.fold(estate.project.id, budget_s=60)
    assert stream.projects_behind() == []
    assert estate.prepaid() == 80000


def test_what_comes_behind_a_backlog_is_acknowledged_without_waiting_for_it_to_be_folded(estate: Estate) -> None:
    for _ in range(stream.BACKLOG + stream.CHUNK):
        estate.writer.append(events.AgentStopped())
    for first in (1, ingest.MAX_EVENTS + 1):
        answer = post(estate, wire_batch(estate.writer, first, first + ingest.MAX_EVENTS - 1)).json()
    assert (answer["ack_seq"], answer["posted_seq"]) == (len(estate.writer.events), stream.CHUNK)
    assert stream.fold(estate.project.id)
    assert list(verify_project(estate.project)) == []


def test_more_than_five_hundred_events_are_too_many(estate: Estate) -> None:
    for _ in range(500):
        estate.writer.append(events.AgentStopped())
    answer = post(estate, wire_batch(estate.writer))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert post(estate, wire_batch(estate.writer, 1, 500)).json()["ack_seq"] == 500


def test_the_same_nonce_twice_is_refused_also_after_the_memory_of_the_process_is_gone(estate: Estate) -> None:
    from django.core.cache import cache

    from tests.office.signed_client import new_nonce

    nonce = new_nonce()
    assert post(estate, wire_batch(estate.writer), nonce=nonce).status_code == 200
    assert post(estate, wire_batch(estate.writer), nonce=nonce).json()["code"] == "signature_invalid"
    cache.clear()
    assert post(estate, wire_batch(estate.writer), nonce=nonce).json()["code"] == "signature_invalid"
