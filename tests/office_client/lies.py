"""Answers that no office gave: what a captive portal, a proxy, a stranger or an old recording would send instead.

Each takes what the office would have told, and makes the bytes of one untrue answer of it; what is untrue is its name.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain import http_signature as hs
from tests.domain import edge_signatures as edge
from tests.domain.test_edge_signatures import secret_of
from tests.offline_queue.journals import KIOSK_KEY
from tests.offline_queue.loopback_office import OFFICE_KEY, STRANGER, Told

Lie = Callable[[Told], bytes]
Named = tuple[str, Lie]
REASONS = {200: "OK", 201: "Created", 401: "Unauthorized"}


@dataclass(frozen=True)
class Answer:
    """An answer about to be signed: how, and what happens to it then."""

    told: Told
    key: Ed25519PrivateKey = OFFICE_KEY
    named: Ed25519PrivateKey | None = None  # whose key id is given
    components: tuple[str, ...] = hs.ANSWER_COMPONENTS
    parameters: Callable[[dict[str, str]], str] = lambda values: ";".join(f"{n}={v}" for n, v in values.items())
    bound_to: str | None = None
    sign: Callable[[bytes], bytes] | None = None
    signed_status: int | None = None
    headers: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers
    sent_body: Callable[[bytes], bytes] = lambda body: body
    length: int | None = None

    def on_the_wire(self) -> bytes:
        told = self.told
        values = {
            '"@status"': str(self.signed_status or told.status), '"content-digest"': hs.content_digest(told.body),
            '"content-type"': told.content_type, hs.BOUND: (self.bound_to or told.asked).removeprefix("sig1="),
        }  # fmt: skip
        keyid = hs.key_id(hs.raw_public(self.named or self.key))
        named = {"created": str(told.at), "keyid": f'"{keyid}"', "alg": '"ed25519"', "tag": f'"{hs.ANSWER_TAG}"'}
        inner = f"({' '.join(self.components)});{self.parameters(named)}"
        base = hs.signature_base([(name, values.get(name, "x")) for name in self.components], inner)
        signature = base64.b64encode((self.sign or self.key.sign)(base)).decode()
        headers = self.headers({
            "Content-Type": told.content_type, "Content-Digest": hs.content_digest(told.body),
            "Signature-Input": f"sig1={inner}", "Signature": f"sig1=:{signature}:",
        })  # fmt: skip
        body = self.sent_body(told.body)
        lines = [f"HTTP/1.1 {told.status} {REASONS.get(told.status, 'Whatever')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body) if self.length is None else self.length}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def lie(**changed: object) -> Lie:
    return lambda told: replace(Answer(told), **changed).on_the_wire()  # type: ignore[arg-type]


def truth(told: Told) -> bytes:
    """The control: the same way of writing, and nothing untrue."""
    return Answer(told).on_the_wire()


def without(name: str) -> Lie:
    return lie(headers=lambda headers: {key: value for key, value in headers.items() if key != name})


def with_header(name: str, change: Callable[[str], str]) -> Lie:
    return lie(headers=lambda headers: headers | {name: change(headers[name])})


def by_others() -> Iterator[Named]:
    for name in ("Signature", "Signature-Input", "Content-Digest", "Content-Type"):
        yield f"no {name}", without(name)
    yield "not signed", lie(headers=lambda headers: {"Content-Type": headers["Content-Type"]})
    for who, key in (("a stranger", STRANGER), ("the kiosk itself", KIOSK_KEY)):
        yield f"signed by {who}", lie(key=key)
        yield f"signed by {who} in the office's name", lie(key=key, named=OFFICE_KEY)
        yield f"signed by the office in the name of {who}", lie(named=key)
    yield "an answer to another request", lie(bound_to=f"sig1=:{base64.b64encode(bytes(range(64))).decode()}:")
    yield "bound to no request", lie(components=hs.UNBOUND_ANSWER_COMPONENTS)
    for name in ("all zero", "R neutral, S = 0", "S = L", "all ones", "6", "7", "8", "9"):
        yield f"the signature {name}", lie(sign=_edge(name))


def _edge(name: str) -> Callable[[bytes], bytes]:
    secret = secret_of(OFFICE_KEY)
    return lambda base: next(sign for found, _, sign in edge.edge_cases(base, secret) if found.startswith(name))


def of_another_form() -> Iterator[Named]:
    wanted = hs.ANSWER_COMPONENTS
    for index, name in enumerate(wanted):
        yield f"covers no {name}", lie(components=wanted[:index] + wanted[index + 1 :])
        yield f"covers {name} twice", lie(components=(*wanted, name))
        yield f"covers {name} first", lie(components=(name, *(other for other in reversed(wanted) if other != name)))
    yield "covers the date as well", lie(components=(*wanted, '"date"'))
    yield "covers nothing", lie(components=())
    yield "the request's signature without its name", lie(components=(*wanted[:-1], '"signature";req'))
    for name in ("created", "keyid", "alg", "tag"):
        yield (
            f"no {name}",
            lie(parameters=lambda values, name=name: _joined({k: v for k, v in values.items() if k != name})),
        )
        yield f"{name} twice", lie(parameters=lambda values, name=name: f"{_joined(values)};{name}={values[name]}")
        yield f"{name} as a token", lie(parameters=lambda values, name=name: _joined(values | {name: "token"}))
        yield f"{name} as an empty text", lie(parameters=lambda values, name=name: _joined(values | {name: '""'}))
    for alg in ("rsa-pss-sha512", "hmac-sha256", "ED25519", "none"):
        yield f"alg {alg}", lie(parameters=lambda values, alg=alg: _joined(values | {"alg": f'"{alg}"'}))
    yield "the tag of a request", lie(parameters=lambda values: _joined(values | {"tag": f'"{hs.REQUEST_TAG}"'}))
    yield "a nonce", lie(parameters=lambda values: _joined(values) + ';nonce="AAAAAAAAAAAAAAAAAAAAAA"')
    yield "expired", lie(parameters=lambda values: _joined(values) + ";expires=1")
    for name, change in (
        ("label sig2", lambda was: was.replace("sig1=", "sig2=")), ("the label twice", lambda was: f"{was}, {was}"),
        ("a comma at the end", lambda was: was + ","), ("empty", lambda _: ""), ("a space in it", lambda was: was[:30] + " " + was[30:]),
        ("20 kB more", lambda was: was + "A" * 20_000), ("a byte above 127", lambda was: was + "\xe9"), ("folded", lambda was: was[:30] + "\r\n " + was[30:]),
    ):  # fmt: skip
        yield f"Signature: {name}", with_header("Signature", change)
        yield f"Signature-Input: {name}", with_header("Signature-Input", change)
    yield "63 bytes", with_header("Signature", lambda _: f"sig1=:{'A' * 84}:")
    yield "65 bytes", with_header("Signature", lambda _: f"sig1=:{'A' * 86}A=:")
    yield "no padding", with_header("Signature", lambda was: was.replace("==:", ":"))


def _joined(values: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in values.items())


def about_other_content() -> Iterator[Named]:
    yield "another body", lie(sent_body=lambda body: b"{}")
    yield "one bit", lie(sent_body=lambda body: body[:-1] + bytes([body[-1] ^ 1]))
    yield "a byte more", lie(sent_body=lambda body: body + b" ")
    yield "no body", lie(sent_body=lambda body: b"")
    yield (
        "another body with its own digest",
        lie(
            sent_body=lambda body: b"{}", headers=lambda headers: headers | {"Content-Digest": hs.content_digest(b"{}")}
        ),
    )
    for digest in ("", "sha-512=:AAAA:", "sha-256=AAAA", "md5=:AAAA:"):
        yield f"digest {digest!r}", with_header("Content-Digest", lambda _, digest=digest: digest)
    yield "two digests", with_header("Content-Digest", lambda was: f"{was}, sha-512=:AAAA:")
    yield "another content type", with_header("Content-Type", lambda _: "text/html")
    for status in (201, 204, 400, 401, 403, 409, 500):
        yield f"signed as {status}", lie(signed_status=status)
    yield "broken off", lambda told: truth(told)[:-10]
    yield "a length too short", lambda told: Answer(told, length=len(told.body) - 5).on_the_wire()
    yield "a length too long", lambda told: Answer(told, length=len(told.body) + 5).on_the_wire()


def not_http() -> Iterator[Named]:
    for name, raw in (
        ("nothing", b""), ("noise", bytes(range(256)) * 8), ("no status", b"HTTP/1.1 \r\n\r\n"), ("a word for a status", b"HTTP/1.1 abc OK\r\n\r\n"),
        ("a status beyond all", b"HTTP/1.1 99999 OK\r\n\r\n"), ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"), ("only continues", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
        ("a long header", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"), ("many headers", b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 2000 + b"\r\n"),
        ("a length below zero", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"), ("a length of words", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello"),
        ("broken chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ("a chunk beyond all", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"),
        ("a portal", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), ("a portal's redirect", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
        ("not modified", b"HTTP/1.1 304 Not Modified\r\n\r\n"), ("no content", b"HTTP/1.1 204 No Content\r\n\r\n"), ("switching", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        ("a proxy's 401", b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"), ("a revocation nobody signed", b'HTTP/1.1 403 No\r\nContent-Type: application/problem+json\r\nContent-Length: 18\r\n\r\n{"code":"revoked"}'),
        ("a fork nobody signed", b'HTTP/1.1 409 No\r\nContent-Type: application/problem+json\r\nContent-Length: 15\r\n\r\n{"code":"fork"}'),
        ("a time nobody signed", b'HTTP/1.1 401 No\r\nContent-Length: 66\r\n\r\n{"code":"clock_out_of_range","server_time":"2031-01-01T00:00:00Z"}'),
        ("a cookie and a wait", b"HTTP/1.1 503 Busy\r\nRetry-After: 99999999999\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"), ("a wait of words", b"HTTP/1.1 429 No\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n"),
        ("an unknown key that nobody signed", b'HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\nContent-Length: 22\r\n\r\n{"code":"key_unknown"}'),
    ):  # fmt: skip
        yield f"on the wire: {name}", lambda told, raw=raw: raw


def signed_nonsense() -> Iterator[Named]:
    """The office's own key over what no office should say: a fault or a forger inside it, and never a reason to crash."""

    def saying(change: Callable[[dict[str, object]], object]) -> Lie:
        return lambda told: truth(replace(told, body=json.dumps(change(json.loads(told.body))).encode()))

    for name, body in (
        ("nothing", b""), ("no JSON", b"ack"), ("a list", b"[]"), ("null", b"null"), ("bytes", b"\xff\xfe\x00"), ("depth", b"[" * 100_000),
        ("a number beyond all", b'{"ack_seq": 1e999, "config_version": 1e999}'), ("half a surrogate", b'{"ack_hash": "\\ud800"}'), ("a long text", b'"' + b"a" * 5_000_000 + b'"'),
    ):  # fmt: skip
        yield f"the office says {name}", lambda told, body=body: truth(replace(told, body=body))
    for name, value in (
        ("ack_seq", 0), ("ack_seq", -1), ("ack_seq", 10**6), ("ack_seq", 2**63), ("ack_seq", 10**40), ("ack_seq", True), ("ack_seq", "2"), ("ack_seq", None),
        ("ack_hash", "0" * 64), ("ack_hash", ""), ("ack_hash", "zz"), ("ack_hash", 7), ("posted_seq", 10**6), ("posted_seq", -5), ("outcomes", [{}]),
        ("outcomes", None), ("outcomes", [7]), ("rejected", [{"seq": "x"}]), ("server_time", 5),
    ):  # fmt: skip
        yield f"the office says {name} {value!r:.30}", saying(lambda told, name=name, value=value: told | {name: value})
    for status, code in (
        (400, "malformed"), (401, "signature_invalid"), (401, "key_unknown"), (401, "clock_out_of_range"), (403, "revoked"), (403, "kiosk_suspended"),
        (404, "not_found"), (405, "method_not_allowed"), (409, "fork"), (409, "gap"), (409, "ahead"), (409, "journal_not_expected"), (413, "too_large"), (422, "validation_failed"),
        (426, "upgrade_required"), (429, "rate_limited"), (418, "teapot"), (500, "internal"), (503, "busy"), (599, ""),
    ):  # fmt: skip
        for more in ({}, {"server_time": "the day after", "expected_seq": -(2**70), "seq": "x", "stored_hash": 5}):
            body = json.dumps({"code": code, "retry": "never", **more}).encode()
            yield (
                f"the office says {status} {code} {'with nonsense' if more else ''}".rstrip(),
                lambda told, status=status, body=body: truth(replace(told, status=status, body=body)),
            )
