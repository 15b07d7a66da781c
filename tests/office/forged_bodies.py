"""Bodies that are not what was signed, and bodies that were rightly signed and are still nothing an office may take."""

import gzip
from collections.abc import Iterator
from dataclasses import replace

from kiosk.domain import http_signature as hs
from tests.office.forgeries import Named, header, spoilt

MIB = 1024 * 1024


def wrong_bodies() -> Iterator[Named]:
    """Rightly signed where it says so, and still nothing an office may take."""
    yield "another body under the old digest", lambda draft: replace(draft, sent_body=gzip.compress(b"{}"))
    yield "one bit of the body", lambda draft: replace(draft, sent_body=draft.packed()[:-1] + b"\x01")
    yield "a byte more", lambda draft: replace(draft, sent_body=draft.packed() + b"\0")
    yield "no body", spoilt(sent_body=b"")
    yield (
        "another body with its own digest",
        lambda draft: replace(
            draft, sent_body=gzip.compress(b"{}"), replaced={"Content-Digest": hs.content_digest(gzip.compress(b"{}"))}
        ),
    )
    yield "gzip said to be plain", header("Content-Encoding", lambda was: "identity")
    for encoding in ("deflate", "br", "gzip, gzip", "GZIP", "x-gzip", "zstd", ""):
        yield (
            f"encoding {encoding!r}, signed",
            lambda draft, encoding=encoding: replace(draft, body=draft.packed(), encoding=encoding),
        )
    yield "a gzip bomb of 60 MiB", lambda draft: replace(draft, body=gzip.compress(bytes(60 * MIB), 9))
    yield "a gzip bomb that breaks off", lambda draft: replace(draft, body=gzip.compress(bytes(60 * MIB), 9)[:40_000])
    yield "half of a gzip", lambda draft: replace(draft, body=draft.packed()[: len(draft.packed()) // 2])
    yield "a gzip with a tail", lambda draft: replace(draft, body=draft.packed() + b"tail")
    yield "two gzips", lambda draft: replace(draft, body=draft.packed() * 2)
    yield "no gzip", spoilt(body=b"\x1f\x8b\x08garbage")
    yield "an empty gzip body", spoilt(body=b"")
    yield "300 KiB", spoilt(body=bytes(300 * 1024))
    for text in (
        b"", b"[]", b"null", b"7", b"{", b'{"events": NaN}', b'{"first_seq": 1e400}', b'{"a":' + b"[" * 90_000,
        b"\xff\xfe", b'{"first_seq": "\\ud800"}', b"{" + b'"a":1,' * 20_000 + b'"b":1}', b'{"\xed\xa0\x80":1}',
    ):  # fmt: skip
        yield f"the body {text[:16]!r}", spoilt(plain=text)
    for name, value in (
        ("first_seq", 0), ("first_seq", -1), ("first_seq", 2**63), ("first_seq", 1.5), ("first_seq", True),
        ("first_seq", "1"), ("last_seq", 10**30), ("last_seq", 1), ("prev_hash", "00"), ("prev_hash", "Z" * 64),
        ("prev_hash", "0" * 64), ("events", {}), ("events", None), ("events", [None]), ("sent", None), ("sent", {}),
        ("posted_seq", -1), ("posted_seq", "x"),
    ):  # fmt: skip
        yield (
            f"{name} {value!r:.20}",
            lambda draft, name=name, value=value: replace(draft, plain=draft.plain | {name: value}),
        )
    for name, value in (
        ("seq", 99), ("seq", -5), ("seq", 10**20), ("kind", "note.credited"), ("kind", "x" * 5000), ("kind", "\0"), ("v", 2),
        ("v", -(2**70)), ("boot_id", "别的"), ("mono_ms", 1.5), ("wall_ms", 0), ("clock", "synced!"), ("body", "{}"),
        ("body", "\0"), ("body", 7), ("hash", "0" * 64), ("hash", "a" * 62), ("payment_id", "someone-else's"),
    ):  # fmt: skip
        yield (
            f"an event's {name} {value!r:.20}",
            lambda draft, name=name, value=value: replace(
                draft,
                plain=draft.plain | {"events": [{**draft.plain["events"][0], name: value}, *draft.plain["events"][1:]]},
            ),
        )
    yield "501 events", lambda draft: replace(draft, plain=draft.plain | {"events": draft.plain["events"] * 251})
    yield (
        "the same event twice",
        lambda draft: replace(draft, plain=draft.plain | {"events": draft.plain["events"][:1] * 2}),
    )
