"""Accounts and their second factors in the admin. A sysadmin keeps the people of their own projects; rights come from roles
alone, so nothing here can hand out more."""

from typing import Any

# Imported first, so that the admins of these apps are registered and ours can take their place.
import django.contrib.auth.admin
import django_otp.plugins.otp_totp.admin
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from office.staff import audit
from office.staff.models import Membership
from office.staff.permissions import projects_of

User = get_user_model()
admin.site.unregister(User)
admin.site.unregister(TOTPDevice)


def within_reach(user: Any) -> QuerySet[Any]:
    """The people all of whose roles lie in this person's projects, also those who have none yet."""
    elsewhere = Membership.objects.exclude(project__in=projects_of(user)).values("user_id")
    people = User._default_manager.exclude(id__in=elsewhere)
    return people if user.is_superuser else people.filter(is_superuser=False)


class _Audited(admin.ModelAdmin):
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "admin.add", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "admin.change", obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self._note(request, "admin.delete", row)
        return super().log_deletions(request, queryset)

    def _note(self, request: HttpRequest, verb: str, row: Any) -> None:
        """An account belongs to no project: each of its keeper's projects hears of it."""
        for project in projects_of(request.user):
            audit.note(project.id, request.user, verb, row)


@admin.register(User)
class AccountAdmin(_Audited, django.contrib.auth.admin.UserAdmin):
    list_display = ("username", "last_name", "first_name", "is_active", "last_login")
    list_filter = ("is_active",)
    readonly_fields = ("last_login",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("人员"), {"fields": ("last_name", "first_name", "is_active", "last_login")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(id__in=within_reach(request.user))


@admin.register(TOTPDevice)
class SecondFactorAdmin(_Audited, django_otp.plugins.otp_totp.admin.TOTPDeviceAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(user__in=within_reach(request.user))

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = within_reach(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
