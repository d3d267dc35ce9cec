"""Calls made: each attempt counts against the limit of the law."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Purpose
from mdm.models import ContactPoint, SourceRecord


class CallAttempt(models.Model):
    """One dialling of a number for a purpose, and what came of it; written once."""

    class Outcome(models.TextChoices):
        """What came of it."""

        NO_ANSWER = "no_answer", _("no answer")
        VOICEMAIL = "voicemail", _("voicemail")
        REACHED = "reached", _("spoke with the person")
        REFUSED = "refused", _("wants no more calls")
        WRONG_NUMBER = "wrong_number", _("somebody else's number")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source_record = models.ForeignKey(
        SourceRecord, models.PROTECT, related_name="call_attempts", db_index=False
    )
    contact_point = models.ForeignKey(
        ContactPoint, models.PROTECT, related_name="call_attempts", db_index=False
    )
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+")
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    called_at = models.DateTimeField(_("called"), default=now)
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("call attempt")
        verbose_name_plural = _("call attempts")
        default_permissions = ("view",)
        permissions = [("use_call_desk", _("Can check numbers and record calls"))]
        indexes = [
            # The gate: how often a person was called lately.
            models.Index(fields=["source_record", "called_at"], name="call_attempt_of_record"),
            # The call desk: what was tried at this number.
            models.Index(fields=["contact_point", "called_at"], name="call_attempt_at_number"),
        ]

    def __str__(self) -> str:
        return f"{self.uuid} {self.outcome}"
