"""Kiosks, how they pair, their journals kept verbatim, and what those say about boxes and devices.

``Kiosk``, ``PairingCode``, ``Journal``, ``BootOffset`` and ``RawEvent`` are facts; ``CashBoxFace``, ``AcceptorCounter``
and alarms with source ``kiosk`` are derived from the raw events and are forgotten and folded again by a rebuild.
"""

from django.conf import settings
from django.db import models

from office.rows import ProjectRow


class OfficeKey(models.Model):
    """The office's own Ed25519 key, with which every answer is signed; one row. It belongs with the estate's data:
    a restored backup keeps the trust of the kiosks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    private_key = models.CharField(max_length=64)  # base64 of the raw key
    public_key = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_office_key")]


class Kiosk(ProjectRow):
    """One terminal. Its code is never used again for another."""

    class State(models.TextChoices):
        PAIRED = "paired"
        SUSPENDED = "suspended"
        REVOKED = "revoked"

    code = models.CharField(max_length=16)  # YG01
    location = models.CharField(max_length=80, blank=True)
    location_en = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PAIRED)
    public_key = models.CharField(max_length=64)  # base64 of the raw key
    key_id = models.CharField(max_length=64, unique=True)  # hex SHA-256 of the raw key
    next_public_key = models.CharField(max_length=64, blank=True)  # promised at pairing, until its first use
    next_key_id = models.CharField(max_length=64, blank=True, db_index=True)
    may_replace_until = models.DateTimeField(null=True)  # a pairing code allowed it to begin one new journal
    software = models.CharField(max_length=40, blank=True)
    paired_at = models.DateTimeField()
    box_capacity_notes = models.PositiveIntegerField(default=600)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "code"), name="kiosk_code_once")]
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class KioskStatus(ProjectRow):
    """The latest heartbeat of a kiosk. ``seen_at`` is written only now and then: kiosks.presence knows the last seconds."""

    kiosk = models.OneToOneField(Kiosk, on_delete=models.CASCADE, related_name="status")
    seen_at = models.DateTimeField()
    state = models.CharField(max_length=20, blank=True)
    acceptor = models.CharField(max_length=60, blank=True)
    printer = models.CharField(max_length=60, blank=True)
    paper = models.CharField(max_length=30, blank=True)
    clock = models.CharField(max_length=12, blank=True)
    software = models.CharField(max_length=40, blank=True)
    disk_free_mb = models.IntegerField(null=True)
    journal_id = models.CharField(max_length=64, blank=True)
    last_seq = models.BigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, blank=True)
    unsent = models.IntegerField(default=0)
    oldest_unsent_s = models.IntegerField(null=True)
    clock_skew_ms = models.BigIntegerField(null=True)


class PairingCode(ProjectRow):
    """A one-time code for a new kiosk; only the hash of its secret half is kept."""

    token_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)  # wrong tries while it was open
    used_at = models.DateTimeField(null=True)
    kiosk = models.ForeignKey(Kiosk, on_delete=models.PROTECT, null=True, related_name="+")
    renews = models.ForeignKey(Kiosk, on_delete=models.PROTECT, null=True, related_name="+")  # made for this one only
    location = models.CharField(max_length=80, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "token_hash"), name="pairing_token_once")]


class Trunks(models.Manager["Journal"]):
    """Journals as kiosks send them, without the branches that people took in from files."""

    def get_queryset(self) -> models.QuerySet["Journal"]:
        return super().get_queryset().filter(branch_of=None)


class Journal(ProjectRow):
    """One journal file of a kiosk: how far the office holds it and how far it is folded.

    A branch is the part of another file of the same journal that goes another way: its entries begin at ``first_seq``, the
    one before is its parent's. No kiosk sends it and it is never a kiosk's present journal, so ask ``trunks`` for that.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        FORKED = "forked"
        REPLACED = "replaced"
        BRANCH = "branch"

    kiosk = models.ForeignKey(Kiosk, on_delete=models.PROTECT, related_name="journals")
    journal_id = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    high_seq = models.BigIntegerField(default=0)
    head_hash = models.BinaryField(max_length=32, default=bytes(32))
    posted_seq = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    last_ingest_at = models.DateTimeField(null=True)
    branch_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="branches")
    first_seq = models.BigIntegerField(default=1)

    objects = models.Manager()
    trunks = Trunks()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("project", "journal_id"), condition=models.Q(branch_of=None), name="journal_once"
            )
        ]

    @property
    def pending(self) -> int:
        """How many of its own entries wait to be folded."""
        return self.high_seq - max(self.posted_seq, self.first_seq - 1)

    @property
    def parted_at(self) -> int:
        """The entry at which a branch left the kiosk's own journal; 0 where it is that journal."""
        child, seq = self, 0
        while parent := child.branch_of:
            child, seq = parent, child.first_seq
        return seq

    def history(self) -> "models.QuerySet[RawEvent]":
        """Every entry from the first of the journal up to this one's end: before a branch parts, its parent's."""
        own, child = models.Q(journal_id=self.id), self
        while parent := child.branch_of:
            own |= models.Q(journal_id=parent.id, seq__lt=child.first_seq)
            child = parent
        return RawEvent.objects.filter(own, project_id=self.project_id)


