"""What people ask of the company: requests with a legal deadline, and pauses."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.models import ContactPoint, Customer, SourceRecord


class RightsRequest(models.Model):
    """A request of a person under GDPR 15 to 21, to be answered within a month (GDPR 12(3))."""

    class Kind(models.TextChoices):
        """Which right."""

        ACCESS = "access", _("access to the data")
        RECTIFICATION = "rectification", _("correction of the data")
        ERASURE = "erasure", _("erasure")
        OBJECTION = "objection", _("objection to a use of the data")

    class State(models.TextChoices):
        """Where it stands."""

        RECEIVED = "received", _("to be answered")
        ANSWERED = "answered", _("answered")

    class Door(models.TextChoices):
        """How it came."""

        PREFERENCES = "preferences", _("preference centre")
        STAFF = "staff", _("letter, phone or shop")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("right"), max_length=13, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    door = models.CharField(_("came by"), max_length=11, choices=Door.choices)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="rights_requests")
    contact_point = models.ForeignKey(
        ContactPoint, models.PROTECT, null=True, blank=True, related_name="+"
    )
    message = models.TextField(_("in the person's words"), blank=True)
    received_at = models.DateTimeField(_("received"), default=now)
    due_on = models.DateField(_("to be answered by"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer_note = models.TextField(_("what was answered"), blank=True)
    # The words stay out of the history: erasing the row must erase them.
    history = AuditTrail(excluded_fields=["message", "answer_note"])

    class Meta:
        verbose_name = _("request of a person")
        verbose_name_plural = _("requests of persons")
        ordering = ["due_on", "pk"]
        permissions = [("answer_rightsrequest", _("Can answer requests of persons"))]
        constraints = [
            models.CheckConstraint(
                name="rights_request_answered_exactly_when_it_says_when",
                condition=Q(state="answered", answered_at__isnull=False)
                | Q(state="received", answered_at__isnull=True),
            )
        ]
        indexes = [
            # The DPO's list: open requests by deadline.
            models.Index(fields=["state", "due_on"], name="rights_request_open")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Pause(models.Model):
    """A person asked not to be written to at one contact point for some months.

    Like a consent event it hangs from a source record and a contact point, so a merge moves
    nothing.
    """

    source_record = models.ForeignKey(SourceRecord, models.PROTECT, related_name="pauses")
    contact_point = models.ForeignKey(ContactPoint, models.PROTECT, related_name="pauses")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Moved to the present when the person resumes.")
    history = AuditTrail()

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.CheckConstraint(
                name="pause_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))
            )
        ]
        indexes = [
            # The gate: who is on pause now, by contact point.
            models.Index(fields=["contact_point", "ends_at"], name="pause_in_force")
        ]

    def __str__(self) -> str:
        return f"{self.contact_point_id} until {self.ends_at:%Y-%m-%d}"


class ProofPack(models.Model):
    """A proof pack that left the house: which file, about whom, for whom; the file is not kept.

    Its digest tells later whether a file somebody shows is the one that was made.
    """

    class Format(models.TextChoices):
        """What sort of file it is."""

        PDF = "pdf", _("PDF")
        LINKED_DATA = "jsonld", _("JSON-LD (ISO/IEC TS 27560)")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="proof_packs")
    format = models.CharField(_("format"), max_length=6, choices=Format.choices)
    language = models.CharField(_("language"), max_length=2)
    event_count = models.PositiveIntegerField(_("events"))
    sha256 = models.CharField(_("digest (SHA-256)"), max_length=64, db_index=True)
    made_at = models.DateTimeField(_("made"), default=now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("proof pack")
        verbose_name_plural = _("proof packs")
        ordering = ["-pk"]
        permissions = [("make_proofpack", _("Can make proof packs of persons"))]

    def __str__(self) -> str:
        return f"{self.uuid} {self.format}"


class AccessPack(models.Model):
    """An access pack that was made for a person (GDPR 15 and 20); the file is not kept.

    What concerns other people too is left out of it, but what the DPO added for a reason.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="access_packs")
    request = models.ForeignKey(
        RightsRequest, models.PROTECT, null=True, blank=True, related_name="packs"
    )
    language = models.CharField(_("language"), max_length=2)
    left_out_count = models.PositiveIntegerField(_("left out"), default=0)
    added = models.JSONField(
        default=list, blank=True, help_text="Codes of what concerns others and was added."
    )
    reason = models.TextField(_("why it was added"), blank=True)
    sha256 = models.CharField(_("digest (SHA-256)"), max_length=64, db_index=True)
    made_at = models.DateTimeField(_("made"), default=now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("access pack")
        verbose_name_plural = _("access packs")
        ordering = ["-pk"]
        default_permissions = ()
        permissions = [("make_accesspack", _("Can make access packs of persons"))]

    def __str__(self) -> str:
        return str(self.uuid)
