"""A kiosk's new key: promised at pairing, the kiosk's own from the first thing that it signs, when the old one ends.

In between both would open the door, so that a power cut in the middle of a pairing leaves a kiosk that can speak.
"""

from dataclasses import dataclass

from django.db.models import Q

from kiosk.domain import chain
from kiosk.domain.http_signature import key_id, raw_public, read_public_key, signature_fits
from office.kiosks.models import Kiosk


@dataclass(frozen=True)
class Proof:
    """The old public key and its signature over both keys: who pairs again is the kiosk that paired before."""

    previous_key: str
    signature: str


def owner(keyid: str) -> tuple[Kiosk, str] | None:
    """The kiosk that a key id names, and that public key."""
    kiosk = Kiosk.objects.select_related("project").filter(Q(key_id=keyid) | Q(next_key_id=keyid)).first()
    if kiosk is None:
        return None
    return kiosk, kiosk.public_key if kiosk.key_id == keyid else kiosk.next_public_key


def proven(proof: Proof, new_key: bytes) -> Kiosk | None:
    """The kiosk whose key signed the roll, locked; None when this office knows none. That signature is a use of the key as well:
    who signs with a promised one has it on disk, and must keep it in case the answer to this roll is lost.

    Raises:
        SignatureInvalid: the proof does not hold.
    """
    old = read_public_key(proof.previous_key)
    signature_fits(old, proof.signature, chain.key_roll_bytes(raw_public(old), new_key))
    keyid = key_id(raw_public(old))
    kiosk = Kiosk.objects.select_for_update(no_key=True).filter(Q(key_id=keyid) | Q(next_key_id=keyid)).first()
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
