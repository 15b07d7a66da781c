"""Who may do what in which project, failed sign-ins, and what was done."""

from django.conf import settings
from django.db import models

from office.rows import ProjectRow


class Role(models.TextChoices):
    """The roles of office-domain section 12."""

    SYSADMIN = "sysadmin"
    BUSINESS_ADMIN = "business_admin"
    PROJECT_MANAGER = "project_manager"
    FINANCE_AUDIT = "finance_audit"
    CASHIER = "cashier"
    DUNNING = "dunning"
    TECHNICIAN = "technician"
    COLLECTOR = "collector"


class Membership(ProjectRow):
    """One role of one person in one project. Without a membership a person sees nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("project", "user", "role"), name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class SignInGuard(models.Model):
    """Failed sign-ins of one account name: five lock it for a quarter of an hour."""

    username = models.CharField(max_length=150, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)


class AuditEntry(ProjectRow):
    """Who did what to which object, and why."""

    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=30)
    object_id = models.CharField(max_length=64)
    reason = models.CharField(max_length=400, blank=True)
    body = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=("project", "at"), name="audit_at")]
        ordering = ("-at",)
