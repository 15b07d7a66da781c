"""Accounts, entries and postings, and the one stream (``ingest_no``) that everything in the books comes from."""

from django.conf import settings
from django.db import models

from office.rows import ProjectRow


class Account(ProjectRow):
    """One account of a project's chart; purposes are fixed, names may be edited."""

    class Type(models.TextChoices):
        ASSET = "asset"
        LIABILITY = "liability"
        REVENUE = "revenue"
        EXPENSE = "expense"

    code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80, blank=True)
    type = models.CharField(max_length=10, choices=Type.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "code"), name="account_once")]
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Stream(ProjectRow):
    """How far a project's stream goes and how far it is folded. Its row is the lock under which books change."""

    last_no = models.BigIntegerField(default=0)
    folded_no = models.BigIntegerField(default=0)
    change_no = models.BigIntegerField(default=0)  # of units and bills, for the kiosks' cache sync
    eras = models.JSONField(default=list)  # of change numbers: [the last one before it, its name], see ledger.eras

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project",), name="one_stream")]


class OfficeCommand(ProjectRow):
    """Something a person of the office did that the books depend on; replayed by a rebuild in its place."""

    ingest_no = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    body = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "ingest_no"), name="command_once")]
        ordering = ("ingest_no",)


class LedgerEntry(ProjectRow):
    """One event in the books, posted once; its postings sum to zero. Derived from the stream."""

    ingest_no = models.BigIntegerField()
    date = models.DateField()
    event = models.CharField(max_length=30)
    ref_type = models.CharField(max_length=20)
    ref_id = models.UUIDField()
    payment = models.ForeignKey("payments.Payment", on_delete=models.CASCADE, null=True, related_name="entries")
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    posted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=("project", "event", "ref_type", "ref_id"), name="entry_posted_once")
        ]
        indexes = [models.Index(fields=("project", "ingest_no"), name="entry_order")]
        ordering = ("ingest_no", "event", "id")


class Posting(ProjectRow):
    """One line of an entry: debit positive, credit negative, in fen."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.CASCADE, related_name="postings")
    n = models.PositiveIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, null=True, related_name="+")
    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, null=True, related_name="+")
    fee_item = models.ForeignKey("billing.FeeItem", on_delete=models.PROTECT, null=True, related_name="+")
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, null=True, related_name="+")
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "entry", "n"), name="posting_once"),
            models.CheckConstraint(condition=~models.Q(amount_fen=0), name="posting_not_zero"),
        ]
        ordering = ("n",)
