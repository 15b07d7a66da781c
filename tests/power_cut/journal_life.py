"""The life of one journal in a process of its own: payments, an acknowledging office, checkpoints, stops and starts.

Run as ``python -m tests.power_cut.journal_life JOURNAL PAYMENTS SEED``. It marks in the record whatever it was promised: ``entry SEQ HASH``
when append() has returned, ``cursor SEQ`` when advance_cursor() has.
"""

import os
import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from kiosk.domain import events
from kiosk.offline_queue import journal
from kiosk.offline_queue.database import MIB, JournalUnusable, Room
from kiosk.offline_queue.journal import Journal, JournalUnwritable
from kiosk.offline_queue.projections import EventRefused
from kiosk.offline_queue.reader import JournalReader
from kiosk.offline_queue.records import Entry
from tests.offline_queue import journals
from tests.offline_queue.journals import KIOSK_KEY, SetClock
from tests.power_cut.operations import mark

ROOM = Room(margin_bytes=MIB, ballast_bytes=MIB // 2)
FAILED = 3
FACES = (100, 500, 1000, 2000, 5000, 10_000)


class Life:
    """One journal and everybody who relies on it."""

    def __init__(self, path: Path, seed: int, record: int) -> None:
        self.path, self.chance, self._record = path, random.Random(seed), record
        self.clock = SetClock()
        if path.exists():
            self.journal = Journal.open(path, self.clock, ROOM)
        else:
            self.journal = Journal.create(path, self.clock, journals.genesis(), ROOM)
        with JournalReader(path) as reader:
            self.entries = list(reader.entries(0, 10**6))
        self._mark(f"entry {self.entries[-1].seq} {self.entries[-1].hash.hex()}")

    def go_on(self, payments: int) -> None:
        first = len(self.entries)  # payments made before have smaller numbers
        for number in range(first, first + payments):
            with ExitStack() as held:
                if number % 3 == 0:  # someone reads meanwhile, as the upload does: the WAL can't be begun anew
                    reader = held.enter_context(JournalReader(self.path))
                    reader.db.execute("BEGIN")
                    reader.head()
                self.pay(number)
            self.beside_payments()

    def pay(self, number: int) -> None:
        """One payment with up to four notes, as they befall."""
        payment = f"p-{number}"
        self.append(journals.opened(payment))
        for _ in range(self.chance.randrange(5)):
            self._note(payment)
        record = self.journal.payment(payment)
        assert record is not None
        if record.credited_fen:
            self.append(journals.settled(payment, self.journal.next_receipt_number(), record.credited_fen + 500))
        else:
            self.append(events.PaymentCancelled(payment_id=payment, reason="payer"))

    def _note(self, payment: str) -> None:
        note = (self.journal.next_note_no(), self.chance.choice(FACES), payment)
        fate = self.chance.choices((journals.credited, journals.returned, journals.unknown), (8, 1, 1))[0]
        if self.chance.random() < 0.2:  # several events as one commit
            self.append(journals.escrow(*note), journals.intent(*note), fate(*note))
            return
        for event in (journals.escrow, journals.intent, fate):
            self.append(event(*note))

    def beside_payments(self) -> None:
        """What happens between visits."""
        happens = self.chance.random()
        if happens < 0.3:
            seq = self.chance.randint(self.journal.cursor().ack_seq, self.journal.head_seq)
            self.journal.advance_cursor(seq, self.entries[seq - 1].hash if seq else bytes(32), seq)
            self._mark(f"cursor {seq}")
        elif happens < 0.4:
            self._promise([self.journal.checkpoint(KIOSK_KEY.sign)])
        elif happens < 0.5:
            self._be_refused()
        elif happens < 0.6:
            self.journal.rebuild_projections()
        elif happens < 0.75:
            self._restart(clean=happens < 0.7)

    def append(self, *new: events.Event) -> None:
        self.clock.advance(0.2)
        self._promise(self.journal.append(*new))

    def _be_refused(self) -> None:
        try:
            self.journal.append(events.ScreenRestarted(reason="silent"), journals.escrow(10_000))
        except EventRefused:
            return
        raise AssertionError("a skipped note number was taken")

    def _restart(self, *, clean: bool) -> None:
        if clean:
            self._promise([self.journal.checkpoint(KIOSK_KEY.sign)])
            self.append(events.AgentStopped())
        self.journal.close()
        self.journal = Journal.open(self.path, self.clock, ROOM)

    def _promise(self, new: Sequence[Entry]) -> None:
        self.entries += new
        self._mark(f"entry {new[-1].seq} {new[-1].hash.hex()}")

    def _mark(self, text: str) -> None:
        os.write(self._record, mark(text))


def live(path: Path, payments: int, seed: int, record_file: str, *, goes_quietly: bool = True) -> int:
    """Live it to its end: 0, or 3 when the file failed; not ``goes_quietly``: without closing it then."""
    journal.COMMITS_PER_FOLD = 4  # so that this short life has many
    record = os.open(record_file, os.O_WRONLY | os.O_APPEND)
    life = None
    try:
        life = Life(path, seed, record)
        life.go_on(payments)
        life.journal.close()
    except JournalUnusable:
        return FAILED
    except JournalUnwritable:
        if not goes_quietly:
            os._exit(FAILED)  # the last reference to a connection would close it
        if life:
            life.journal.close()
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(live(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), os.environ["POWER_CUT_RECORD"]))
