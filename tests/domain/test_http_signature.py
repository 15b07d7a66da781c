"""One spelling of a signature is right; every other one is refused with the reason."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kiosk.domain import http_signature as hs
from kiosk.domain.http_signature import ClockOutOfRange, SignatureInvalid

KIOSK = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OFFICE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NOW = 1_764_000_000
BODY = b'{"first_seq":1}'
NONCE = base64.urlsafe_b64encode(bytes(range(16))).decode().rstrip("=")
SENT = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def signed_request(**changed) -> dict[str, str]:
    fields = {
        "method": "POST",
        "authority": "Office.Example:8000",
        "path": "/api/v1/x",
        "query": "a=1",
        "headers": SENT,
        "body": BODY,
        "created": NOW,
        "nonce": NONCE,
    }
    return {**SENT, **hs.sign_request(KIOSK, **(fields | changed))}


def verify(headers, **changed):
    fields = {
        "method": "POST",
        "authorities": ["10.0.0.1", "office.example:8000"],
        "path": "/api/v1/x",
        "query": "a=1",
        "headers": headers,
        "body": BODY,
        "now": NOW + 1,
    }
    return hs.verify_request(KIOSK.public_key(), **(fields | changed))


def test_the_published_ed25519_example_comes_out_byte_for_byte():
    """RFC 9421 appendix B.2.6; Ed25519 is deterministic, so base and signature can be compared whole."""
    key = load_pem_private_key(
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n",
        password=None,
    )
    assert isinstance(key, Ed25519PrivateKey)
    assert hs.public_text(key) == "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
    base = hs.signature_base(
        [
            ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
            ('"@method"', "POST"),
            ('"@path"', "/foo"),
            ('"@authority"', "example.com"),
            ('"content-type"', "application/json"),
            ('"content-length"', "18"),
        ],
        '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    )
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert base64.b64encode(key.sign(base)).decode() == expected


def test_the_published_digest_example_comes_out():
    """RFC 9421 and RFC 9530 use this body in their examples."""
    assert hs.content_digest(b'{"hello": "world"}') == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def test_a_request_is_signed_over_exactly_the_agreed_lines():
    headers = signed_request()
    base = hs.signature_base(
        [
            ('"@method"', "POST"),
            ('"@authority"', "office.example:8000"),
            ('"@path"', "/api/v1/x"),
            ('"@query"', "?a=1"),
            ('"content-digest"', hs.content_digest(BODY)),
            ('"content-type"', "application/json"),
            ('"content-encoding"', "gzip"),
            ('"kiosk-protocol"', "1"),
        ],
        headers["Signature-Input"].removeprefix("sig1="),
    )
    KIOSK.public_key().verify(base64.b64decode(headers["Signature"][6:-1]), base)


def test_a_right_request_is_believed_under_any_of_the_offices_names():
    read = verify(signed_request())
    assert (read.created, read.nonce) == (NOW, NONCE)
    assert read.keyid == hs.key_id(hs.raw_public(KIOSK)) == hs.claimed_key_id(signed_request())


def test_an_empty_query_is_a_question_mark():
    headers = signed_request(query="")
    verify(headers, query="")


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"authorities": ["elsewhere.example"]},
        {"path": "/api/v1/y"},
        {"query": "a=2"},
        {"query": ""},
        {"body": BODY + b" "},
        {"body": b""},
    ],
)
def test_a_request_for_something_else_is_refused(changed):
    with pytest.raises(SignatureInvalid):
        verify(signed_request(), **changed)


@pytest.mark.parametrize(
    "name", ["Content-Type", "Content-Encoding", "Kiosk-Protocol", "Content-Digest", "Signature", "Signature-Input"]
)
def test_a_missing_or_changed_header_is_refused(name):
    headers = signed_request()
    with pytest.raises(SignatureInvalid):
        verify({key: value for key, value in headers.items() if key != name})
    with pytest.raises(SignatureInvalid):
        verify(headers | {name: headers[name] + "x"})
    with pytest.raises(SignatureInvalid, match="twice"):
        verify(headers | {name.lower(): headers[name]})


@pytest.mark.parametrize(
    ("find", "put", "reason"),
    [
        ('alg="ed25519"', 'alg="rsa-pss-sha512"', "algorithm"),
        ('alg="ed25519"', 'alg="Ed25519"', "algorithm"),
        ('tag="kiosk-upload-1"', 'tag="office-answer-1"', "tag"),
        ('tag="kiosk-upload-1"', 'tag="kiosk-upload-1";tag="kiosk-upload-1"', "each once"),
        (";created=", ";created=1;created=", "each once"),
        (';alg="ed25519"', "", "each once"),
        (r'(;nonce="[^"]+")(;keyid="[^"]+")', r"\2\1", "order"),
        (r";created=(\d+)", r";created=\1.0", "form"),
        (r";created=(\d+)", r";created=0\1", "form"),
        (r";created=(\d+)", r';created="\1"', "number"),
        (r";created=(\d+)", r";created=-\1", "form"),
        (r'keyid="[^"]+"', "keyid=7", "quotes"),
        (r'nonce="[^"]+"', 'nonce="short"', "nonce"),
        (r'keyid="[^"]+"', 'keyid="0000"', "another key"),
        ('"@path" "@query"', '"@query" "@path"', "must cover"),
        (' "content-digest"', "", "must cover"),
        ('"@method" ', '"@method" "@method" ', "must cover"),
        ('"@path"', '"@path";req', "must cover"),
        ("^sig1=", "sig2=", "named sig1"),
        ("$", ', sig2=("@method");created=1', "form|named sig1"),
        ("^", " ", "does not fit|named"),
        (" ", "  ", "must cover"),
    ],
)
def test_a_signature_input_of_another_form_is_refused(find, put, reason):
    headers = signed_request()
    changed = re.sub(find, put, headers["Signature-Input"], count=1)
    if changed.strip() == headers["Signature-Input"]:
        verify(headers | {"Signature-Input": changed})  # white space around a field value means nothing
        return
    with pytest.raises(SignatureInvalid, match=reason):
        verify(headers | {"Signature-Input": changed})


def test_a_second_spelling_of_the_same_signature_is_refused():
    headers = signed_request()
    text = headers["Signature"][6:-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = text[:-3] + alphabet[alphabet.index(text[-3]) | 1] + "=="
    assert base64.b64decode(twin) == base64.b64decode(text)
    if twin == text:
        twin = text[:-3] + alphabet[alphabet.index(text[-3]) ^ 1] + "=="
    with pytest.raises(SignatureInvalid, match="canonical"):
        verify(headers | {"Signature": f"sig1=:{twin}:"})


@pytest.mark.parametrize(
    "value", ["sig1=::", "sig1=:AAAA:", "sig1=:!!!!:", "sig1=AAAA", "sig1=:AAA:", "", "sig1=:AA==:, sig1=:AA==:"]
)
def test_a_malformed_signature_is_refused(value):
    with pytest.raises(SignatureInvalid):
        verify(signed_request() | {"Signature": value})


def test_someone_elses_key_does_not_fit_even_under_the_right_name():
    headers = signed_request()
    forged = hs.sign_request(
        OFFICE,
        method="POST",
        authority="office.example:8000",
        path="/api/v1/x",
        query="a=1",
        headers=SENT,
        body=BODY,
        created=NOW,
        nonce=NONCE,
    )
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(headers | {"Signature": forged["Signature"]})


@pytest.mark.parametrize(("off_s", "good"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_right_signature_made_too_far_from_now_asks_for_a_correction(off_s, good):
    headers = signed_request()
    if good:
        verify(headers, now=NOW + off_s)
        return
    with pytest.raises(ClockOutOfRange) as caught:
        verify(headers, now=NOW + off_s)
    assert caught.value.created == NOW


def test_a_forged_request_never_learns_that_its_clock_is_off():
    with pytest.raises(SignatureInvalid):
        verify(signed_request() | {"Content-Type": "text/plain"}, now=NOW + 4000)


# --- answers ---------------------------------------------------------------------------------------------------

ANSWER = b'{"ack_seq":3}'
PLAIN = {"Content-Type": "application/json"}


def signed_answer(request_signature, status=200, body=ANSWER):
    added = hs.sign_answer(
        OFFICE, status=status, headers=PLAIN, body=body, created=NOW, request_signature=request_signature
    )
    return {**PLAIN, **added}


def test_an_answer_is_bound_to_its_request():
    mine, other = signed_request()["Signature"], signed_request(created=NOW + 1)["Signature"]
    headers = signed_answer(mine)
    hs.verify_answer(OFFICE.public_key(), status=200, headers=headers, body=ANSWER, request_signature=mine)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        hs.verify_answer(OFFICE.public_key(), status=200, headers=headers, body=ANSWER, request_signature=other)
    base = hs.signature_base(
        [
            ('"@status"', "200"),
            ('"content-digest"', hs.content_digest(ANSWER)),
            ('"content-type"', "application/json"),
            ('"signature";req;key="sig1"', mine.removeprefix("sig1=")),
        ],
        headers["Signature-Input"].removeprefix("sig1="),
    )
    OFFICE.public_key().verify(base64.b64decode(headers["Signature"][6:-1]), base)


@pytest.mark.parametrize("case", ["status", "body", "type", "key", "unbound", "plain", "html"])
def test_a_changed_or_foreign_answer_is_no_answer(case):
    mine = signed_request()["Signature"]
    headers, body, status, key = signed_answer(mine), ANSWER, 200, OFFICE
    match case:
        case "status":
            status = 201
        case "body":
            body = b'{"ack_seq":4}'
        case "type":
            headers = headers | {"Content-Type": "text/html"}
        case "key":
            key = KIOSK
        case "unbound":
            headers = signed_answer(None)
        case "plain":
            headers = PLAIN
        case "html":
            headers, body = {}, b"<html>"
    with pytest.raises(SignatureInvalid):
        hs.verify_answer(key.public_key(), status=status, headers=headers, body=body, request_signature=mine)


def test_an_answer_to_an_unsigned_request_stands_alone():
    headers = signed_answer(None, status=201)
    hs.verify_answer(OFFICE.public_key(), status=201, headers=headers, body=ANSWER, request_signature=None)


def test_a_request_as_an_answer_is_refused_by_its_tag():
    request = signed_request()
    with pytest.raises(SignatureInvalid):
        hs.verify_answer(KIOSK.public_key(), status=200, headers=request, body=BODY, request_signature=None)


def test_only_a_well_formed_request_signature_is_one_an_answer_can_be_bound_to():
    assert hs.request_signature_of(signed_request()) == signed_request()["Signature"]
    assert hs.request_signature_of({}) is None
    assert hs.request_signature_of({"Signature": "sig1=:a b:"}) is None


# --- keys ------------------------------------------------------------------------------------------------------


def test_a_key_has_a_pin_a_person_can_type():
    pin = hs.key_pin(hs.raw_public(OFFICE))
    bits = "".join(f"{hs.CROCKFORD.index(letter):05b}" for letter in pin)
    assert len(pin) == hs.PIN_LENGTH
    assert bits == "".join(f"{byte:08b}" for byte in bytes.fromhex(hs.key_id(hs.raw_public(OFFICE)))[:5])
    assert not set(pin) & set("ILOU")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "x" * 44,
        base64.b64encode(b"\xff" * 32).decode(),
        base64.b64encode(bytes(32)).decode() + "\n",
        base64.b64encode(bytes(33)).decode(),
    ],
)
def test_a_public_key_that_is_not_canonical_is_refused(text):
    with pytest.raises(SignatureInvalid):
        hs.read_public_key(text)


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize(
    "y",
    [
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_a_key_under_which_one_signature_fits_everything_is_refused(y, sign):
    raw = bytearray.fromhex(y)
    raw[31] |= sign
    with pytest.raises(SignatureInvalid, match="usable"):
        hs.read_public_key(base64.b64encode(raw).decode())


def test_a_second_form_of_a_signature_with_its_number_not_reduced_is_refused():
    """S plus the group's order signs the same thing in naive arithmetic; RFC 8032 demands the reduced one."""
    headers = signed_request()
    raw = base64.b64decode(headers["Signature"][6:-1])
    order = 2**252 + 27742317777372353535851937790883648493
    twin = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(headers | {"Signature": f"sig1=:{base64.b64encode(twin).decode()}:"})


def test_a_public_key_travels_as_text():
    assert hs.raw_public(hs.read_public_key(hs.public_text(OFFICE))) == hs.raw_public(OFFICE)
