"""The suppression list: who is not to be contacted, as keyed fingerprints alone."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import ALL_CHANNELS, Channel
from mdm.audit import AuditTrail


class SuppressionList(models.Model):
    """One list of contact points not to be used: from outside, or of erased people."""

    class Origin(models.TextChoices):
        """Where its lines come from."""

        OUTSIDE = "outside", _("brought from outside")
        ERASED = "erased", _("people who were erased")

    class Register(models.TextChoices):
        """A register of oppositions with a law or a charter of its own."""

        BLOCTEL = "bloctel", _("Bloctel (calls)")
        ROBINSON = "robinson", _("Robinson (post)")
        E_ROBINSON = "erobinson", _("e-Robinson (e-mail)")

    name = models.CharField(
        _("name"),
        max_length=80,
        unique=True,
        blank=True,
        help_text=_("Such as “Robinson, November 2026”."),
    )
    origin = models.CharField(max_length=7, choices=Origin.choices, default=Origin.OUTSIDE)
    register = models.CharField(
        _("register"),
        max_length=9,
        choices=Register.choices,
        blank=True,
        help_text="Empty: a list that forbids whatever its channel says (G4).",
    )
    channel = models.CharField(_("channel"), max_length=15, default=ALL_CHANNELS)
    is_in_force = models.BooleanField(_("in force"), default=True)
    added_at = models.DateTimeField(_("added"), default=now)
    history = AuditTrail()

    class Meta:
        verbose_name = _("suppression list")
        verbose_name_plural = _("suppression lists")
        ordering = ["-added_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["origin"],
                condition=models.Q(origin="erased"),
                name="suppression_list_one_of_erased",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.get_origin_display()

    @property
    def channel_words(self) -> str:
        """The channel in the reader's language."""
        if self.channel == ALL_CHANNELS:
            return gettext("every channel")
        return str(Channel(self.channel).label)

    @property
    def last_check(self) -> "RegisterCheck | None":
        """When the register was last asked; None for a list of no register."""
        return next(iter(self.checks.all()), None)


class RegisterCheck(models.Model):
    """One time that a register was asked who opposed; only added to (triggers)."""

    list = models.ForeignKey(
        SuppressionList, models.PROTECT, related_name="checks", verbose_name=_("list")
    )
    checked_on = models.DateField(_("asked on"))
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    noted_at = models.DateTimeField(default=now)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("check of a register")
        verbose_name_plural = _("checks of registers")
        ordering = ["-checked_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.list_id} {self.checked_on}"


class Suppression(models.Model):
    """One contact point of a list. From the database alone nobody learns whose it is."""

    list = models.ForeignKey(
        SuppressionList, models.CASCADE, related_name="lines", verbose_name=_("list")
    )
    fingerprint = models.CharField(max_length=64, help_text="Keyed; see consent.suppression.")
    key_id = models.CharField(max_length=8, help_text="Which of SUPPRESSION_KEYS made it.")
    since = models.DateTimeField(_("since"), default=now)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("line of a suppression list")
        verbose_name_plural = _("lines of suppression lists")
        constraints = [
            # The gate looks lines up by fingerprint; a list holds each once.
            models.UniqueConstraint(
                fields=["fingerprint", "list"], name="suppression_once_per_list"
            )
        ]

    def __str__(self) -> str:
        return f"{self.list_id} {self.fingerprint[:8]}"
