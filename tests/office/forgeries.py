"""Requests that nobody who may send them has sent, and requests that their right sender has spelt wrong.

Each entry of the tables takes the right next upload of a kiosk and spoils one thing; what was spoilt is its name.
"""

import base64
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain import http_signature as hs
from tests.domain import edge_signatures as edge
from tests.office.signed_client import new_nonce

COMPONENTS = hs.REQUEST_COMPONENTS
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(3, 35)))


@dataclass(frozen=True)
class Draft:
    """A request about to be signed; ``components`` and ``parameters`` say how, ``after`` what happens to it then."""

    key: Ed25519PrivateKey
    host: str
    path: str
    plain: Any
    method: str = "POST"
    query: str = ""
    encoding: str = "gzip"
    body: bytes | None = None  # instead of the packed ``plain``
    created: int = field(default_factory=lambda: int(time.time()))
    nonce: str = field(default_factory=new_nonce)
    signs_as: bytes | None = None  # public key whose id is named
    components: tuple[str, ...] = COMPONENTS
    parameters: str | None = None
    sign: Callable[[bytes], bytes] | None = None  # base to signature
    replaced: dict[str, str | None] = field(default_factory=dict)  # headers changed after signing; None takes one away
    added: tuple[tuple[str, str], ...] = ()  # header lines put in after signing
    target: str | None = None  # what the request line says instead
    sent_method: str | None = None
    sent_host: str | None = None
    sent_body: bytes | None = None
    length: str | None = None

    def packed(self) -> bytes:
        if self.body is not None:
            return self.body
        text = self.plain if isinstance(self.plain, bytes) else json.dumps(self.plain).encode()
        return gzip.compress(text) if self.encoding == "gzip" else text

    def parameter_values(self) -> dict[str, str]:
        keyid = hs.key_id(self.signs_as or hs.raw_public(self.key))
        named = {"created": str(self.created), "nonce": f'"{self.nonce}"', "keyid": f'"{keyid}"'}
        return named | {"alg": '"ed25519"', "tag": f'"{hs.REQUEST_TAG}"'}

    def base(self) -> tuple[bytes, str]:
        """The bytes to sign and the Signature-Input that says so."""
        values = {
            '"@method"': self.method, '"@authority"': self.host.lower(), '"@path"': "/api/v1" + self.path,
            '"@query"': f"?{self.query}", '"content-digest"': hs.content_digest(self.packed()),
            '"content-type"': "application/json", '"content-encoding"': self.encoding, '"kiosk-protocol"': "1",
        }  # fmt: skip
        written = self.parameters
        if written is None:
            written = ";".join(f"{name}={value}" for name, value in self.parameter_values().items())
        inner = f"({' '.join(self.components)});{written}"
        lines = [(name, values.get(name.split(";")[0].lower(), "x")) for name in self.components]
        return hs.signature_base(lines, inner), f"sig1={inner}"

    def on_the_wire(self) -> bytes:
        base, signature_input = self.base()
        signature = (self.sign or self.key.sign)(base)
        body = self.packed()
        headers: dict[str, str | None] = {
            "Host": self.sent_host or self.host, "Content-Type": "application/json", "Content-Encoding": self.encoding,
            "Kiosk-Protocol": "1", "Content-Digest": hs.content_digest(body), "Signature-Input": signature_input,
            "Signature": f"sig1=:{base64.b64encode(signature).decode()}:",
        }  # fmt: skip
        headers |= self.replaced
        body = body if self.sent_body is None else self.sent_body
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        lines += [f"{name}{value}" for name, value in self.added]
        lines.append(f"Content-Length: {len(body) if self.length is None else self.length}")
        target = self.target or "/api/v1" + self.path + (f"?{self.query}" if self.query else "")
        head = "\r\n".join([f"{self.sent_method or self.method} {target} HTTP/1.1", *lines, "Connection: close"])
        return head.encode("latin-1") + b"\r\n\r\n" + body


Spoil = Callable[[Draft], Draft]
Named = tuple[str, Spoil]


def spoilt(**changed: Any) -> Spoil:
    return lambda draft: replace(draft, **changed)


def header(name: str, change: Callable[[str], str | None]) -> Spoil:
    """The header as it was rightly signed, changed on the way."""

    def spoil(draft: Draft) -> Draft:
        lines = draft.on_the_wire().split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        was = next(line.partition(": ")[2] for line in lines if line.lower().startswith(name.lower() + ":"))
        return replace(draft, replaced={**draft.replaced, name: change(was)})

    return spoil


