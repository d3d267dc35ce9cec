"""Decisions of stewards, the repairs they make up, and the tasks that ask for them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.rulings import Ruling
from mdm.audit import AuditTrail
from mdm.models import Alias, Customer, SourceRecord


class Repair(models.Model):
    """One act of a steward on a whole customer: its decisions are made and undone together."""

    class Kind(models.TextChoices):
        """What was done with the records."""

        UNLINK = "unlink", _("Records taken out")
        SPLIT = "split", _("Customer split")
        MOVE = "move", _("Records moved to another customer")
        APART = "apart", _("Kept apart from another customer")
        LINK = "link", _("Linked with another customer")
        CONFIRM = "confirm", _("Customer confirmed")
        RENEW = "renew", _("Decision confirmed after a change")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="repairs")
    other = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", help_text="The second."
    )
    record_ids = models.JSONField(
        default=list, blank=True, help_text="The records taken out, split off or moved."
    )
    alias = models.OneToOneField(
        Alias,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="repair",
        help_text="The customer's id, when it was kept on the records without its holder.",
    )
    idempotency_key = models.CharField(max_length=60, null=True, blank=True, unique=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    done_at = models.DateTimeField(_("done at"), auto_now_add=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    history = AuditTrail()

    class Meta:
        verbose_name = _("repair")
        verbose_name_plural = _("repairs")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions as clustering, tasks and pages read them."""

    def in_force(self) -> "DecisionQuerySet":
        """Those that hold now."""
        return self.filter(retracted_at=None).order_by()

    def clear(self) -> "DecisionQuerySet":
        """Those that say same or different."""
        return self.exclude(verdict=Decision.Verdict.UNSURE)


class Decision(models.Model):
    """What a steward said of two records; a fact, kept for ever, in force until retracted."""

    class Reason(models.TextChoices):
        """What the steward went by."""

        VALUES = "values", _("The values say so")
        HOUSEHOLD = "household", _("Two people of one household")
        SOURCE_ERROR = "source", _("An error in the source")
        CUSTOMER_SAID = "customer", _("The customer said so")
        DOCUMENT = "document", _("Seen in a document")
        OTHER = "other", _("Another reason, in the note")

    class Verdict(models.TextChoices):
        """The three answers."""

        SAME = "same", _("Same person")
        DIFFERENT = "different", _("Different people")
        UNSURE = "unsure", _("Unsure")

    left = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    right = models.ForeignKey(SourceRecord, models.PROTECT, related_name="+")
    verdict = models.CharField(_("verdict"), max_length=9, choices=Verdict.choices)
    reason = models.CharField(_("reason"), max_length=9, choices=Reason.choices, blank=True)
    note = models.CharField(_("note"), max_length=400, blank=True)
    repair = models.ForeignKey(
        Repair, models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    is_blind = models.BooleanField(
        _("seen blind"), default=False, help_text=_("The score and its reasons were hidden.")
    )
    basis = models.CharField(
        max_length=32, blank=True, help_text="Digest of what told the two apart then."
    )
    score_shown = models.FloatField(null=True, blank=True)
    seconds = models.FloatField(
        null=True, blank=True, help_text="From seeing the pair to answering."
    )
    idempotency_key = models.CharField(max_length=60, null=True, blank=True, unique=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(_("decided at"), auto_now_add=True)
    ended_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ended",
        help_text="The decision for which this one was taken back; its undo brings it back.",
    )
    retracted_at = models.DateTimeField(_("retracted at"), null=True, blank=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    history = AuditTrail()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="decision_left_before_right", condition=Q(left__lt=F("right"))
            ),
            models.UniqueConstraint(
                fields=["left", "right"],
                condition=Q(retracted_at__isnull=True),
                name="decision_one_in_force_per_pair",
            ),
        ]
        indexes = [
            # "My decisions", the latest first: undo and the steward's own figures.
            models.Index("decided_by", F("decided_at").desc(), name="decision_by_steward")
        ]

    def __str__(self) -> str:
        return f"{self.left_id}–{self.right_id}: {self.verdict}"

    @property
    def pair(self) -> tuple[int, int]:
        """The two records, the older first."""
        return self.left_id, self.right_id

    @property
    def ruling(self) -> Ruling | None:
        """What clustering makes of it: nothing of an unsure one."""
        return to_ruling(self.left_id, self.right_id, self.verdict)


def to_ruling(left: int, right: int, verdict: str) -> Ruling | None:
    """Return a verdict on a pair as clustering reads it."""
    if verdict == Decision.Verdict.UNSURE:
        return None
    return Ruling(left, right, verdict == Decision.Verdict.SAME)


class ReviewTask(models.Model):
    """A pair that waits for a steward's answer; derived from evidence, never the answer itself."""

    class Kind(models.TextChoices):
        """Why a person must look."""

        PAIR = "pair", _("Possible duplicate")
        CONFLICT = "conflict", _("Held apart by a rule")
        RECHECK = "recheck", _("Decided, but a value has changed since")
        AUDIT = "audit", _("An automatic link, drawn to be checked")
        SECOND = "second", _("Judged blind, for a second opinion")

    class State(models.TextChoices):
        """Open until answered or no longer of interest."""

        OPEN = "open", _("to decide")
        DECIDED = "decided", _("decided")
        WITHDRAWN = "withdrawn", _("no longer needed")

    left = models.ForeignKey(SourceRecord, models.CASCADE, related_name="+")
    right = models.ForeignKey(SourceRecord, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PAIR)
    reason = models.CharField(max_length=60, blank=True, help_text="Code of the guard that held.")
    rival = models.ForeignKey(
        SourceRecord,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="The other record that fits as well, when the pair is ambiguous.",
    )
    score = models.FloatField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    skipped_by = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("review task")
        verbose_name_plural = _("review tasks")
        permissions = [("review_pairs", _("Can decide whether two records are one person"))]
        constraints = [
            models.CheckConstraint(
                name="review_task_left_before_right", condition=Q(left__lt=F("right"))
            ),
            models.UniqueConstraint(fields=["left", "right"], name="review_task_unique_pair"),
        ]
        indexes = [
            # The stewards' queue: open tasks by falling score.
            models.Index("state", F("score").desc(), name="review_task_queue")
        ]

    def __str__(self) -> str:
        return f"{self.left_id}–{self.right_id}"
