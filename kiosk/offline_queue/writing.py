"""How an event becomes an entry, and a new file a journal."""

import sqlite3

from kiosk.clock import Clock
from kiosk.domain import chain, events
from kiosk.domain.events import Event, JournalGenesis
from kiosk.domain.identifiers import new_id
from kiosk.offline_queue import projections, tables
from kiosk.offline_queue.projections import EventRefused
from kiosk.offline_queue.records import Entry


def make_entry(journal_id: str, seq: int, event: Event, prev: bytes, clock: Clock) -> Entry:
    """Stamp, encode and chain one event.

    Raises:
        EventRefused: the event does not fit its own schema; the office would have to quarantine it.
    """
    body = events.encode(event)
    try:
        events.decode(body)
    except events.UnknownEvent as error:
        raise EventRefused(f"{events.kind_of(event)}: {error}") from error
    now = clock.reading()
    header = chain.Header(
        payment_id=events.payment_of(event) or "",
        kind=events.kind_of(event),
        v=event.v,
        boot_id=clock.boot_id,
        mono_ms=clock.since_boot_ms(),
        wall_ms=now.wall_ms,
        clock=now.state,
    )
    return Entry(seq=seq, header=header, body=body, hash=chain.entry_hash(journal_id, seq, header, body, prev))


def write_genesis(db: sqlite3.Connection, clock: Clock, genesis: JournalGenesis) -> None:
    journal_id = new_id()
    entry = make_entry(journal_id, 1, genesis, chain.GENESIS_PREV, clock)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO journal VALUES (1, ?)", (journal_id,))
    db.execute("INSERT INTO cursor VALUES (1, 0, ?, 0)", (chain.GENESIS_PREV,))
    db.execute("INSERT INTO head VALUES (1, ?, ?)", (entry.seq, entry.hash))
    db.execute(tables.INSERT_EVENT, tables.row_of(entry))
    projections.apply(db, 1, genesis, genesis.kiosk_code)
    db.execute("COMMIT")
