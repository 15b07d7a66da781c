"""Kiosks in the admin: where they stand, and whether they may take payments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from office.kiosks.models import Kiosk
from office.property.admin import ProjectAdmin


@admin.register(Kiosk)
class KioskAdmin(ProjectAdmin):
    list_display = ("project", "code", "location", "state", "software", "paired_at")
    readonly_fields = (
        "project",
        "code",
        "public_key",
        "key_id",
        "next_public_key",
        "next_key_id",
        "may_replace_until",  # a pairing code with its reason gives leave, not a form
        "software",
        "paired_at",
    )

    def lock(self, obj: Any) -> None:
        """The row alone: an upload locks it before the books, and saving it asks nothing of them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a kiosk comes by pairing
