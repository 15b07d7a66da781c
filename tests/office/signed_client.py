"""A kiosk's signed requests straight into Django, without a socket: every answer's signature is checked on the way."""

import gzip
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from kiosk.domain.http_signature import sign_request, verify_answer
from office.demo.journal_writer import JournalWriter
from office.kiosks.keys import office_key

HOST = "testserver"


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


@dataclass
class SignedClient:
    """Signs as one kiosk. What a kiosk must not do can be forced: ``created``, ``nonce``, headers ``changed`` after signing,
    and ``packed`` for a body that only says that it is gzip."""

    key: Ed25519PrivateKey

    def call(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        query: str = "",
        encoding: str = "identity",
        packed: bool = False,
        created: int | None = None,
        nonce: str | None = None,
        changed: dict[str, str] | None = None,
        sign_as: str = HOST,
    ) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if encoding == "gzip" and not packed:
            raw = gzip.compress(raw)
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        headers |= sign_request(
            self.key,
            method=method,
            authority=sign_as,
            path="/api/v1" + path,
            query=query,
            headers=headers,
            body=raw,
            created=created or int(time.time()),
            nonce=nonce or new_nonce(),
        )
        headers |= changed or {}
        target = "/api/v1" + path + (f"?{query}" if query else "")
        content_type = headers.pop("Content-Type")
        client = Client(raise_request_exception=False)
        answer = client.generic(method, target, raw, headers=headers, HTTP_HOST=HOST, CONTENT_TYPE=content_type)
        check_signature(answer, headers.get("Signature"))
        return answer


def check_signature(answer: Any, request_signature: str | None) -> None:
    """The office wrote this answer, and wrote it to this request."""
    verify_answer(
        office_key().public_key(),
        status=answer.status_code,
        headers={name: value for name, value in answer.items() if name.lower() not in ("vary",)},
        body=answer.content,
        request_signature=request_signature,
    )


def wire_batch(writer: JournalWriter, first_seq: int = 1, last_seq: int | None = None) -> dict[str, Any]:
    """A batch of a journal as it travels."""
    batch = writer.batch(first_seq, last_seq)
    return {
        "first_seq": batch.first_seq,
        "last_seq": batch.last_seq,
        "prev_hash": batch.prev_hash.hex(),
        "events": [
            {
                "seq": event.seq,
                "payment_id": event.header.payment_id,
                "kind": event.header.kind,
                "v": event.header.v,
                "boot_id": event.header.boot_id,
                "mono_ms": event.header.mono_ms,
                "wall_ms": event.header.wall_ms,
                "clock": event.header.clock,
                "body": event.body.decode(),
                "hash": event.hash.hex(),
            }
            for event in batch.events
        ],
        "sent": {"boot_id": writer.boot_id, "mono_ms": writer.mono_ms, "wall_ms": writer.wall_ms},
    }
