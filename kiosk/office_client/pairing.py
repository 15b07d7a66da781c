"""`kiosk pair`: exchanges a one-time code for an identity, and begins the journal.

The code's first half goes to the office; the second half stays here and says which office key to believe, so that whoever
sits in between can neither pass for the office nor learn the code. Source: docs/office-api.md, decisions 19.
"""

import argparse
import hmac
import json
import sys
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import kiosk
from kiosk.clock import Clock, SystemClock
from kiosk.domain.events import JournalGenesis
from kiosk.domain.http_signature import (
    CROCKFORD,
    PIN_LENGTH,
    SignatureInvalid,
    key_pin,
    public_text,
    raw_public,
    read_public_key,
    verify_answer,
)
from kiosk.office_client.client import Transport, Unreachable
from kiosk.office_client.identity import Identity, IdentityUnusable, roll
from kiosk.office_client.wire import JournalHeld, PairingAnswer, PairingRequest, Problem
from kiosk.offline_queue import kept
from kiosk.offline_queue.database import JournalUnusable, Room
from kiosk.offline_queue.journal import Journal
from kiosk.offline_queue.reader import JournalReader
from kiosk.settings import Settings, SettingsError, load

_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})


class PairingFailed(Exception):
    """This kiosk is not paired; the message says why and what to do."""


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """What pairing gave."""

    identity: Identity
    next_receipt_number: int
    replaces: JournalHeld | None = None  # what a new journal of this kiosk must name as its predecessor


def split_code(code: str) -> tuple[str, str]:
    """Token and pin of a pairing code as a person typed it: spaces, dashes and case do not matter, misread letters do not.

    Raises:
        PairingFailed: not sixteen characters of the code's alphabet.
    """
    plain = "".join(code.upper().split()).replace("-", "").translate(_MISREAD)
    if len(plain) != 2 * PIN_LENGTH or set(plain) - set(CROCKFORD):
        raise PairingFailed("a pairing code has sixteen letters and digits; read it again on the office's page")
    return plain[:PIN_LENGTH], plain[PIN_LENGTH:]


def pair(url: str, code: str, identity_path: Path, software: str) -> Paired:
    """Pair with the office at ``url`` and write the identity. A kiosk paired before stays who it is, with another key.

    Raises:
        PairingFailed: the code is wrong, what answers is not the office that made the code, or nothing answers.
    """
    paired = exchange(url, code, software, kept_at(identity_path))
    paired.identity.save(identity_path)
    return paired


def exchange(url: str, code: str, software: str, before: Identity | None = None) -> Paired:
    """Trade the code for an identity with a new key, and write nothing. Who this kiosk was ``before``, it proves with its old
    key; that one opens the office's door until the new one is used, so nothing is lost if we die before it is written.

    Raises:
        PairingFailed: as pair().
    """
    token, pin = split_code(code)
    key = Ed25519PrivateKey.generate()
    request = PairingRequest(token=token, public_key=public_text(key), software=software)
    if before:
        rolled = roll(before.key, key)
        request = msgspec.structs.replace(request, previous_key=rolled.old_public_key, proof=rolled.old_signature)
    answer = _ask(url, request, pin)
    same = before is not None and before.kiosk_id == answer.kiosk_id
    identity = Identity(
        kiosk_id=answer.kiosk_id,
        kiosk_code=answer.kiosk_code,
        project_code=answer.project_code,
        key=key,
        office_key=read_public_key(answer.office_public_key),
        rolls=(*before.rolls, rolled) if before and same else (),
    )
    return Paired(identity=identity, next_receipt_number=answer.next_receipt_number, replaces=answer.replaces)


def begin_journal(paired: Paired, path: Path, clock: Clock, software: str, room: Room | None = None) -> str:
    """Make the journal of a newly paired kiosk; keep the one that is there when it is this kiosk's. Returns its id.

    Raises:
        PairingFailed: the journal there belongs to another kiosk.
        JournalUnusable: it can't be opened or made.
    """
    if path.exists():
        with JournalReader(path) as reader:
            _check_ours(paired.identity, reader, path)
            return reader.journal_id
    genesis = genesis_of(paired, software, max(paired.next_receipt_number, kept.next_receipt_number(path)))
    journal = Journal.create(path, clock, genesis, room)
    journal.close()
    return journal.journal_id


