"""What an exported journal tells that goes another way than the one the office holds: money that only that file knows of."""

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from kiosk.domain import events
from kiosk.domain.money import Fen, format_yuan
from office.kiosks.models import Journal, RawEvent
from office.kiosks.replaying import Export


@dataclass(frozen=True)
class Branch:
    """Of the entries from ``first_seq`` on: the notes they credit by face, those of unknown fate, and the receipts."""

    kiosk_code: str
    first_seq: int
    entries: int
    credited: dict[int, int]
    unknown: int
    receipts: tuple[str, ...]

    @property
    def credited_fen(self) -> int:
        return sum(face * count for face, count in self.credited.items())

    def __str__(self) -> str:
        notes = ", ".join(f"{count} x {face // 100}" for face, count in self.credited.items()) or "none"
        return (
            f"{self.kiosk_code}: from entry {self.first_seq} on this is not the journal that the office holds. Only this file tells of "
            f"{self.entries} entries: notes credited {notes}, together {format_yuan(Fen(self.credited_fen))} yuan; "
            f"notes of unknown fate {self.unknown}; receipts {', '.join(self.receipts) or 'none'}."
        )

    def told(self) -> dict[str, Any]:
        return {
            "kiosk": self.kiosk_code,
            "branch_from": self.first_seq,
            "events": self.entries,
            "credited": {str(face): count for face, count in self.credited.items()},
            "credited_fen": self.credited_fen,
            "unknown": self.unknown,
            "receipts": list(self.receipts),
        }


def branch_of(export: Export) -> Branch | None:
    """The export's own way; None where it is the office's, which may hold less or more of it."""
    journal = Journal.objects.filter(journal_id=export.journal_id).first()
    first_seq = journal and _parts_at(export, journal)
    if not first_seq:
        return None
    own = export.entries[first_seq - 1 :]
    credited, unknown, receipts = Counter[int](), 0, []
    for entry in own:
        try:
            event = events.decode(entry.body)
        except events.UnknownEvent:
            continue  # of a newer program: counted among the entries
        match event:
            case events.NoteCredited():
                credited[event.face_fen] += 1
            case events.NoteUnknown():
                unknown += 1
            case events.PaymentSettled() | events.PaymentPartial():
                receipts.append(event.receipt_no)
    by_face = dict(sorted(credited.items(), reverse=True))
    return Branch(export.genesis.kiosk_code, first_seq, len(own), by_face, unknown, tuple(receipts))


def _parts_at(export: Export, journal: Journal) -> int:
    """The first entry that differs, or that a journal may not have any more once it is replaced; 0 where there is none."""
    rows = RawEvent.objects.filter(project_id=journal.project_id, journal=journal).order_by("seq")
    hashes = rows.values_list("hash", flat=True).iterator(2000)
    for seq, (entry, held) in enumerate(zip_longest(export.entries, hashes), start=1):
        if entry is None:
            return 0
        if held is None:
            return seq if journal.state == Journal.State.REPLACED else 0
        if bytes(held) != entry.hash:
            return seq
    return 0
