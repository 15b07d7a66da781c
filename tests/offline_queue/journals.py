"""Journals and events that these tests arrange, in the domain's own words."""

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.clock import Reading
from kiosk.domain import chain, events
from kiosk.domain.http_signature import public_text
from kiosk.domain.identifiers import claim_no, receipt_no
from kiosk.offline_queue import tables
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.records import Entry

KIOSK_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SERIAL = "SSP-1234567"


class SetClock:
    """A clock that moves when a test says so; each reading of it takes a millisecond."""

    def __init__(self, wall_ms: int = 1_764_000_000_000, boot_id: str = "boot-1") -> None:
        self.seconds = 1000.0
        self.offset_ms = wall_ms - 1_000_000
        self.boot_id = boot_id
        self.says = "rtc"

    def monotonic(self) -> float:
        return self.seconds

    def since_boot_ms(self) -> int:
        return int(self.seconds * 1000)

    def reading(self) -> Reading:
        return Reading(self.machine_ms(), self.says)

    def wall_ms(self) -> int:
        return self.machine_ms()

    def state(self) -> str:
        return self.says

    def machine_ms(self) -> int:
        return self.offset_ms + self.since_boot_ms()

    def learn(self, office_ms: int, asked_ms: int, heard_ms: int) -> None:
        self.offset_ms = office_ms - asked_ms

    def ran_since(self, boot_id: str, mono_ms: int) -> int:
        return self.since_boot_ms() - (mono_ms if boot_id == self.boot_id else 0)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


def genesis(**changed) -> events.JournalGenesis:
    fields = {"kiosk_id": "k-1", "kiosk_code": "YG01", "public_key": public_text(KIOSK_KEY), "software": "0.1.0"}
    return events.JournalGenesis(**(fields | changed))


def opened(payment_id: str = "p-1", due_fen: int = 12_345) -> events.PaymentOpened:
    bill = events.BillPicked(bill_id="b-1", version=1, principal_fen=due_fen, late_fee_fen=0, late_days=0)
    return events.PaymentOpened(payment_id=payment_id, unit_id="u-1", bills=(bill,), due_fen=due_fen)


def escrow(note_no: int, face_fen: int = 10_000, payment_id: str = "p-1") -> events.NoteEscrow:
    return events.NoteEscrow(payment_id=payment_id, note_no=note_no, face_fen=face_fen, acceptor_serial=SERIAL)


def intent(note_no: int, face_fen: int = 10_000, payment_id: str = "p-1") -> events.NoteAcceptIntent:
    return events.NoteAcceptIntent(
        payment_id=payment_id, note_no=note_no, face_fen=face_fen, acceptor_serial=SERIAL, protocol="ssp", channel=6
    )


def credited(note_no: int, face_fen: int = 10_000, payment_id: str = "p-1") -> events.NoteCredited:
    return events.NoteCredited(payment_id=payment_id, note_no=note_no, face_fen=face_fen, acceptor_serial=SERIAL)


def returned(note_no: int, face_fen: int = 10_000, payment_id: str = "p-1") -> events.NoteReturned:
    return events.NoteReturned(
        payment_id=payment_id, note_no=note_no, face_fen=face_fen, acceptor_serial=SERIAL, reason="host"
    )


def unknown(note_no: int, face_fen: int | None = 10_000, payment_id: str | None = "p-1") -> events.NoteUnknown:
    return events.NoteUnknown(
        payment_id=payment_id,
        note_no=note_no,
        face_fen=face_fen,
        acceptor_serial=SERIAL,
        reason="jam",
        claim_no=claim_no("YG01", note_no),
    )


def settled(payment_id: str = "p-1", number: int = 1, received_fen: int = 10_000, **changed) -> events.PaymentSettled:
    line = events.LinePaid(bill_id="b-1", component="principal", amount_fen=received_fen - 500)
    fields = {
        "payment_id": payment_id,
        "unit_id": "u-1",
        "receipt_no": receipt_no("YG01", number),
        "receipt_number": number,
        "received_fen": received_fen,
        "notes": {str(received_fen): 1},
        "lines": (line,),
        "prepaid_fen": 500,
        "late_days": {},
        "business_date": "2026-11-24",
        "time_zone": "Asia/Shanghai",
        "ended": "finished",
    }
    return events.PaymentSettled(**(fields | changed))


def partial(**changed) -> events.PaymentPartial:
    whole = settled(**changed)
    return events.PaymentPartial(**{name: getattr(whole, name) for name in whole.__struct_fields__ if name != "v"})


def pay(journal: Journal, payment_id: str, face_fen: int = 10_000) -> None:
    """One whole payment with one note, in the order money demands."""
    note = journal.next_note_no()
    journal.append(opened(payment_id))
    journal.append(escrow(note, face_fen, payment_id))
    journal.append(intent(note, face_fen, payment_id))
    journal.append(credited(note, face_fen, payment_id))
    journal.append(settled(payment_id, journal.next_receipt_number(), face_fen))


def write_newer(journal: Journal, kind: str, v: int = 1, body: bytes | None = None) -> int:
    """Append what only a newer program writes, as that program would: rightly chained, of the same tables."""
    header = chain.Header(payment_id="", kind=kind, v=v, boot_id="boot-1", mono_ms=1, wall_ms=2, clock="rtc")
    body = body or f'{{"kind":"{kind}","v":{v},"told":"something new"}}'.encode()
    seq, db = journal.head_seq + 1, journal._db
    digest = chain.entry_hash(journal.journal_id, seq, header, body, journal.head_hash)
    db.execute("BEGIN IMMEDIATE")
    db.execute(tables.INSERT_EVENT, tables.row_of(Entry(seq=seq, header=header, body=body, hash=digest)))
    db.execute(tables.SET_HEAD, (seq, digest))
    db.execute("COMMIT")
    journal.head_seq, journal.head_hash = seq, digest
    return seq


def tamper(path: Path, *statements: str) -> None:
    """Change a file as someone would who knows SQLite but not the chain: triggers away, rows changed."""
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def signature_of(checkpoint: events.Checkpoint) -> bytes:
    return base64.b64decode(checkpoint.signature)


def changed(event: events.Event, **fields) -> events.Event:
    return msgspec.structs.replace(event, **fields)
