"""The kiosk's end against the real office process: pair, find, pay, upload, be booked; lose the office and find it again."""

import json
import queue
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.domain import events
from kiosk.domain.identifiers import new_id, receipt_no
from kiosk.office_client import pairing
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.enquiries import Enquiries
from kiosk.office_client.events import Acked, BillsFound, EstateTold, UnitFound, UnitNotFound
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.sync import Link, Sync
from tests.office.running_office import make_office

ROOT = Path(__file__).parents[2]
TIMING = Timing(first_try_s=0, backoff_base_s=0.1, backoff_cap_s=0.5, retry_spacing_s=0.1)
SERIAL = "SSP-1"


def office_command(database: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "office", arguments[0], "--database", database, *arguments[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def kiosk_journal(command: str, journal: Path) -> str:
    """The `kiosk journal` command as a person types it."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "journal", command, "--journal", journal],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served(database: str, port: int):
    process = subprocess.Popen(
        [sys.executable, "-m", "office", "serve", "--database", database, "--listen", f"127.0.0.1:{port}", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline())["event"] == "ready"
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def estate(tmp_path):
    """An office with a small estate: its database and a port of its own."""
    database = make_office(tmp_path / "office").database
    with socket.create_server(("127.0.0.1", 0)) as free:
        return database, free.getsockname()[1]


class Box:
    """A paired kiosk: journal, sync, enquiries, and an inbox as the payment thread has one."""

    def __init__(self, state: Path, url: str):
        self.clock = SystemClock()
        self.inbox = queue.Queue()
        self.identity = Identity.load(state / "identity.json")
        self.journal = Journal.open(state / "journal.db", self.clock)
        self.cache = Cache(state / "cache.db", self.clock)
        client = OfficeClient(url, self.identity, self.clock)
        self.sync = Sync(
            client, state / "journal.db", self.cache, self.clock, self.inbox.put, software="0.1.0", timing=TIMING
        )
        asking = OfficeClient(url, self.identity, self.clock)
        self.cache.keep_only_for(self.journal.journal_id, self.journal.head_seq)
        self.enquiries = Enquiries(
            asking,
            self.cache,
            self.inbox.put,
            journal_id=self.journal.journal_id,
            answered=self.sync.office_answered,
        )
        self.sync.start()
        self.enquiries.start()

    def wait_for(self, kind, true=lambda event: True, timeout_s=20.0):
        """The next event of a kind; acknowledgements are written down on the way, as the payment thread does."""
        until = time.monotonic() + timeout_s
        while True:
            event = self.inbox.get(timeout=max(0.01, until - time.monotonic()))
            if isinstance(event, Acked):
                self.journal.advance_cursor(event.ack_seq, event.ack_hash, event.posted_seq)
                self.sync.cursor_is(event.ack_seq)
            if isinstance(event, kind) and true(event):
                return event

    def pay(self, told: BillsFound, face_fen: int = 10_000) -> str:
        """One note for the oldest bill; the payment's id."""
        payment_id, note_no, number = new_id(), self.journal.next_note_no(), self.journal.next_receipt_number()
        bill = told.bills[0]
        note = {"payment_id": payment_id, "note_no": note_no, "face_fen": face_fen, "acceptor_serial": SERIAL}
        to_bill = min(face_fen, bill.principal_open)
        self._write(
            events.PaymentOpened(
                payment_id=payment_id,
                unit_id=told.unit.unit_id,
                bills=(
                    events.BillPicked(
                        bill_id=bill.bill_id,
                        version=bill.version,
                        principal_fen=bill.principal_open,
                        late_fee_fen=0,
                        late_days=0,
                    ),
                ),
                due_fen=bill.principal_open,
                offline=told.offline,
                applied_seq=told.applied_seq,
            )
        )
        self._write(events.NoteEscrow(**note))
        self._write(events.NoteAcceptIntent(**note, protocol="ssp", channel=6))
        self._write(events.NoteCredited(**note))
        self._write(
            events.PaymentPartial(
                payment_id=payment_id,
                unit_id=told.unit.unit_id,
                receipt_no=receipt_no(self.journal.kiosk_code, number),
                receipt_number=number,
                received_fen=face_fen,
                notes={str(face_fen): 1},
                lines=(events.LinePaid(bill_id=bill.bill_id, component="principal", amount_fen=to_bill),),
                prepaid_fen=face_fen - to_bill,
                late_days={},
                business_date=str(told.as_of),
                time_zone="Asia/Shanghai",
                ended="finished",
                offline=told.offline,
            )
        )
        return payment_id

    def _write(self, event):
        self.journal.append(event)
        self.sync.wake()

    def booked(self, payment_id, timeout_s=20.0):
        """Wait until the office says what became of a payment."""
        acked = self.wait_for(
            Acked, lambda acked: payment_id in [each.payment_id for each in acked.outcomes], timeout_s
        )
        return next(each for each in acked.outcomes if each.payment_id == payment_id)

    def close(self):
        self.sync.stop()
        self.enquiries.stop()
        self.journal.close()
        self.cache.close()


@pytest.mark.timeout(120)
def test_a_payment_is_booked_once_with_the_office_there_gone_and_back(estate, tmp_path, capsys):
    database, port = estate
    url = f"http://127.0.0.1:{port}"
    settings = tmp_path / "kiosk.toml"
    settings.write_text('[kiosk]\nstate_dir = "state"\ndisk_margin_mb = 8\n')
    with served(database, port):
        code = json.loads(office_command(database, "pairing-code", "--project", "YG", "--json"))["code"]
        assert pairing.main(["--config", str(settings), "--office", url, "--code", code, "--json"]) == 0, (
            capsys.readouterr().err
        )
        box = Box(tmp_path / "state", url)
        told = box.wait_for(EstateTold)
        assert told.estate.kiosk_code == box.identity.kiosk_code
        assert told.buildings
        _, etag, _ = box.cache.estate()
        assert box.enquiries._client.config(etag) is None, "unchanged, said in a signed answer without a body"
        building, entrances = told.buildings[0]
        box.enquiries.find_unit(1, f"{building}-{entrances[0]}-999999")
        assert box.wait_for(UnitNotFound).request_no == 1
        found = _some_bills(box, told.buildings)
        payment_id = box.pay(found)
        outcome = box.booked(payment_id, 5)
        assert (outcome.state, outcome.receipt_no) == ("booked", f"{box.journal.kiosk_code}-000001")
        assert box.journal.cursor().posted_seq == box.journal.head_seq
        box.enquiries.bills(2, found.unit.unit_id)
        after = box.wait_for(BillsFound)
        assert after.applied_seq == box.journal.head_seq
        assert after.recent_payment.amount_fen == 10_000
        box.sync._refresh.want()
        box.sync.network_changed()
        _until(lambda: box.cache.unit(found.unit.unit_id) is not None)
    box.enquiries.find_unit(3, found.unit.code)
    assert box.wait_for(UnitFound).offline
    box.enquiries.bills(4, found.unit.unit_id)
    offline = box.wait_for(BillsFound)
    assert offline.offline
    second = box.pay(offline)
    _until(lambda: box.sync.link is Link.DOWN)
    with served(database, port):
        assert box.booked(second).state == "booked"
        assert box.journal.unsent() == (0, None)
        box.close()
    office_command(database, "verify")
    exported = tmp_path / "journal.jsonl"
    exported.write_text(kiosk_journal("export", tmp_path / "state" / "journal.db"), encoding="utf-8")
    elsewhere = f"sqlite:///{tmp_path}/elsewhere/office.sqlite3"
    told = json.loads(office_command(elsewhere, "replay", str(exported), "--json"))
    assert (told["kiosk"], told["payments"], told["quarantined"]) == (box.journal.kiosk_code, 2, 0)
    assert "all as written" in kiosk_journal("verify", tmp_path / "state" / "journal.db")


def _some_bills(box: Box, buildings) -> BillsFound:
    """A household with a bill that one note does not cover; found the way a person would, by its room number."""
    rooms = [f"{floor}0{flat}" for floor in range(1, 8) for flat in range(1, 5)]
    for building, entrances in buildings:
        for code in (f"{building}-{entrance}-{room}" for entrance in entrances for room in rooms):
            box.enquiries.find_unit(9, code)
            found = box.wait_for((UnitFound, UnitNotFound))
            if isinstance(found, UnitFound):
                box.enquiries.bills(9, found.unit.unit_id)
                told = box.wait_for(BillsFound)
                if told.bills and told.bills[0].principal_open > 20_000:
                    return told
    raise AssertionError("the demo estate has no such household")


def _until(true, timeout_s=20.0):
    until = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
