"""What an exported journal tells that goes another way than the one the office holds: money that only that file knows of.

It is named (``branch_of``), and taken in where a person says so (``take_in``): stored verbatim as a branch of the office's copy,
in which no event is booked and every note counts in the box as money to be placed (office.payments.fold_branches).
"""

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.utils import timezone

from kiosk.domain import chain, events
from kiosk.domain.money import Fen, format_yuan
from kiosk.domain.signed_chain import NotSigned, Signer
from office.kiosks import ingest
from office.kiosks.models import Journal, Kiosk, RawEvent
from office.kiosks.replaying import Export, NotAJournal, Run, sent_by
from office.ledger import stream as books
from office.rows import derived_id


class NoBranch(Exception):
    """The export does not leave what the office holds; the sentence says what to do with it."""


@dataclass(frozen=True)
class Branch:
    """Of the entries from ``first_seq`` on: the notes they credit by face, those of unknown fate, and the receipts; how many of
    the entries the office has taken in already."""

    kiosk_code: str
    first_seq: int
    entries: int
    held: int
    credited: dict[int, int]
    unknown: int
    receipts: tuple[str, ...]

    @property
    def credited_fen(self) -> int:
        return sum(face * count for face, count in self.credited.items())

    def __str__(self) -> str:
        notes = ", ".join(f"{count} x {face // 100}" for face, count in self.credited.items()) or "none"
        return (
            f"{self.kiosk_code}: from entry {self.first_seq} on this is not the journal that the office holds, but a branch of "
            f"{self.entries} entries, of which {self.held} are in the books: notes credited {notes}, together "
            f"{format_yuan(Fen(self.credited_fen))} yuan; notes of unknown fate {self.unknown}; "
            f"receipts {', '.join(self.receipts) or 'none'}."
        )

    def told(self) -> dict[str, Any]:
        return {
            "kiosk": self.kiosk_code,
            "branch_from": self.first_seq,
            "events": self.entries,
            "held": self.held,
            "credited": {str(face): count for face, count in self.credited.items()},
            "credited_fen": self.credited_fen,
            "unknown": self.unknown,
            "receipts": list(self.receipts),
        }


@dataclass(frozen=True)
class _Way:
    """How far an export goes with what the office holds: it leaves the kiosk's own journal at ``parts_at`` (0: nowhere), and
    ``next_seq`` is the first entry that is in no row of ``journal`` or its parents. ``parts`` again there: a branch to begin."""

    journal: Journal
    parts_at: int
    next_seq: int
    parts: bool


def branch_of(export: Export) -> Branch | None:
    """The export's own way; None where it is the office's, which may hold less or more of it."""
    way = _way(export)
    if not way or not way.parts_at:
        return None
    own = export.entries[way.parts_at - 1 :]
    credited, unknown, receipts = Counter[int](), set[int](), []
    for entry in own:
        try:
            event = events.decode(entry.body)
        except events.UnknownEvent:
            continue  # of a newer program: counted among the entries
        match event:
            case events.NoteCredited():
                credited[event.face_fen] += 1
                unknown.discard(event.note_no)
            case events.NoteReturned():
                unknown.discard(event.note_no)
            case events.NoteUnknown():
                unknown.add(event.note_no)
            case events.PaymentSettled() | events.PaymentPartial():
                receipts.append(event.receipt_no)
    return Branch(
        kiosk_code=export.genesis.kiosk_code,
        first_seq=way.parts_at,
        entries=len(own),
        held=way.next_seq - way.parts_at,
        credited=dict(sorted(credited.items(), reverse=True)),
        unknown=len(unknown),
        receipts=tuple(receipts),
    )


def part_at(one: Export, other: Export) -> int:
    """The first entry at which two files of one journal go different ways; 0 where they don't."""
    if one.journal_id != other.journal_id:
        return 0
    pairs = zip(one.entries, other.entries, strict=False)
    return next((entry.seq for entry, beside in pairs if entry.hash != beside.hash), 0)


