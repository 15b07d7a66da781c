"""Roles and the audit log in the admin; accounts are in accounts_admin."""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey
from django.http import HttpRequest

from office.property.admin import InWords, ProjectAdmin
from office.staff import accounts_admin
from office.staff.models import AuditEntry, Membership, Role
from office.staff.services import sync_groups


@admin.register(Membership)
class MembershipAdmin(ProjectAdmin):
    """Giving and taking roles; whoever loses the last one sees nothing any more."""

    list_display = ("project", "user", "role")
    list_filter = ("project", ("role", InWords))

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        sync_groups(obj.user)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """The last sysadmin of a project can't be taken away."""
        if obj is not None and obj.role == Role.SYSADMIN:
            others = Membership.objects.filter(project=obj.project, role=Role.SYSADMIN).exclude(id=obj.id)
            if not others.exists():
                return False
        here = obj is None or self._kept(request, "delete").filter(id=obj.project_id).exists()
        return here and request.user.has_perm("staff.delete_membership")

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = accounts_admin.within_reach(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        user = obj.user
        super().delete_model(request, obj)
        sync_groups(user)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # one by one, so that the last sysadmin is seen


@admin.register(AuditEntry)
class AuditEntryAdmin(ProjectAdmin):
    list_display = ("at", "project", "actor", "verb", "object_type", "object_id", "reason")
    list_filter = ("project", "verb")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