def wrong_components() -> Iterator[Named]:
    for index, name in enumerate(COMPONENTS):
        yield f"covers no {name}", spoilt(components=COMPONENTS[:index] + COMPONENTS[index + 1 :])
        yield f"covers {name} twice", spoilt(components=(*COMPONENTS, name))
        swapped = list(COMPONENTS)
        swapped[index], swapped[index - 1] = swapped[index - 1], swapped[index]
        yield f"covers {name} in another place", spoilt(components=tuple(swapped))
    for name in ('"date"', '"@target-uri"', '"@request-target"', '"@scheme"', '"host"', '"@status"'):
        yield f"covers {name} as well", spoilt(components=(*COMPONENTS, name))
    for form in (";sf", ";bs", ";req", ';key="a"', ";tr"):
        yield f"a component with {form}", spoilt(components=(*COMPONENTS[:-1], COMPONENTS[-1] + form))
    yield "covers nothing", spoilt(components=())
    yield "components in upper case", spoilt(components=tuple(name.upper() for name in COMPONENTS))
    yield "components without quotes", header("Signature-Input", lambda was: was.replace('"@method"', "@method"))
    yield "two spaces between components", header("Signature-Input", lambda was: was.replace('" "', '"  "', 1))
    yield "a tab between components", header("Signature-Input", lambda was: was.replace('" "', '"\t"', 1))
    yield "a space inside the list", header("Signature-Input", lambda was: was.replace("(", "( "))


def wrong_parameters() -> Iterator[Named]:
    def with_values(change: Callable[[dict[str, str]], str]) -> Spoil:
        return lambda draft: replace(draft, parameters=change(draft.parameter_values()))

    def joined(values: dict[str, str]) -> str:
        return ";".join(f"{name}={value}" for name, value in values.items())

    names = ("created", "nonce", "keyid", "alg", "tag")
    for name in names:
        yield (
            f"no {name}",
            with_values(lambda values, name=name: joined({k: v for k, v in values.items() if k != name})),
        )
        yield f"{name} twice", with_values(lambda values, name=name: f"{joined(values)};{name}={values[name]}")
        yield (
            f"{name} last",
            with_values(
                lambda values, name=name: (
                    joined({k: v for k, v in values.items() if k != name} | {name: values[name]})
                    + (";tag=1" if name == "tag" else "")
                )
            ),
        )
        yield f"{name} as a token", with_values(lambda values, name=name: joined(values | {name: "token"}))
        yield (
            f"{name} without a value",
            with_values(lambda values, name=name: joined(values).replace(f"{name}={values[name]}", name)),
        )
    for alg in (
        "rsa-pss-sha512",
        "rsa-v1_5-sha256",
        "hmac-sha256",
        "ecdsa-p256-sha256",
        "ED25519",
        "ed25519 ",
        "none",
        "",
    ):
        yield f"alg {alg!r}", with_values(lambda values, alg=alg: joined(values | {"alg": f'"{alg}"'}))
    for created in ("-1", "+{}", "0{}", '"{}"', "{}.0", "{}000000", "?1", "", "{}e0", "0x10"):
        yield (
            f"created {created}",
            with_values(
                lambda values, created=created: joined(values | {"created": created.replace("{}", values["created"])})
            ),
        )
    for nonce in ("", "AAAA", "A" * 21, "A" * 23, "A" * 22 + "==", "*" * 22, "A" * 400):
        yield f"nonce {nonce[:24]!r}", spoilt(nonce=nonce)
    for keyid in ("", "0" * 64, "0" * 63, "../../etc", "' OR 1=1 --", "A" * 4000):
        yield (
            f"keyid {keyid[:12]!r}, {len(keyid)} long",
            with_values(lambda values, keyid=keyid: joined(values | {"keyid": f'"{keyid}"'})),
        )
    yield "keyid in upper case", with_values(lambda values: joined(values | {"keyid": values["keyid"].upper()}))
    yield "the tag of an answer", with_values(lambda values: joined(values | {"tag": f'"{hs.ANSWER_TAG}"'}))
    yield "expired long ago", with_values(lambda values: joined(values) + ";expires=1")
    yield "expires later", with_values(lambda values: joined(values) + ";expires=99999999999")
    yield "a parameter nobody knows", with_values(lambda values: joined(values) + ';x="1"')
    yield "spaces between parameters", with_values(lambda values: joined(values).replace(";", "; "))
    yield "an escaped quote", with_values(lambda values: joined(values | {"tag": '"kiosk\\"-upload-1"'}))
    for by_s in (-301, 301 + 5, -86_400, 86_400 * 365 * 30):
        yield f"signed {by_s} s from now", lambda draft, by_s=by_s: replace(draft, created=draft.created + by_s)
    yield "signed in 1970", spoilt(created=0)


