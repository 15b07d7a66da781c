"""Hundreds of forged, replayed and misspelt requests over a real socket into the real office: none changes a bit of its database,
none makes it stumble, and the right request is taken all the same."""

import base64
import hashlib
import json
import os
import socket
import sqlite3
import subprocess
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from kiosk.domain import http_signature as hs
from kiosk.domain.events import AgentStarted, AgentStopped
from kiosk.office_client.identity import Identity
from kiosk.office_client.pairing import exchange
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from tests.domain import edge_signatures as edge
from tests.office import forgeries
from tests.office.forged_bodies import wrong_bodies
from tests.office.forgeries import Draft, Named
from tests.office.running_office import OFFICE, ROOT, RunningOffice, make_office
from tests.office.signed_client import wire_batch

OTHER_KIOSK, OTHER_JOURNAL = str(uuid.uuid4()), "7" * 32  # stand for the other kiosk's own in the names of the cases
SMALL_KEY = edge.encoded(edge.ORDER_8)
CASES: list[Named] = [
    *forgeries.wrong_owners(), *forgeries.wrong_components(), *forgeries.wrong_parameters(), *wrong_bodies(),
    *forgeries.wrong_headers(), *forgeries.wrong_framing(), *forgeries.wrong_places(OTHER_KIOSK, OTHER_JOURNAL),
    *((f"small key, {name}", forgeries.small_key(name, SMALL_KEY)) for name in ("0", "1")),
]  # fmt: skip
READS = ("/kiosk/config", "/buildings", "/units", f"/units/{uuid.uuid4()}/bills", "/sync/units", "/time")


@dataclass
class Box:
    """A paired kiosk that writes its journal in memory."""

    identity: Identity
    writer: JournalWriter = field(default_factory=lambda: JournalWriter(wall_ms=int(time.time() * 1000)))

    def __post_init__(self) -> None:
        who = self.identity
        visits.genesis(self.writer, who.kiosk_id, who.kiosk_code, hs.public_text(who.key))
        self.writer.append(AgentStarted(software="0.1.0", sqlite="3", clean=True))

    def draft(self, office: RunningOffice, first_seq: int = 1) -> Draft:
        path = f"/kiosks/{self.identity.kiosk_id}/journals/{self.writer.journal_id}/events"
        return Draft(self.identity.key, office.address, path, wire_batch(self.writer, first_seq))


@dataclass
class World:
    """The office as a process, two kiosks, and a look at the database from outside."""

    office: RunningOffice
    log: Path
    honest: Box
    other: Box
    db: sqlite3.Connection

    def next_upload(self) -> Draft:
        return self.honest.draft(self.office, 3)

    def version(self) -> int:
        """Changes whenever another connection has changed the database."""
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def contents(self) -> str:
        return hashlib.sha256("\n".join(self.db.iterdump()).encode()).hexdigest()

    def send(self, raw: bytes, *, more_to_come: bool = False) -> tuple[int, dict[str, str], bytes]:
        """The answer; status 0 when the office hangs up without one."""
        host, _, port = self.office.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            try:
                line.sendall(raw)
                if not more_to_come:
                    line.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has seen enough; the answer may still be there
            answer = HTTPResponse(line)
            try:
                answer.begin()
                return answer.status, dict(answer.headers.items()), answer.read()
            except (ConnectionError, ValueError, OSError):
                return 0, {}, b""

    def check_refused(self, raw: bytes) -> int:
        before = self.version()
        status, headers, body = self.send(raw)
        assert status == 0 or 400 <= status < 500 or status in (501, 505), f"answered {status}: {body[:300]!r}"
        assert b"Traceback" not in body
        if headers.get("Content-Type", "") == "application/problem+json":
            told = json.loads(body or b"{}") or {"code": "-"}
            assert told["code"] != "internal"
            self.check_signed(raw, status, headers, body)
        assert self.version() == before, "something was written"
        return status

    def check_signed(self, raw: bytes, status: int, headers: dict[str, str], body: bytes) -> None:
        """Also a refusal is the office's own word, bound to the request where that had a signature of the right form."""
        found = [line for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if line.lower().startswith(b"signature: ")]
        sent = found[0].decode("latin-1").partition(": ")[2].strip() if len(found) == 1 else ""
        bound = hs.request_signature_of({"Signature": sent})
        if "key=" not in headers["Signature-Input"]:
            bound = None  # the server in front read no signature in it
        hs.verify_answer(
            self.honest.identity.office_key, status=status, headers=headers, body=body, request_signature=bound
        )


@contextmanager
def served(folder: Path):
    office = make_office(folder)
    log = folder / "office.log"
    with log.open("w") as stderr:
        office.process = subprocess.Popen(
            [*OFFICE, "serve", "--listen", "127.0.0.1:0", "--database", office.database, "--json"],
            stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT, env=os.environ | {"OFFICE_LOG": "INFO"},
        )  # fmt: skip
    assert office.process.stdout is not None
    office.url = json.loads(office.process.stdout.readline())["url"]
    try:
        yield office, log
    finally:
        office.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    with served(tmp_path_factory.mktemp("forged")) as (office, log):
        honest, other = (Box(exchange(office.url, office.pairing_code(), "0.1.0").identity) for _ in "ab")
        with closing(sqlite3.connect(f"file:{office.path}?mode=ro", uri=True)) as db:
            made = World(office, log, honest, other, db)
            for box in (honest, other):
                assert made.send(box.draft(office).on_the_wire())[0] == 200
            honest.writer.append(AgentStopped(), AgentStopped())
            revoke_and_weaken(office)
            yield made


