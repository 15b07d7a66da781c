"""A kiosk that has nothing to do but to send its journal: ``python -m bench.drainer SETTINGS``; one JSON line when all is held.

The real upload thread and the real journal; this program takes the payment thread's place and writes the cursor.
"""

import json
import queue
import sys
import time
from pathlib import Path

from bench.memory import peak_resident_kib, resident_kib
from kiosk.clock import SystemClock
from kiosk.office_client.client import OfficeClient
from kiosk.office_client.events import Acked, OfficeEvent
from kiosk.office_client.identity import Identity
from kiosk.offline_queue.backoff import Timing
from kiosk.offline_queue.cache import Cache
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.sync import Sync
from kiosk.settings import load

SILENT_S = 120.0


def main(config: Path) -> int:
    settings, clock = load(config), SystemClock()
    journal = Journal.open(settings.journal_path, clock)
    inbox: queue.Queue[OfficeEvent] = queue.Queue()
    client = OfficeClient(settings.office.url, Identity.load(settings.identity_path), clock)
    sync = Sync(
        client, settings.journal_path, Cache(settings.cache_path, clock), clock, inbox.put,
        software="bench", timing=Timing(first_try_s=0),
    )  # fmt: skip
    head, before_kib, began = journal.head_seq, resident_kib(), time.monotonic()
    held_after_s: list[float] = []
    sync.start()
    while journal.cursor().ack_seq < head:
        event = inbox.get(timeout=SILENT_S)
        if isinstance(event, Acked):
            journal.advance_cursor(event.ack_seq, event.ack_hash, event.posted_seq)
            sync.cursor_is(event.ack_seq)
            held_after_s.append(time.monotonic() - began)
    told = {
        "held_after_s": held_after_s,
        "posted_seq": journal.cursor().posted_seq,
        "extra_kib": peak_resident_kib() - before_kib,
    }
    sync.stop()
    journal.close()
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
