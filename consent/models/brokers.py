"""The check of a broker's file: what was drawn, what was seen, what was decided. Only added to."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.models.collecting import Evidence
from consent.models.ledger import ConsentEvent
from mdm.models import LoadBatch


class SampleDraw(models.Model):
    """The sample of a broker's file whose proofs are to be seen: drawn once, the seed kept."""

    batch = models.OneToOneField(
        LoadBatch, models.PROTECT, related_name="sample_draw", verbose_name=_("loaded file")
    )
    seed = models.CharField(max_length=32, help_text="Hexadecimal; see consent.quarantine.drawn.")
    claim_count = models.PositiveIntegerField(_("claims"))
    drawn_at = models.DateTimeField(_("drawn"), default=now)
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("sample of a broker's file")
        verbose_name_plural = _("samples of brokers' files")
        permissions = [("check_brokers", _("Can check the proofs of brokers' files"))]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.seed[:8]}"


class SampledClaim(models.Model):
    """One claim of a sample: the consent whose proof the broker must show."""

    draw = models.ForeignKey(SampleDraw, models.PROTECT, related_name="claims")
    event = models.ForeignKey(ConsentEvent, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("claim of a sample")
        verbose_name_plural = _("claims of samples")
        constraints = [
            models.UniqueConstraint(fields=["draw", "event"], name="sampled_claim_once")
        ]

    def __str__(self) -> str:
        return f"{self.draw_id}: {self.event_id}"


class ProofFinding(models.Model):
    """What was found when the proof of a claim was asked for; of several the latest counts."""

    claim = models.ForeignKey(SampledClaim, models.PROTECT, related_name="findings")
    evidence = models.ForeignKey(
        Evidence,
        models.PROTECT,
        null=True,
        related_name="findings",
        help_text="Null: there was no proof.",
    )
    found_at = models.DateTimeField(_("found"), default=now)
    found_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("finding about a proof")
        verbose_name_plural = _("findings about proofs")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.claim_id}: {self.evidence_id or '–'}"


class QuarantineDecision(models.Model):
    """How the check of a broker's file ended, with the figures it rested on."""

    class Outcome(models.TextChoices):
        """What becomes of the claims."""

        RELEASED = "released", _("released")
        REJECTED = "rejected", _("rejected")

    draw = models.OneToOneField(SampleDraw, models.PROTECT, related_name="decision")
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    reason = models.TextField(_("reason"), blank=True)
    sampled_count = models.PositiveIntegerField(_("claims drawn"))
    proved_count = models.PositiveIntegerField(_("proofs seen"))
    percent_needed = models.PositiveSmallIntegerField(_("limit in percent"))
    decided_at = models.DateTimeField(_("decided"), default=now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("decision about a broker's file")
        verbose_name_plural = _("decisions about brokers' files")

    def __str__(self) -> str:
        return f"{self.draw} {self.outcome}"
