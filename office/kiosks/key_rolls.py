"""A kiosk's new key: promised at pairing, the kiosk's own from the first thing that it signs, when the old one ends.

In between both would open the door, so that a power cut in the middle of a pairing leaves a kiosk that can speak.
"""

import base64
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from kiosk.domain import chain
from kiosk.domain.http_signature import SignatureInvalid, key_id, raw_public, read_public_key, signature_fits
from kiosk.domain.signed_chain import NotSigned, rolled_from
from office.kiosks.models import Kiosk


@dataclass(frozen=True)
class Proof:
    """The old public key and its signature over both keys: who pairs again is the kiosk that paired before."""

    previous_key: str
    signature: str


def owner(keyid: str) -> tuple[Kiosk, str] | None:
    """The kiosk that a key id names, and that public key."""
    kiosk = Kiosk.objects.select_related("project").filter(_named(keyid)).first()
    if kiosk is None:
        return None
    return kiosk, kiosk.public_key if kiosk.key_id == keyid else kiosk.next_public_key


def _named(keyid: str) -> Q:
    return Q(key_id=keyid) | Q(next_key_id=keyid)


def proven(proof: Proof, new_key: bytes) -> Kiosk | None:
    """The kiosk whose key signed the roll, locked; None when this office knows none. That signature is a use of the key as well:
    who signs with a promised one has it on disk, and must keep it in case the answer to this roll is lost.

    Raises:
        SignatureInvalid: the proof does not hold.
    """
    old = read_public_key(proof.previous_key)
    signature_fits(old, proof.signature, chain.key_roll_bytes(raw_public(old), new_key))
    keyid = key_id(raw_public(old))
    kiosk = Kiosk.objects.select_for_update(no_key=True).filter(_named(keyid)).first()
    if kiosk:
        used(kiosk, keyid)
    return kiosk


def promise(kiosk: Kiosk, public_key: str, keyid: str) -> None:
    kiosk.next_public_key, kiosk.next_key_id = public_key, keyid


def give(kiosk: Kiosk, public_key: str, keyid: str) -> None:
    """The key from now on; every earlier one is refused."""
    kiosk.public_key, kiosk.key_id = public_key, keyid
    kiosk.next_public_key = kiosk.next_key_id = ""


def used(kiosk: Kiosk, keyid: str) -> None:
    """Something was signed with this key: a promised one is the kiosk's own now."""
    if kiosk.next_key_id != keyid:
        return
    public_key = kiosk.next_public_key
    # The row may be newer than what was read: a later promise in it must stay.
    as_read = Kiosk.objects.filter(id=kiosk.id, next_key_id=keyid)
    if as_read.update(public_key=public_key, key_id=keyid, next_public_key="", next_key_id=""):
        give(kiosk, public_key, keyid)


def follow(kiosk_id: uuid.UUID, rolls: Iterable[bytes]) -> None:
    """The key to which the kiosk's own entries lead from the one that is known here, each roll signed by both of its keys. Any other
    entry is passed over; a key that is another kiosk's already stays that one's."""
    with transaction.atomic():
        kiosk = Kiosk.objects.select_for_update(no_key=True).get(id=kiosk_id)
        try:
            key = read_public_key(kiosk.public_key)
        except SignatureInvalid:
            return  # a key by which nobody can sign is not rolled either
        for roll in rolls:
            with suppress(NotSigned):
                key = rolled_from(key, roll)
        keyid = key_id(raw_public(key))
        if keyid == kiosk.key_id or Kiosk.objects.exclude(id=kiosk_id).filter(_named(keyid)).exists():
            return
        give(kiosk, base64.b64encode(raw_public(key)).decode(), keyid)
        kiosk.save(update_fields=["public_key", "key_id", "next_public_key", "next_key_id"])
