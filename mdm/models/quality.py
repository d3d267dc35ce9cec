"""How good the records of each source are, as counted last."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mdm.models.sources import SourceSystem


class SourceQuality(models.Model):
    """What the active records of one source have and what is doubtful in them: derived.

    `mdm.quality_figures` counts it from the records.
    """

    source = models.OneToOneField(
        SourceSystem, models.CASCADE, primary_key=True, related_name="quality"
    )
    record_count = models.PositiveIntegerField(default=0)
    doubtful_count = models.PositiveIntegerField(
        default=0, help_text="Records with an issue worse than a note."
    )
    attributes = models.JSONField(
        default=dict,
        help_text="Attribute → [records that have it, different values, doubtful records].",
    )
    issues = models.JSONField(
        default=list, help_text="[[attribute, code, records], …], the most frequent first."
    )
    change_number = models.PositiveBigIntegerField(
        default=1, help_text="Grows whenever records of the source change."
    )
    counted_change = models.PositiveBigIntegerField(
        default=0, help_text="The change_number that the figures stand for."
    )
    counted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("data quality of a source")
        verbose_name_plural = _("data quality of the sources")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"quality of {self.source_id}"

    @property
    def is_current(self) -> bool:
        """False when records have changed since they were counted."""
        return self.counted_change == self.change_number
