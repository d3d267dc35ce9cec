"""Who the customers are: customers with stable ids, golden records, pins and survivorship."""

from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.birth_ids import birth_number, display
from mdm.models.records import PersonValues, SourceRecord
from mdm.models.rule_versions import RuleVersion
from mdm.written_json import WrittenJsonField


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers as pages ask for them."""

    def of_public_ids(self, public_ids: Iterable[str]) -> Self:
        """Those with these public ids, live or not: each is a key in another writing."""
        return self.filter(pk__in=[key for text in public_ids if (key := birth_number(text))])


class Customer(models.Model):
    """One public id ever issued; its key is that of the source record it was born with.

    A live customer has the oldest id of its cluster's records (see `Alias` for ids that no record
    was born with). A merged one points at the live one in one step, and comes back when the
    records part.
    """

    class Status(models.TextChoices):
        """What became of the id."""

        ACTIVE = "active", _("active")
        MERGED = "merged", _("merged")
        INACTIVE = "inactive", _("inactive: no source knows the person any more")
        ERASED = "erased", _("erased")

    id = models.BigIntegerField(primary_key=True)
    # Unique, as it is the key sent through a permutation (`mdm.birth_ids`), so it has no index:
    # whoever has a public id looks for the key.
    public_id = models.CharField(_("customer id"), max_length=8)
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.ACTIVE
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_ids",
        db_index=False,
        db_constraint=False,  # A key that is locked where it is written; nobody deletes customers.
    )
    version = models.PositiveIntegerField(
        default=1, help_text="Grows with every change of members; answers quote it."
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = AuditTrail()

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(
                name="customer_merged_exactly_when_it_points_elsewhere",
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True)),
            ),
        ]
        indexes = [
            # The ids that lead to a customer; partial, so that births do not pay for it.
            models.Index(
                fields=["merged_into"],
                name="customer_merged_ids",
                condition=Q(merged_into__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.display_id

    @property
    def display_id(self) -> str:
        """The public id as people read it: `G-4F7K-2MXQ`."""
        return display(self.public_id)


class GoldenRecord(PersonValues):
    """The surviving values of one live customer, derived from its records, pins and rules."""

    # Derived: `rebuild --check` compares every row with its facts, key included.
    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, related_name="golden", db_constraint=False
    )
    lineage = WrittenJsonField(
        default=dict,
        help_text="Attribute → [source record or null, pin or null, rule that chose it].",
    )
    record_count = models.PositiveIntegerField(_("source records"), default=1)
    quality = models.PositiveSmallIntegerField(_("quality"), default=0, help_text="0 to 100.")
    version = models.PositiveIntegerField(default=1)
    search_text = models.TextField(
        help_text="Folded words of names, contact points, ids and keys: what the search box reads."
    )
    updated_at = models.DateTimeField(_("updated at"))
    history = AuditTrail(excluded_fields=["search_text"])

    class Meta:
        verbose_name = _("golden record")
        verbose_name_plural = _("golden records")

    def __str__(self) -> str:
        return self.full_name or self.email or str(self.customer)


class SurvivorshipRuleSet(RuleVersion):
    """One version of how the values of golden records are chosen."""

    history = AuditTrail()

    class Meta(RuleVersion.Meta):
        verbose_name = _("survivorship rule set")
        verbose_name_plural = _("survivorship rule sets")
        permissions = [("activate_survivorshipruleset", _("Can put survivorship rules in force"))]


class SurvivorshipRule(models.Model):
    """How one attribute (or the whole address) is chosen, where it differs from the default."""

    rule_set = models.ForeignKey(SurvivorshipRuleSet, models.CASCADE, related_name="rules")
    attribute = models.CharField(_("attribute"), max_length=20)
    strategies = models.JSONField(
        _("strategies"), help_text=_("For example: trust, recency, completeness.")
    )
    trust = models.JSONField(
        _("trust"),
        default=dict,
        blank=True,
        help_text=_("Code of a source → its trust (0 to 100) for this attribute alone."),
    )
    history = AuditTrail()

    class Meta:
        verbose_name = _("survivorship rule")
        verbose_name_plural = _("survivorship rules")
        ordering = ["attribute"]
        permissions = [
            ("import_survivorshiprule", _("Can import survivorship rules from a file")),
            ("export_survivorshiprule", _("Can export survivorship rules to a file")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule_set", "attribute"], name="survivorship_rule_one_per_attribute"
            )
        ]

    def __str__(self) -> str:
        return self.attribute


class Pin(models.Model):
    """A steward's own choice for one attribute; it hangs on a source record and moves with it."""

    class Kind(models.TextChoices):
        """A value of her own, one record's value whatever it says, or never that record's."""

        VALUE = "value", _("Use this value")
        PREFER = "prefer", _("Prefer this record")
        HIDE = "hide", _("Hide this record's value")

    record = models.ForeignKey(SourceRecord, models.PROTECT, related_name="pins")
    attribute = models.CharField(_("attribute"), max_length=20)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices, default=Kind.VALUE)
    value = models.JSONField(_("value"), default=dict, blank=True, help_text="Of a value alone.")
    reason = models.CharField(_("reason"), max_length=400)
    review_on = models.DateField(_("to be reviewed on"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retracted_at = models.DateTimeField(_("retracted at"), null=True, blank=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    history = AuditTrail()

    class Meta:
        verbose_name = _("pin")
        verbose_name_plural = _("pins")
        constraints = [
            models.UniqueConstraint(
                fields=["record", "attribute"],
                condition=Q(retracted_at__isnull=True),
                name="pin_one_in_force_per_record_and_attribute",
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.attribute}"
