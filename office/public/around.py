"""Whether a kiosk's chain is whole around one entry, computed from the stored bytes. Read only."""

from dataclasses import dataclass

from kiosk.domain import chain
from office.kiosks.models import Journal, RawEvent
from office.payments.selectors import entry_hash

REACH = 24  # entries before and after: a whole visit and its neighbours, at the cost of some fifty hashes


@dataclass(frozen=True)
class Around:
    """The entries that were checked, and whether each follows from the one before it."""

    first_seq: int
    last_seq: int
    whole: bool


def around(raw: RawEvent) -> Around:
    """Check the entries around one: none missing, each hash made from its parts and its predecessor, the head as known."""
    journal: Journal = raw.journal
    first = max(1, raw.seq - REACH)
    last = min(max(journal.high_seq, raw.seq), raw.seq + REACH)
    rows = {
        row.seq: row
        for row in RawEvent.objects.filter(
            project_id=raw.project_id, journal_id=journal.id, seq__gte=first - 1, seq__lte=last
        )
    }
    whole = journal.state != Journal.State.FORKED and all(
        _follows(journal, rows, seq) for seq in range(first, last + 1)
    )
    if whole and last == journal.high_seq:
        whole = digest(rows[last].hash) == digest(journal.head_hash)
    return Around(first, last, whole and last <= journal.high_seq)


def _follows(journal: Journal, rows: dict[int, RawEvent], seq: int) -> bool:
    row = rows.get(seq)
    if row is None or (seq > 1 and seq - 1 not in rows):
        return False
    prev = digest(rows[seq - 1].hash) if seq > 1 else chain.GENESIS_PREV
    return entry_hash(journal.journal_id, row, prev) == digest(row.hash)


def digest(stored: bytes | memoryview | str) -> bytes:
    """A stored hash as bytes. Whoever changes a row by hand may leave text there; that is a finding, not a failure."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)
