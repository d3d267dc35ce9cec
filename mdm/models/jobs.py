"""Background work: the row that is the truth about it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from mdm.reasons import RefusalText


class Job(models.Model):
    """One piece of long work; the message broker is only a bell that carries its id."""

    class State(models.TextChoices):
        """Where the work stands."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    LIVE_STATES = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    parameters = models.JSONField(default=dict, help_text="Keys only, never personal data.")
    idempotency_key = models.CharField(max_length=100, null=True, blank=True, unique=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0, help_text="Fence: a late attempt is refused.")
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    cursor = models.JSONField(null=True, blank=True, help_text="Where the next attempt goes on.")
    phase = models.CharField(max_length=60, blank=True, help_text="What it is doing: a code.")
    done_count = models.PositiveBigIntegerField(default=0)
    total_count = models.PositiveBigIntegerField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = RefusalText(_("error"), blank=True, help_text="In words, for the person waiting.")
    cancel_requested = models.BooleanField(default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When the bell last rang.")
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at"]
        permissions = [("cancel_job", _("Can cancel a job"))]
        indexes = [
            # The sweeper and the home page: what is alive.
            models.Index(
                fields=["state", "lease_until"],
                name="job_alive",
                condition=Q(state__in=["queued", "running"]),
            ),
            models.Index("kind", models.F("created_at").desc(), name="job_latest_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.pk)[:8]}"

    @property
    def percent(self) -> int | None:
        """Progress from 0 to 100, None while the total is unknown."""
        if self.state == self.State.DONE:
            return 100
        return min(99, 100 * self.done_count // self.total_count) if self.total_count else None

    @property
    def is_live(self) -> bool:
        """True while the work waits or runs."""
        return self.state in self.LIVE_STATES

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran; None before its start."""
        if not self.started_at:
            return None
        return ((self.finished_at or now()) - self.started_at).total_seconds()


class Heartbeat(models.Model):
    """When a part of the background machinery (worker, sweeper) last showed that it lives."""

    name = models.CharField(primary_key=True, max_length=20)
    asked_at = models.DateTimeField(null=True, help_text="When the broker last took a question.")
    beat_at = models.DateTimeField(null=True, help_text="When it last showed a sign of life.")

    def __str__(self) -> str:
        return self.name
