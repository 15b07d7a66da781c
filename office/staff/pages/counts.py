"""A blind count of a cash box that was taken out: every face is typed, nothing that is expected is shown."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext

from office.payments import counting, services
from office.payments.claim_rules import FACES
from office.staff.pages.frame import Desk, shell, staff_page
from office.staff.pages.uploads import whole_number
from office.staff.permissions import Act


@staff_page(Act.COUNT_BOX)
def count(request: HttpRequest, desk: Desk, removal_id: uuid.UUID) -> HttpResponse:
    removal = get_object_or_404(counting.removals(desk.project), id=removal_id)
    typed = {face: request.POST.get(f"n{face}", "") for face in FACES}
    context = {**shell(request, desk, "cases"), "removal": removal, "typed": typed.items(), "is_bad": False}
    if request.method != "POST":
        return render(request, "office/count.html", context)
    try:
        counting.count_box(
            request.user, removal, {face: whole_number(text.strip(), otherwise=-1) for face, text in typed.items()}
        )
    except counting.BadCount:
        return render(request, "office/count.html", {**context, "is_bad": True}, status=422)
    except services.Stale:
        messages.info(request, gettext("这个钞箱刚由别人清点过。"))
    else:
        messages.success(request, gettext("清点结果已保存，不能再改。"), extra_tags="ok")
    return redirect("office:cases", desk.project.code)
