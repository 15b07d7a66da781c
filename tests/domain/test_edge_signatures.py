"""Signatures that some verifiers take and others do not: none is taken here, neither under a bad key nor under a good one."""

import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.domain import http_signature as hs
from tests.domain import edge_signatures as edge

OWNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = 1_764_000_000
SENT = {"Content-Type": "application/json", "Content-Encoding": "identity"}


def secret_of(key: Ed25519PrivateKey) -> int:
    """The scalar behind a private key, RFC 8032 section 5.1.5."""
    clamped = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    return int.from_bytes(clamped, "little") % edge.L


def request(number: int, key: bytes) -> tuple[bytes, dict[str, str]]:
    """The signature base of a request and its headers, with the name of this public key."""
    nonce = base64.urlsafe_b64encode(number.to_bytes(16, "big")).decode().rstrip("=")
    headers = SENT | hs.sign_request(
        OWNER, method="GET", authority="o", path="/", query="", headers=SENT, body=b"", created=NOW, nonce=nonce
    )
    headers["Signature-Input"] = headers["Signature-Input"].replace(
        hs.key_id(hs.raw_public(OWNER)), hashlib.sha256(key).hexdigest()
    )
    values = {
        '"@method"': "GET", '"@authority"': "o", '"@path"': "/", '"@query"': "?",
    } | {name: headers[name.strip('"').title()] for name in hs.REQUEST_COMPONENTS if not name.startswith('"@')}  # fmt: skip
    return hs.signature_base(list(values.items()), headers["Signature-Input"].removeprefix("sig1=")), headers


def cases() -> list[tuple[str, bytes, bytes, dict[str, str]]]:
    """One of each kind: name, key, signature, headers of the request it stands over."""
    found: dict[str, tuple[str, bytes, bytes, dict[str, str]]] = {}
    owner = hs.raw_public(OWNER)
    keys = [owner, *edge.NON_CANONICAL, *map(edge.encoded, edge.SMALL[1:])]
    keys += [edge.encoded(edge.plus(edge.decoded(owner), torsion)) for torsion in edge.SMALL[1:]]
    for number in range(3):
        for key in keys:
            base, headers = request(number, key)
            for name, under, signature in edge.edge_cases(base, secret_of(OWNER)):
                if under == key:
                    found.setdefault(name, (name, key, signature, headers))
    return [found[name] for name in sorted(found)]


CASES = cases()


def test_every_condition_of_the_paper_is_there():
    assert {name.split(":")[0] for name, *_ in CASES if ":" in name} == {str(number) for number in range(12)}


def test_the_arithmetic_here_signs_as_the_library_does():
    """Otherwise every case would be refused for a wrong reason."""
    message, secret = b"m", secret_of(OWNER)
    first = edge.encoded(edge.times(7, edge.BASE))
    s = (7 + edge.challenge(first, hs.raw_public(OWNER), message) * secret) % edge.L
    OWNER.public_key().verify(first + s.to_bytes(32, "little"), message)


def test_the_library_alone_would_take_some_of_them():
    """The reason for looking at keys before they are used."""
    taken = []
    for name, key, signature, headers in CASES:
        base, _ = request_of(headers, key)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, base)
            taken.append(name.split(":")[0])
        except InvalidSignature:
            pass
    assert {"0", "1", "2", "3"} <= set(taken)
    assert not {"4", "5", "6", "7", "8", "9"} & set(taken)


def request_of(headers: dict[str, str], key: bytes) -> tuple[bytes, dict[str, str]]:
    for number in range(3):
        base, made = request(number, key)
        if made == headers:
            return base, made
    raise AssertionError("no such request")


@pytest.mark.parametrize(("name", "key", "signature", "headers"), CASES, ids=[name for name, *_ in CASES])
def test_an_edge_case_is_refused_as_a_request(name, key, signature, headers):
    with pytest.raises(hs.SignatureInvalid):
        hs.verify_request(
            hs.read_public_key(base64.b64encode(key).decode()),
            method="GET", authorities=["o"], path="/", query="", body=b"", now=NOW,
            headers=headers | {"Signature": f"sig1=:{base64.b64encode(signature).decode()}:"},
        )  # fmt: skip


def test_the_same_request_rightly_signed_is_believed():
    _, headers = request(0, hs.raw_public(OWNER))
    key = hs.read_public_key(hs.public_text(OWNER))
    hs.verify_request(key, method="GET", authorities=["o"], path="/", query="", headers=headers, body=b"", now=NOW)


@pytest.mark.parametrize("key", edge.NON_CANONICAL + [edge.encoded(point) for point in edge.SMALL], ids=bytes.hex)
def test_a_small_or_misspelt_point_is_no_key(key):
    with pytest.raises(hs.SignatureInvalid):
        hs.read_public_key(base64.b64encode(key).decode())


@pytest.mark.parametrize("number", range(1, 8))
def test_a_key_with_a_small_part_is_no_key(number):
    mixed = edge.plus(edge.decoded(hs.raw_public(OWNER)), edge.SMALL[number])
    with pytest.raises(hs.SignatureInvalid):
        hs.read_public_key(base64.b64encode(edge.encoded(mixed)).decode())


def test_bytes_off_the_curve_are_no_key():
    off = [raw for raw in (bytes([number]) + bytes(31) for number in range(2, 40)) if not on_the_curve(raw)]
    assert len(off) > 5
    for raw in off:
        with pytest.raises(hs.SignatureInvalid):
            hs.read_public_key(base64.b64encode(raw).decode())


def on_the_curve(raw: bytes) -> bool:
    try:
        edge.decoded(raw)
    except AssertionError:
        return False
    return True
