"""Rule sets, runs, pair evidence, decisions and review tasks."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.rulings import Ruling
from mdm.audit import AuditTrail
from mdm.models import Alias, Customer, SourceRecord
from mdm.models.rule_versions import RuleVersion


class RuleSet(RuleVersion):
    """One version of how duplicates are found: blocking rules, thresholds, guards."""

    parameters = models.JSONField(
        _("parameters"),
        default=dict,
        help_text="As matching.rule_sets.Parameters reads them; what is missing is as delivered.",
    )
    history = AuditTrail()

    class Meta(RuleVersion.Meta):
        verbose_name = _("rule set")
        verbose_name_plural = _("rule sets")
        permissions = [("activate_ruleset", _("Can put rules for finding duplicates in force"))]


class MatchRun(models.Model):
    """One search for duplicates: with which rules, what it learnt, what it changed."""

    rule_set = models.ForeignKey(RuleSet, models.PROTECT, related_name="runs")
    job = models.OneToOneField("mdm.Job", models.PROTECT, null=True, related_name="match_run")
    simulated = models.BooleanField(_("simulated"), default=False)
    record_count = models.PositiveIntegerField(_("records"), default=0)
    counts = models.JSONField(default=dict, help_text="Pairs, evidence, links, tasks.")
    timings = models.JSONField(default=dict, help_text="Stage → seconds.")
    model = models.JSONField(default=dict, help_text="The parameters learnt; scores follow.")
    plan = models.JSONField(
        default=dict, blank=True, help_text="How it is cut into parts, while several work at it."
    )
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("match run")
        verbose_name_plural = _("match runs")
        ordering = ["-pk"]
        permissions = [("run_match", _("Can search for duplicates"))]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class MatchPart(models.Model):
    """One part of a search under way, that one of several workers does; see `matching.fan_out`."""

    class Phase(models.TextChoices):
        """What the part gives."""

        COUNT = "count", "count"
        PAIRS = "pairs", "pairs"

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="parts")
    phase = models.CharField(max_length=5, choices=Phase.choices)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempt = models.PositiveIntegerField(default=0, help_text="Fence: a late one is refused.")
    lease_until = models.DateTimeField(null=True, blank=True)
    content = models.BinaryField(default=b"", help_text="What it gave, packed; no values.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "phase", "number"], name="match_part_unique_in_run"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.phase} {self.number}"


class WholeFile(models.Model):
    """What a run saw of all records together: by it, one record scores as it would among all."""

    run = models.OneToOneField(MatchRun, models.CASCADE, related_name="whole_file")
    known = models.JSONField(help_text="As linkage.known.Known reads it: hashes, no values.")
    rules = models.JSONField(default=list, help_text="Names of the blocking rules in use.")
    is_keyed = models.BooleanField(
        default=False, help_text="The keys of all records under these rules are stored."
    )

    def __str__(self) -> str:
        return f"{self.run_id}"


class CodedPage(models.Model):
    """Records folded for comparison, as they were written together; see `matching.codes`."""

    version = models.PositiveSmallIntegerField(help_text="linkage.pages.VERSION that wrote it.")
    is_base = models.BooleanField(
        default=False, help_text="Put together from pages: every other page is newer."
    )
    record_count = models.PositiveIntegerField()
    content = models.BinaryField()
    is_keyed = models.BooleanField(
        default=False, help_text="The blocking keys of its records are stored."
    )
    run = models.ForeignKey(
        MatchRun,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="The search that has seen it; none yet for what has changed since.",
    )

    def __str__(self) -> str:
        return f"{self.pk}"


class BlockingKey(models.Model):
    """A record has a key of a blocking rule: what leads one record to its candidates.

    Keys that a record no longer has may stay: its values tell.
    """

    pk = models.CompositePrimaryKey("key", "record")
    key = models.BigIntegerField(help_text="64 bits of rule and folded values (linkage.keys).")
    record = models.BigIntegerField(help_text="The source record; derived, so not constrained.")

    def __str__(self) -> str:
        return f"{self.record}"


class PairEvidence(models.Model):
    """What the last run found for two records, at or above the review floor."""

    left = models.ForeignKey(SourceRecord, models.CASCADE, related_name="+")
    right = models.ForeignKey(SourceRecord, models.CASCADE, related_name="+")
    run = models.ForeignKey(MatchRun, models.PROTECT, related_name="evidence")
    score = models.FloatField(help_text="Log2 odds that both are one person: 0 is even.")
    pattern = models.BigIntegerField(help_text="Level of every comparison, as one number.")
    automatic = models.BooleanField(
        help_text="Strong enough to link without a steward, by score and by kind of evidence."
    )

    class Meta:
        verbose_name = _("pair evidence")
        verbose_name_plural = _("pair evidence")
        constraints = [
            # A pair has no direction: the older record stands on the left.
            models.CheckConstraint(
                name="pair_evidence_left_before_right", condition=Q(left__lt=F("right"))
            ),
            models.UniqueConstraint(fields=["left", "right"], name="pair_evidence_unique_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.left_id}–{self.right_id}"


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
