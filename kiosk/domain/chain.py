"""The hash chain over journal entries: order and completeness, checkable by anyone who holds the bytes."""

import hashlib

import msgspec

ENTRY_TAG = b"menting-journal-entry-1"
CHECKPOINT_TAG = b"menting-journal-checkpoint-1"
KEY_ROLL_TAG = b"menting-key-roll-1"
GENESIS_PREV = bytes(32)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal knows about an entry beside its body; part of the hash."""

    payment_id: str  # empty for machine events
    kind: str
    v: int
    boot_id: str
    mono_ms: int
    wall_ms: int
    clock: str  # synced, rtc, held, unset


def entry_hash(journal_id: str, seq: int, header: Header, body: bytes, prev: bytes) -> bytes:
    """SHA-256 over every part with its length before it, so that no two entries share an input.

    Source: journal-and-upload section 2.
    """
    parts = (
        ENTRY_TAG,
        journal_id.encode(),
        str(seq).encode(),
        header.payment_id.encode(),
        header.kind.encode(),
        str(header.v).encode(),
        header.boot_id.encode(),
        str(header.mono_ms).encode(),
        str(header.wall_ms).encode(),
        header.clock.encode(),
        body,
        prev,
    )
    return _digest(parts)


def checkpoint_bytes(journal_id: str, seq: int, entry: bytes, credited_fen: int, notes: dict[str, int]) -> bytes:
    """What a checkpoint's signature covers."""
    counted = ",".join(f"{face}:{count}" for face, count in sorted(notes.items()))
    parts = (
        CHECKPOINT_TAG,
        journal_id.encode(),
        str(seq).encode(),
        entry,
        str(credited_fen).encode(),
        counted.encode(),
    )
    return _digest(parts)


def key_roll_bytes(old_key: bytes, new_key: bytes) -> bytes:
    """What both keys sign when a kiosk's key is rolled: the raw public keys, old before new."""
    return _digest((KEY_ROLL_TAG, old_key, new_key))


def check_code(seq: int, entry: bytes) -> str:
    """What a receipt prints to witness the chain: sequence number and the first 8 hex digits of the hash."""
    return f"{seq}-{entry.hex()[:8]}"


def _digest(parts: tuple[bytes, ...]) -> bytes:
    whole = bytearray()
    for part in parts:
        whole += len(part).to_bytes(8, "big")
        whole += part
    return hashlib.sha256(whole).digest()