class BootOffset(ProjectRow):
    """How far a boot's monotonic clock was from the office's when we heard from it: server time minus ``mono_ms``."""

    journal = models.ForeignKey(Journal, on_delete=models.CASCADE, related_name="boots")
    boot_id = models.CharField(max_length=64)
    mono_ms = models.BigIntegerField(default=0)
    offset_ms = models.BigIntegerField()
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "journal", "boot_id", "mono_ms"), name="boot_moment_once")
        ]


class RawEvent(ProjectRow):
    """One journal event exactly as the kiosk sent it, kept for ever. Only ``state`` and ``reject_code`` change."""

    class State(models.TextChoices):
        STORED = "stored"
        FOLDED = "folded"
        QUARANTINED = "quarantined"

    kiosk = models.ForeignKey(Kiosk, on_delete=models.PROTECT, related_name="+")
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    ingest_no = models.BigIntegerField()
    payment_id = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=40)
    v = models.IntegerField()
    boot_id = models.CharField(max_length=64)
    mono_ms = models.BigIntegerField()
    wall_ms = models.BigIntegerField()
    clock = models.CharField(max_length=12)
    body = models.BinaryField()
    hash = models.BinaryField(max_length=32)
    received_at = models.DateTimeField()
    corrected_at = models.DateTimeField()  # for display and late fees; frozen when it came in
    time_measured = models.BooleanField(default=True)  # False: the boot had no contact, the time is an estimate
    earliest_at = models.DateTimeField(null=True)  # bounds of an estimate
    latest_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.STORED)
    reject_code = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "journal", "seq"), name="raw_event_once"),
            models.UniqueConstraint(fields=("project", "ingest_no"), name="raw_event_ingest_once"),
        ]
        indexes = [
            models.Index(fields=("project", "payment_id"), name="raw_event_payment"),
            # The few that people look for. Of all states, each event would be written into it twice: stored, then folded.
            models.Index(fields=("project",), condition=models.Q(state="quarantined"), name="raw_event_quarantined"),
        ]
        ordering = ("journal", "seq")


class Nonce(ProjectRow):
    """A nonce of an upload, kept for twice the window of a signature."""

    kiosk = models.ForeignKey(Kiosk, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=64)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "kiosk", "nonce"), name="nonce_once")]
        indexes = [models.Index(fields=("used_at",), name="nonce_age")]


class CashBoxFace(ProjectRow):
    """Derived: notes of one face in a kiosk's box. Confirmed notes are there, unknown ones may be."""

    kiosk = models.ForeignKey(Kiosk, on_delete=models.CASCADE, related_name="box")
    face_fen = models.BigIntegerField()  # 0: a note whose face nobody knows
    confirmed = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "kiosk", "face_fen"), name="box_face_once")]
        ordering = ("-face_fen",)


class AcceptorCounter(ProjectRow):
    """Derived: an acceptor's own counters as last read."""

    kiosk = models.ForeignKey(Kiosk, on_delete=models.CASCADE, related_name="counters")
    acceptor_serial = models.CharField(max_length=40)
    first_stacked = models.BigIntegerField()
    stacked = models.BigIntegerField()
    rejected = models.BigIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "kiosk", "acceptor_serial"), name="acceptor_once")]


class Alarm(ProjectRow):
    """A device in trouble or an event someone must look at. Derived when ``source`` is kiosk."""

    class Severity(models.TextChoices):
        INFO = "info"
        WARN = "warn"
        NOW = "now"
        SECURITY = "security"

    class Source(models.TextChoices):
        KIOSK = "kiosk"
        OFFICE = "office"

    kiosk = models.ForeignKey(Kiosk, on_delete=models.PROTECT, related_name="alarms")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.KIOSK)
    device = models.CharField(max_length=20)
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    detail = models.CharField(max_length=200, blank=True)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    remark = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=("project", "cleared_at", "raised_at"), name="alarm_open")]
        ordering = ("-raised_at",)
