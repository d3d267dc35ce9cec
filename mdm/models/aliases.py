"""Public ids that a steward kept on another record than the one they were born with."""

from collections.abc import Collection

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.key_sets import among
from mdm.models.customers import Customer
from mdm.models.records import SourceRecord
from mdm.reasons import ReasonField


class AliasQuerySet(models.QuerySet["Alias"]):
    """Alias facts as identity reads them."""

    def about(self, customer_ids: Collection[int]) -> "AliasQuerySet":
        """Those that say who holds one of these ids, the earliest first."""
        if not customer_ids:
            return self.none()
        concerned = among("customer", customer_ids) | among("stand_in", customer_ids)
        return self.filter(concerned).order_by("pk")


class Alias(models.Model):
    """A steward's word that a customer id follows a record; the latest in force counts.

    Where the oldest record of a customer was the wrong one, the others would change their id when
    it leaves. This fact keeps it on them: `record` holds the id from now on, and `former`, which
    held it, gets an id of its own where it has no other (`stand_in`), for ever.
    """

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="aliases", verbose_name=_("customer id")
    )
    record = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    former = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    stand_in = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="+")
    reason = ReasonField(_("reason"), max_length=400, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    retracted_at = models.DateTimeField(_("retracted at"), null=True, blank=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    history = AuditTrail()

    objects = AliasQuerySet.as_manager()

    class Meta:
        verbose_name = _("id kept")
        verbose_name_plural = _("ids kept")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="alias_moves_an_id_to_another_record", condition=~Q(record=F("former"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} → {self.record_id}"
