"""Campaigns, segments, target lists and the log of who downloaded what."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.models import Channel, ConsentEvent, Purpose
from mdm.audit import AuditTrail
from mdm.models import ContactPoint, Customer


def sees_everything(user: User | AnonymousUser) -> bool:
    """Tell whether a user audits campaigns rather than owning some: the DPO."""
    return user.has_perm("campaigns.audit_listdownload")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Campaigns as their readers may see them."""

    def visible_to(self, user: User | AnonymousUser) -> "CampaignQuerySet":
        """Campaigns of one's own; the DPO sees everybody's."""
        return self if sees_everything(user) else self.filter(owner_id=user.pk or 0)


class Campaign(models.Model):
    """A wish to reach customers: for one purpose, on one channel."""

    name = models.CharField(_("name"), max_length=100)
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, related_name="campaigns", verbose_name=_("purpose")
    )
    channel = models.CharField(_("channel"), max_length=15, choices=Channel.choices)
    product_family = models.CharField(_("product family"), max_length=60, blank=True)
    note = models.TextField(_("note"), blank=True)
    conditions = models.JSONField(
        _("segment"),
        default=list,
        blank=True,
        help_text="[{field, operator, value}, …], all must hold; see campaigns/segments.py.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="campaigns", verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = AuditTrail()

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class TargetListQuerySet(models.QuerySet["TargetList"]):
    """Target lists as their readers may see them."""

    def visible_to(self, user: User | AnonymousUser) -> "TargetListQuerySet":
        """Lists of one's own; the DPO sees everybody's."""
        return self if sees_everything(user) else self.filter(owner_id=user.pk or 0)


class TargetList(models.Model):
    """The people a campaign may reach, frozen at one instant; it expires and never grows."""

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="target_lists", verbose_name=_("campaign")
    )
    job = models.OneToOneField("mdm.Job", models.PROTECT, null=True, related_name="target_list")
    conditions = models.JSONField(default=list, help_text="The segment as it was when frozen.")
    start_count = models.PositiveIntegerField(_("in the segment"), default=0)
    member_count = models.PositiveIntegerField(_("allowed"), default=0)
    as_of = models.DateTimeField(_("as of"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("frozen at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TargetListQuerySet.as_manager()

    class Meta:
        verbose_name = _("target list")
        verbose_name_plural = _("target lists")
        ordering = ["-pk"]
        permissions = [
            ("freeze_targetlist", _("Can freeze a target list")),
            ("download_targetlist", _("Can download a target list")),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.pk}"

    @property
    def is_frozen(self) -> bool:
        """Tell whether the list is complete and can be downloaded until it expires."""
        return self.frozen_at is not None

    @property
    def is_expired(self) -> bool:
        """Tell whether the list is too old to be downloaded."""
        return self.expires_at is not None and self.expires_at <= now()


class TargetListMember(models.Model):
    """One person on a list, the contact point to use, and why it is allowed."""

    target_list = models.ForeignKey(TargetList, models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    contact_point = models.ForeignKey(ContactPoint, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=20, help_text="Key of consent.rules.RULES.")
    basis = models.CharField(max_length=40)
    deciding_event = models.ForeignKey(
        ConsentEvent, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target_list", "customer"], name="target_list_member_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target_list_id}:{self.customer_id}"


class ListExclusion(models.Model):
    """How many people of the segment one rule kept off a list."""

    target_list = models.ForeignKey(TargetList, models.CASCADE, related_name="exclusions")
    rule = models.CharField(max_length=20, help_text="Key of consent.rules.RULES.")
    position = models.PositiveSmallIntegerField(help_text="Order in the waterfall.")
    count = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["target_list", "rule"], name="list_exclusion_once_per_rule"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target_list_id} {self.rule}: {self.count}"


class ListDownloadQuerySet(models.QuerySet["ListDownload"]):
    """Downloads as their readers may see them."""

    def visible_to(self, user: User | AnonymousUser) -> "ListDownloadQuerySet":
        """Downloads of one's own; the DPO sees everybody's."""
        return self if sees_everything(user) else self.filter(user_id=user.pk or 0)


class ListDownload(models.Model):
    """One file that left: who took it, when, how many lines, what the re-check removed.

    Triggers on both databases refuse UPDATE and DELETE.
    """

    class Format(models.TextChoices):
        """File formats."""

        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    target_list = models.ForeignKey(
        TargetList, models.PROTECT, related_name="downloads", verbose_name=_("target list")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices)
    reason = models.CharField(_("reason"), max_length=200)
    watermark = models.CharField(
        _("watermark"),
        max_length=12,
        unique=True,
        help_text="Stands in every line of the file: a copy that leaks names its download.",
    )
    row_count = models.PositiveIntegerField(_("lines"))
    removed_count = models.PositiveIntegerField(_("removed at the re-check"))
    removed_by_rule = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)

    objects = ListDownloadQuerySet.as_manager()

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering = ["-pk"]
        permissions = [("audit_listdownload", _("Can see everybody's downloads"))]
        constraints = [
            models.CheckConstraint(
                name="list_download_known_format", condition=Q(format__in=["csv", "xlsx"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.target_list} {self.format}"
