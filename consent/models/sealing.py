"""The chain over consent events: seals, the blocks they come in, and what each check found.

None of it holds personal data: an event stands in the chain by a salted digest, and erasing a
person takes the salt away, after which the digest tells nothing and the chain still holds.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import ConsentEvent


class SealBlock(models.Model):
    """Events appended to the chain together; written once (triggers), it names the one before.

    `hash` is the SHA-256 of the previous block's hash, the number, the first and last place in
    the chain, the last seal's hash and the moment (`consent.sealing.block_hash`).
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    first = models.PositiveBigIntegerField(help_text="Place in the chain of its first event.")
    last = models.PositiveBigIntegerField(help_text="Place in the chain of its last event.")
    head = models.BinaryField(help_text="Hash of its last seal.")
    previous = models.BinaryField(help_text="Hash of the block before.")
    hash = models.BinaryField()
    highest_event = models.PositiveBigIntegerField(
        help_text="Largest key of an event in this block or one before."
    )
    sealed_at = models.DateTimeField(_("sealed at"))

    class Meta:
        verbose_name = _("block of the ledger")
        verbose_name_plural = _("blocks of the ledger")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.first}–{self.last}"


class EventSeal(models.Model):
    """The place of one event in the chain. Only erasing a person changes it: the salt goes.

    `digest` = SHA-256(salt ‖ the event as text), `proof` = SHA-256(salt ‖ its evidence as text)
    or empty, `hash` = SHA-256(hash before ‖ place ‖ digest ‖ proof).
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    # No constraint in the database: an event that somebody deleted must leave its seal behind.
    event = models.OneToOneField(
        ConsentEvent, models.DO_NOTHING, related_name="seal", db_constraint=False
    )
    salt = models.BinaryField(null=True, help_text="Null: the person was erased.")
    digest = models.BinaryField()
    proof = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        verbose_name = _("seal of an event")
        verbose_name_plural = _("seals of events")

    def __str__(self) -> str:
        return f"{self.number}: {self.event_id}"

    @property
    def hash_hex(self) -> str:
        """The hash as people read it."""
        return bytes(self.hash).hex()


class LedgerCheck(models.Model):
    """What one verification of the whole ledger found; kept, so that silence can be proved too."""

    class Fault(models.TextChoices):
        """What is wrong with the first bad row."""

        ALTERED = "altered", _("an event was altered")
        PAYLOAD = "payload", _("the evidence of an event was altered")
        MISSING = "missing", _("an event or its seal is missing")
        INSERTED = "inserted", _("an event was slipped in")
        REORDERED = "reordered", _("events were put in another order")
        REWRITTEN = "rewritten", _("the chain was rewritten")
        TRUNCATED = "truncated", _("the end of the chain is missing")
        UNGROUNDED = "ungrounded", _("an event was erased although nobody was")
        STATES = "states", _("permissions do not follow from the events")
        NOTICE = "notice", _("the words of a notice were altered")

    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"))
    event_count = models.PositiveBigIntegerField(_("events in the chain"))
    erased_count = models.PositiveBigIntegerField(_("lawfully erased"))
    unsealed_count = models.PositiveBigIntegerField(_("not sealed yet"))
    oldest_unsealed_at = models.DateTimeField(null=True, blank=True)
    head = models.CharField(_("head of the chain"), max_length=64, blank=True)
    fault = models.CharField(_("fault"), max_length=10, choices=Fault.choices, blank=True)
    place = models.PositiveBigIntegerField(null=True, blank=True, help_text="In the chain.")
    event_uuid = models.UUIDField(null=True, blank=True)
    detail = models.CharField(max_length=200, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")
        ordering = ["-pk"]
        permissions = [("verify_ledger", _("Can have the consent ledger verified"))]

    def __str__(self) -> str:
        return f"{self.finished_at:%Y-%m-%d %H:%M} {self.fault or 'ok'}"
