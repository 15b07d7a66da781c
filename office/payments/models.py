"""Money in. Every row here is derived from the stream (raw events and office commands) and can be rebuilt from it."""

from django.conf import settings
from django.db import models

from office.rows import ProjectRow


class Payment(ProjectRow):
    """One payment (缴费) for one unit, with one receipt; its id is the one the kiosk made."""

    class State(models.TextChoices):
        OPEN = "open"  # money may still come in
        CANCELLED = "cancelled"  # nothing was taken
        BOOKED = "booked"  # posted as the payer meant it
        EXCEPTION = "exception"  # posted, but a person must look

    class Review(models.TextChoices):
        NONE = "none"
        ACCEPTED = "accepted"
        QUERIED = "queried"
        DISPUTED = "disputed"

    class Slip(models.TextChoices):
        NONE = "none"
        PRINTED = "printed"
        UNCONFIRMED = "unconfirmed"
        FAILED = "failed"
        DECLINED = "declined"

    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, null=True, related_name="payments")
    journal = models.ForeignKey("kiosks.Journal", on_delete=models.PROTECT, null=True, related_name="payments")
    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, null=True, related_name="payments")
    source = models.CharField(max_length=10, default="kiosk")  # kiosk, desk
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    review = models.CharField(max_length=10, choices=Review.choices, default=Review.NONE)
    due_fen = models.BigIntegerField(default=0)
    amount_fen = models.BigIntegerField(default=0)  # received; counts up while open
    prepaid_fen = models.BigIntegerField(default=0)  # the part that went to prepaid balance
    suspense_fen = models.BigIntegerField(default=0)  # the part nobody could place
    refunded_fen = models.BigIntegerField(default=0)  # the part two people gave back in hand
    partial = models.BooleanField(default=False)
    offline = models.BooleanField(default=False)
    ended = models.CharField(max_length=12, blank=True)  # finished, timeout, restart, fault, or why cancelled
    language = models.CharField(max_length=12, blank=True)
    receipt_no = models.CharField(max_length=32, blank=True)
    receipt_number = models.BigIntegerField(null=True)
    slip = models.CharField(max_length=12, choices=Slip.choices, default=Slip.NONE)
    copies = models.PositiveIntegerField(default=0)
    picked = models.JSONField(default=list)  # the bills as the payer saw them: payment.opened's bills
    late_days = models.JSONField(default=dict)
    claims = models.JSONField(default=list)
    business_date = models.DateField(null=True)  # frozen when posted
    opened_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)  # corrected time
    clock = models.CharField(max_length=12, blank=True)
    received_at = models.DateTimeField()  # when the office had its last event
    opened_seq = models.BigIntegerField(null=True)
    settled_seq = models.BigIntegerField(null=True)
    ingest_no = models.BigIntegerField()  # of the event that ended it, or opened it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("project", "receipt_no"), condition=~models.Q(receipt_no=""), name="receipt_once"
            ),
        ]
        indexes = [
            models.Index(fields=("project", "state", "ingest_no"), name="payment_state"),
            models.Index(fields=("project", "unit", "paid_at"), name="payment_of_unit"),
            models.Index(fields=("project", "paid_at"), name="payment_paid_at"),
            models.Index(fields=("project", "journal", "settled_seq"), name="payment_settled"),
        ]

    def __str__(self) -> str:
        return self.receipt_no or str(self.id)


class Tender(ProjectRow):
    """How a payment was paid (支付方式); one payment may mix tenders."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="tenders")
    n = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=12, default="cash")
    amount_fen = models.BigIntegerField()
    notes = models.JSONField(default=dict)  # {"10000": 3}

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "payment", "n"), name="tender_once")]
        ordering = ("n",)


class Note(ProjectRow):
    """One note (纸币) a kiosk ever held; exactly one record per note number of a journal."""

    class State(models.TextChoices):
        ESCROW = "escrow"
        INTENT = "intent"
        CREDITED = "credited"
        RETURNED = "returned"
        UNKNOWN = "unknown"  # may be in the box: a claim
        SUSPENSE = "suspense"  # is in the box, but its record could not be understood
        NOT_KEPT = "not_kept"  # two people found that the kiosk never kept it

    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, related_name="notes")
    journal = models.ForeignKey("kiosks.Journal", on_delete=models.PROTECT, related_name="notes")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="notes")
    note_no = models.BigIntegerField()
    face_fen = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices)
    acceptor_serial = models.CharField(max_length=40, blank=True)
    recovered = models.CharField(max_length=16, blank=True)
    claim_no = models.CharField(max_length=32, blank=True)
    first_seq = (
        models.BigIntegerField()
    )  # of the event that first told of it: says before which count of the box it came
    seq = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "journal", "note_no"), name="note_once")]
        ordering = ("note_no",)


class Allocation(ProjectRow):
    """What one component of one bill got from one payment; append-only, a reversal is a negative row."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="allocations")
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, related_name="allocations")
    n = models.PositiveIntegerField()
    component = models.CharField(max_length=10)  # cost, late_fee, principal
    amount_fen = models.BigIntegerField()
    date = models.DateField()  # the business date it counts from
    late_days = models.PositiveIntegerField(default=0)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "payment", "n"), name="allocation_once")]
        ordering = ("n",)


