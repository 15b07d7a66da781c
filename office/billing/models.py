"""Fee items (收费项目), how much they cost, late fee rules, and bills (账单) with the computation that made them."""

from django.db import models

from office.rows import ProjectRow


class FeeItem(ProjectRow):
    """What is charged. Money of a ``third_party`` item is a liability, not revenue."""

    class Category(models.TextChoices):
        PROPERTY = "property"
        WATER = "water"
        POWER = "power"
        PARKING = "parking"
        DEPOSIT = "deposit"
        ONE_OFF = "one_off"

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60, blank=True)
    category = models.CharField(max_length=12, choices=Category.choices)
    third_party = models.BooleanField(default=False)
    pay_at_kiosk = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "code"), name="fee_item_once")]
        ordering = ("code",)

    def __str__(self) -> str:
        return self.name


class LateFeeRule(ProjectRow):
    """One version of what a contract says about late payment; immutable once used."""

    class Start(models.TextChoices):
        AFTER_DUE = "after_due"
        AFTER_GRACE = "after_grace"

    code = models.CharField(max_length=24, default="standard")
    version = models.PositiveIntegerField(default=1)
    rate_ppm = models.PositiveIntegerField(default=300)  # of unpaid principal, a day
    grace_days = models.PositiveIntegerField(default=0)
    start = models.CharField(max_length=12, choices=Start.choices, default=Start.AFTER_DUE)
    cap_ppm = models.PositiveIntegerField(null=True, blank=True, default=300_000)
    cap_fen = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "code", "version"), name="late_rule_once")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class FeeStandard(ProjectRow):
    """How much an item costs; a price change is a new version. ``params`` holds what the formula needs."""

    class Formula(models.TextChoices):
        AREA = "area"
        FIXED = "fixed"
        METERED = "metered"
        SHARE = "share"

    fee_item = models.ForeignKey(FeeItem, on_delete=models.PROTECT, related_name="standards")
    code = models.CharField(max_length=24, default="standard")
    version = models.PositiveIntegerField(default=1)
    formula = models.CharField(max_length=10, choices=Formula.choices)
    params = models.JSONField(default=dict)  # price_e4, or price_fen
    late_rule = models.ForeignKey(LateFeeRule, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    basis = models.CharField(max_length=120, blank=True)  # contract clause, shown under the computation
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "fee_item", "code", "version"), name="fee_standard_once")
        ]

    def __str__(self) -> str:
        return f"{self.fee_item} {self.code} v{self.version}"


class BillRun(ProjectRow):
    """One issue of bills: by generation, by import, or by hand. Its command stands in the stream."""

    note = models.CharField(max_length=120, blank=True)
    made_at = models.DateTimeField()


class Bill(ProjectRow):
    """One bill. ``paid``, ``late_fee_*``, ``status``, ``version`` and ``steps`` are caches that folding rebuilds."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        ISSUED = "issued"
        PARTLY_PAID = "partly_paid"
        PAID = "paid"
        VOID = "void"

    OPEN = (Status.ISSUED, Status.PARTLY_PAID)

    unit = models.ForeignKey("property.Unit", on_delete=models.PROTECT, related_name="bills")
    fee_item = models.ForeignKey(FeeItem, on_delete=models.PROTECT, related_name="bills")
    standard = models.ForeignKey(FeeStandard, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    run = models.ForeignKey(BillRun, on_delete=models.PROTECT, related_name="bills")
    period_from = models.DateField()  # half-open [from, to)
    period_to = models.DateField()
    due_on = models.DateField()
    amount_fen = models.BigIntegerField()  # principal as issued
    late_rule = models.ForeignKey(LateFeeRule, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    computation = models.JSONField(default=dict)  # kiosk.domain.billing.Computation on the wire
    # caches
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    principal_paid_fen = models.BigIntegerField(default=0, editable=False)
    late_fee_paid_fen = models.BigIntegerField(default=0, editable=False)
    late_fee_waived_fen = models.BigIntegerField(default=0, editable=False)
    steps = models.JSONField(default=list, editable=False)  # [["2026-08-31", 24560], ...]; empty: nothing paid yet

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("project", "fee_item", "unit", "period_from"), name="bill_once"),
            models.CheckConstraint(condition=models.Q(amount_fen__gte=0), name="bill_not_negative"),
            models.CheckConstraint(
                condition=models.Q(principal_paid_fen__gte=0)
                & models.Q(principal_paid_fen__lte=models.F("amount_fen")),
                name="bill_not_overpaid",
            ),
        ]
        indexes = [models.Index(fields=("project", "unit", "status", "due_on"), name="bill_of_unit")]
        ordering = ("due_on", "id")

    def __str__(self) -> str:
        return f"{self.fee_item} {self.period_from:%Y-%m} {self.unit}"

    @property
    def principal_open_fen(self) -> int:
        """What is still to be paid of the principal; nothing once the bill is void or not yet issued."""
        return self.amount_fen - self.principal_paid_fen if self.status in (*self.OPEN, self.Status.PAID) else 0


class BillLine(ProjectRow):
    """One line under the formula; the lines of a bill add up to its amount."""

    bill = models.ForeignKey(Bill, on_delete=models.CASCADE, related_name="lines")
    n = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, default="base")
    text = models.CharField(max_length=120)
    text_en = models.CharField(max_length=160, blank=True)
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "bill", "n"), name="bill_line_once")]
        ordering = ("n",)
