"""Writes payments into a journal until it is killed; prints a line for every commit once it has returned."""

import sys
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.offline_queue.journal import Journal
from tests.offline_queue import journals


def main() -> None:
    journal = Journal.open(Path(sys.argv[1]), SystemClock())
    first = journal.next_receipt_number()
    print(f"ready {journal.head_seq}", flush=True)
    for number in range(first, first + 100_000):
        payment_id = f"p-{journal.head_seq}"  # what an earlier kill left open stays open, and is another payment
        note = journal.next_note_no()
        for event in (
            journals.opened(payment_id),
            journals.escrow(note, 10_000, payment_id),
            journals.intent(note, 10_000, payment_id),
            journals.credited(note, 10_000, payment_id),
            journals.settled(payment_id, number),
        ):
            (entry,) = journal.append(event)
            print(entry.seq, flush=True)


if __name__ == "__main__":
    main()
