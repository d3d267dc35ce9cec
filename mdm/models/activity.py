"""What customers did: sales, contracts and contacts, loaded like records.

Facts for soft opt-in, the running-contract exception and the three-year clock (CNIL).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mdm.models.records import ContactPoint, SourceRecord


class Sale(models.Model):
    """One sale a source reports for one of its records."""

    # A load takes the keys from rows that it has just written or locked, and nobody deletes those:
    # no constraint. The unique key of the table starts with the record; nothing looks for a sale
    # by its contact point.
    record = models.ForeignKey(
        SourceRecord, models.CASCADE, related_name="sales", db_index=False, db_constraint=False
    )
    reference = models.CharField(
        max_length=100, help_text="Order number, else the date: unique for the record."
    )
    sold_on = models.DateField(_("sold on"))
    amount = models.DecimalField(
        _("amount"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    product_family = models.CharField(_("product family"), max_length=60, blank=True)
    contact_point = models.ForeignKey(
        ContactPoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The e-mail address collected at that sale.",
    )

    class Meta:
        verbose_name = _("sale")
        verbose_name_plural = _("sales")
        constraints = [
            models.UniqueConstraint(fields=["record", "reference"], name="sale_unique_reference")
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.sold_on}"


class Contract(models.Model):
    """A running or ended contract a source reports for one of its records."""

    record = models.ForeignKey(  # As of a sale.
        SourceRecord, models.CASCADE, related_name="contracts", db_index=False, db_constraint=False
    )
    reference = models.CharField(max_length=100)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    product_family = models.CharField(_("product family"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        constraints = [
            models.UniqueConstraint(
                fields=["record", "reference"], name="contract_unique_reference"
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_id} {self.starts_on}"


class AccessLog(models.Model):
    """Who saw or took what: references only, never values."""

    user = models.ForeignKey("auth.User", models.PROTECT, null=True, related_name="+")
    action = models.CharField(_("action"), max_length=40)
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        ordering = ["-pk"]
        # The access register: what one person did, the latest first.
        indexes = [models.Index("user", models.F("at").desc(), name="access_log_by_user")]

    def __str__(self) -> str:
        return f"{self.action} {self.reference}"
