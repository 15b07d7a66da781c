"""The serving process, as a kiosk meets it: a real process, real sockets, the kiosk's own client."""

import shutil
import signal
import time
from pathlib import Path

import pytest
import requests

from kiosk.clock import SystemClock
from kiosk.domain.events import JournalGenesis
from kiosk.domain.http_signature import public_text
from kiosk.office_client.client import OfficeClient, Refused
from kiosk.office_client.pairing import PairingFailed, pair
from office.demo.journal_writer import JournalWriter
from tests.office.running_office import RunningOffice, running_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    with running_office(tmp_path_factory.mktemp("serving")) as running:
        yield running


@pytest.fixture
def client(office: RunningOffice, tmp_path: Path):
    paired = pair(office.url, office.pairing_code(), tmp_path / "identity.json", "0.1.0")
    calls = OfficeClient(office.url, paired.identity, SystemClock())
    calls.identity = paired.identity
    yield calls
    calls.close()


def test_a_paired_kiosk_finds_its_estate_a_household_and_its_bills(client: OfficeClient) -> None:
    estate, etag = client.config()
    assert estate.estate_name == "阳光花园"
    assert client.config(etag) is None
    assert ("3", ("1",)) in client.buildings()
    unit = client.find_unit("3-1-502")
    assert unit.masked_name == "张*"
    answer = client.bills(unit.unit_id)
    overdue = [bill for bill in answer.bills if bill.due_on < answer.as_of and bill.rule]
    assert overdue
    for bill in overdue:
        owed = bill.owed_on(answer.as_of)
        assert (owed.late_fee, owed.late_days) == (bill.late_fee_quoted, bill.late_days_quoted)
        assert sum(line.amount for line in bill.computation.lines) == bill.amount


def test_a_room_that_is_not_there_and_a_room_that_is_gone_get_the_same_words(client: OfficeClient) -> None:
    assert client.find_unit("9-9-999") is None
    with pytest.raises(Refused) as nobody:
        client.bills("no-such-unit")
    with pytest.raises(Refused) as foreign:
        client.bills("11111111-1111-4111-8111-111111111111")
    assert (nobody.value.code, nobody.value.detail) == (foreign.value.code, foreign.value.detail)


def test_the_offline_cache_comes_in_pages_and_then_only_what_changed(client: OfficeClient) -> None:
    seen, cursor, pages = set(), "", 0
    while True:
        page = client.changed_units(cursor, limit=4)
        assert len(page.units) <= 4
        seen |= {row.unit.code for row in page.units}
        cursor, pages = page.cursor, pages + 1
        if page.next_cursor is None:
            break
    assert len(seen) == 15
    assert pages == 4
    assert client.changed_units(cursor).units == ()


def test_an_uploaded_journal_is_acknowledged_and_can_be_sent_again(client: OfficeClient) -> None:
    import gzip
    import json

    identity = client.identity
    writer = JournalWriter(wall_ms=int(time.time() * 1000))
    writer.append(
        JournalGenesis(
            kiosk_id=identity.kiosk_id,
            kiosk_code=identity.kiosk_code,
            public_key=public_text(identity.key),
            software="0.1.0",
        )
    )
    event = writer.events[0]
    body = {
        "first_seq": 1,
        "last_seq": 1,
        "prev_hash": "0" * 64,
        "events": [
            {
                "seq": 1,
                "payment_id": "",
                "kind": event.header.kind,
                "v": 1,
                "boot_id": writer.boot_id,
                "mono_ms": 0,
                "wall_ms": writer.wall_ms,
                "clock": "synced",
                "body": event.body.decode(),
                "hash": event.hash.hex(),
            }
        ],
        "sent": {"boot_id": writer.boot_id, "mono_ms": 0, "wall_ms": writer.wall_ms},
    }
    packed = gzip.compress(json.dumps(body).encode())
    for _ in range(2):
        answer = client.upload(writer.journal_id, packed)
        assert (answer.ack_seq, answer.ack_hash, answer.posted_seq) == (1, event.hash.hex(), 1)


