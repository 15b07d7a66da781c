-- The journal's tables. `event` is the truth and is only ever extended; `journal`, `cursor` are state of their own;
-- all other tables are projections that rebuild_projections() makes again from the events.

CREATE TABLE journal (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    journal_id TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    seq        INTEGER PRIMARY KEY,
    payment_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    v          INTEGER NOT NULL,
    boot_id    TEXT    NOT NULL,
    mono_ms    INTEGER NOT NULL,
    wall_ms    INTEGER NOT NULL,
    clock      TEXT    NOT NULL,
    body       BLOB    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX event_by_payment ON event (payment_id) WHERE payment_id <> '';

-- INSERT OR REPLACE deletes without asking the delete trigger, so the insert itself demands the next number.
CREATE TRIGGER event_is_the_next BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT ifnull(max(seq), 0) + 1 FROM event)
BEGIN SELECT raise(ABORT, 'an event takes the next sequence number'); END;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'an event is never changed'); END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'an event is never deleted'); END;

-- What the office holds durably (ack_*) and has folded into its books (posted_seq).
CREATE TABLE cursor (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    ack_seq    INTEGER NOT NULL,
    ack_hash   BLOB    NOT NULL,
    posted_seq INTEGER NOT NULL
) STRICT;

-- The newest event, written with it: a journal whose tail was cut off betrays itself.
CREATE TABLE head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seq      INTEGER NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;

CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE latest (
    kind TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE payment (
    payment_id TEXT PRIMARY KEY,
    opened_seq INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('open', 'settled', 'partial', 'cancelled')),
    ended_seq  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_open ON payment (opened_seq) WHERE state = 'open';
CREATE INDEX payment_by_end ON payment (ended_seq) WHERE ended_seq IS NOT NULL;

CREATE TABLE note (
    note_no         INTEGER PRIMARY KEY,
    payment_id      TEXT,
    face_fen        INTEGER,
    state           TEXT NOT NULL CHECK (state IN ('escrow', 'intent', 'credited', 'returned', 'unknown')),
    acceptor_serial TEXT NOT NULL,
    channel         INTEGER,
    claim_no        TEXT
) STRICT;

CREATE INDEX note_by_payment ON note (payment_id);
CREATE INDEX note_intent ON note (note_no) WHERE state = 'intent';
