"""Finds an entry that only a newer program can have written: the tables are the same, its kind or version is not known here.

What it means for money can't be told, so nothing may be built on a journal that has one.
"""

import sqlite3
from pathlib import Path

from kiosk.domain import events
from kiosk.offline_queue import tables
from kiosk.offline_queue.database import JournalUnusable
from kiosk.offline_queue.verify import is_as_written

NEWEST = 5_000  # entries looked at where this very version started last

_KINDS = ", ".join(f"'{kind}'" for kind in events.KINDS)
_FIRST_UNKNOWN = f"""
    SELECT seq, CAST(kind AS BLOB), v FROM event WHERE seq > ? AND (v <> 1 OR kind NOT IN ({_KINDS})) ORDER BY seq LIMIT 1
"""


def check_known(db: sqlite3.Connection, path: Path, software: str = "") -> None:
    """Look for such an entry; behind the last start of this ``software`` if the journal names it there, else everywhere.

    Raises:
        JournalUnusable: it names the entry; as damaged where a program can't have written it so.
    """
    found = db.execute(_FIRST_UNKNOWN, (_known_up_to(db, software),)).fetchone()
    if found is None:
        return
    seq, kind, v = found
    if not is_as_written(db, seq):
        raise JournalUnusable("journal.damaged", f"{path}: entry {seq}: changed: its hash does not fit")
    raise JournalUnusable(
        "journal.unwritable",
        f"{path}: entry {seq} was written by a newer program ({kind.decode()}, v{v}); install that program again",
    )


def _known_up_to(db: sqlite3.Connection, software: str) -> int:
    """The entry up to which this program has looked before: it wrote its start only behind what it knew.

    To look at 100,000 entries takes some 60 ms on a PC and several times that on a small board: well spent after a change of the
    program, too much for each start. The newest are looked at all the same, should two programs bear the same version.
    """
    row = db.execute("SELECT event.seq, body FROM latest JOIN event USING (seq) WHERE latest.kind = 'agent.started'")
    seq, body = row.fetchone() or (0, b"")
    try:
        started = events.decode(body)
    except events.UnknownEvent:
        return 0
    if not isinstance(started, events.AgentStarted) or started.software != software:
        return 0
    return max(int(seq), tables.head(db)[0] - NEWEST)