def revoke_and_weaken(office: RunningOffice) -> None:
    """What an older program, or a hand in the database, may have left: a kiosk with a key of small order."""
    with closing(sqlite3.connect(office.path)) as db:
        kiosk = dict(zip([c[1] for c in db.execute("PRAGMA table_info(kiosks_kiosk)")],
                         db.execute("SELECT * FROM kiosks_kiosk").fetchone(), strict=True))  # fmt: skip
        kiosk |= {"id": uuid.uuid4().hex, "code": "YG77", "key_id": hs.key_id(SMALL_KEY)}
        kiosk["public_key"] = base64.b64encode(SMALL_KEY).decode()
        marks = ", ".join("?" * len(kiosk))
        db.execute(f"INSERT INTO kiosks_kiosk ({', '.join(kiosk)}) VALUES ({marks})", tuple(kiosk.values()))
        db.commit()


def placed(draft: Draft, world: World) -> Draft:
    """The stand-ins of the tables become the other kiosk's real names."""

    def real(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        text = text.replace(OTHER_KIOSK, world.other.identity.kiosk_id)
        return text.replace(OTHER_JOURNAL, world.other.writer.journal_id)

    return replace(draft, path=real(draft.path), target=real(draft.target))


def test_there_are_enough_of_them_and_each_has_its_own_name() -> None:
    names = [name for name, _ in CASES]
    assert len(names) == len(set(names)) >= 200


@pytest.mark.parametrize("spoil", [spoil for _, spoil in CASES], ids=[name for name, _ in CASES])
def test_a_forged_request_is_refused_and_changes_nothing(world: World, spoil: Any) -> None:
    world.check_refused(placed(spoil(world.next_upload()), world).on_the_wire())


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_nothing_is_told_to_who_does_not_sign(world: World, path: str, method: str) -> None:
    raw = f"{method} /api/v1{path} HTTP/1.1\r\nHost: {world.office.address}\r\nConnection: close\r\n\r\n".encode()
    assert world.check_refused(raw) in (401, 404, 405)


@pytest.mark.parametrize("path", ["/kiosk/config", "/time", "/buildings"])
def test_a_read_is_answered_once_and_its_replay_anywhere_is_refused(world: World, path: str) -> None:
    draft = replace(world.next_upload(), method="GET", path=path, body=b"", encoding="identity")
    before = world.version()
    assert world.send(draft.on_the_wire())[0] == 200
    assert world.version() == before
    assert world.check_refused(draft.on_the_wire()) == 401
    for other in set(READS) - {path}:
        assert world.check_refused(replace(draft, target=f"/api/v1{other}").on_the_wire()) == 401


def test_the_other_kiosk_can_not_upload_for_this_one(world: World) -> None:
    draft = replace(world.next_upload(), key=world.other.identity.key)
    assert world.check_refused(draft.on_the_wire()) == 404


@pytest.mark.parametrize(
    "key",
    edge.NON_CANONICAL + [edge.encoded(point) for point in edge.SMALL] + [b"\xff" * 32, bytes(31), bytes(33), b""],
)
def test_pairing_refuses_a_weak_key_and_spends_no_code(world: World, code: str, key: bytes) -> None:
    told = {"token": code[:8], "public_key": base64.b64encode(key).decode(), "software": "0.1.0"}
    assert world.check_refused(pairing_request(world, told)) == 422


@pytest.mark.parametrize(
    "told",
    [{}, {"token": 7}, {"token": None, "public_key": "", "software": ""}, {"token": "", "public_key": "AAAA"}],
    ids=str,
)
def test_pairing_refuses_what_is_no_request(world: World, told: dict[str, Any]) -> None:
    assert world.check_refused(pairing_request(world, told)) == 422


@pytest.fixture(scope="module")
def code(world: World) -> str:
    return world.office.pairing_code()


def pairing_request(world: World, told: dict[str, Any]) -> bytes:
    body = json.dumps(told).encode()
    head = f"POST /api/v1/pairings HTTP/1.1\r\nHost: {world.office.address}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def test_last_the_right_request_is_taken_once_and_its_replays_are_refused(world: World, code: str) -> None:
    """The tables start from this very request: had it been wrong itself, every refusal above would prove nothing."""
    contents, draft = world.contents(), world.next_upload()
    assert world.contents() == contents
    status, headers, body = world.send(draft.on_the_wire())
    assert (status, json.loads(body)["ack_seq"]) == (200, len(world.honest.writer.events))
    world.check_signed(draft.on_the_wire(), status, headers, body)
    assert world.contents() != contents
    assert world.check_refused(draft.on_the_wire()) == 401
    for name, spoil in forgeries.wrong_places(OTHER_KIOSK, OTHER_JOURNAL):
        if "signed" not in name:
            world.check_refused(placed(spoil(draft), world).on_the_wire())
    world.office.stop()
    assert "Traceback" not in world.log.read_text()
    assert "api_failed" not in world.log.read_text()
    world.office.start(world.office.address)
    assert world.check_refused(draft.on_the_wire()) == 401, "a replay after a restart"