class PrepaidEntry(ProjectRow):
    """A change of a unit's prepaid balance (预存); the balance is their sum and never negative."""

    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, related_name="prepaid_entries")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="prepaid_entries")
    kind = models.CharField(max_length=12, default="overpay")  # overpay, topup, bill_gone, opening, apply, refund
    amount_fen = models.BigIntegerField()
    balance_fen = models.BigIntegerField()
    at = models.DateTimeField()
    ingest_no = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=("project", "unit", "ingest_no"), name="prepaid_of_unit")]
        ordering = ("ingest_no", "id")


class SuspenseItem(ProjectRow):
    """Money, or a note that may be money, that nobody can place yet (待认领); has a claim number where a person has one."""

    class Kind(models.TextChoices):
        NOTE_UNKNOWN = "note_unknown"  # in no account: the box's range carries it until a count
        UNIDENTIFIED = "unidentified_cash"  # in 2241.s
        UNREADABLE = "unreadable_event"  # in 2241.s

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    class Outcome(models.TextChoices):
        FOUND = "found"  # evidence: it is in the box; credited with it, or open again as money without a place
        RETURNED = "returned"  # evidence: the payer has it
        CREDITED = "credited"  # two people: to the payer's bills or prepaid balance
        REFUNDED = "refunded"  # two people: in hand
        NOT_RECEIVED = "not_received"  # two people: the kiosk never kept it

    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, null=True, related_name="suspense")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="suspense")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, null=True, related_name="suspense")
    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, null=True, related_name="suspense")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    claim_no = models.CharField(max_length=32, blank=True)
    amount_fen = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    closed_at = models.DateTimeField(null=True)

    @property
    def in_books(self) -> bool:
        """Whether 2241.s carries it; a note that only may be in the box stands in no account."""
        unsure = self.note is not None and self.note.state in (Note.State.UNKNOWN, Note.State.NOT_KEPT)
        return self.kind != self.Kind.NOTE_UNKNOWN and not unsure


class Resolution(ProjectRow):
    """How one person proposes to end a suspense item; another one's word makes it so. Kept also when it came to nothing."""

    class Outcome(models.TextChoices):
        CREDIT = "credit"
        REFUND = "refund"
        NOT_RECEIVED = "not_received"

    class State(models.TextChoices):
        PROPOSED = "proposed"
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"

    suspense = models.ForeignKey(SuspenseItem, on_delete=models.CASCADE, related_name="resolutions")
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, null=True, related_name="+")  # whose credit
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=400)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ingest_no = models.BigIntegerField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("project", "suspense"), condition=~models.Q(state="cancelled"), name="one_live_resolution"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed")
                | (models.Q(closed_by__isnull=False) & ~models.Q(closed_by=models.F("by"))),
                name="resolution_by_two",
            ),
        ]
        ordering = ("ingest_no",)


class BoxCount(ProjectRow):
    """What a person counted, blind, in a box that the kiosk said was taken out. The figures never change."""

    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, related_name="box_counts")
    removal = models.ForeignKey("kiosks.RawEvent", on_delete=models.PROTECT, related_name="+")  # cashbox.removed
    counted = models.JSONField()  # {"10000": 37}, every face
    differences = models.JSONField()  # counted less what the books say of that moment, where not zero
    explained = models.BooleanField()  # by the notes whose fate was unclear; else it is no evidence
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ingest_no = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "removal"), name="box_counted_once")]
        ordering = ("ingest_no",)


class Case(ProjectRow):
    """Something a person must decide, with an owner and an age. Closing it never changes money by itself."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"

    kind = models.CharField(max_length=30)  # office-domain section 15, or query, dispute
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="cases")
    owner_role = models.CharField(max_length=20, blank=True)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="cases")
    kiosk = models.ForeignKey("kiosks.Kiosk", on_delete=models.PROTECT, null=True, related_name="cases")
    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, null=True, related_name="cases")
    bill = models.ForeignKey("billing.Bill", on_delete=models.PROTECT, null=True, related_name="cases")
    suspense = models.ForeignKey(SuspenseItem, on_delete=models.CASCADE, null=True, related_name="cases")
    raw_event = models.ForeignKey("kiosks.RawEvent", on_delete=models.PROTECT, null=True, related_name="cases")
    amount_fen = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)
    reason = models.CharField(max_length=400, blank=True)  # why a person opened it
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    close_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = [models.Index(fields=("project", "state", "due_at"), name="case_open")]
        ordering = ("opened_at", "id")


class Review(ProjectRow):
    """A clerk's word on a payment: accept, query or dispute. It never changes money."""

    class Decision(models.TextChoices):
        ACCEPT = "accept"
        QUERY = "query"
        DISPUTE = "dispute"

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="reviews")
    decision = models.CharField(max_length=8, choices=Decision.choices)
    reason = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ingest_no = models.BigIntegerField()

    class Meta:
        ordering = ("ingest_no",)
