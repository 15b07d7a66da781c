"""Around every kiosk request: size limit, a trace id, errors as problem documents, and the office's signature.

It stands first of all middleware, so that also an error of Django itself leaves as a signed problem document.
"""

import logging
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from kiosk.domain.http_signature import request_signature_of, sign_answer
from office.api.problems import CONTENT_TYPE, Problem, problem_answer, problem_for_status
from office.kiosks.keys import office_key

PREFIX = "/api/"
MAX_BODY_BYTES = 256 * 1024

log = logging.getLogger("office.api")


class KioskApiEnvelope:
    """Middleware for everything under /api/; other pages pass untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self._get_response(request)
        request.trace_id = secrets.token_hex(8)
        answer = self._answer(request)
        answer["Cache-Control"] = "no-store"
        answer["X-Trace-Id"] = request.trace_id
        if request.method == "HEAD":
            answer.content = b""
        return _signed(request, answer)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if _declared_length(request) > MAX_BODY_BYTES:
            return _problem(request, Problem("too_large"))
        answer = self._get_response(request)
        if answer.status_code in (301, 302):  # Django's idea of a missing slash; a kiosk follows nobody anywhere
            return _problem(request, Problem("not_found"))
        foreign = answer.status_code >= 400 and answer.get("Content-Type", "") != CONTENT_TYPE
        if foreign or not isinstance(answer, HttpResponse):
            if answer.status_code >= 500:
                log.error("api_failed trace_id=%s path=%s", request.trace_id, request.path_info)
            allowed = {"Allow": answer["Allow"]} if "Allow" in answer else {}
            problem = problem_for_status(answer.status_code)
            problem.headers.update(allowed)
            return _problem(request, problem)
        return answer


def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_answer(problem, instance=request.path_info, trace_id=request.trace_id)


def _declared_length(request: HttpRequest) -> int:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isdecimal() else 0


def _signed(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Put the office's signature on an answer, bound to the request's own signature where it has one."""
    answer.setdefault("Content-Type", "application/json")
    headers = sign_answer(
        office_key(),
        status=answer.status_code,
        headers={"Content-Type": answer["Content-Type"]},
        body=answer.content,
        created=int(time.time()),
        request_signature=request_signature_of({"Signature": request.headers.get("Signature", "")}),
    )
    for name, value in headers.items():
        answer[name] = value
    return answer
