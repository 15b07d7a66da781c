"""Problem documents (RFC 9457): the one shape of every error a kiosk can meet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """What one code means, whatever the occasion."""

    status: int
    title: str
    retry: str  # never, later, after_fix


KINDS: dict[str, Kind] = {
    "malformed": Kind(400, "The request can't be read", "after_fix"),
    "validation_failed": Kind(422, "The request does not fit its schema", "after_fix"),
    "signature_invalid": Kind(401, "The signature does not hold", "after_fix"),
    "key_unknown": Kind(401, "This key belongs to no kiosk", "after_fix"),
    "clock_out_of_range": Kind(401, "Signed at a time too far from ours", "after_fix"),
    "kiosk_suspended": Kind(403, "This kiosk is suspended", "later"),
    "revoked": Kind(403, "This kiosk is revoked", "later"),
    "pairing_code_invalid": Kind(403, "This pairing code can't be used", "never"),
    "not_found": Kind(404, "There is no such resource", "never"),
    "unit_not_found": Kind(404, "There is no such unit", "never"),
    "method_not_allowed": Kind(405, "This resource does not take this method", "never"),
    "fork": Kind(409, "Two histories share a sequence number", "never"),
    "gap": Kind(409, "Events are missing before these", "after_fix"),
    "ahead": Kind(409, "The office holds more of this journal", "never"),
    "journal_not_expected": Kind(409, "This kiosk has another journal, and no leave to begin a new one", "never"),
    "too_large": Kind(413, "The request is too large", "after_fix"),
    "upgrade_required": Kind(426, "This protocol version is not spoken here", "after_fix"),
    "rate_limited": Kind(429, "Too many requests", "later"),
    "internal": Kind(500, "The office failed; nothing was half done", "later"),
    "busy": Kind(503, "The office is busy", "later"),
}

_BY_STATUS = {kind.status: code for code, kind in reversed(KINDS.items())} | {401: "signature_invalid", 403: "revoked"}


class Problem(Exception):
    """Stop the request with a problem document; ``fields`` are the ones docs/office-api.md names for the code."""

    def __init__(self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **fields: Any) -> None:
        super().__init__(code)
        self.code, self.detail, self.headers, self.fields = code, detail, dict(headers or {}), fields


def problem_answer(problem: Problem, *, instance: str, trace_id: str) -> HttpResponse:
    """The document as an answer."""
    kind = KINDS[problem.code]
    body = {
        "type": f"urn:menting:problem:{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail or kind.title,
        "instance": instance,
        "code": problem.code,
        "trace_id": trace_id,
        "retry": kind.retry,
        "errors": [],
        **problem.fields,
    }
    answer = HttpResponse(json.dumps(body, ensure_ascii=False), status=kind.status, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        answer[name] = value
    return answer


def problem_for_status(status: int) -> Problem:
    """The problem that fits an error status which something below us answered in its own words."""
    if status in _BY_STATUS:
        return Problem(_BY_STATUS[status])
    return Problem("malformed" if status < 500 else "internal")