def wrong_owners() -> Iterator[Named]:
    yield "a key nobody paired", spoilt(key=STRANGER)
    yield (
        "a stranger who names the kiosk's key",
        lambda draft: replace(draft, sign=STRANGER.sign, signs_as=hs.raw_public(draft.key)),
    )
    yield "the kiosk's key under a stranger's name", spoilt(signs_as=hs.raw_public(STRANGER))
    for name in ("all zero", "R neutral, S = 0", "S = L", "all ones"):
        yield f"signature {name}", lambda draft, name=name: replace(draft, sign=_edge(name))
    for name in ("6", "7", "8", "9"):
        yield (
            f"edge case {name} under the kiosk's name",
            lambda draft, name=name: replace(draft, sign=_edge(name), signs_as=_HONEST),
        )


_SECRET = 0x1234567
_HONEST = edge.encoded(edge.times(_SECRET, edge.BASE))


def _edge(name: str) -> Callable[[bytes], bytes]:
    def sign(base: bytes) -> bytes:
        return next(signature for found, _, signature in edge.edge_cases(base, _SECRET) if found.startswith(name))

    return sign


def small_key(name: str, key: bytes) -> Spoil:
    """A request that holds under a key of small order, for those who only ask OpenSSL; found by trying nonces."""

    def spoil(draft: Draft) -> Draft:
        while True:
            tried = replace(draft, nonce=new_nonce(), signs_as=key)
            for found, under, signature in edge.edge_cases(tried.base()[0], _SECRET):
                if found.startswith(name) and under == key:
                    return replace(tried, sign=lambda _, signature=signature: signature)

    return spoil


def underscored(name: str) -> Spoil:
    def spoil(draft: Draft) -> Draft:
        value = header(name, str)(draft).replaced[name]
        return replace(draft, replaced={name: None}, added=((f"{name.replace('-', '_')}: ", value or ""),))

    return spoil


def wrong_headers() -> Iterator[Named]:
    for name in (
        "Content-Digest",
        "Content-Type",
        "Content-Encoding",
        "Kiosk-Protocol",
        "Signature",
        "Signature-Input",
    ):
        yield f"no {name}", spoilt(replaced={name: None})
        yield (
            f"{name} twice",
            lambda draft, name=name: replace(
                draft, added=((f"{name}: ", header(name, lambda was: was)(draft).replaced[name]),)
            ),
        )
        if "-" in name:  # what a gateway interface may take for the real one
            yield f"{name} with an underscore", underscored(name)
        yield f"{name} changed", header(name, lambda was: was + "x")
    yield "no signature at all", spoilt(replaced={"Signature": None, "Signature-Input": None})
    for digest in ("sha-512=:AAAA:", "md5=:AAAA:", "sha-256=AAAA", "", "sha-256=::", "SHA-256=:AAAA:"):
        yield f"digest {digest}", spoilt(replaced={"Content-Digest": digest})
    yield "two digests, the second right", header("Content-Digest", lambda was: f"sha-256=:{'A' * 43}=:, {was}")
    yield "two digests, the first right", header("Content-Digest", lambda was: f"{was}, sha-512=:AAAA:")
    for protocol in ("0", "2", "01", "1.0", "1, 1", "x", ""):
        yield f"protocol {protocol!r}", spoilt(replaced={"Kiosk-Protocol": protocol})
    for name, change in (
        ("label sig2", lambda was: was.replace("sig1=", "sig2=")), ("a second label", lambda was: f"{was}, sig2=:AAAA:"),
        ("the label twice", lambda was: f"{was}, {was}"), ("a comma at the end", lambda was: was + ","),
        ("no colons", lambda was: was.replace(":", "")), ("a string", lambda was: was.replace(":", '"')),
        ("a space in it", lambda was: was[:20] + " " + was[20:]), ("a parameter", lambda was: was + ";x=1"),
        ("url-safe letters", lambda was: was.replace("+", "-").replace("/", "_").replace("=:", "_=:", 1)),
        ("no padding", lambda was: was.replace("==:", ":")), ("63 bytes", lambda _: f"sig1=:{'A' * 84}:"),
        ("65 bytes", lambda _: f"sig1=:{'A' * 86}A=:"), ("empty", lambda _: ""), ("sig1", lambda _: "sig1"),
        ("an unused bit set", lambda was: was[:-4] + chr(ord(was[-4]) + 1) + "==:" if was[-4] not in "zZ9+/" else was[:-4] + "B==:"),
        ("20 kB", lambda _: f"sig1=:{'A' * 20_000}:"), ("bytes above 127", lambda was: was + "\xe9"),
    ):  # fmt: skip
        yield f"Signature: {name}", header("Signature", change)
    for name, change in (
        ("label sig2", lambda was: was.replace("sig1=", "sig2=")), ("a second label", lambda was: f"{was}, sig2=()"),
        ("an empty second member", lambda was: was + ","), ("no list", lambda was: was.replace("(", "").replace(")", "")),
        ("a nested list", lambda was: was.replace("(", "((").replace(")", "))")), ("a semicolon at the end", lambda was: was + ";"),
        ("in upper case", lambda was: was.upper()), ("empty", lambda _: ""), ("brackets for parentheses", lambda was: was.replace("(", "[")),
        ("a full-width quote", lambda was: was.replace('"ed25519"', "\xabed25519\xbb")), ("30 kB", lambda was: was + ";x=" + "1" * 30_000),
    ):  # fmt: skip
        yield f"Signature-Input: {name}", header("Signature-Input", change)
    yield "a folded header", header("Signature-Input", lambda was: was.replace(";created", ";\r\n created"))
    yield "a folded header with a tab", header("Signature", lambda was: was[:30] + "\r\n\t" + was[30:])
    yield "a space before the colon", lambda draft: replace(
        draft, replaced={"Signature": None}, added=(("Signature : ", header("Signature", str)(draft).replaced["Signature"]),)
    )  # fmt: skip
    yield "a bare line feed", header("Signature", lambda was: was[:30] + "\n" + was[30:])
    yield "a bare carriage return", header("Signature", lambda was: was[:30] + "\r" + was[30:])
    yield "a zero byte", header("Signature", lambda was: was[:30] + "\0" + was[30:])


