"""A pairing code that renews one kiosk: asked for with a reason, shown once, never stored."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from office.kiosks.models import Kiosk
from office.kiosks.pairing import make_code
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.permissions import Act

GROUP = 4  # characters, as `office pairing-code` prints them


@never_cache
@require_POST
@staff_page(Act.PAIR_KIOSKS)
def renew(request: HttpRequest, desk: Desk, kiosk_code: str) -> HttpResponse:
    """Make the code and show it; there is no address under which it could be seen again."""
    kiosk = Kiosk.objects.filter(project=desk.project, code=kiosk_code).first()
    if kiosk is None:
        raise Http404
    reason = request.POST.get("why", "").strip()
    if not reason:
        messages.error(request, gettext("没有生成配对码：请写明理由。"), extra_tags="bad")
        return redirect("office:kiosk", desk.project.code, kiosk_code)
    made = make_code(desk.project, request.user, renews=kiosk, reason=reason)
    groups = [made.code[n : n + GROUP] for n in range(0, len(made.code), GROUP)]
    context = {"kiosk": kiosk, "code": made.code, "groups": groups, "expires_at": made.expires_at}
    return render(request, "office/pairing_code.html", {**shell(request, desk, "kiosks"), **context})
