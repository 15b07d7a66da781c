"""Projects (小区), buildings (楼栋), entrances (单元), units (房号), parties and who lives where."""

import uuid
from zoneinfo import ZoneInfo

from django.db import models

from office.rows import ProjectRow


class Project(models.Model):
    """A residential quarter with its texts and limits; the shard key of every other table."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=8, unique=True)  # begins every kiosk code: YG, then YG01
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    payee = models.CharField(max_length=120, blank=True)  # 收款单位, full name
    service_phone = models.CharField(max_length=40, blank=True)
    complaint = models.CharField(max_length=120, blank=True)
    cash_desk_place = models.CharField(max_length=120, blank=True)
    cash_desk_place_en = models.CharField(max_length=120, blank=True)
    cash_desk_hours = models.CharField(max_length=80, blank=True)
    time_zone = models.CharField(max_length=40, default="Asia/Shanghai")
    cash_limit_fen = models.BigIntegerField(default=200_000)
    notes_limit = models.PositiveIntegerField(default=60)
    held_note_threshold_fen = models.BigIntegerField(default=100)
    config_version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Building(ProjectRow):
    """A building by the number people call it by."""

    name = models.CharField(max_length=12)
    position = models.PositiveIntegerField(default=0)  # order on the pickers

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "name"), name="building_once")]
        ordering = ("position", "name")

    def __str__(self) -> str:
        return f"{self.name}栋"


class Entrance(ProjectRow):
    """An entrance (单元) of a building."""

    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="entrances")
    name = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "building", "name"), name="entrance_once")]
        ordering = ("building__position", "name")

    def __str__(self) -> str:
        return f"{self.building}{self.name}单元"


class Unit(ProjectRow):
    """A dwelling or shop. ``prepaid_fen`` is a cache of its prepaid entries."""

    class Kind(models.TextChoices):
        ROOM = "room"
        SHOP = "shop"
        PARKING = "parking"
        STORAGE = "storage"

    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="units")
    entrance = models.ForeignKey(Entrance, on_delete=models.PROTECT, related_name="units")
    room = models.CharField(max_length=12)
    code = models.CharField(max_length=32)  # 3-1-502
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ROOM)
    area_c = models.PositiveIntegerField(default=0)  # 0.01 square metres
    handover_on = models.DateField(null=True, blank=True)
    prepaid_fen = models.BigIntegerField(default=0, editable=False)
    gone = models.BooleanField(default=False)  # a tombstone for the kiosks' caches
    changed_no = models.BigIntegerField(default=0, editable=False)  # the sync cursor: see property.services.touch

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "code"), name="unit_code_once"),
            models.CheckConstraint(condition=models.Q(prepaid_fen__gte=0), name="prepaid_never_negative"),
        ]
        indexes = [models.Index(fields=("project", "changed_no"), name="unit_changed")]
        ordering = ("building__position", "entrance__name", "room")

    def __str__(self) -> str:
        return self.code


class Party(ProjectRow):
    """A person or company. Full names and phones stay in the office (decisions 26)."""

    class Kind(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"

    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)

    class Meta:
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name


class Occupancy(ProjectRow):
    """Who owes for a unit in a period; never overwritten, only closed."""

    class Role(models.TextChoices):
        OWNER = "owner"
        TENANT = "tenant"
        DEVELOPER = "developer"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="occupancies")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="occupancies")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    pays = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "occupancies"
        constraints = [
            models.UniqueConstraint(fields=("project", "unit", "party", "since"), name="occupancy_once"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.party}"
