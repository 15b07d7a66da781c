"""The kiosk API's edges: who may speak, what is refused and in which words, and no traceback whatever is sent."""

import gzip
import json
import time
import uuid

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.domain import events
from office.api.problems import KINDS
from office.kiosks.models import Kiosk, KioskStatus
from office.payments.models import Payment
from office.property.models import Project, Unit
from tests.office.estate import Estate, add_unit, build_estate
from tests.office.signed_client import SignedClient, check_signature, new_nonce, wire_batch

HUNDRED, TEN_YUAN = 10000, 1000


@pytest.fixture
def client(estate: Estate) -> SignedClient:
    return SignedClient(estate.key)


# --- who may speak -----------------------------------------------------------------------------------------------


def test_a_request_without_a_signature_is_refused(estate: Estate) -> None:
    answer = Client().get("/api/v1/time")
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    assert answer.json()["server_time"].endswith("Z")
    check_signature(answer, None)


def test_a_key_that_no_kiosk_has_is_unknown(estate: Estate) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    answer = SignedClient(Ed25519PrivateKey.generate()).call("GET", "/time")
    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")


@pytest.mark.parametrize("skew_s", [-400, 400])
def test_a_clock_too_far_away_is_told_the_time(client: SignedClient, skew_s: int) -> None:
    answer = client.call("GET", "/time", created=int(time.time()) + skew_s)
    assert (answer.status_code, answer.json()["code"]) == (401, "clock_out_of_range")
    assert "server_time" in answer.json()


def test_a_nonce_works_once(client: SignedClient) -> None:
    nonce = new_nonce()
    assert client.call("GET", "/time", nonce=nonce).status_code == 200
    again = client.call("GET", "/time", nonce=nonce).json()
    assert (again["code"], again["retry"]) == ("signature_invalid", "later"), "the kiosk may sign it anew"


def test_a_request_signed_for_another_office_is_refused(client: SignedClient) -> None:
    assert client.call("GET", "/time", sign_as="elsewhere.example").json()["code"] == "signature_invalid"


def test_a_body_changed_on_the_way_is_refused(client: SignedClient) -> None:
    headers = {"Content-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}
    answer = client.call("POST", "/kiosk/heartbeats", {"x": 1}, changed=headers)
    assert answer.json()["code"] == "signature_invalid"


def test_another_protocol_version_is_told_what_is_spoken_here(client: SignedClient) -> None:
    answer = client.call("GET", "/time", changed={"Kiosk-Protocol": "2"})
    assert (answer.status_code, answer.json()["supported"]) == (426, [1])


@pytest.mark.parametrize(("state", "code"), [("suspended", "kiosk_suspended"), ("revoked", "revoked")])
def test_a_kiosk_that_may_not_is_told_so(estate: Estate, client: SignedClient, state: str, code: str) -> None:
    Kiosk.objects.update(state=state)
    answer = client.call("GET", "/buildings")
    assert (answer.status_code, answer.json()["code"]) == (403, code)


def test_a_suspended_kiosk_still_hands_over_what_it_holds_and_a_revoked_one_does_not(
    estate: Estate, client: SignedClient
) -> None:
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    Kiosk.objects.update(state="suspended")
    assert client.call("POST", path, wire_batch(estate.writer), encoding="gzip").json()["ack_seq"] == 3
    assert client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate)).status_code == 200
    Kiosk.objects.update(state="revoked")
    assert client.call("POST", path, wire_batch(estate.writer), encoding="gzip").json()["code"] == "revoked"


# --- what it is told ---------------------------------------------------------------------------------------------


def test_names_leave_the_office_masked_only(estate: Estate, client: SignedClient) -> None:
    for path, query in (("/units", "code=3-1-502"), (f"/units/{estate.unit.id}/bills", ""), ("/sync/units", "")):
        text = client.call("GET", path, query=query).content.decode()
        assert "欧阳**" in text
        assert "欧阳小明" not in text
        assert "19900000421" not in text


def test_a_unit_of_another_project_is_not_there(estate: Estate, client: SignedClient) -> None:
    stranger = build_estate("LJ")
    foreign = add_unit(stranger.project, "9", "1", "101", "李四")
    missing = client.call("GET", "/units", query="code=9-9-999")
    for answer in (
        client.call("GET", "/units", query="code=9-1-101"),
        client.call("GET", f"/units/{foreign.id}/bills"),
        client.call("GET", "/units/nonsense/bills"),
    ):
        assert answer.status_code == 404
        assert answer.json()["code"] == "unit_not_found"
        assert answer.json()["detail"] == missing.json()["detail"]
    codes = {row["unit"]["code"] for row in client.call("GET", "/sync/units").json()["units"]}
    assert codes == {"3-1-502"}


