"""Calls to a real office on a loopback port: what is believed, and what counts as no answer."""

import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from kiosk.clock import SystemClock
from kiosk.office_client.client import OfficeClient, Refused, Unreachable, retry_after_s
from tests.office_client.dripping import Dripping, own_tls
from tests.offline_queue.loopback_office import Refuse


def test_every_resource_is_read_into_the_domains_own_values(client):
    estate, etag = client.config()
    assert (estate.estate_name, estate.kiosk_code, etag) == ("阳光花园", "YG01", '"1"')
    assert client.config(etag) is None
    assert client.buildings() == (("3", ("1", "2")),)
    unit = client.find_unit("3-1-502")
    assert (unit.unit_id, unit.masked_name) == ("u-502", "王*")
    assert client.find_unit("9-9-999") is None
    told = client.bills("u-502")
    assert told.bills[0].principal_open == 12_345
    assert told.bills[0].rule.rate_ppm == 300
    page = client.changed_units("")
    assert (len(page.units), page.next_cursor) == (2, "2")
    assert client.server_time().endswith("Z")


def test_one_connection_is_kept_alive(client, office):
    for _ in range(5):
        client.server_time()
    assert len(office.bodies_seen) == 5
    assert len({thread for thread in threading.enumerate() if "process_request_thread" in thread.name}) <= 1


@pytest.mark.parametrize(
    "mood", ["html", "e500", "redirect", "unsigned", "forged", "other_request", "broken_off", "drop", "lose_answer"]
)
def test_what_the_office_did_not_sign_for_this_request_is_no_answer(client, office, mood):
    office.moods.append(mood)
    with pytest.raises(Unreachable):
        client.server_time()
    client.server_time()  # and the next call is not the worse for it


def test_a_refusal_names_its_code_and_when_to_come_back(client, office):
    office.moods.append("busy")
    with pytest.raises(Refused) as caught:
        client.server_time()
    refused = caught.value
    assert (refused.status, refused.code, refused.retry, refused.retry_after_s) == (503, "busy", "later", 7.0)
    office.moods.append(Refuse(403, "revoked", retry="never", detail="taken out of service"))
    with pytest.raises(Refused, match="taken out of service"):
        client.server_time()


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("120", 120), ("900", 900), ("86400", 900), ("Wed, 25 Nov 2026 07:28:00 GMT", None), ("-5", None)],
)
def test_patience_is_kept_for_a_quarter_of_an_hour_at_most_and_a_date_is_not_read(header, wait_s):
    assert retry_after_s({"Retry-After": header}) == wait_s
    assert retry_after_s({"retry-after": header}) == wait_s


def test_a_kiosk_with_a_wrong_clock_corrects_its_signature_once(client, office):
    office.clock_ahead_s = 86_400 * 365
    client.server_time()
    assert len(office.bodies_seen) == 2
    client.server_time()
    assert len(office.bodies_seen) == 3, "the correction is kept"


def test_an_office_in_the_year_9999_teaches_the_kiosk_nothing(office, identity):
    clock = SystemClock()
    client = OfficeClient(office.url, identity, clock, connect_s=2, read_s=2)
    office.clock_ahead_s = datetime(9999, 12, 31, tzinfo=UTC).timestamp() - time.time()
    with pytest.raises(Refused) as caught:
        client.server_time()
    assert caught.value.code == "clock_out_of_range"
    assert abs(clock.wall_ms() / 1000 - time.time()) < 60
    office.clock_ahead_s = 0
    client.server_time()
    client.close()


def test_an_office_that_never_agrees_about_time_is_not_asked_for_ever(client, office):
    office.moods.extend([Refuse(401, "clock_out_of_range", server_time=office.time_text())] * 2)
    with pytest.raises(Refused) as caught:
        client.server_time()
    assert caught.value.code == "clock_out_of_range"
    assert len(office.bodies_seen) == 2


def test_the_refusal_of_a_copy_that_somebody_in_between_made_is_answered_by_a_fresh_signature_once(client, office):
    copied = Refuse(401, "signature_invalid", detail="nonce: used before", retry="later")
    office.moods.append(copied)
    client.server_time()
    assert len(office.bodies_seen) == 2
    office.moods.extend([copied] * 2)
    with pytest.raises(Unreachable, match="twice"):
        client.server_time()
    assert len(office.bodies_seen) == 4


def test_a_signature_that_does_not_hold_is_not_made_again(client, office):
    office.moods.append(Refuse(401, "signature_invalid", retry="after_fix"))
    with pytest.raises(Refused):
        client.server_time()
    assert len(office.bodies_seen) == 1


def test_an_office_that_does_not_answer_in_time_is_unreachable(office, identity):
    client = OfficeClient(office.url, identity, SystemClock(), connect_s=1, read_s=0.2)
    office.moods.append("slow")
    with pytest.raises(Unreachable, match="Timeout"):
        client.server_time()
    client.close()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", id="body"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x", id="header"),
    pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
    pytest.param(CHUNKED + b"1;", b"x", id="chunk size"),
    pytest.param(CHUNKED, b"1\r\nx\r\n", id="chunks"),
]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("begins", "drop"), DRIPS)
def test_an_answer_that_drips_does_not_hold_the_kiosk(identity, tmp_path, begins, drop, tls):
    """Each byte resets a socket's own time limit, so there is one for the whole answer."""
    context, certificate = own_tls(tmp_path) if tls else (None, None)
    with Dripping(begins, drop, context) as dripping:
        client = OfficeClient(dripping.url, identity, SystemClock(), connect_s=0.2, read_s=0.3)
        client._transport._session.verify = str(certificate)
        started = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            client.server_time()
        assert 0.4 < time.monotonic() - started < 5, caught.value
        assert caught.value.slow
        client.close()


def test_the_time_limit_of_one_call_is_nothing_to_the_next_on_the_same_connection(office, identity):
    client = OfficeClient(office.url, identity, SystemClock(), connect_s=0.5, read_s=0.5)
    client.server_time()
    threads = set(threading.enumerate())
    time.sleep(1.2)
    client.server_time()
    assert set(threading.enumerate()) == threads, (
        "the office has a thread for each connection, the kiosk none for a limit"
    )
    client.close()


def test_nobody_listening_is_unreachable(identity):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = OfficeClient(f"http://127.0.0.1:{port}", identity, SystemClock(), connect_s=1, read_s=1)
    with pytest.raises(Unreachable):
        client.server_time()


def test_proxies_and_passwords_of_the_environment_are_not_used(client, monkeypatch, tmp_path):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    client.server_time()


@pytest.mark.parametrize("url", ["", "office.example", "ftp://office.example", "http://"])
def test_an_address_that_is_none_is_said_at_once(identity, url):
    with pytest.raises(ValueError, match="no office address"):
        OfficeClient(url, identity, SystemClock())


def test_the_authority_is_written_as_it_travels(identity):
    for url, authority in (
        ("http://Office.Example:80/", "office.example"),
        ("https://office.example:8443", "office.example:8443"),
        ("http://[::1]:8000", "[::1]:8000"),
    ):
        client = OfficeClient(url, identity, SystemClock())
        assert client._transport.authority == authority
        client.close()