def must_branch(export: Export) -> Branch:
    """The branch of an export that has one.

    Raises:
        NoBranch: it has none.
        NotAJournal: somebody who has not the kiosk's key made it, or its hashes again.
    """
    branch = branch_of(export)
    if branch is None:
        raise _no_branch(_way(export))
    if branch.first_seq == 1:
        raise NotAJournal("entry 1 is not the office's, and no kiosk begins one journal twice")
    _must_be_signed(export)
    return branch


def _must_be_signed(export: Export) -> None:
    signer, prev = Signer(export.journal_id), chain.GENESIS_PREV
    for entry in export.entries:
        try:
            signer.check(entry.header.kind, entry.body, entry.seq - 1, prev)
        except NotSigned as error:
            raise NotAJournal(f"entry {entry.seq}: {error}") from error
        prev = entry.hash


def _no_branch(way: _Way | None) -> NoBranch:
    why = "it goes no other way than the office's copy" if way else "the office holds nothing of this journal"
    return NoBranch(f"{why}, so there is no branch to take in; replay it without --branch")


def take_in(export: Export) -> int:
    """Store and fold what the office does not hold of an export's branch; how many entries that was. Twice changes nothing.

    Raises:
        NoBranch, NotAJournal: as must_branch.
    """
    must_branch(export)
    way = _way(export)
    assert way is not None
    for run in sent_by(export, way.next_seq if way.parts else way.journal.first_seq):
        if run.entries[-1].seq >= way.next_seq:
            _store(way, run)
    books.fold(way.journal.project_id)
    return len(export.entries) + 1 - way.next_seq


def _store(way: _Way, run: Run) -> None:
    with transaction.atomic():
        Kiosk.objects.select_for_update(no_key=True).get(id=way.journal.kiosk_id)
        books.locked(way.journal.project_id)  # before the journals' rows, as folding does
        branch = _begun(way, run.export)
        new = [entry for entry in run.entries if entry.seq > branch.high_seq]
        ingest.append(branch, new, run.sent, sent_at=run.at, received_at=timezone.now())


def _begun(way: _Way, export: Export) -> Journal:
    """The branch's own row, as it is now."""
    if not way.parts:
        return Journal.objects.get(id=way.journal.id)
    parent, seq = way.journal, way.next_seq
    branch, _ = Journal.objects.get_or_create(
        id=_branch_id(parent, export.entries[seq - 1]),
        defaults={
            "project_id": parent.project_id,
            "kiosk_id": parent.kiosk_id,
            "journal_id": parent.journal_id,
            "state": Journal.State.BRANCH,
            "branch_of": parent,
            "first_seq": seq,
            "high_seq": seq - 1,
            "head_hash": export.entries[seq - 2].hash,
            "started_at": parent.started_at,  # the same box's notes, as far as anybody knows, for whoever counts it
        },
    )
    return branch


def _branch_id(parent: Journal, first: ingest.SentEvent) -> Any:
    """Another first entry is another branch, also where it parts at the same number."""
    return derived_id(parent.id, "branch", first.seq, first.hash.hex())


def _way(export: Export) -> _Way | None:
    journal = Journal.trunks.filter(journal_id=export.journal_id).first()
    if journal is None:
        return None
    parts_at = 0
    while seq := _parts_at(export, journal):
        parts_at = parts_at or seq
        branch = Journal.objects.filter(id=_branch_id(journal, export.entries[seq - 1])).first()
        if branch is None:
            return _Way(journal, parts_at, seq, parts=True)
        journal = branch
    return _Way(journal, parts_at, min(journal.high_seq, len(export.entries)) + 1, parts=False)


def _parts_at(export: Export, journal: Journal) -> int:
    """The first of the row's own entries that differs, or that a journal may not have any more once it is replaced; 0 where
    there is none."""
    rows = RawEvent.objects.filter(project_id=journal.project_id, journal=journal).order_by("seq")
    hashes = rows.values_list("hash", flat=True).iterator(2000)
    own = export.entries[journal.first_seq - 1 :]
    for seq, (entry, held) in enumerate(zip_longest(own, hashes), start=journal.first_seq):
        if entry is None:
            return 0
        if held is None:
            return seq if journal.state == Journal.State.REPLACED else 0
        if bytes(held) != entry.hash:
            return seq
    return 0