def test_a_folded_payment_shows_in_bills_balance_applied_seq_and_recent_payment(
    estate: Estate, client: SignedClient
) -> None:
    path = f"/units/{estate.unit.id}/bills"
    before = client.call("GET", path).json()
    assert (len(before["bills"]), before["applied_seq"], before["recent_payment"]) == (3, 0, None)
    assert before["journal_id"] is None
    estate.writer.wall_ms = int(time.time() * 1000) - 120_000
    estate.pay(["water"], [HUNDRED, HUNDRED])
    estate.upload()
    after = client.call("GET", path).json()
    assert len(after["bills"]) == 2
    assert after["unit"]["prepaid_fen"] == 9000
    assert (after["applied_seq"], after["journal_id"]) == (len(estate.writer.events), estate.writer.journal_id)
    assert after["recent_payment"]["amount_fen"] == 20000


def test_the_cache_is_told_of_changes_and_of_units_that_are_gone(estate: Estate, client: SignedClient) -> None:
    from office.ledger.stream import changing
    from office.property.services import touch

    cursor = client.call("GET", "/sync/units").json()["cursor"]
    assert client.call("GET", "/sync/units", query=f"since={cursor}").json()["units"] == []
    Unit.objects.filter(id=estate.unit.id).update(gone=True)
    with changing(estate.project.id) as stream:
        touch(stream, [estate.unit.id])
    changed = client.call("GET", "/sync/units", query=f"since={cursor}").json()
    assert [(row["unit"]["code"], row["gone"], row["bills"]) for row in changed["units"]] == [("3-1-502", True, [])]
    assert client.call("GET", "/units", query="code=3-1-502").status_code == 404


def test_settings_are_sent_again_only_when_they_changed(estate: Estate, client: SignedClient) -> None:
    first = client.call("GET", "/kiosk/config")
    etag = first["ETag"]
    assert client.call("GET", "/kiosk/config", changed={"If-None-Match": etag}).status_code == 304
    Project.objects.update(service_phone="400-111-1111", config_version=2)
    second = client.call("GET", "/kiosk/config", changed={"If-None-Match": etag})
    assert (second.status_code, second.json()["config_version"]) == (200, 2)


def heartbeat_of(estate: Estate, **changes: object) -> dict[str, object]:
    told = {
        "journal_id": estate.writer.journal_id,
        "last_seq": 3,
        "last_hash": "0" * 64,
        "unsent": 0,
        "oldest_unsent_s": 0,
        "state": "attract",
        "acceptor": "ready",
        "printer": "ready",
        "paper": "ok",
        "disk_free_mb": 900,
        "clock": "synced",
        "software": "0.1.0",
        "sent": {
            "boot_id": estate.writer.boot_id,
            "mono_ms": estate.writer.mono_ms + 1,
            "wall_ms": int(time.time() * 1000),
        },
    }
    return told | changes


def test_a_heartbeat_that_says_nothing_new_writes_nothing_to_the_database(estate: Estate, client: SignedClient) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    assert client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate)).json()["ack_seq"] is None
    estate.upload()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate, disk_free_mb=899))
    assert (answer.json()["ack_seq"], answer.json()["posted_seq"]) == (3, 3)
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate, printer="printer.paper_out"))
    assert KioskStatus.objects.get().printer == "printer.paper_out"


def test_a_heartbeat_is_told_what_was_folded_since(estate: Estate, client: SignedClient) -> None:
    payment_id = estate.pay(["water"], [HUNDRED, TEN_YUAN])
    estate.upload()
    before, after = (
        client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate, posted_seq=seq)).json() for seq in (3, 99)
    )
    assert before["outcomes"] == [{"payment_id": payment_id, "state": "booked", "receipt_no": "YG01-000001"}]
    assert after["outcomes"] == []
    assert client.call("POST", "/kiosk/heartbeats", heartbeat_of(estate)).json()["outcomes"] == []


def test_who_looks_up_room_after_room_is_told_to_wait(estate: Estate, client: SignedClient, monkeypatch) -> None:
    """Twenty wrong rooms a minute, or sixty right ones; a neighbour's kiosk is not slowed by it."""
    monkeypatch.setattr("office.api.lookups.now_s", lambda: 1_000_000)
    for wrong in range(20):
        assert client.call("GET", "/units", query=f"code=3-1-{wrong}").json()["code"] == "unit_not_found"
    refused = client.call("GET", "/units", query="code=3-1-502")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "rate_limited", "20")
    neighbour = build_estate("LJ")
    assert SignedClient(neighbour.key).call("GET", "/units", query="code=3-1-502").status_code == 200
    monkeypatch.setattr("office.api.lookups.now_s", lambda: 1_000_020)
    answers = [client.call("GET", "/units", query="code=3-1-502").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]


# --- bodies ------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
any_body = st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def fails_well(answer) -> None:
    """Refused as one of the documented problems, or fine; never a failure of the office itself."""
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        told = answer.json()
        assert answer["Content-Type"] == "application/problem+json"
        assert KINDS[told["code"]].status == answer.status_code == told["status"]
        assert told["type"] == f"urn:menting:problem:{told['code']}"
        assert {"title", "detail", "instance", "trace_id", "retry", "errors"} <= told.keys()
        assert b"Traceback" not in answer.content


