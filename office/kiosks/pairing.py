"""Pairing: a one-time code of two halves (token and pin of the office's key), exchanged for an identity.

10 minutes, 5 tries, once. Source: decisions 19, docs/office-api.md.
"""

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from kiosk.domain.http_signature import CROCKFORD, SignatureInvalid, key_id, key_pin, raw_public, read_public_key
from office.kiosks import key_rolls
from office.kiosks.key_rolls import Proof
from office.kiosks.keys import office_key
from office.kiosks.models import Kiosk, PairingCode
from office.kiosks.new_journals import Held, held
from office.ledger import stream as books
from office.payments.models import Payment
from office.property.models import Project
from office.staff import audit

TOKEN_LENGTH = 8
VALID_FOR = datetime.timedelta(minutes=10)
MAY_REPLACE_FOR = datetime.timedelta(hours=24)
MAX_TRIES = 5


class PairingRefused(Exception):
    """Wrong, used, expired or tried too often: the kiosk is told the same in every case."""


@dataclass(frozen=True)
class NewCode:
    """The code as a person sees it, once: ``code`` is token and pin, 16 characters."""

    code: str
    expires_at: datetime.datetime
    project: Project


@dataclass(frozen=True)
class Paired:
    """What a new kiosk is told."""

    kiosk: Kiosk
    next_receipt_number: int
    replaces: Held | None


def make_code(
    project: Project, by: Any = None, location: str = "", *, renews: Kiosk | None = None, reason: str = ""
) -> NewCode:
    """A new one-time code for a kiosk of this project; older open codes stay as they are. With ``renews`` it is for that kiosk
    alone: it gets another key, also when its old one is lost, and may begin a new journal."""
    now = timezone.now()
    token = "".join(secrets.choice(CROCKFORD) for _ in range(TOKEN_LENGTH))
    row = PairingCode.objects.create(
        project=project,
        token_hash=_hash(token),
        made_at=now,
        expires_at=now + VALID_FOR,
        made_by=by,
        location=location[:80],
        renews=renews,
    )
    kiosk_code = {"kiosk": renews.code} if renews else {}
    audit.note(project.id, by, "kiosk.pairing_code", renews or row, reason=reason, **kiosk_code)
    return NewCode(token + key_pin(raw_public(office_key())), row.expires_at, project)


def pair(token: str, public_key: str, software: str, proof: Proof | None = None) -> Paired:
    """Exchange a token for an identity. A kiosk that pairs again, with its own key or with a new one that the old one signed
    for, keeps its code and journals, and may begin a new journal that names the old one's end.

    Raises:
        PairingRefused: no open code has this token. Every wrong try counts against every open code, so that guessing
            closes them all after five tries.
        SignatureInvalid: the public key is none, or the proof does not hold.
    """
    key = raw_public(read_public_key(public_key))
    with transaction.atomic():
        code = _open_codes().select_for_update().filter(token_hash=_hash(token)).first()
        if code is None:
            _open_codes().update(tries=F("tries") + 1)
        else:
            kiosk = _kiosk_with(key, public_key, code, software, proof)
            code.used_at, code.kiosk = timezone.now(), kiosk
            code.save(update_fields=["used_at", "kiosk"])
            audit.note(kiosk.project_id, code.made_by, "kiosk.paired", kiosk, kiosk=kiosk.code, key=kiosk.key_id)
    if code is None:
        raise PairingRefused
    books.fold(kiosk.project_id)  # a number that waits to be folded is given out as well
    last = Payment.objects.filter(project_id=kiosk.project_id, kiosk=kiosk).aggregate(last=Max("receipt_number"))
    return Paired(kiosk, (last["last"] or 0) + 1, held(kiosk))


def _open_codes() -> Any:
    return PairingCode.objects.filter(used_at=None, expires_at__gt=timezone.now(), tries__lt=MAX_TRIES)


def _kiosk_with(key: bytes, public_key: str, code: PairingCode, software: str, proof: Proof | None) -> Kiosk:
    same = Kiosk.objects.select_for_update(no_key=True).filter(key_id=key_id(key)).first()
    before = key_rolls.proven(proof, key) if proof else None
    known = code.renews or before or same
    if known is None:
        return _new_kiosk(key, public_key, code, software)
    others = any(other not in (None, known) for other in (before, same))
    if known.project_id != code.project_id or known.state == Kiosk.State.REVOKED or others:
        raise SignatureInvalid("public key: belongs to another kiosk")
    if before == known and same is None:
        key_rolls.promise(known, public_key, key_id(key))
    else:
        key_rolls.give(known, public_key, key_id(key))
    known.state, known.software, known.paired_at = Kiosk.State.PAIRED, software, timezone.now()
    known.may_replace_until = known.paired_at + MAY_REPLACE_FOR
    known.save()
    return known


def _new_kiosk(key: bytes, public_key: str, code: PairingCode, software: str) -> Kiosk:
    project = Project.objects.select_for_update(no_key=True).get(id=code.project_id)
    return Kiosk.objects.create(
        project=project,
        code=_next_code(project),
        location=code.location,
        public_key=public_key,
        key_id=key_id(key),
        software=software,
        paired_at=timezone.now(),
    )


def _next_code(project: Project) -> str:
    """The code after the highest: one that came with a replayed journal is taken as well."""
    taken = Kiosk.objects.filter(project=project, code__startswith=project.code).values_list("code", flat=True)
    numbers = [int(code[len(project.code) :]) for code in taken if code[len(project.code) :].isdecimal()]
    return f"{project.code}{max(numbers, default=0) + 1:02d}"


def _hash(token: str) -> str:
    return hashlib.sha256(b"menting-pairing-1:" + token.encode()).hexdigest()
