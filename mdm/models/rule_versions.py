"""What every kind of rules that a steward edits has in common: versions, one of them in force."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RuleVersion(models.Model):
    """One version of some rules: being drafted, in force, or retired.

    A version that was in force is never edited again; going back to it is a new draft of it.
    """

    class Status(models.TextChoices):
        """Where the version stands."""

        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("in force")
        RETIRED = "retired", _("retired")

    version = models.PositiveIntegerField(_("version"), unique=True)
    status = models.CharField(
        _("status"), max_length=7, choices=Status.choices, default=Status.DRAFT
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    activated_at = models.DateTimeField(_("in force since"), null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    simulated_by = models.ForeignKey(
        "mdm.Job",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The latest simulation of exactly these rules; editing them removes it.",
    )

    class Meta:
        abstract = True
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status__in=["draft", "active"]),
                name="%(class)s_one_draft_and_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"v{self.version} {self.note}".strip()
