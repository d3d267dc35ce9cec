"""The versions of the policy pack: what a DPO drafted, signed, and another person activated."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.models.rule_versions import RuleVersion


class PolicyVersion(RuleVersion):
    """The parameters of the gate from one instant until the next version begins.

    A draft may be signed, a signed draft activated by somebody else. From then on triggers refuse
    every change but taking it back before it begins (`retired`), and it stays the law of its days.
    """

    code = models.CharField(_("code"), max_length=20, unique=True)
    parameters = models.JSONField(_("parameters"))
    valid_from = models.DateField(
        _("law from"), null=True, help_text=_("The day it begins, in France.")
    )
    begins_at = models.DateTimeField(
        null=True,
        unique=True,
        help_text="When it began: its day's midnight, or its activation if that was later. "
        "Null for the one delivered, which is the law of all days before the others.",
    )
    digest = models.CharField("SHA-256", max_length=64, blank=True)
    signed_at = models.DateTimeField(_("signed at"), null=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("taken back at"), null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    history = AuditTrail()

    class Meta:
        verbose_name = _("policy pack")
        verbose_name_plural = _("policy packs")
        ordering = ["-version"]
        permissions = [
            ("sign_policyversion", _("Can draft, simulate and sign a policy pack")),
            ("activate_policyversion", _("Can activate a policy pack that somebody else signed")),
            ("view_consents_running_out", _("Can see how many consents run out, and when")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="draft"), name="policy_one_draft"
            ),
            models.CheckConstraint(
                name="policy_signed_and_activated_by_two",
                condition=Q(activated_by=None)
                | (Q(signed_by__isnull=False) & ~Q(signed_by=F("activated_by"))),
            ),
        ]

    def __str__(self) -> str:
        return self.code
