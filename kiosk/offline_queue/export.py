"""A journal entry as one line of JSON, the stored bytes inside, and back: what `office replay`, auditors and the self-check read."""

import json

from kiosk.domain.chain import Header
from kiosk.offline_queue.records import Entry


def line_of(journal_id: str, entry: Entry) -> str:
    head = entry.header
    told = {
        "journal_id": journal_id,
        "seq": entry.seq,
        "payment_id": head.payment_id,
        "kind": head.kind,
        "v": head.v,
        "boot_id": head.boot_id,
        "mono_ms": head.mono_ms,
        "wall_ms": head.wall_ms,
        "clock": head.clock,
        "body": entry.body.decode(),
        "hash": entry.hash.hex(),
    }
    return json.dumps(told, ensure_ascii=False)


def read_line(line: str) -> tuple[str, Entry]:
    """The journal's id, and the entry."""
    told = json.loads(line)
    journal_id, seq, body, digest = (told.pop(name) for name in ("journal_id", "seq", "body", "hash"))
    return journal_id, Entry(seq=seq, header=Header(**told), body=body.encode(), hash=bytes.fromhex(digest))
