"""How consents are collected: collection points, opt-in requests, their mails and their proof."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Channel, ConsentEvent, NoticeVersion, Purpose
from mdm.audit import AuditTrail
from mdm.models import ContactPoint, Customer


class CollectionPoint(models.Model):
    """A place where people are asked for consent: a form of a web site, the preference centre."""

    class Method(models.TextChoices):
        """How people answer there."""

        WEB = "web", _("web form, confirmed by mail")
        PREFERENCES = "preferences", _("preference centre")
        OFFLINE = "offline", _("paper, phone or shop: typed by staff")

    code = models.SlugField(_("code"), max_length=40, unique=True)
    method = models.CharField(_("method"), max_length=11, choices=Method.choices)
    title_fr = models.CharField(_("title in French"), max_length=120)
    title_en = models.CharField(_("title in English"), max_length=120)
    intro_fr = models.TextField(_("introduction in French"), blank=True)
    intro_en = models.TextField(_("introduction in English"), blank=True)
    allowed_origins = models.JSONField(
        _("allowed web sites"),
        default=list,
        blank=True,
        help_text=_("One a line, like https://www.example.org: sites that may embed the form."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("collection point")
        verbose_name_plural = _("collection points")
        ordering = ["code"]
        constraints = [
            # The preference centre is one place: the links in messages name no other.
            models.UniqueConstraint(
                fields=["method"],
                condition=Q(method="preferences", is_active=True),
                name="collection_point_one_preference_centre",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the reader's language."""
        return self.title_fr if (get_language() or "").startswith("fr") else self.title_en

    @property
    def intro(self) -> str:
        """The introduction in the reader's language."""
        return self.intro_fr if (get_language() or "").startswith("fr") else self.intro_en


class CollectionChoice(models.Model):
    """One box of a collection point: a purpose on a channel, in the words of one notice."""

    collection_point = models.ForeignKey(
        CollectionPoint, models.CASCADE, related_name="choices", verbose_name=_("collection point")
    )
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, related_name="+", verbose_name=_("purpose")
    )
    channel = models.CharField(_("channel"), max_length=15, choices=Channel.choices)
    notice_code = models.SlugField(
        _("notice"),
        max_length=60,
        help_text=_("Code of the notice; its latest version in the person's language is shown."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    history = AuditTrail()

    class Meta:
        verbose_name = _("choice")
        verbose_name_plural = _("choices")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["collection_point", "purpose", "channel"],
                name="collection_choice_once_per_purpose_and_channel",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} · {self.get_channel_display()}"


class OptInRequest(models.Model):
    """A sign-up waiting for its confirmation, and what became of it.

    Until the person confirms, her details stand here and nowhere else; once settled they are
    blanked, and only the keyed fingerprint of the address stays.
    """

    class State(models.TextChoices):
        """Where the request stands; what follows a confirmation is told by consent events."""

        REQUESTED = "requested", _("waits for confirmation")
        CONFIRMED = "confirmed", _("confirmed")
        LAPSED = "lapsed", _("lapsed")
        DISAVOWED = "disavowed", _("“it was not me”")
        UNDELIVERABLE = "undeliverable", _("mail refused")

    PERSONAL = ("email", "given_name", "family_name", "phone")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    collection_point = models.ForeignKey(CollectionPoint, models.PROTECT, related_name="requests")
    email = models.CharField(max_length=254, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=32, blank=True, help_text="E.164.")
    language = models.CharField(max_length=2)
    address_fingerprint = models.CharField(max_length=64)
    choices_digest = models.CharField(
        max_length=64, help_text="Tells whether two requests ask for the same."
    )
    token_hash = models.CharField(
        max_length=64, null=True, unique=True, help_text="SHA-256; the token is in the mail only."
    )
    state = models.CharField(max_length=13, choices=State.choices, default=State.REQUESTED)
    requested_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    requested_from = models.GenericIPAddressField(null=True, help_text="Cut to /24 or /48.")
    form_origin = models.CharField(max_length=200, blank=True, help_text="Site of the form.")

    class Meta:
        verbose_name = _("opt-in request")
        verbose_name_plural = _("opt-in requests")
        indexes = [
            # Sign-up: what this address already asked for here.
            models.Index(fields=["address_fingerprint", "state"], name="opt_in_of_address"),
            # The sweeper: what has lapsed, what can be deleted.
            models.Index(fields=["state", "expires_at"], name="opt_in_to_lapse"),
        ]

    def __str__(self) -> str:
        return f"{self.uuid} {self.state}"


class OptInChoice(models.Model):
    """One box a person ticked, with the very words she was shown."""

    request = models.ForeignKey(OptInRequest, models.CASCADE, related_name="choices")
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=15, choices=Channel.choices)
    notice_version = models.ForeignKey(NoticeVersion, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "purpose", "channel"], name="opt_in_choice_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.purpose_id} {self.channel}"


