"""What happened to customers, in order: the outbox that other systems follow."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mdm.models.customers import Customer
from mdm.models.records import SourceRecord
from mdm.reasons import LETTERS, ReasonField


class CustomerAct(models.Model):
    """What was done when customers changed: events with this correlation happened together."""

    correlation = models.UUIDField(primary_key=True)
    reason = ReasonField(_("reason"), max_length=LETTERS)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("act on customers")
        verbose_name_plural = _("acts on customers")

    def __str__(self) -> str:
        return self.reason


class CustomerEvent(models.Model):
    """One change of one customer, numbered without gaps from her birth; it holds keys, no values.

    Replayed from nothing, the events give today's members of every id (`replay_events`).
    """

    class Kind(models.TextChoices):
        """What happened; the stored values are part of the export format."""

        CREATED = "created", _("created")
        JOINED = "joined", _("record joined")
        LEFT = "left", _("record left")
        MERGED = "merged", _("merged into another customer")
        SPLIT = "split", _("split")
        RESTORED = "restored", _("live again")
        VALUE_CHANGED = "value_changed", _("values changed")
        INACTIVATED = "inactivated", _("inactive: no source knows the person any more")
        ERASED = "erased", _("erased")

    # Written with every change, by the million: the keys are checked where they come from.
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="events", db_constraint=False, db_index=False
    )
    number = models.PositiveIntegerField(help_text="1, 2, 3, … for each customer.")
    kind = models.CharField(_("kind"), max_length=13, choices=Kind.choices)
    record = models.ForeignKey(
        SourceRecord,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The record that was born, joined or left.",
    )
    other = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="Where the record came from or went, or the customer that took the id over.",
    )
    details = models.JSONField(
        null=True, help_text="Of a split: new customer → records. Of values: attribute names."
    )
    correlation = models.UUIDField(help_text="Events of one act share it.")
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        verbose_name = _("customer event")
        verbose_name_plural = _("customer events")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "number"], name="customer_event_numbered_without_doubles"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}.{self.number} {self.kind}"
