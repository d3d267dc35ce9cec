"""How people belong together without being one person: a steward's word, never a merge."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.models.records import SourceRecord


class Relation(models.Model):
    """A steward's word that two customers belong together, or that they do not.

    It hangs on a source record of each, as every fact does, so that it follows them through
    merges and back.
    """

    class Kind(models.TextChoices):
        """What joins them; the direction is from left to right."""

        HOUSEHOLD = "household", _("same household")
        GUARDIAN = "guardian", _("guardian of a minor")
        WORKS_FOR = "works_for", _("works for an organisation")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    left = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    right = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    holds = models.BooleanField(
        _("holds"), default=True, help_text=_("No: somebody looked and said they do not.")
    )
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retracted_at = models.DateTimeField(_("retracted at"), null=True, blank=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("relation")
        verbose_name_plural = _("relations")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "left", "right"],
                condition=Q(retracted_at__isnull=True),
                name="relation_one_in_force_per_kind_and_pair",
            ),
            models.CheckConstraint(name="relation_joins_two", condition=~Q(left=F("right"))),
            # A household has no direction: storing the smaller key on the left makes it unique.
            models.CheckConstraint(
                name="relation_household_left_before_right",
                condition=~Q(kind="household") | Q(left__lt=F("right")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.left_id} {self.right_id}"
