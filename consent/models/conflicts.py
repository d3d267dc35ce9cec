"""What the data protection officer decided where a merge brought contradictory consents."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.conflicts import Verdict
from consent.models.ledger import Channel, ConsentEvent, Purpose
from mdm.models import ContactPoint, Customer


class ConflictResolution(models.Model):
    """A decision about one contradiction: these consents against those refusals.

    Append-only (triggers). It names the events it judged and holds for exactly these, whoever
    they belong to by then: other events are another contradiction, and the same ones again after
    a parting and a merge are this one. A later decision about the same events takes its place.
    """

    class Verdict(models.TextChoices):
        """Which side stands."""

        REFUSAL = Verdict.REFUSAL.value, _("The refusal stands")
        CONSENT = Verdict.CONSENT.value, _("The later consent is hers and stands")

    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        related_name="conflict_resolutions",
        help_text="The customer as which the records were held when it was decided.",
    )
    contact_point = models.ForeignKey(ContactPoint, models.PROTECT, null=True, related_name="+")
    channel = models.CharField(_("channel"), max_length=15, choices=Channel.choices)
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+")
    events = models.ManyToManyField(
        ConsentEvent, related_name="judgements", help_text="The events that were judged."
    )
    digest = models.CharField(
        max_length=64, help_text="SHA-256 of what was judged: key, consents, refusals."
    )
    verdict = models.CharField(_("decision"), max_length=7, choices=Verdict.choices)
    reason = models.TextField(_("why"), blank=True)
    reference = models.CharField(_("document and where it is kept"), max_length=400, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("decided at"), default=now)

    class Meta:
        verbose_name = _("decision on contradictory consents")
        verbose_name_plural = _("decisions on contradictory consents")
        ordering = ["-pk"]
        indexes = [
            # What was decided of a conflict, whenever permissions are folded.
            models.Index(fields=["digest"], name="conflict_resolution_digest")
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} {self.pk}"
