"""The office's own key, made once, with which every answer to a kiosk is signed."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from kiosk.domain.http_signature import public_text
from office.kiosks.models import OfficeKey


def office_key() -> Ed25519PrivateKey:
    """The office's private key; the first call of an office's life makes it."""
    row = OfficeKey.objects.first() or _make()
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(row.private_key))


def _make() -> OfficeKey:
    key = Ed25519PrivateKey.generate()
    private = base64.b64encode(key.private_bytes_raw()).decode()
    with transaction.atomic():
        row, _ = OfficeKey.objects.get_or_create(
            id=1, defaults={"private_key": private, "public_key": public_text(key)}
        )
    return row
