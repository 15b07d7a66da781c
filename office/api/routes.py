"""The kiosk API put together: its resources, its reader of bodies, its errors."""

import logging
from typing import Any

import msgspec
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.types import DictStrAny

from kiosk.domain.events import UNREADABLE
from office.api import terminal, units, uploads
from office.api.authentication import SignedByKiosk, plain_body
from office.api.problems import Problem, problem_answer

log = logging.getLogger("office.api")


class _Reader(Parser):
    """Reads bodies strictly: UTF-8 JSON without NaN, an object at the top."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        plain = getattr(request, "plain_body", None)
        try:
            read = msgspec.json.decode(plain_body(request) if plain is None else plain)
        except UNREADABLE as error:
            raise Problem("malformed", f"the body is not JSON: {error}") from error
        if not isinstance(read, dict):
            raise Problem("malformed", "the body is not a JSON object")
        return read


class _Writer(JSONRenderer):
    """Chinese as Chinese: a third of the size of its escapes."""

    json_dumps_params = {"ensure_ascii": False}


def _build() -> NinjaAPI:
    built = NinjaAPI(
        title="Menting kiosk API",
        version="1",
        description="How kiosks reach the property office; signatures and errors are described in docs/office-api.md.",
        docs_url=None,
        openapi_url="/openapi.json",
        parser=_Reader(),
        renderer=_Writer(),
        auth=SignedByKiosk(),
        urls_namespace="kiosk_api",
    )
    for router in (terminal.router, units.router, uploads.router):
        built.add_router("", router)
    built.add_exception_handler(Problem, _on_problem)
    built.add_exception_handler(ValidationError, _on_validation)
    built.add_exception_handler(HttpError, _on_http_error)
    built.add_exception_handler(Http404, _on_missing)
    built.add_exception_handler(OperationalError, _on_busy)
    built.add_exception_handler(Exception, _on_failure)
    return built


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_answer(problem, instance=request.path_info, trace_id=request.trace_id)


def _on_problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return _answer(request, problem)


def _on_validation(request: HttpRequest, failed: Any) -> HttpResponse:
    """Ninja names where a value came from before its place: body.told.events.3.seq is /events/3/seq."""
    errors = []
    for error in failed.errors[:50]:
        source, *place = (str(part) for part in error["loc"])
        errors.append({"pointer": "/" + "/".join(place[1:] if source == "body" else place), "code": error["type"]})
    return _answer(request, Problem("validation_failed", errors=errors))


def _on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return _answer(request, Problem("malformed" if error.status_code < 500 else "internal"))


def _on_missing(request: HttpRequest, missing: Any) -> HttpResponse:
    return _answer(request, Problem("not_found"))


def _on_busy(request: HttpRequest, error: Any) -> HttpResponse:
    log.warning("database_busy trace_id=%s error=%s", request.trace_id, error)
    return _answer(request, Problem("busy", headers={"Retry-After": "2"}))


def _on_failure(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("api_failed trace_id=%s", request.trace_id, exc_info=error)
    return _answer(request, Problem("internal"))


api = _build()
