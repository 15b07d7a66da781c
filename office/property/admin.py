"""Base data of a project in the admin. A person sees only the projects in which they hold a role that keeps such data."""

import uuid
import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Field, ForeignKey, QuerySet
from django.http import HttpRequest

from office.ledger import stream as books
from office.ledger.models import LedgerEntry
from office.property.models import Building, Entrance, Occupancy, Party, Project, Unit
from office.property.services import touch
from office.staff import audit
from office.staff.admin_words import NO_SUCH_TIME_ZONE, OF_ANOTHER_BUILDING, OF_ANOTHER_PROJECT, choices_of
from office.staff.services import projects_kept


class InWords(admin.ChoicesFieldListFilter):
    """A filter over codes that shows their words."""

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        words = {label: choices_of(self.field).get(code, label) for code, label in self.field.flatchoices}
        for choice in super().choices(changelist):
            yield {**choice, "display": words.get(choice["display"], choice["display"])}


class ProjectRowForm(forms.ModelForm):
    """A row of one project for ever: what was posted about it stands in that project's books, and a rebuild looks for it there.
    All that it points at is of the same project."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "project" in self.fields and not self.instance._state.adding:
            # Not a read-only field of the admin, which would leave it out of the form and its uniqueness unchecked.
            self.fields["project"].disabled = True

    def clean(self) -> dict[str, Any]:
        super().clean()
        project = self.cleaned_data.get("project")
        for name, value in list(self.cleaned_data.items()):
            if project and getattr(value, "project_id", project.id) != project.id:
                self.add_error(name, OF_ANOTHER_PROJECT % {"what": value, "project": project})
        return self.cleaned_data


class ProjectAdmin(admin.ModelAdmin):
    """Base of all admins of project rows: projects kept by a role only, changes audited, never deleted (rows of the past are needed)."""

    form = ProjectRowForm

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(project__in=self._kept(request, "view"))

    def _kept(self, request: HttpRequest, verb: str) -> QuerySet[Project]:
        return projects_kept(request.user, verb, self.opts.model_name or "")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        here = obj is None or self._kept(request, "change").filter(id=obj.project_id).exists()
        return here and super().has_change_permission(request, obj)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.related_model
        if related is Project:
            kwargs["queryset"] = self._kept(request, "add")
        elif hasattr(related, "project_id"):
            kwargs["queryset"] = related._default_manager.filter(project__in=self._kept(request, "add"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_choice_field(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        shown = super().formfield_for_choice_field(db_field, request, **kwargs)
        shown.choices = [(code, choices_of(db_field).get(code, label)) for code, label in shown.choices]
        return shown

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._worded(name) for name in super().get_list_display(request)]

    def _worded(self, name: str) -> Any:
        """A column of codes as a column of words; any other as it is."""
        field = self.model._meta.get_field(name)
        if not choices_of(field):
            return name
        return admin.display(
            lambda row: choices_of(field).get(getattr(row, name), getattr(row, name)),
            description=field.verbose_name,
            ordering=name,
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.lock(obj)
        if change:
            obj.save(update_fields=changed_columns(form))
        else:
            super().save_model(request, obj, form, change)
        changed = {name: str(form.cleaned_data.get(name)) for name in form.changed_data}
        audit.note(obj.project_id, request.user, "admin.change" if change else "admin.add", obj, changed=changed)
        self.touch_units(obj)

    def lock(self, obj: Any) -> None:
        """Before the row, as folding does: in the other order two would wait for each other."""
        books.locked(obj.project_id)

    def touch_units(self, obj: Any) -> None:
        """Tell the kiosks' caches, where a row is something they know."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def changed_columns(form: Any) -> list[str]:
    """What a person changed of a row. The rest may be newer in the database than what the form was made of: the prepaid balance
    of a payment that was folded meanwhile, a kiosk's new key."""
    columns = {column.name for column in form.instance._meta.concrete_fields}
    return [name for name in form.changed_data if name in columns]


def touch_units(project_id: uuid.UUID, unit_ids: list[uuid.UUID]) -> None:
    """Mark units as changed outside any command."""
    with books.changing(project_id) as stream:
        touch(stream, unit_ids)


class ProjectForm(forms.ModelForm):
    """A project's settings, none of which could stop its office or its kiosks."""

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in zoneinfo.available_timezones():
            raise forms.ValidationError(NO_SUCH_TIME_ZONE)
        return name


@admin.register(Project)
class ProjectSettingsAdmin(admin.ModelAdmin):
    """A project's texts and limits; every change is a new configuration version for its kiosks."""

    form = ProjectForm
    list_display = ("code", "name", "service_phone", "config_version")

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> tuple[str, ...]:
        """Entries are dated in the project's time zone: once there is one, a rebuild must come to the same dates."""
        posted = obj is not None and LedgerEntry.objects.filter(project=obj).exists()
        return ("code", "config_version", *(("time_zone",) if posted else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(id__in=projects_kept(request.user, "view", "project"))

    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        here = obj is None or projects_kept(request.user, "change", "project").filter(id=obj.id).exists()
        return here and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        Project.objects.filter(id=obj.id).update(config_version=F("config_version") + 1)  # two people's changes are two
        obj.save(update_fields=changed_columns(form))
        audit.note(obj.id, request.user, "project.change", obj, changed=list(form.changed_data))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a project comes with its books: office import --new-project

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Building)
class BuildingAdmin(ProjectAdmin):
    list_display = ("project", "name", "position")


@admin.register(Entrance)
class EntranceAdmin(ProjectAdmin):
    list_display = ("project", "building", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Entrance | None = None) -> tuple[str, ...]:
        """Units behind it would stay in the old building."""
        return ("building",) if obj is not None and obj.units.exists() else ()


class UnitForm(ProjectRowForm):
    """A unit behind an entrance of its own building."""

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        building, entrance = told.get("building"), told.get("entrance")
        if building and entrance and entrance.building_id != building.id:
            self.add_error("entrance", OF_ANOTHER_BUILDING % {"entrance": entrance, "building": building})
        return told


@admin.register(Unit)
class UnitAdmin(ProjectAdmin):
    form = UnitForm
    list_display = ("project", "code", "kind", "area_c", "gone")
    list_filter = ("project", ("kind", InWords), "gone")
    search_fields = ("code",)

    def touch_units(self, obj: Unit) -> None:
        touch_units(obj.project_id, [obj.id])


@admin.register(Party)
class PartyAdmin(ProjectAdmin):
    list_display = ("project", "name", "kind")
    search_fields = ("name",)

    def touch_units(self, obj: Party) -> None:
        touch_units(obj.project_id, list(obj.occupancies.values_list("unit_id", flat=True)))


@admin.register(Occupancy)
class OccupancyAdmin(ProjectAdmin):
    list_display = ("project", "unit", "party", "role", "since", "until", "pays")
    autocomplete_fields = ("unit", "party")

    def touch_units(self, obj: Occupancy) -> None:
        touch_units(obj.project_id, [obj.unit_id])
