"""Purposes, notices, the append-only consent events and the states that follow from them."""

import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.models import ContactPoint, Customer, LoadBatch, SourceRecord


class Channel(models.TextChoices):
    """How a person is reached; `*` stands for all of them in an objection."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    PHONE = "phone", _("phone")
    POST = "post", _("post")
    SOCIAL_MESSAGE = "social_message", _("private message")
    AUTOCALL = "autocall", _("calling machine")
    SOCIAL_AUDIENCE = "social_audience", _("social audience")


ALL_CHANNELS = "*"


class Purpose(models.Model):
    """What the company wants to write or call about."""

    class Nature(models.TextChoices):
        """The law differs by nature."""

        COMMERCIAL = "commercial", _("commercial prospecting")
        CHARITY = "charity", _("charity")
        SERVICE = "service", _("service message")
        TRACKING = "tracking", _("tracking")
        TRANSFER = "transfer", _("transfer to a partner")

    class Sector(models.TextChoices):
        """Sectors in which consumers may not be canvassed; policy packs say where and since when.

        The values are those of `consent.policy_packs.SectorBan`.
        """

        ENERGY = "energy_renovation", _("energy renovation")
        HOMES = "home_adaptation", _("adaptation of homes to age or handicap")
        CPF = "cpf_training", _("training by the CPF")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    label_fr = models.CharField(_("label in French"), max_length=100)
    label_en = models.CharField(_("label in English"), max_length=100)
    nature = models.CharField(_("nature"), max_length=10, choices=Nature.choices)
    product_families = models.JSONField(_("product families"), default=list, blank=True)
    sector = models.CharField(
        _("sector"),
        max_length=20,
        choices=Sector.choices,
        blank=True,
        help_text=_(
            "Where the law bans canvassing in it, gate G9 refuses, whatever the consent, unless "
            "the offer concerns a running contract."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        ordering = ["code"]
        permissions = [
            ("import_purpose", _("Can import purposes from a file")),
            ("export_purpose", _("Can export purposes to a file")),
        ]

    def __str__(self) -> str:
        return self.label_fr if (get_language() or "").startswith("fr") else self.label_en


class NoticeVersion(models.Model):
    """The exact words a person was shown when she gave or refused permission.

    Never changed once published (triggers): other words are another version.
    """

    code = models.SlugField(_("code"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=2, default="fr")
    body = models.TextField(_("text as shown"))
    checkbox_label = models.CharField(_("label of the box"), max_length=400, blank=True)
    valid_from = models.DateField(_("valid from"))
    sha256 = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version", "language"], name="notice_unique_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version} ({self.language})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Seal the words with their digest; a row is written once (triggers refuse changes)."""
        self.sha256 = self.digest()
        super().save(*args, **kwargs)

    def digest(self) -> str:
        """Return the SHA-256 of the words as they stand."""
        shown = f"{self.body}\n{self.checkbox_label}"
        return hashlib.sha256(shown.encode()).hexdigest()


