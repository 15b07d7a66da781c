"""Sign-in in one step, or two for accounts with a second factor; five wrong tries lock an account for a quarter of an hour."""

from datetime import timedelta
from typing import Any

import django_otp
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, get_user_model, login, logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from office.staff.models import SignInGuard
from office.staff.pages.frame import bare, to_signin

TRIES = 5
LOCK = timedelta(minutes=15)
CODE_WITHIN_S = 300
PENDING = "signin_pending"


def key_of(username: str) -> str:
    return username.strip().lower()[:150]


def is_locked(username: str) -> bool:
    guard = SignInGuard.objects.filter(username=key_of(username)).first()
    return guard is not None and guard.locked_until is not None and guard.locked_until > timezone.now()


def count_failure(username: str) -> int:
    """Count a wrong try and lock at the fifth; how many are left."""
    with transaction.atomic():
        guard, _ = SignInGuard.objects.select_for_update().get_or_create(username=key_of(username))
        if guard.locked_until is not None and guard.locked_until <= timezone.now():
            guard.failures, guard.locked_until = 0, None
        guard.failures += 1
        if guard.failures >= TRIES:
            guard.failures, guard.locked_until = 0, timezone.now() + LOCK
            guard.save()
            return 0
        guard.save()
        return TRIES - guard.failures


def forget_failures(username: str) -> None:
    SignInGuard.objects.filter(username=key_of(username)).delete()


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Where to go after signing in: a path of this office, never another site."""
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and allowed else reverse("office:home")


def _form(request: HttpRequest, step: str, username: str, wanted: str, **more: Any) -> HttpResponse:
    context = {"step": step, "username": username, "next": wanted, **more}
    return render(request, "office/signin.html", context)


def _failed(request: HttpRequest, step: str, username: str, wanted: str) -> HttpResponse:
    left = count_failure(username)
    return _form(request, step, username, wanted, trouble="failed" if left else "locked", tries_left=left)


@never_cache
def admin_door(request: HttpRequest) -> HttpResponse:
    """The admin sends here whom it does not let in. One door: its own would know neither the lock nor the second factor."""
    if request.user.is_authenticated:
        raise PermissionDenied  # signing in once more would change nothing, and lead back here for ever
    return redirect(f"{reverse('office:signin')}?{request.GET.urlencode()}")


@never_cache
@sensitive_post_parameters("password")
def signin(request: HttpRequest) -> HttpResponse:
    """Name and password. Who has a second factor goes on to it; nobody is signed in between."""
    wanted = safe_next(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(wanted)
        return _form(request, "password", "", wanted)
    username = request.POST.get("username", "").replace("\0", "").strip()[:150]
    if is_locked(username):
        return _form(request, "password", username, wanted, trouble="locked")
    user = authenticate(request, username=username, password=request.POST.get("password", ""))
    if user is None:
        return _failed(request, "password", username, wanted)
    if django_otp.user_has_device(user):
        request.session[PENDING] = {"user": user.pk, "at": timezone.now().timestamp(), "next": wanted}
        return redirect("office:signin_code")
    return _enter(request, user, wanted)


@never_cache
def signin_code(request: HttpRequest) -> HttpResponse:
    """The second factor of the person whose password was right a moment ago."""
    pending = request.session.get(PENDING)
    if not pending or timezone.now().timestamp() - pending["at"] > CODE_WITHIN_S:
        request.session.pop(PENDING, None)
        return redirect("office:signin")
    user = get_user_model().objects.get(pk=pending["user"])
    username, wanted = user.get_username(), pending["next"]
    if request.method != "POST":
        return _form(request, "code", username, wanted)
    if is_locked(username):
        return _form(request, "code", username, wanted, trouble="locked")
    device = django_otp.match_token(user, request.POST.get("otp", "").strip())
    if device is None:
        return _failed(request, "code", username, wanted)
    return _enter(request, user, wanted, device)


def _enter(request: HttpRequest, user: Any, wanted: str, device: Any = None) -> HttpResponse:
    forget_failures(user.get_username())
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if device is not None:
        django_otp.login(request, device)
    request.session.pop(PENDING, None)
    return HttpResponseRedirect(wanted)


@never_cache
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
def password(request: HttpRequest) -> HttpResponse:
    """A new password for oneself; the first one was read out by somebody else."""
    if not request.user.is_authenticated:
        return to_signin(request)
    form = PasswordChangeForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, gettext("密码已修改。"), extra_tags="ok")
        return redirect("office:home")
    context = {**bare(request.user), "form": form}
    return render(request, "office/password.html", context, status=422 if form.errors else 200)


@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("office:signin")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and show the same page again."""
    response = HttpResponseRedirect(safe_next(request, request.POST.get("next", "")))
    wanted = request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response