@quick
@given(body=any_body, encoding=st.sampled_from(["identity", "gzip"]))
def test_whatever_is_sent_as_an_upload_or_a_heartbeat_no_body_breaks_the_office(
    estate: Estate, client: SignedClient, body: bytes, encoding: str
) -> None:
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    fails_well(client.call("POST", path, body, encoding=encoding))
    fails_well(client.call("POST", "/kiosk/heartbeats", body, encoding=encoding))


@quick
@given(body=any_body)
def test_whatever_is_sent_as_a_pairing_no_body_breaks_the_office(estate: Estate, body: bytes) -> None:
    fails_well(Client().post("/api/v1/pairings", body, content_type="application/json"))


@quick
@given(data=st.data())
def test_one_field_of_a_good_upload_made_wrong_is_refused_or_quarantined(
    estate: Estate, client: SignedClient, data: st.DataObject
) -> None:
    body = wire_batch(estate.writer)
    place = data.draw(st.sampled_from(["top", "event", "sent"]))
    target = {"top": body, "event": body["events"][1], "sent": body["sent"]}[place]
    name = data.draw(st.sampled_from(sorted(target)))
    target[name] = data.draw(json_values | st.just("\0") | st.just("x" * 5000) | st.just(2**70) | st.just(-(2**70)))
    path = f"/kiosks/{estate.kiosk.id}/journals/{uuid.uuid4().hex}/events"
    raw = json.dumps(body).encode("utf-8", "surrogatepass")
    fails_well(client.call("POST", path, raw, encoding="gzip"))


@quick
@given(query=st.text(alphabet=st.characters(codec="ascii", min_codepoint=33), max_size=60))
def test_whatever_stands_in_a_query_no_look_up_breaks_the_office(client: SignedClient, query: str) -> None:
    from urllib.parse import quote

    for path, name in (("/units", "code"), ("/sync/units", "since"), ("/sync/units", "limit")):
        fails_well(client.call("GET", path, query=f"{name}={quote(query, safe='')}"))


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (b"{", "identity", "malformed"),
        (b"\xff", "identity", "malformed"),
        (b'{"a": NaN}', "identity", "malformed"),
        (b"[" * 100_000, "identity", "malformed"),
        (b"[]", "identity", "malformed"),
        (b"{}", "identity", "validation_failed"),
        (b"\x1f\x8b\x08broken", "gzip", "malformed"),
        (gzip.compress(b"{}")[:-3], "gzip", "malformed"),
        (gzip.compress(b" " * 9_000_000), "gzip", "too_large"),
        (b"{}", "br", "malformed"),
    ],
)
def test_broken_bodies_get_the_code_that_says_how(client: SignedClient, body: bytes, encoding: str, code: str) -> None:
    answer = client.call("POST", "/kiosk/heartbeats", body, encoding=encoding, packed=True)
    fails_well(answer)
    assert answer.json()["code"] == code


def test_a_database_that_is_busy_answers_503_with_a_time_to_wait(
    estate: Estate, client: SignedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from office.kiosks import services

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(services, "take", locked)
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    answer = client.call("POST", path, wire_batch(estate.writer))
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")


def test_a_bug_answers_500_with_a_trace_id_and_without_a_traceback(
    estate: Estate, client: SignedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.kiosks import services

    monkeypatch.setattr(services, "take", lambda *_: 1 / 0)
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    answer = client.call("POST", path, wire_batch(estate.writer))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer["X-Trace-Id"] == answer.json()["trace_id"]
    assert b"ZeroDivision" not in answer.content


def test_an_event_in_the_future_of_this_office_is_acknowledged_and_kept(estate: Estate, client: SignedClient) -> None:
    estate.writer.append_raw(b'{"kind":"card.debited","v":1}', "card.debited")
    path = f"/kiosks/{estate.kiosk.id}/journals/{estate.writer.journal_id}/events"
    answer = client.call("POST", path, wire_batch(estate.writer), encoding="gzip").json()
    assert (answer["ack_seq"], answer["posted_seq"]) == (4, 4)
    assert answer["rejected"] == [{"seq": 4, "code": "unknown_kind"}]


def test_answers_fit_the_published_openapi_document(estate: Estate, client: SignedClient) -> None:
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    paths = {path.removeprefix("/api/v1") for path in document["paths"]}
    assert paths == {
        "/pairings",
        "/kiosk/config",
        "/kiosk/heartbeats",
        "/time",
        "/buildings",
        "/units",
        "/units/{unit_id}/bills",
        "/sync/units",
        "/kiosks/{kiosk_id}/journals/{journal_id}/events",
    }


def test_a_payment_cancelled_before_any_note_leaves_no_trace_in_the_books(estate: Estate) -> None:
    from office.demo import visits

    payment_id = visits.open_payment(estate.writer, str(estate.unit.id), [], estate.bills["aug"].due_on, due_fen=1)
    estate.writer.append(events.PaymentCancelled(payment_id=payment_id, reason="payer"))
    assert estate.upload().outcomes == []
    assert Payment.objects.get().state == Payment.State.CANCELLED
    assert estate.net(payment_id) == {}