class ConsentEvent(models.Model):
    """Something that happened to a permission: a fact, never changed, never deleted.

    Triggers on both databases refuse UPDATE and DELETE; only the erasure of its person may take
    its contact point and line away, once. It hangs from the source record and the contact point
    it came with, so merges move nothing.
    """

    class Type(models.TextChoices):
        """What happened."""

        GIVEN = "given", _("consent given")
        CONFIRMED = "confirmed", _("consent confirmed (double opt-in)")
        REFUSED = "refused", _("consent refused")
        WITHDRAWN = "withdrawn", _("consent withdrawn")
        OBJECTION = "objection", _("objection")
        RETRACTED = "retracted", _("claim taken back")
        INVALIDATED = "invalidated", _("consent invalidated: notice withdrawn or proof missing")

    class ActorType(models.TextChoices):
        """Who caused it."""

        PERSON = "person", _("the person")
        STAFF = "staff", _("staff")
        IMPORT = "import", _("a loaded file")
        BROKER = "broker", _("a broker's file")
        SYSTEM = "system", _("the system")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source_record = models.ForeignKey(
        SourceRecord,
        models.PROTECT,
        related_name="consent_events",
        db_index=False,  # A unique key of the table starts with the record.
    )
    contact_point = models.ForeignKey(
        ContactPoint, models.PROTECT, null=True, blank=True, related_name="consent_events"
    )
    channel = models.CharField(
        _("channel"), max_length=15, choices=[*Channel.choices, (ALL_CHANNELS, _("all channels"))]
    )
    # The database checks the keys of record and contact point (see consent/kept_keys.py); those of
    # purpose and file, the same few again and again, are read where they are written.
    purpose = models.ForeignKey(
        Purpose,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="Null: every purpose of prospecting (objections only).",
    )
    type = models.CharField(_("what happened"), max_length=11, choices=Type.choices)
    actor_type = models.CharField(_("by"), max_length=6, choices=ActorType.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    evidence_level = models.PositiveSmallIntegerField(
        _("evidence level"), default=0, help_text="0 claim … 4 signed or recorded (CONSENT)."
    )
    claims_double_opt_in = models.BooleanField(
        _("confirmed elsewhere"),
        default=False,
        help_text="The source says the person confirmed there; we hold no proof of it.",
    )
    occurred_at = models.DateTimeField(
        _("happened at"), null=True, blank=True, help_text="Null: unknown date."
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    notice_version = models.ForeignKey(
        NoticeVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    batch = models.ForeignKey(
        LoadBatch,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="consent_events",
        db_constraint=False,
    )
    line = models.PositiveIntegerField(null=True, blank=True)
    annuls = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="retractions",
        db_index=False,
        db_constraint=False,
        help_text="The consent that counts as never given: its file was undone, its notice "
        "withdrawn, or its proof missing.",
    )
    source_event_id = models.CharField(
        max_length=64,
        help_text="SHA-256 of what makes a fact the same fact, so that it is recorded once.",
    )
    erased_at = models.DateTimeField(
        _("erased"),
        null=True,
        blank=True,
        editable=False,
        help_text="Its person was erased: contact point and line are gone, the fact stays.",
    )

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        ordering = ["-pk"]
        permissions = [
            ("record_offline", _("Can record consents and objections received off-line"))
        ]
        constraints = [
            # What a file says names its record, and so does what takes it back: its digest stands
            # behind the record, at the end of the index. By itself each went to another page,
            # which cost a load twice as much as storing the event.
            models.UniqueConstraint(
                F("source_record"), F("source_event_id"), name="consent_event_once_of_a_record"
            ),
            # An act may be told of another record of the person, and is the same fact.
            models.UniqueConstraint(
                F("source_event_id"),
                name="consent_event_once_without_file",
                condition=Q(batch__isnull=True),
            ),
            models.CheckConstraint(
                name="consent_event_evidence_level_0_to_4", condition=Q(evidence_level__lte=4)
            ),
            models.CheckConstraint(
                name="consent_event_grant_names_purpose_and_contact_point",
                condition=Q(type__in=["refused", "withdrawn", "objection"])
                | Q(purpose__isnull=False, contact_point__isnull=False)
                | Q(purpose__isnull=False, erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="consent_event_retraction_names_what_it_annuls",
                condition=Q(type__in=["retracted", "invalidated"], annuls__isnull=False)
                | (~Q(type__in=["retracted", "invalidated"]) & Q(annuls__isnull=True)),
            ),
            # Partial: loads, which take nothing back, do not pay for it.
            models.UniqueConstraint(
                fields=["annuls"],
                name="consent_event_taken_back_once",
                condition=Q(annuls__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.pk}"


class PermissionState(models.Model):
    """The fold of a live customer's consent events for one key; derived and rebuildable.

    One row per (customer, contact point or none, channel, purpose or none). A row without a
    contact point is an objection or refusal of the person.
    """

    class State(models.TextChoices):
        """What the events amount to."""

        GIVEN = "given", _("given")
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        OBJECTED = "objected", _("objected")
        INVALIDATED = "invalidated", _("invalidated")
        CONTESTED = "contested", _("contradictory: to be decided")
        QUARANTINED = "quarantined", _("in quarantine")

    # Derived from events, whose keys the database checks; checking them again here cost a load as
    # much as writing the rows. `rebuild --check` compares every row with the events.
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="permission_states",
        db_index=False,  # The unique key of the table starts with the customer.
        db_constraint=False,
    )
    contact_point = models.ForeignKey(
        ContactPoint,
        models.CASCADE,
        null=True,
        related_name="permission_states",
        db_index=False,  # Nothing looks for it: states are found by customer, or in lists.
        db_constraint=False,
    )
    channel = models.CharField(max_length=15)
    purpose = models.ForeignKey(
        Purpose,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    state = models.CharField(max_length=11, choices=State.choices)
    since = models.DateTimeField(null=True)
    renewed_at = models.DateTimeField(
        null=True, help_text="When the person last agreed again, if that was later."
    )
    evidence_level = models.PositiveSmallIntegerField()
    deciding_event = models.ForeignKey(
        ConsentEvent, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    history = AuditTrail()

    class Meta:
        verbose_name = _("permission state")
        verbose_name_plural = _("permission states")
        constraints = [
            models.UniqueConstraint(
                F("customer"),
                Coalesce("contact_point", 0),
                F("channel"),
                Coalesce("purpose", 0),
                name="permission_state_unique_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.channel} {self.state}"
