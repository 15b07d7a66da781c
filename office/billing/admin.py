"""Fee items, standards and late fee rules in the admin. A version that bills were made from is never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from office.billing.models import Bill, FeeItem, FeeStandard, LateFeeRule
from office.property.admin import InWords, ProjectAdmin, touch_units


@admin.register(FeeItem)
class FeeItemAdmin(ProjectAdmin):
    list_display = ("project", "code", "name", "category", "third_party", "pay_at_kiosk")
    list_filter = ("project", ("category", InWords))

    def get_readonly_fields(self, request: HttpRequest, obj: FeeItem | None = None) -> tuple[str, ...]:
        """What decides the account stays once bills are posted by it: voiding one, or a rebuild, must meet it again."""
        return ("category", "third_party") if obj is not None and obj.bills.exists() else ()

    def touch_units(self, obj: FeeItem) -> None:
        """Kiosks keep the item's name with each open bill."""
        touch_units(obj.project_id, list(obj.bills.filter(status__in=Bill.OPEN).values_list("unit_id", flat=True)))


class _VersionAdmin(ProjectAdmin):
    """A used version can only be looked at; a change is a new version."""

    uses = ""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        used = obj is not None and Bill.objects.filter(**{self.uses: obj}).exists()
        return not used and super().has_change_permission(request, obj)


@admin.register(FeeStandard)
class FeeStandardAdmin(_VersionAdmin):
    uses = "standard"
    list_display = ("project", "fee_item", "code", "version", "formula", "valid_from", "valid_to")


@admin.register(LateFeeRule)
class LateFeeRuleAdmin(_VersionAdmin):
    uses = "late_rule"
    list_display = ("project", "code", "version", "rate_ppm", "grace_days", "start", "cap_ppm")
