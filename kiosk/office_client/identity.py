"""Who this kiosk is to the office: its key, its names, and the office's own key to check answers with."""

import base64
import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.domain import chain
from kiosk.domain.events import KeyRolled
from kiosk.domain.http_signature import SignatureInvalid, public_text, raw_public, read_public_key


class IdentityUnusable(Exception):
    """There is no identity, or it can't be trusted; the message says what to do."""


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The file's shape."""

    v: int = 1
    kiosk_id: str
    kiosk_code: str
    project_code: str
    private_key: str  # base64 of the raw 32 bytes
    office_public_key: str
    rolls: tuple[KeyRolled, ...] = ()


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Made by pairing. ``key`` never leaves this kiosk. ``rolls`` lead to it from the keys before, oldest first; the agent
    writes into its journal those that are not there yet."""

    kiosk_id: str
    kiosk_code: str
    project_code: str
    key: Ed25519PrivateKey
    office_key: Ed25519PublicKey
    rolls: tuple[KeyRolled, ...] = ()

    @classmethod
    def load(cls, path: Path) -> "Identity":
        """
        Raises:
            IdentityUnusable: not paired yet, readable by others, or not what save() wrote.
        """
        try:
            if path.stat().st_mode & 0o077:
                raise IdentityUnusable(
                    f"{path}: others can read this key; chmod 600 it, or pair again if they may have"
                )
            stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(stored.private_key, validate=True))
            office_key = read_public_key(stored.office_public_key)
        except FileNotFoundError as error:
            raise IdentityUnusable(
                f"{path}: this kiosk is not paired; run kiosk pair --office URL --code CODE"
            ) from error
        except (OSError, ValueError, msgspec.MsgspecError, SignatureInvalid) as error:
            raise IdentityUnusable(f"{path}: {error}; pair this kiosk again") from error
        return cls(
            kiosk_id=stored.kiosk_id,
            kiosk_code=stored.kiosk_code,
            project_code=stored.project_code,
            key=key,
            office_key=office_key,
            rolls=stored.rolls,
        )

    def save(self, path: Path) -> None:
        """Write the file for the owner alone, whole or not at all."""
        stored = _Stored(
            kiosk_id=self.kiosk_id,
            kiosk_code=self.kiosk_code,
            project_code=self.project_code,
            private_key=base64.b64encode(self.key.private_bytes_raw()).decode(),
            office_public_key=public_text(self.office_key),
            rolls=self.rolls,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(msgspec.json.encode(stored))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def roll(old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> KeyRolled:
    """The statement of both keys that one follows the other."""
    stated = chain.key_roll_bytes(raw_public(old), raw_public(new))
    return KeyRolled(
        old_public_key=public_text(old),
        new_public_key=public_text(new),
        old_signature=base64.b64encode(old.sign(stated)).decode(),
        new_signature=base64.b64encode(new.sign(stated)).decode(),
    )
