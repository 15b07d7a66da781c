"""The page "Where is my money" (我的钱在哪里): a form, and the answer to a number with its check code."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from office.public import throttle
from office.public.lookup import find, read_question

PAGE = "office/public/where_is_my_money.html"


@require_safe
def form(request: HttpRequest) -> HttpResponse:
    """The empty form, or its answer. It is sent by GET: there is nothing to change and no session to need."""
    number, check = request.GET.get("number", ""), request.GET.get("check", "")
    if not number and not check:
        return _page(request, {"step": "ask"})
    return _looked_up(request, number, check)


@require_safe
def by_link(request: HttpRequest, number: str, check: str) -> HttpResponse:
    """The address in the slip's QR code."""
    return _looked_up(request, number, check)


def _looked_up(request: HttpRequest, number: str, check: str) -> HttpResponse:
    client, now = throttle.client_of(request.META.get("REMOTE_ADDR", "")), time.time()
    typed = {"number": number[:64], "check": check[:64]}
    if wait_s := throttle.must_wait_s(client, now):
        answer = _page(request, {"step": "wait", "wait_s": wait_s, **typed}, status=429)
        answer["Retry-After"] = str(wait_s)
        return answer
    found = find(read_question(number, check))
    if found is None:
        throttle.count_wrong(client, now)
        return _page(request, {"step": "nothing", **typed}, status=404)
    at = timezone.now()
    with timezone.override(found.project.zone):
        return _page(
            request,
            {
                "step": "found",
                "found": found,
                "asked_at": at,
                "checked_for": at - found.checked_since if found.checked_since else None,
                "claims": [(claim, at - claim.since) for claim in found.claims],
                **typed,
            },
        )


def _page(request: HttpRequest, context: dict, status: int = 200) -> HttpResponse:
    answer = render(request, PAGE, context, status=status)
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
