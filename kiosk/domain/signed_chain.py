"""Whose journal it is: the key that its first entry names signs every checkpoint, until both keys sign for the next one. Pure.

Whoever knows how the chain is made can make all its hashes again after a change; these signatures they can't.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.domain import chain, events
from kiosk.domain.http_signature import SignatureInvalid, raw_public, read_public_key, signature_fits


class NotSigned(Exception):
    """An entry that the kiosk's key must have signed says something that it did not sign."""


class Signer:
    """The key that signs at one point of a journal; shown each entry in order, whose hash was checked before."""

    def __init__(self, journal_id: str) -> None:
        self.journal_id = journal_id
        self.key: Ed25519PublicKey | None = None

    def check(self, kind: str, body: bytes, before_seq: int, before: bytes) -> None:
        """Look at the entry that follows entry ``before_seq`` with its hash ``before``.

        Raises:
            NotSigned: it is a checkpoint or a roll of the key, and not signed as it must be.
        """
        if kind == "journal.genesis":
            self.key = _key_of(body)
        elif kind == "key.rolled":
            self.key = rolled_from(self.key, body)
        elif kind == "checkpoint" and self.key:
            _check_signature(self.journal_id, body, self.key, before_seq, before)


def _key_of(body: bytes) -> Ed25519PublicKey | None:
    try:
        genesis = events.decode(body)
        return read_public_key(genesis.public_key) if isinstance(genesis, events.JournalGenesis) else None
    except (events.UnknownEvent, SignatureInvalid):
        return None  # the chain holds; whose key it was can't be said, so checkpoints prove nothing more


def rolled_from(key: Ed25519PublicKey | None, body: bytes) -> Ed25519PublicKey:
    """The next key, once both have signed for it; where the walk began later, the old one is taken as told.

    Raises:
        NotSigned: it is no roll, or not of this key, or not signed by both.
    """
    try:
        told = events.decode(body)
        if not isinstance(told, events.KeyRolled):
            raise NotSigned("it is no roll of a key")
        old, new = read_public_key(told.old_public_key), read_public_key(told.new_public_key)
        if key and raw_public(key) != raw_public(old):
            raise NotSigned("it rolls a key that this journal was not signed with")
        stated = chain.key_roll_bytes(raw_public(old), raw_public(new))
        signature_fits(old, told.old_signature, stated)
        signature_fits(new, told.new_signature, stated)
    except (events.UnknownEvent, SignatureInvalid) as error:
        raise NotSigned(f"the roll of the key is not signed by both keys: {error}") from error
    return new


def _check_signature(journal_id: str, body: bytes, key: Ed25519PublicKey, seq: int, entry: bytes) -> None:
    try:
        stated = events.decode(body)
        if not isinstance(stated, events.Checkpoint) or (stated.up_to_seq, stated.up_to_hash) != (seq, entry.hex()):
            raise NotSigned("the checkpoint does not state the entry before it")
        covered = chain.checkpoint_bytes(journal_id, seq, entry, stated.credited_fen, stated.notes)
        key.verify(base64.b64decode(stated.signature, validate=True), covered)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotSigned("the checkpoint is not signed by this kiosk") from error
