"""Rule sets, runs, what a run found and what it keeps to be quick."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from mdm.audit import AuditTrail
from mdm.models import SourceRecord
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


class MatchRunQuerySet(models.QuerySet["MatchRun"]):
    """Searches as others go by them."""

    def standing(self) -> Self:
        """Those that ended, changed something and were not undone, the latest first."""
        return self.filter(simulated=False, finished_at__isnull=False, undone_at=None)

    def in_the_way(self) -> Self:
        """Those whose evidence may be in use: also what broke off and was not undone."""
        wrote = Q(finished_at__isnull=False) | Q(keeps_former=True)
        return self.filter(wrote, simulated=False, undone_at=None)


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
    keeps_former = models.BooleanField(
        default=False, help_text="What it replaced is kept: it can be undone."
    )
    undo_job = models.ForeignKey(
        "mdm.Job", models.PROTECT, null=True, blank=True, related_name="undone_runs"
    )
    undo_reason = models.CharField(_("why it was undone"), max_length=400, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    objects = MatchRunQuerySet.as_manager()

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

    # A search names records that it has read, and nobody deletes them: to look each up again was a
    # third of the server's work where nothing had changed. The unique pair leads from the left.
    left = models.ForeignKey(
        SourceRecord, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    right = models.ForeignKey(SourceRecord, models.CASCADE, related_name="+", db_constraint=False)
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


class FormerEvidence(models.Model):
    """What a run replaced: a pair as it was known before, or a pair that nobody knew before.

    Written with the run's own evidence. A pair that was not there is told while the run is being
    undone alone; until then, evidence of the run that has no row here was not there.
    """

    pk = models.CompositePrimaryKey("replaced_by_id", "left_id", "right_id")
    # No constraints and no indexes: rows are copied from evidence in the same transaction.
    replaced_by = models.ForeignKey(
        MatchRun, models.CASCADE, related_name="former", db_constraint=False, db_index=False
    )
    left = models.ForeignKey(
        SourceRecord, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    right = models.ForeignKey(
        SourceRecord, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    run = models.ForeignKey(
        MatchRun,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The run that had found it; none: it was not there.",
    )
    score = models.FloatField()
    pattern = models.BigIntegerField()
    automatic = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.left_id}–{self.right_id}"
