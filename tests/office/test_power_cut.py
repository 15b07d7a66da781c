"""The office dies at any instant of an upload: the kiosk's retry ends well, and every fen is in the books once."""

import gzip
import json
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.domain.events import AgentStopped
from kiosk.office_client.client import OfficeClient, Refused, Unreachable
from kiosk.office_client.pairing import pair
from office.demo import visits
from office.demo.journal_writer import JournalWriter
from tests.office.running_office import RunningOffice, make_office
from tests.office.signed_client import wire_batch


def upload_until_acknowledged(office: RunningOffice, client: OfficeClient, writer: JournalWriter, acked: int) -> int:
    """What a kiosk does: the same events again until a signed answer says that they are durable."""
    body = gzip.compress(json.dumps(wire_batch(writer, acked + 1)).encode())
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return client.upload(writer.journal_id, body).ack_seq
        except Unreachable:
            if office.process and office.process.poll() is not None:
                office.stop()
                office.start(office.address)
        except Refused as refused:
            if refused.code != "busy":
                raise
    raise AssertionError("the office did not acknowledge within a minute")


def run(directory: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    office = make_office(directory)
    office.start()
    try:
        paired = pair(office.url, office.pairing_code(), directory / "identity.json", "0.1.0")
        client = OfficeClient(office.url, paired.identity, SystemClock())
        unit = client.find_unit("3-1-502")
        writer = JournalWriter(wall_ms=int(time.time() * 1000) - 3_600_000)
        visits.genesis(writer, paired.identity.kiosk_id, paired.identity.kiosk_code, "k")
        acked, taken_fen = 0, 0
        for _ in range(kills):
            faces = [chance.choice([10000, 5000, 2000, 1000, 500, 100]) for _ in range(chance.randrange(1, 7))]
            answer = client.bills(unit.unit_id)
            bills = chance.sample(answer.bills, min(2, len(answer.bills)))
            visits.pay(writer, unit.unit_id, paired.identity.kiosk_code, bills, faces, answer.as_of)
            taken_fen += sum(faces)
            victim = office.process
            cut = threading.Timer(chance.random() * 0.12, victim.send_signal, [signal.SIGKILL])
            cut.start()
            acked = upload_until_acknowledged(office, client, writer, acked)
            cut.join()
            victim.wait(10)
            if office.process is victim:
                office.stop()
                office.start(office.address)
        writer.append(AgentStopped())
        assert upload_until_acknowledged(office, client, writer, acked) == len(writer.events)
        payments = office.wait_for_payments(kills)
        client.close()
    finally:
        office.stop()
    assert len(payments) == kills
    assert sum(row["amount_fen"] for row in payments) == taken_fen
    box = office.box(paired.identity.kiosk_code)
    assert sum(face * sure for face, (sure, _) in box.items()) == taken_fen
    assert [row["receipt_no"] for row in payments] == [f"YG02-{n:06d}" for n in range(1, kills + 1)]
    office.verify()


def test_an_office_killed_during_uploads_has_every_payment_once(tmp_path: Path) -> None:
    run(tmp_path, kills=5, seed=20261125)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
def test_an_office_killed_during_a_hundred_uploads_has_every_payment_once(tmp_path: Path, seed: int) -> None:
    run(tmp_path, kills=25, seed=seed)
