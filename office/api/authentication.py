"""Who sent a request: the kiosk whose Ed25519 key signed it. Everything else is refused before any code runs on its body."""

import zlib

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from kiosk.domain.http_signature import (
    PROTOCOL,
    WINDOW_S,
    ClockOutOfRange,
    RequestSignature,
    SignatureInvalid,
    claimed_key_id,
    read_public_key,
    verify_request,
)
from office.api.problems import Problem
from office.api.times import server_time
from office.kiosks import key_rolls
from office.kiosks.models import Kiosk

MAX_PLAIN_BYTES = 8 * 1024 * 1024  # unpacked; a batch of 500 events is some 200 KiB


class SignedByKiosk:
    """Django-ninja authentication: leaves ``request.kiosk``, ``request.nonce`` and ``request.plain_body``.

    A suspended kiosk takes no payments, but still hands over what it holds and says how it is (``also_suspended``).
    """

    openapi_type = "http"
    openapi_scheme = "signature"
    openapi_security_schema = {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "RFC 9421 signature by the kiosk's Ed25519 key, see docs/office-api.md",
    }

    def __init__(self, *, also_suspended: bool = False) -> None:
        self._welcome = {Kiosk.State.PAIRED} | ({Kiosk.State.SUSPENDED} if also_suspended else set())

    def __call__(self, request: HttpRequest) -> Kiosk:
        if request.headers.get("Kiosk-Protocol", PROTOCOL) != PROTOCOL:
            raise Problem("upgrade_required", supported=[int(PROTOCOL)])
        kiosk, proven = _prove(request)
        _use_nonce(proven)
        key_rolls.used(kiosk, proven.keyid)
        if kiosk.state not in self._welcome:
            raise Problem("kiosk_suspended" if kiosk.state == Kiosk.State.SUSPENDED else "revoked")
        request.kiosk, request.nonce = kiosk, proven.nonce
        request.plain_body = plain_body(request)
        return kiosk


def _prove(request: HttpRequest) -> tuple[Kiosk, RequestSignature]:
    headers = dict(request.headers)
    try:
        found = key_rolls.owner(claimed_key_id(headers))
        if found is None:
            raise Problem("key_unknown", server_time=server_time())
        kiosk, public_key = found
        proven = verify_request(
            read_public_key(public_key),
            method=request.method or "",
            authorities=authorities(request),
            path=escape_uri_path(request.path),
            query=request.META.get("QUERY_STRING", ""),
            headers=headers,
            body=request.body,
            now=timezone.now().timestamp(),
        )
    except SignatureInvalid as refused:
        raise Problem("signature_invalid", str(refused), server_time=server_time()) from refused
    except ClockOutOfRange as skewed:
        raise Problem("clock_out_of_range", str(skewed), server_time=server_time()) from skewed
    return kiosk, proven


def authorities(request: HttpRequest) -> set[str]:
    """The names under which this office may be spoken to: the configured ones, and the Host of this request when its
    name (not its port: a cable or a proxy in between has its own) is one of ours."""
    names = set(settings.PUBLIC_NAMES)
    host = request.META.get("HTTP_HOST", "").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name in settings.ALLOWED_HOSTS or host in settings.ALLOWED_HOSTS:
        names.add(host)
    return names


def _use_nonce(proven: RequestSignature) -> None:
    """Once only, for twice the window; uploads are remembered on disk as well, where they are stored."""
    if not cache.add(f"nonce:{proven.keyid}:{proven.nonce}", 1, 2 * WINDOW_S):
        raise Problem("signature_invalid", "nonce: used before", retry="later", server_time=server_time())


def plain_body(request: HttpRequest) -> bytes:
    """The body without its content encoding.

    Raises:
        Problem: an encoding nobody agreed on, damaged gzip, or more than MAX_PLAIN_BYTES once unpacked.
    """
    match request.headers.get("Content-Encoding", "identity"):
        case "identity":
            return request.body
        case "gzip":
            return _unzipped(request.body)
        case other:
            raise Problem("malformed", f"content-encoding {other[:20]!r}: send identity or gzip")


def _unzipped(packed: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=31)
    try:
        plain = machine.decompress(packed, MAX_PLAIN_BYTES)
    except zlib.error as damaged:
        raise Problem("malformed", "the body is not gzip") from damaged
    if machine.unconsumed_tail:
        raise Problem("too_large", "the body unpacks to more than 8 MiB")
    if not machine.eof or machine.unused_data:
        raise Problem("malformed", "the gzip body ends early or goes on too long")
    return plain
