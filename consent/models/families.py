"""Which product families are similar, so that a sale of one is a ground to write about another."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail


class SimilarFamily(models.Model):
    """Who bought `sold` may be written to about `offered` (CPCE L34-5); not the other way round.

    It is ended, never deleted: an answer of the past rests on what was declared then.
    """

    sold = models.CharField(_("family sold"), max_length=60)
    offered = models.CharField(_("similar family offered"), max_length=60)
    reason = models.TextField(_("why they are similar"))
    declared_on = models.DateField(_("counts from"), default=localdate)
    ended_on = models.DateField(_("counts no more from"), null=True, blank=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("similar product family")
        verbose_name_plural = _("similar product families")
        ordering = ["sold", "offered"]
        permissions = [
            ("import_similarfamily", _("Can import similar product families from a file")),
            ("export_similarfamily", _("Can export similar product families to a file")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sold", "offered"], name="similar_family_once"),
            models.CheckConstraint(
                name="similar_family_is_another", condition=~Q(sold=F("offered"))
            ),
            models.CheckConstraint(
                name="similar_family_ends_after_its_begin",
                condition=Q(ended_on=None) | Q(ended_on__gte=F("declared_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sold} → {self.offered}"

    def clean(self) -> None:
        """Ask for two families, and an end that follows the begin."""
        if self.sold == self.offered:
            raise ValidationError({"offered": _("A family is similar to itself without this.")})
        if self.ended_on and self.declared_on and self.ended_on < self.declared_on:
            raise ValidationError({"ended_on": _("The end lies before the begin.")})