class OutgoingMail(models.Model):
    """A mail to be sent, or that was: the row is the truth, the broker only a bell.

    The address stands on the request or the contact point it is about; the row keeps its
    fingerprint, to count how often one address was written to.
    """

    class Kind(models.TextChoices):
        """What the mail says."""

        CONFIRM = "confirm", _("please confirm")
        RECEIPT = "receipt", _("receipt of a consent")
        LINK = "link", _("link to the preference centre")

    kind = models.CharField(max_length=7, choices=Kind.choices)
    request = models.ForeignKey(
        OptInRequest, models.CASCADE, null=True, blank=True, related_name="mails"
    )
    contact_point = models.ForeignKey(
        ContactPoint, models.CASCADE, null=True, blank=True, related_name="+"
    )
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=2)
    address_fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField(null=True, blank=True, help_text="Null: nothing to do.")
    attempt_count = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # The sender: what is due.
            models.Index(
                fields=["due_at"], name="outgoing_mail_due", condition=Q(due_at__isnull=False)
            ),
            # Sign-up: how often this address was written to lately.
            models.Index(fields=["address_fingerprint", "created_at"], name="outgoing_mail_count"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Evidence(models.Model):
    """What proves one or more consent events beyond the event itself; written once with them."""

    class Kind(models.TextChoices):
        """Of what sort the proof is."""

        DOUBLE_OPT_IN = "double_opt_in", _("web form, confirmed by mail")
        PREFERENCES = "preferences", _("click in the preference centre")
        ONE_CLICK = "one_click", _("one-click unsubscription")
        SIGNED_PAPER = "signed_paper", _("signed paper")
        RECORDING = "recording", _("recorded call")
        LETTER = "letter", _("letter or e-mail of the person")
        SPOKEN = "spoken", _("spoken to staff")
        BROKER = "broker", _("proof shown by a broker")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    events = models.ManyToManyField(ConsentEvent, related_name="evidence")
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    collection_point = models.ForeignKey(
        CollectionPoint, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    file = models.FileField(_("file"), upload_to="evidence", blank=True)
    file_type = models.CharField(max_length=5, blank=True, help_text="Checked when it came.")
    file_sha256 = models.CharField(max_length=64, blank=True)
    form_origin = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_from = models.GenericIPAddressField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_from = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.uuid}"


class NoticeWithdrawal(models.Model):
    """A notice not to be shown any more, as it misled people: what was agreed on it is void.

    Written once with the reason; a worker then invalidates the consents one by one.
    """

    notice = models.OneToOneField(
        NoticeVersion, models.PROTECT, related_name="withdrawal", verbose_name=_("notice")
    )
    reason = models.TextField(_("reason"))
    consent_count = models.PositiveIntegerField(
        _("consents concerned"), help_text="As shown to whoever withdrew it, before."
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), default=now)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("withdrawal of a notice")
        verbose_name_plural = _("withdrawals of notices")

    def __str__(self) -> str:
        return f"{self.notice} {self.withdrawn_at:%Y-%m-%d}"


class Throttle(models.Model):
    """How often one client did something within one window of time; a keyed fingerprint only."""

    key = models.CharField(primary_key=True, max_length=64)
    window = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.count}"


class NoticePicture(models.Model):
    """A picture of a form with the words of a notice, as people saw them there.

    Append-only (triggers): another form, or another day, is another picture.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    notice = models.ForeignKey(
        NoticeVersion, models.PROTECT, related_name="pictures", verbose_name=_("notice")
    )
    file = models.FileField(_("picture"), upload_to="notices")
    file_type = models.CharField(max_length=5, help_text="Checked when it came.")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField(_("added"), default=now)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("picture of a notice")
        verbose_name_plural = _("pictures of notices")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.notice} {self.uuid}"
