"""What is still to be sent: the journal's own entries after the cursor, never a table of copies.

Source: journal-and-upload section 4; measured in section 18: 500 at a time need 5 MiB, all at once 180.
"""

import gzip

import msgspec

from kiosk.clock import Clock
from kiosk.domain.chain import GENESIS_PREV
from kiosk.office_client.wire import Sent, SentEvent, Upload
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry

MAX_EVENTS = 500
MAX_BYTES = 256 * 1024
_GZIP_LEVEL = 6  # 9, what Python takes unasked, needs four times as long and saves 3 %


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One request's body and what it holds."""

    first_seq: int
    last_seq: int
    gzipped: bytes

    @property
    def count(self) -> int:
        return self.last_seq - self.first_seq + 1


def next_batch(
    reader: JournalReader, after_seq: int, clock: Clock, max_events: int = MAX_EVENTS, posted_seq: int = 0
) -> Batch | None:
    """The entries after ``after_seq``, as many as one request may carry; None when there are none. ``posted_seq`` is how far
    the office told us it has folded."""
    entries = reader.entries(after_seq, min(max_events, MAX_EVENTS))
    if not entries:
        return None
    prev = reader.hash_at(after_seq) if after_seq else GENESIS_PREV
    while True:
        gzipped = _pack(entries, prev or GENESIS_PREV, clock, posted_seq)
        if len(gzipped) <= MAX_BYTES or len(entries) == 1:
            return Batch(first_seq=entries[0].seq, last_seq=entries[-1].seq, gzipped=gzipped)
        entries = entries[: len(entries) // 2]


def nothing_more(reader: JournalReader, clock: Clock) -> Batch:
    """No entries, and how far this journal goes: the question whether the office holds more than was ever written here."""
    seq, head = reader.head()
    upload = Upload(
        first_seq=seq + 1, last_seq=seq, prev_hash=head.hex(), events=(), posted_seq=0, sent=sent_now(clock)
    )
    return Batch(first_seq=seq + 1, last_seq=seq, gzipped=_zipped(upload))


def sent_now(clock: Clock) -> Sent:
    """The machine's clocks as a request states them, so that the office sees how wrong they are."""
    return Sent(boot_id=clock.boot_id, mono_ms=clock.since_boot_ms(), wall_ms=clock.machine_ms())


def _pack(entries: tuple[Entry, ...], prev: bytes, clock: Clock, posted_seq: int) -> bytes:
    upload = Upload(
        first_seq=entries[0].seq,
        last_seq=entries[-1].seq,
        prev_hash=prev.hex(),
        events=tuple(_on_the_wire(entry) for entry in entries),
        posted_seq=posted_seq,
        sent=sent_now(clock),
    )
    return _zipped(upload)


def _zipped(upload: Upload) -> bytes:
    return gzip.compress(msgspec.json.encode(upload), _GZIP_LEVEL, mtime=0)


def _on_the_wire(entry: Entry) -> SentEvent:
    head = entry.header
    return SentEvent(
        seq=entry.seq,
        payment_id=head.payment_id,
        kind=head.kind,
        v=head.v,
        boot_id=head.boot_id,
        mono_ms=head.mono_ms,
        wall_ms=head.wall_ms,
        clock=head.clock,
        body=entry.body.decode(),
        hash=entry.hash.hex(),
    )
