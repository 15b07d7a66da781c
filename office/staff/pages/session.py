"""Around every staff page: what the browser may load, and the end of a session that nobody uses."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from office.staff.pages.frame import to_signin

IDLE_S = 15 * 60  # office-domain section 12
STEP_S = 30  # a busy session is written this often, not at every click
LAST_USED = "last_used"

# No inline style or script anywhere, nothing from other sites, no frames around us but our own.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)


class StaffPages:
    """Middleware; after authentication. A page that refreshes itself does not keep its session alive."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            return self.get_response(request)
        response = to_signin(request) if self._idle(request) else self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _idle(self, request: HttpRequest) -> bool:
        """Whether this person's session was left alone for too long; it is ended then."""
        if not request.user.is_authenticated:
            return False
        now = timezone.now().timestamp()
        last = request.session.get(LAST_USED)
        if last is not None and now - last > IDLE_S:
            logout(request)
            return True
        refreshes_itself = request.headers.get("HX-Request") == "true" and request.path.endswith("/live/")
        if not refreshes_itself and (last is None or now - last > STEP_S):
            request.session[LAST_USED] = now
        return False
