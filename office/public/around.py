"""Whether a kiosk's chain is whole around one entry, computed from the stored bytes. Read only.

That of a branch is not, however well its own entries hold together: the office holds two entries of the number at which it parted.
The kiosk's own is, also after somebody sent other entries in its name or an older image of it came; that is another question, about the kiosk.
"""

from dataclasses import dataclass

from kiosk.domain import chain
from office.kiosks.models import Journal, RawEvent
from office.payments.selectors import entry_hash

REACH = 24  # entries before and after: a whole visit and its neighbours, at the cost of some fifty hashes


@dataclass(frozen=True)
class Around:
    """The entries that were checked, and whether each follows from the one before it. ``parted_at``: 0 but on a branch whose
    entries do. ``forked``: the chain is whole, and the kiosk's history is in question: other entries, or fewer."""

    first_seq: int
    last_seq: int
    whole: bool
    parted_at: int
    forked: bool


def around(raw: RawEvent) -> Around:
    """Check the entries around one: none missing, each hash made from its parts and its predecessor, the head as known."""
    journal: Journal = raw.journal
    if raw.seq > journal.high_seq:  # stored after the journal was read
        journal.refresh_from_db(fields=["high_seq", "head_hash", "state"])
    first = max(1, raw.seq - REACH)
    last = min(max(journal.high_seq, raw.seq), raw.seq + REACH)
    rows = {row.seq: row for row in journal.history().filter(seq__gte=first - 1, seq__lte=last)}
    follow = last <= journal.high_seq and all(_follows(journal, rows, seq) for seq in range(first, last + 1))
    if follow and last == journal.high_seq:
        follow = digest(rows[last].hash) == digest(journal.head_hash)
    parted_at = journal.parted_at
    whole = follow and not parted_at
    forked = whole and journal.state == Journal.State.FORKED
    return Around(first, last, whole=whole, parted_at=parted_at if follow else 0, forked=forked)


def _follows(journal: Journal, rows: dict[int, RawEvent], seq: int) -> bool:
    row = rows.get(seq)
    if row is None or (seq > 1 and seq - 1 not in rows):
        return False
    prev = digest(rows[seq - 1].hash) if seq > 1 else chain.GENESIS_PREV
    return entry_hash(journal.journal_id, row, prev) == digest(row.hash)


def digest(stored: bytes | memoryview | str) -> bytes:
    """A stored hash as bytes. Whoever changes a row by hand may leave text there; that is a finding, not a failure."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)