def wrong_framing() -> Iterator[Named]:
    for length in ("-1", "x", "1e3", "0x10", "+5", "99999999999999999999", "5, 6", ""):
        yield f"length {length!r}", spoilt(length=length)
    yield "a length too short", lambda draft: replace(draft, length=str(len(draft.packed()) - 1))
    yield "a length too long", lambda draft: replace(draft, length=str(len(draft.packed()) + 100))
    yield "a second length", lambda draft: replace(draft, added=(("Content-Length: ", "0"),))
    yield (
        "length and chunks",
        lambda draft: replace(draft, added=(("Transfer-Encoding: ", "chunked"),), sent_body=b"0\r\n\r\n"),
    )
    yield (
        "chunks of another size",
        lambda draft: replace(draft, added=(("Transfer-Encoding: ", "chunked"),), sent_body=b"ffffffffffffffffff\r\nx"),
    )
    yield "an unknown transfer coding", lambda draft: replace(draft, added=(("Transfer-Encoding: ", "xchunked"),))


def wrong_places(other_kiosk: str, other_journal: str) -> Iterator[Named]:
    """A right request that was meant for another resource, method or office."""
    yield "for the other kiosk's path", lambda draft: replace(draft, target=_elsewhere(draft, other_kiosk, None))
    yield (
        "for the other kiosk's path, signed",
        lambda draft: replace(draft, path=_elsewhere(draft, other_kiosk, None)[7:]),
    )
    yield "for the other kiosk's journal", lambda draft: replace(draft, target=_elsewhere(draft, None, other_journal))
    yield (
        "for the other kiosk's journal, signed",
        lambda draft: replace(draft, path=_elsewhere(draft, None, other_journal)[7:]),
    )
    yield "for a journal nobody knows, signed", lambda draft: replace(draft, path=_elsewhere(draft, None, "0" * 32)[7:])
    for target in (
        "/api/v1/kiosk/heartbeats", "/api/v1/pairings", "/api/v1/time", "/api/v1", "/api/v1/../v1/time", "//api/v1/time", "*", "/",
        "/api/v1/kiosks/x/journals/y/events", "/api/v1/kiosks/%00/journals/%ff/events", "/api/v1/units?code=%ff", "/api/v2/time",
    ):  # fmt: skip
        yield f"sent to {target}", spoilt(target=target)
    yield "with a query", lambda draft: replace(draft, target=f"/api/v1{draft.path}?x=1")
    yield "with a slash more", lambda draft: replace(draft, target=f"/api/v1{draft.path}/")
    yield "in upper case", lambda draft: replace(draft, target=f"/api/v1{draft.path}".replace("events", "EVENTS"))
    for method in ("PUT", "PATCH", "DELETE", "GET", "OPTIONS", "HEAD", "post", "CONNECT", "TRACE", "X" * 3000):
        yield f"sent as {method[:8]}", spoilt(sent_method=method)
    for method in ("PUT", "DELETE", "PATCH"):
        yield f"signed as {method}", spoilt(method=method)
    for host in ("office.example", "127.0.0.1", "localhost:1", "127.0.0.1:1", "evil@127.0.0.1", "[::1", "a b"):
        yield f"for the host {host!r}", spoilt(sent_host=host)
    yield "for the host of another office, signed", spoilt(host="other.example")
    yield "a second host", lambda draft: replace(draft, added=(("Host: ", "office.example"),))


def _elsewhere(draft: Draft, kiosk_id: str | None, journal_id: str | None) -> str:
    parts = draft.path.split("/")
    parts[2], parts[4] = kiosk_id or parts[2], journal_id or parts[4]
    return "/api/v1" + "/".join(parts)
