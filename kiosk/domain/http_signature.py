"""Signatures over HTTP messages, strict enough that exactly one spelling of each is right; for kiosk and office alike.

A profile of RFC 9421 with RFC 9530 digests (docs/office-api.md): the covered components, the parameters and their order are
fixed, so a header is either the one we would have written or it is refused. Pure: time and randomness are arguments.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_core_ed25519_is_valid_point

LABEL = "sig1"
REQUEST_TAG = "kiosk-upload-1"
ANSWER_TAG = "office-answer-1"
PROTOCOL = "1"
WINDOW_S = 300

REQUEST_COMPONENTS = (
    '"@method"',
    '"@authority"',
    '"@path"',
    '"@query"',
    '"content-digest"',
    '"content-type"',
    '"content-encoding"',
    '"kiosk-protocol"',
)
BOUND = f'"signature";req;key="{LABEL}"'  # binds an answer to the one request it answers
ANSWER_COMPONENTS = ('"@status"', '"content-digest"', '"content-type"', BOUND)
UNBOUND_ANSWER_COMPONENTS = ANSWER_COMPONENTS[:-1]

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PIN_LENGTH = 8
_INPUT = re.compile(rf"{LABEL}=\(([^()]*)\)((?:;[^;]+)*)")
_PARAMETER = re.compile(r';([a-z]+)=(?:"([\x20\x21\x23-\x5b\x5d-\x7e]*)"|(0|[1-9][0-9]{0,14}))')
_SIGNATURE = re.compile(rf"{LABEL}=:([A-Za-z0-9+/=]+):")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 bits in base64url without padding


class SignatureInvalid(Exception):
    """The message is not what its sender signed, or not signed as agreed; nothing in it may be believed."""


class ClockOutOfRange(Exception):
    """Rightly signed, but at a time too far from ours; the sender may correct its time and sign once more."""

    def __init__(self, created: int, now: float) -> None:
        super().__init__(f"signed at {created}, which is {abs(created - now):.0f} s from our {now:.0f}")
        self.created = created


class RequestSignature(msgspec.Struct, frozen=True):
    """What a verified request's signature said; the caller refuses a ``nonce`` it has seen before."""

    keyid: str
    created: int
    nonce: str


# --- keys ------------------------------------------------------------------------------------------------------


