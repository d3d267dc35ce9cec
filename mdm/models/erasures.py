"""Which erasures this database has carried out; the journal outside it holds them too."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _


class Erasure(models.Model):
    """One erasure of a person; what the journal holds beyond these is to be carried out again."""

    digest = models.CharField(
        max_length=32, unique=True, help_text="Of the records' keyed fingerprints."
    )
    erased_at = models.DateTimeField(_("erased"), default=now)
    erased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.digest[:8]
