"""Writes a kiosk's journal in memory: the same events and hashes as a real kiosk, for demo data and for tests."""

import uuid
from dataclasses import dataclass, field

from kiosk.domain import chain
from kiosk.domain.events import Event, encode, kind_of, payment_of
from office.kiosks.ingest import Batch, Sent, SentEvent


@dataclass
class JournalWriter:
    """An endless journal whose clock the caller moves. ``wall_ms`` is UTC, ``mono_ms`` counts from the boot."""

    wall_ms: int
    journal_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    boot_id: str = "demo-boot"
    clock: str = "synced"
    mono_ms: int = 0
    head: bytes = chain.GENESIS_PREV
    events: list[SentEvent] = field(default_factory=list)
    next_note: int = 1
    next_receipt: int = 1

    def pass_time(self, ms: int) -> None:
        self.wall_ms += ms
        self.mono_ms += ms

    def append(self, *new: Event) -> list[SentEvent]:
        """Put events at the end of the chain, as one commit would."""
        return [self._append(event) for event in new]

    def batch(self, first_seq: int = 1, last_seq: int | None = None) -> Batch:
        """An upload of these sequence numbers, all by default."""
        chosen = self.events[first_seq - 1 : last_seq]
        prev = self.events[first_seq - 2].hash if first_seq > 1 else chain.GENESIS_PREV
        return Batch(
            first_seq=first_seq,
            last_seq=first_seq + len(chosen) - 1,
            prev_hash=prev,
            events=chosen,
            sent=Sent(self.boot_id, self.mono_ms, self.wall_ms),
        )

    def take_note_no(self) -> int:
        self.next_note += 1
        return self.next_note - 1

    def take_receipt_number(self) -> int:
        self.next_receipt += 1
        return self.next_receipt - 1

    def _append(self, event: Event) -> SentEvent:
        return self.append_raw(encode(event), kind_of(event), event.v, payment_of(event) or "")

    def append_raw(self, body: bytes, kind: str, v: int = 1, payment_id: str = "") -> SentEvent:
        """An event as bytes, also one that no program understands."""
        header = chain.Header(
            payment_id=payment_id,
            kind=kind,
            v=v,
            boot_id=self.boot_id,
            mono_ms=self.mono_ms,
            wall_ms=self.wall_ms,
            clock=self.clock,
        )
        seq = len(self.events) + 1
        self.head = chain.entry_hash(self.journal_id, seq, header, body, self.head)
        made = SentEvent(seq, header, body, self.head)
        self.events.append(made)
        return made