def test_a_pairing_code_works_once(office: RunningOffice, tmp_path: Path) -> None:
    code = office.pairing_code()
    pair(office.url, code, tmp_path / "first.json", "0.1.0")
    with pytest.raises(PairingFailed, match="does not take this code"):
        pair(office.url, code, tmp_path / "second.json", "0.1.0")
    assert not (tmp_path / "second.json").exists()


def test_every_error_is_a_signed_problem_document(office: RunningOffice) -> None:
    for method, path, status, code in (
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("PATCH", "/api/v1/time", 405, "method_not_allowed"),
        ("GET", "/api/v1/time", 401, "signature_invalid"),
        ("POST", "/api/v1/pairings", 400, "malformed"),
    ):
        answer = requests.request(method, office.url + path, data=b"{", timeout=10)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["Signature"].startswith("sig1=:")
    large = requests.post(office.url + "/api/v1/pairings", data=b"x" * 300_000, timeout=10)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")


def test_sigterm_stops_the_office_within_five_seconds(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "office.db")
    running = RunningOffice(tmp_path / "office.db")
    running.start()
    began = time.monotonic()
    assert running.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5


def test_a_busy_port_is_said_in_one_sentence(office: RunningOffice, sqlite_template: Path, tmp_path: Path) -> None:
    import subprocess

    shutil.copy(sqlite_template, tmp_path / "other.db")

    from tests.office.running_office import OFFICE, ROOT

    command = [*OFFICE, "serve", "--listen", office.address, "--database", f"sqlite:///{tmp_path}/other.db"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_behind_a_named_proxy_each_person_is_counted_apart(sqlite_template: Path, tmp_path: Path) -> None:
    office = RunningOffice(tmp_path / "office.db")
    shutil.copy(sqlite_template, office.path)
    office.start("127.0.0.1:0", "--proxy", "127.0.0.1", "--public-url", "https://pay.example.cn")

    def ask(address: str) -> int:
        headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Host": "pay.example.cn"}
        return requests.get(f"{office.url}/m/YG01-000001/1-00000000", headers=headers, timeout=10).status_code

    assert any(ask("192.0.2.1") == 429 for _ in range(2 * 12 + 1))  # a new period may begin in between
    assert ask("192.0.2.2") == 404
    assert office.stop() == 0


@pytest.mark.parametrize("url", ["pay.example.cn", "ftp://pay.example.cn", "https://pay.example.cn/office", "https://"])
def test_an_address_that_no_phone_could_open_is_refused_before_it_gets_onto_paper(url: str, tmp_path: Path) -> None:
    office = RunningOffice(tmp_path / "office.db")
    with pytest.raises(AssertionError, match="give scheme and name only"):
        office.run("serve", "--public-url", url)


def test_the_same_office_serves_from_postgresql(postgres: str, tmp_path: Path) -> None:
    import json
    import subprocess
    import sys

    from tests.office.conftest import in_postgres
    from tests.office.running_office import OFFICE, ROOT

    in_postgres(postgres, "CREATE DATABASE served TEMPLATE template_office")
    url = f"postgres://postgres@/served?host={postgres}"
    environment = {"OFFICE_STATE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def office(*arguments: str) -> list[dict]:
        command = [*OFFICE, *arguments, "--database", url, "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=100, check=True, cwd=ROOT, env=environment
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    office("demo", "--size", "tiny")
    command = [sys.executable, "-m", "office", "serve", "--listen", "127.0.0.1:0", "--database", url, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as serving:
        served = json.loads(serving.stdout.readline())["url"]
        code = office("pairing-code", "--project", "YG")[0]["code"]
        paired = pair(served, code, tmp_path / "identity.json", "0.1.0")
        client = OfficeClient(served, paired.identity, SystemClock())
        unit = client.find_unit("3-1-502")
        assert len(client.bills(unit.unit_id).bills) >= 6
        client.close()
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(5) == 0
    assert office("verify") == [{"ok": True}]