def raw_public(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes_raw()


def key_id(raw_public_key: bytes) -> str:
    """Lower-case hex SHA-256 of the raw public key."""
    return hashlib.sha256(raw_public_key).hexdigest()


def key_pin(raw_public_key: bytes) -> str:
    """The second half of a pairing code: the first 40 bits of the key's hash, eight characters a person can type."""
    bits = int.from_bytes(hashlib.sha256(raw_public_key).digest()[:5], "big")
    return "".join(CROCKFORD[bits >> shift & 31] for shift in range(35, -5, -5))


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """A public key as it travels in JSON: base64 of its raw bytes."""
    return base64.b64encode(raw_public(key)).decode()


@functools.lru_cache(maxsize=16_384)  # an office asks for the same few keys with every request
def read_public_key(text: str) -> Ed25519PublicKey:
    """Read what public_text() wrote.

    Raises:
        SignatureInvalid: not base64 in its one canonical form, or not a key that only its owner can sign with.
    """
    raw = _canonical_base64(text, "public key")
    # OpenSSL takes any point. Under one of small order a single signature fits every message, and one with such a part has
    # eight spellings. Source: RFC 8032 section 5.1; Chalkias et al., "Taming the many EdDSAs", 2020.
    if len(raw) != 32 or not crypto_core_ed25519_is_valid_point(raw):
        raise SignatureInvalid("public key: not 32 bytes of a usable Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(raw)


def signature_fits(key: Ed25519PublicKey, text: str, message: bytes) -> None:
    """Check a signature that travels in JSON, as base64.

    Raises:
        SignatureInvalid: not in its one canonical form, or not over this message by this key.
    """
    if not _holds(key, _canonical_base64(text, "signature"), message):
        raise SignatureInvalid("signature: does not hold")


# --- signing ---------------------------------------------------------------------------------------------------


def content_digest(body: bytes) -> str:
    """RFC 9530 over the bytes as sent."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def sign_request(
    key: Ed25519PrivateKey,
    *,
    method: str,
    authority: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    created: int,
    nonce: str,
) -> dict[str, str]:
    """The headers to add to a request. ``headers`` must hold Content-Type and Content-Encoding; ``query`` has no ``?``."""
    fields = {**_lowered(headers), "content-digest": content_digest(body), "kiosk-protocol": PROTOCOL}
    values = _request_values(method, authority, path, query, fields)
    names = key_id(raw_public(key))
    parameters = f'created={created};nonce="{nonce}";keyid="{names}";alg="ed25519";tag="{REQUEST_TAG}"'
    return {
        "Content-Digest": fields["content-digest"],
        "Kiosk-Protocol": PROTOCOL,
        **_signed(key, REQUEST_COMPONENTS, values, parameters),
    }


def sign_answer(
    key: Ed25519PrivateKey,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    created: int,
    request_signature: str | None,
) -> dict[str, str]:
    """The headers to add to an answer. ``request_signature`` is what request_signature_of() found in the request."""
    fields = {**_lowered(headers), "content-digest": content_digest(body)}
    components, values = _answer_parts(status, fields, request_signature)
    parameters = f'created={created};keyid="{key_id(raw_public(key))}";alg="ed25519";tag="{ANSWER_TAG}"'
    return {"Content-Digest": fields["content-digest"], **_signed(key, components, values, parameters)}


# --- verifying -------------------------------------------------------------------------------------------------


def claimed_key_id(headers: Mapping[str, str]) -> str:
    """The key id a request names, to look its key up by; nothing is proven yet.

    Raises:
        SignatureInvalid: no signature, or none of ours.
    """
    _, _, parameters = _read_input(_field(_lowered(headers), "signature-input"), REQUEST_TAG, with_nonce=True)
    return parameters["keyid"]


def request_signature_of(headers: Mapping[str, str]) -> str | None:
    """The request's Signature header for sign_answer(), or None when there is none that an answer could be bound to."""
    value = _lowered(headers).get("signature", "")
    try:
        _read_signature(value)
    except SignatureInvalid:
        return None
    return value


def verify_request(
    public_key: Ed25519PublicKey,
    *,
    method: str,
    authorities: Collection[str],
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    window_s: float = WINDOW_S,
) -> RequestSignature:
    """Prove that the key's owner sent exactly this request to one of ``authorities`` (the office's public names).

    Raises:
        SignatureInvalid: anything is missing, misspelt, in another order, or not what was signed.
        ClockOutOfRange: all of that is right, but ``created`` is more than ``window_s`` from ``now``.
    """
    fields = _lowered(headers)
    covered, written, parameters = _read_input(_field(fields, "signature-input"), REQUEST_TAG, with_nonce=True)
    _check_covered(covered, REQUEST_COMPONENTS)
    _check_digest(fields, body)
    if _field(fields, "kiosk-protocol") != PROTOCOL:
        raise SignatureInvalid("kiosk-protocol: not 1")
    if not hmac.compare_digest(parameters["keyid"], key_id(raw_public(public_key))):
        raise SignatureInvalid("keyid: another key")
    signature = _read_signature(_field(fields, "signature"))
    bases = (
        _base(REQUEST_COMPONENTS, _request_values(method, authority, path, query, fields), written)
        for authority in authorities
    )
    if not any(_holds(public_key, signature, base) for base in bases):
        raise SignatureInvalid("signature: does not fit the request")
    created = int(parameters["created"])
    if abs(created - now) > window_s:
        raise ClockOutOfRange(created, now)
    return RequestSignature(parameters["keyid"], created, parameters["nonce"])


def verify_answer(
    public_key: Ed25519PublicKey,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    request_signature: str | None,
) -> None:
    """Prove that the office wrote this answer, and wrote it to this request.

    Freshness comes from the request's nonce, which the answer is bound to, so a kiosk with a wrong clock can verify.

    Raises:
        SignatureInvalid: the answer is someone else's, or was changed; treat it as no answer at all.
    """
    fields = _lowered(headers)
    covered, written, parameters = _read_input(_field(fields, "signature-input"), ANSWER_TAG, with_nonce=False)
    components, values = _answer_parts(status, {"content-digest": "", **fields}, request_signature)
    _check_covered(covered, components)
    _check_digest(fields, body)
    if not hmac.compare_digest(parameters["keyid"], key_id(raw_public(public_key))):
        raise SignatureInvalid("keyid: another key")
    if not _holds(public_key, _read_signature(_field(fields, "signature")), _base(components, values, written)):
        raise SignatureInvalid("signature: does not fit the answer")


# --- the signature base, RFC 9421 section 2.5 --------------------------------------------------------------------


def signature_base(values: Collection[tuple[str, str]], parameters: str) -> bytes:
    """The bytes that are signed: one line a component (serialised identifier, value), then the parameters."""
    lines = [f"{component}: {value}" for component, value in values]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def _base(components: Collection[str], values: Mapping[str, str], parameters: str) -> bytes:
    inner = " ".join(components)
    return signature_base([(name, values[name]) for name in components], f"({inner});{parameters}")


def _signed(
    key: Ed25519PrivateKey, components: Collection[str], values: Mapping[str, str], parameters: str
) -> dict[str, str]:
    signature = base64.b64encode(key.sign(_base(components, values, parameters))).decode()
    return {
        "Signature-Input": f"{LABEL}=({' '.join(components)});{parameters}",
        "Signature": f"{LABEL}=:{signature}:",
    }


def _request_values(method: str, authority: str, path: str, query: str, fields: Mapping[str, str]) -> Mapping[str, str]:
    derived = {
        '"@method"': method.upper(),
        '"@authority"': authority.lower(),
        '"@path"': path or "/",
        '"@query"': f"?{query}",
    }
    return derived | {name: _field(fields, name.strip('"')) for name in REQUEST_COMPONENTS if name not in derived}


def _answer_parts(
    status: int, fields: Mapping[str, str], request_signature: str | None
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    values = {
        '"@status"': str(status),
        '"content-digest"': _field(fields, "content-digest"),
        '"content-type"': _field(fields, "content-type"),
    }
    if request_signature is None:
        return UNBOUND_ANSWER_COMPONENTS, values
    _read_signature(request_signature)
    return ANSWER_COMPONENTS, values | {BOUND: request_signature.removeprefix(f"{LABEL}=")}


# --- reading headers ---------------------------------------------------------------------------------------------


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() in fields:
            raise SignatureInvalid(f"{name.lower()}: sent twice")
        fields[name.lower()] = value.strip(" \t")
    return fields


def _field(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise SignatureInvalid(f"{name}: missing")
    return fields[name]


def _read_input(value: str, tag: str, *, with_nonce: bool) -> tuple[str, str, dict[str, str]]:
    """Covered components as written, parameters as written, parameters by name."""
    found = _INPUT.fullmatch(value)
    if not found:
        raise SignatureInvalid("signature-input: not exactly one signature named sig1")
    covered, written = found.groups()
    read = list(_PARAMETER.finditer(written))
    if "".join(match[0] for match in read) != written:
        raise SignatureInvalid("signature-input: parameters in a form that nobody agreed on")
    wanted = ["created", "nonce", "keyid", "alg", "tag"] if with_nonce else ["created", "keyid", "alg", "tag"]
    if [match[1] for match in read] != wanted:
        raise SignatureInvalid(f"signature-input: parameters must be {', '.join(wanted)}, each once and in this order")
    if [match[2] is None for match in read] != [name == "created" for name in wanted]:
        raise SignatureInvalid("signature-input: created is a number, all else is text in quotes")
    parameters = {match[1]: match[2] if match[2] is not None else match[3] for match in read}
    if parameters["alg"] != "ed25519":
        raise SignatureInvalid("alg: unknown algorithm")
    if parameters["tag"] != tag:
        raise SignatureInvalid(f"tag: not {tag}")
    if with_nonce and not _NONCE.fullmatch(parameters["nonce"]):
        raise SignatureInvalid("nonce: not 128 bits in base64url")
    return covered, written.removeprefix(";"), parameters


def _check_covered(covered: str, wanted: Collection[str]) -> None:
    if covered != " ".join(wanted):
        raise SignatureInvalid(f"signature-input: must cover {' '.join(wanted)}")


def _check_digest(fields: Mapping[str, str], body: bytes) -> None:
    sent = _field(fields, "content-digest")
    if not hmac.compare_digest(sent.encode(), content_digest(body).encode()):
        raise SignatureInvalid("content-digest: does not fit the body")


def _read_signature(value: str) -> bytes:
    found = _SIGNATURE.fullmatch(value)
    if not found:
        raise SignatureInvalid("signature: not exactly one signature named sig1")
    signature = _canonical_base64(found[1], "signature")
    if len(signature) != 64:
        raise SignatureInvalid("signature: not 64 bytes")
    return signature


def _canonical_base64(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid(f"{what}: not base64") from error
    if base64.b64encode(raw).decode() != text:  # unused bits set: a second spelling of the same bytes
        raise SignatureInvalid(f"{what}: not canonical base64")
    return raw


def _holds(key: Ed25519PublicKey, signature: bytes, base: bytes) -> bool:
    try:
        key.verify(signature, base)
    except InvalidSignature:
        return False
    return True
