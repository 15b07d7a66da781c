"""The truth per note (decisions section 33): journal and office against what physically became of each note.

Everything here raises AssertionError with the note, payment or face that is off; test_truth.py shows that it can.
"""

import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kiosk.domain import events
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from tests.end_to_end.matching import match
from tests.end_to_end.parts import Books, Lobby, program
from tests.end_to_end.physical import PhysicalNote, check_ledger, notes_of

AT_REST_WITHIN_S = 10.0
CREDITED, RETURNED, UNKNOWN, OPEN = "credited", "returned", "unknown", "open"

# Which fault each name in a claim stands for; a claim by any other name needs one of DESTRUCTIVE.
NAMED_FAULTS = {
    "acceptor.jam_safe": {"jam stacker"},
    "acceptor.jam_unsafe": {"jam path"},
    "acceptor.fraud": {"pulling"},
}
DESTRUCTIVE = {"jam stacker", "jam path", "pulling", "power cut"}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One note as the journal has it; ``lost_by`` is the fault that a claim names.

    ``late``: it was a claim in its payment's settlement, and the acceptor's answer came after that.
    """

    note_no: int
    face_fen: int | None
    fate: str
    payment_id: str | None = None
    lost_by: str = ""
    late: bool = False

    def __str__(self) -> str:
        named = f" by {self.lost_by!r}" if self.fate == UNKNOWN else ""
        return f"note {self.note_no} of {self.face_fen} fen: {self.fate}{named}"


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """The journal folded independently of kiosk and office: notes in order, and what each payment came to."""

    notes: tuple[Recorded, ...]
    settled: dict[str, events.Settlement]
    cancelled: frozenset[str]
    opened: tuple[str, ...]

    def of(self, fate: str) -> list[Recorded]:
        return [note for note in self.notes if note.fate == fate]

    @property
    def credited_fen(self) -> int:
        return sum(note.face_fen or 0 for note in self.of(CREDITED))


def check_kiosk(lobby: Lobby) -> tuple[Records, list[PhysicalNote]]:
    """Kiosk and devices, once the last note has come to rest."""
    ledger = _ledger_at_rest(lobby)
    physical = notes_of(lobby.events.since(0))  # after it: events come by the same line, before the answer
    check_ledger(physical, ledger)
    records = read(lobby.journal)
    check_payments(records)
    check_notes(records.notes, physical)
    return records, physical


def check_all(lobby: Lobby) -> Records:
    """Kiosk, devices and office, once everything is uploaded as well."""
    records, physical = check_kiosk(lobby)
    with JournalReader(lobby.journal) as reader:
        check_office(lobby.office, reader.journal_id, records, physical)
    check_journal(lobby.journal)
    lobby.office.verify()
    return records


def _ledger_at_rest(lobby: Lobby) -> dict[str, Any]:
    ends_at, pause = time.monotonic() + AT_REST_WITHIN_S, threading.Event()
    while (ledger := lobby.acceptor.do("ledger"))["path"] is not None:
        assert time.monotonic() < ends_at, f"a note is still in the path: {ledger['path']}"
        pause.wait(0.01)
    return ledger


# --- the journal -----------------------------------------------------------------------------------------------


def read(journal: Path) -> Records:
    """Fold the raw events.

    Raises:
        AssertionError: a note has two fates, or a payment ends twice.
    """
    with JournalReader(journal) as reader:
        return fold(entry.event for entry in all_entries(reader))


def fold(stream: Iterator[events.Event]) -> Records:
    notes: dict[int, Recorded] = {}
    settled: dict[str, events.Settlement] = {}
    cancelled: set[str] = set()
    opened: list[str] = []
    for event in stream:
        match event:
            case events.PaymentOpened(payment_id=payment):
                opened.append(payment)
            case events.PaymentCancelled(payment_id=payment):
                assert payment not in cancelled | settled.keys(), f"payment {payment} ends twice"
                cancelled.add(payment)
            case events.Settlement(payment_id=payment):
                assert payment not in cancelled | settled.keys(), f"payment {payment} ends twice"
                settled[payment] = event
            case events.NoteEscrow() | events.NoteAcceptIntent():
                _step(notes, event, OPEN)
            case events.NoteCredited():
                _step(notes, event, CREDITED, is_over=event.payment_id in settled)
            case events.NoteReturned():
                _step(notes, event, RETURNED, is_over=event.payment_id in settled)
            case events.NoteUnknown():
                _step(notes, event, UNKNOWN)
    in_order = tuple(notes[number] for number in sorted(notes))
    return Records(notes=in_order, settled=settled, cancelled=frozenset(cancelled), opened=tuple(opened))


_NoteEvent = (
    events.NoteEscrow | events.NoteAcceptIntent | events.NoteCredited | events.NoteReturned | events.NoteUnknown
)


def _step(notes: dict[int, Recorded], event: _NoteEvent, fate: str, *, is_over: bool = False) -> None:
    """A fate is the last word about its note, but for a claim: the acceptor may still answer, and that ends it."""
    before = notes.get(event.note_no)
    answers = before is not None and before.fate == UNKNOWN and fate in (CREDITED, RETURNED)
    assert before is None or before.fate == OPEN or answers, f"{before} and then {event}"
    if answers and fate == CREDITED:
        assert getattr(event, "recovered", None) == "late_answer", f"{before} and then {event}"
    face = event.face_fen if event.face_fen is not None else before.face_fen if before else None
    lost_by = event.evidence_lost_by if isinstance(event, events.NoteUnknown) else ""
    notes[event.note_no] = Recorded(
        note_no=event.note_no, face_fen=face, fate=fate, payment_id=event.payment_id, lost_by=lost_by,
        late=answers and is_over,
    )  # fmt: skip


def check_payments(records: Records) -> None:
    """Every payment ended once, with exactly the notes credited to it, and every fen of it is placed."""
    unfinished = set(records.opened) - records.settled.keys() - records.cancelled
    assert not unfinished, f"payments without an end: {unfinished}"
    credited: defaultdict[str | None, Counter[int]] = defaultdict(Counter)
    claimed: Counter[str | None] = Counter()
    for note in records.notes:
        if note.late or note.fate == UNKNOWN:
            claimed[note.payment_id] += 1
        elif note.fate == CREDITED:
            credited[note.payment_id][note.face_fen or 0] += 1
    strangers = set(credited) - records.settled.keys()
    assert not strangers, f"credited notes outside settled payments: {strangers}"
    for payment, settlement in records.settled.items():
        notes = Counter({int(face): count for face, count in settlement.notes.items()})
        assert notes == credited[payment], f"{settlement} but credited were {credited[payment]}"
        value = sum(face * count for face, count in notes.items())
        lines = sum(line.amount_fen for line in settlement.lines)
        assert lines + settlement.prepaid_fen == settlement.received_fen == value, f"fen are missing: {settlement}"
        assert len(settlement.claims) == claimed[payment], f"{claimed[payment]} claims, but {settlement}"
    numbers = sorted(one.receipt_number for one in records.settled.values())
    assert numbers == list(range(1, len(numbers) + 1)), f"receipt numbers have gaps or repeat: {numbers}"


def check_told(records: Records, numbers: frozenset[str]) -> None:
    """Whoever paid was told: each receipt number was on show, with the result or after a cut (E60)."""
    nobody_knows = {one.receipt_no for one in records.settled.values()} - numbers
    assert not nobody_knows, f"settled, and nobody was told: {nobody_knows}"


# --- notes against paper -----------------------------------------------------------------------------------------


def check_notes(recorded: Sequence[Recorded], physical: Sequence[PhysicalNote]) -> None:
    """Each note in the box has exactly one record; a claim stands only for a note whose evidence a fault destroyed."""
    undecided = [str(note) for note in recorded if note.fate == OPEN]
    assert not undecided, f"notes without an outcome: {undecided}"
    for record, note in match(recorded, physical, _named_fault_befell):
        if record.fate == UNKNOWN:
            assert set(note.befell) & DESTRUCTIVE, f"{record}, but no fault befell {note}"
            assert record.lost_by, f"{record} names no fault; {note}"
            assert _named_fault_befell(record, note), f"{record} names a fault that did not befall {note}"


def _named_fault_befell(record: Recorded, note: PhysicalNote) -> bool:
    wanted = NAMED_FAULTS.get(record.lost_by, DESTRUCTIVE)
    return record.fate != UNKNOWN or bool(set(note.befell) & wanted)


# --- the office --------------------------------------------------------------------------------------------------


def check_office(office: Books, journal_id: str, records: Records, physical: Sequence[PhysicalNote]) -> None:
    """The office has the same notes, claims, payments and money, and its expectation of the box holds what is in it."""
    (journal, kiosk), *_ = office.rows("SELECT id, kiosk_id FROM kiosks_journal WHERE journal_id = ?", journal_id)
    _check_office_notes(office, journal, records)
    _check_office_payments(office, journal, records)
    _check_office_box(office, kiosk, records, physical)
    quarantined = office.rows(
        "SELECT seq, kind, reject_code FROM kiosks_rawevent WHERE state = 'quarantined' AND journal_id = ?", journal
    )
    assert not quarantined, f"the office could not understand {quarantined}"


def _check_office_notes(office: Books, journal: str, records: Records) -> None:
    rows = office.rows("SELECT note_no, face_fen, state FROM payments_note WHERE journal_id = ? ORDER BY 1", journal)
    theirs = {note_no: (face, state) for note_no, face, state in rows}
    ours = {note.note_no: (note.face_fen, note.fate) for note in records.notes}
    differ = {number: (ours.get(number), theirs.get(number)) for number in ours.keys() | theirs.keys()}
    differ = {number: pair for number, pair in differ.items() if pair[0] != pair[1]}
    assert not differ, f"kiosk and office differ about notes: {differ}"
    claims = office.rows(
        "SELECT count(*) FROM payments_suspenseitem s JOIN payments_note n ON n.id = s.note_id "
        "WHERE s.kind = 'note_unknown' AND s.state = 'open' AND n.journal_id = ?",
        journal,
    )
    assert claims[0][0] == len(records.of(UNKNOWN)), f"the office holds {claims[0][0]} claims"


def _check_office_payments(office: Books, journal: str, records: Records) -> None:
    rows = office.rows(
        "SELECT receipt_no, state, amount_fen, prepaid_fen FROM payments_payment "
        "WHERE journal_id = ? AND receipt_no <> ''",
        journal,
    )
    theirs = {receipt: amount for receipt, _, amount, _ in rows}
    late: Counter[str | None] = Counter()
    for note in records.of(CREDITED):
        late[note.payment_id] += (note.face_fen or 0) if note.late else 0
    ours = {one.receipt_no: one.received_fen + late[payment] for payment, one in records.settled.items()}
    assert theirs == ours, f"receipts differ: {theirs.items() ^ ours.items()}"
    odd = [row for row in rows if row[1] not in ("booked", "exception")]
    assert not odd, f"settled payments that are not booked: {odd}"


def _check_office_box(office: Books, kiosk: str, records: Records, physical: Sequence[PhysicalNote]) -> None:
    """``confirmed`` to ``confirmed + unknown`` by face must contain the box as it was before anybody fished in it."""
    rows = office.rows("SELECT face_fen, confirmed, unknown FROM kiosks_cashboxface WHERE kiosk_id = ?", kiosk)
    sure = Counter({face: confirmed for face, confirmed, _ in rows if confirmed})
    maybe = Counter({face: unknown for face, _, unknown in rows if unknown})
    assert sure == Counter(note.face_fen for note in records.of(CREDITED)), f"the office's box holds {sure}"
    assert maybe == Counter(note.face_fen or 0 for note in records.of(UNKNOWN)), f"the office's range is {maybe}"
    there = Counter(note.face_fen for note in physical if note.place in ("box", "fished"))
    faceless = maybe[0]
    for face in there.keys() | sure.keys():
        most = sure[face] + maybe[face] + faceless
        assert sure[face] <= there[face] <= most, f"face {face}: {there[face]} went in, expected {sure[face]}..{most}"
        faceless -= max(0, there[face] - sure[face] - maybe[face])


def check_journal(journal: Path) -> None:
    """``kiosk journal verify`` agrees."""
    command = program("kiosk", "journal", "verify", "--journal", str(journal))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def all_entries(reader: JournalReader) -> Iterator[Entry]:
    after = 0
    while batch := reader.entries(after, 500):
        yield from batch
        after = batch[-1].seq