def genesis_of(paired: Paired, software: str, first_receipt_number: int) -> JournalGenesis:
    """The first entry of this kiosk's next journal."""
    identity, before = paired.identity, paired.replaces
    return JournalGenesis(
        kiosk_id=identity.kiosk_id,
        kiosk_code=identity.kiosk_code,
        public_key=public_text(identity.key),
        software=software,
        first_receipt_number=first_receipt_number,
        replaces_journal_id=before.journal_id if before else None,
        replaces_seq=before.seq if before else None,
        replaces_hash=before.hash if before else None,
    )


def _check_ours(identity: Identity, reader: JournalReader, path: Path) -> None:
    own = reader.genesis()
    if own.kiosk_id != identity.kiosk_id:
        raise PairingFailed(
            f"{path} is the journal of kiosk {own.kiosk_code}, and the office calls this one {identity.kiosk_code}; "
            "upload or export it, move it away, then pair again"
        )
    if reader.signing_key() not in {public_text(identity.key), *(each.old_public_key for each in identity.rolls)}:
        raise PairingFailed(
            f"{path} was signed with a key that is lost; run kiosk journal replace with a code made for kiosk {own.kiosk_code}"
        )


def main(argv: list[str] | None = None) -> int:
    """The `kiosk pair` command."""
    parser = argparse.ArgumentParser(prog="kiosk pair", description="Exchange a one-time code for an identity.")
    parser.add_argument("--office", metavar="URL", help="where the office answers; else the settings' [office] url")
    parser.add_argument("--code", required=True, help="the sixteen characters the office shows")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings of this kiosk")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    try:
        settings = load(arguments.config) if arguments.config else Settings()
        room = Room.of_margin_mb(settings.kiosk.disk_margin_mb)
        url = arguments.office or settings.office.url
        paired = exchange(url, arguments.code, kiosk.__version__, kept_at(settings.identity_path))
        journal_id = _keep(paired, settings, SystemClock(), room)
    except (SettingsError, PairingFailed, JournalUnusable, OSError) as error:
        print(f"kiosk pair: {error}", file=sys.stderr)
        return 1
    identity = paired.identity
    if arguments.json:
        told = {"kiosk_id": identity.kiosk_id, "kiosk_code": identity.kiosk_code, "project_code": identity.project_code}
        print(json.dumps({**told, "journal_id": journal_id}))
    else:
        print(f"Paired as {identity.kiosk_code} in {identity.project_code}. The journal is {settings.journal_path}.")
        if identity.rolls:
            print("The key is new: restart the kiosk, so that it uses it and the office forgets the old one.")
    return 0


def _keep(paired: Paired, settings: Settings, clock: Clock, room: Room) -> str:
    """Write identity and journal; the journal's id. The key comes before a new journal: after a power cut between them
    a journal without its key would belong to nobody, and this kiosk could not be paired again. A journal that is there
    is asked first, since its kiosk's key must not be replaced."""
    there_already = settings.journal_path.exists()
    if not there_already:
        paired.identity.save(settings.identity_path)
    journal_id = begin_journal(paired, settings.journal_path, clock, kiosk.__version__, room)
    if there_already:
        paired.identity.save(settings.identity_path)
    return journal_id


def _ask(url: str, request: PairingRequest, pin: str) -> PairingAnswer:
    try:
        transport = Transport(url)
        prepared = transport.prepare("POST", "/pairings", {}, msgspec.json.encode(request))
        prepared.headers["Content-Type"] = "application/json"
        status, headers, body = transport.send(prepared)
        transport.close()
    except (Unreachable, ValueError) as error:
        raise PairingFailed(
            f"{url}: the office does not answer ({error}); check the address and the network"
        ) from error
    if status != 201:
        raise PairingFailed(_refusal(url, status, body))
    try:
        answer = msgspec.json.decode(body, type=PairingAnswer)
        office_key = read_public_key(answer.office_public_key)
        if not hmac.compare_digest(key_pin(raw_public(office_key)), pin):
            raise PairingFailed(f"{url}: what answers is not the office that made this code; nothing was written")
        verify_answer(office_key, status=status, headers=headers, body=body, request_signature=None)
    except (msgspec.MsgspecError, SignatureInvalid) as error:
        raise PairingFailed(f"{url}: what answers is not the office ({error}); nothing was written") from error
    return answer


def _refusal(url: str, status: int, body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        return f"{url}: what answers ({status}) is not the office"
    if problem.code == "pairing_code_invalid":
        return "the office does not take this code: wrong, used, older than ten minutes, or tried too often; make a new one"
    return f"the office refuses ({status} {problem.code}): {problem.detail or problem.title}"


def kept_at(identity_path: Path) -> Identity | None:
    """Who this kiosk is already."""
    try:
        return Identity.load(identity_path)
    except IdentityUnusable:
        return None
