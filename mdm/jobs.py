"""Background work that loses nothing and runs once in effect.

The `Job` row is committed before anything else and is the truth; the Celery message is a bell
that carries its id. A worker claims the row with a lease and a growing attempt number (the
fence). Work goes in chunks: the effects and the cursor stand in one transaction that checks the
fence, so a worker that was thought dead cannot commit late. The sweeper puts back what lost its
worker and rings again for what nobody heard, so a killed worker, a lost message or a flushed
broker cost some seconds, never work (no broker without a server delivers again, and Redis does so
after an hour).
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django import db
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mdm.bulk import pause_for_other_writers
from mdm.errors import described
from mdm.models import Job
from mdm.reasons import Refusal, reason_of

logger = logging.getLogger(__name__)

Handler = Callable[["JobRun"], Mapping[str, Any]]
OnProgress = Callable[[int, int | None, str], None]

_handlers: dict[str, Handler] = {}
_lanes: dict[str, str] = {}  # Kind → lane; a kind that shares with no other is its own.
_PROGRESS_SECONDS = 0.5  # How often a progress figure is written at most.


class JobRefused(Refusal):
    """The work cannot be done, for a reason a person can read and act on."""


class JobFailed(Exception):
    """`run_now` ended without success; the text is the job's error in words."""


class RetryRefused(Exception):
    """The job cannot be tried again; the text says why."""


class LostLease(Exception):
    """Another attempt has taken the job over: this one must stop without a trace."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


def job(kind: str, *, lane: str | None = None) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job. It returns the result: JSON without personal data.

    `lane`: the kind whose place it takes. Whoever asks for either by that name as idempotency key
    gets the one that is live.
    """

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        _lanes[kind] = lane or kind
        return handler

    return register


def submit(
    kind: str,
    parameters: Mapping[str, Any],
    *,
    by: User | None,
    idempotency_key: str | None = None,
) -> Job:
    """Commit a job to be done and ring for a worker once the transaction is committed.

    With an idempotency key, a live job of that key is returned instead of a second one.
    """
    new = create(kind, parameters, by=by, idempotency_key=idempotency_key)
    transaction.on_commit(lambda: ring(new))
    return new


def create(
    kind: str,
    parameters: Mapping[str, Any],
    *,
    by: User | None,
    idempotency_key: str | None = None,
) -> Job:
    """Write the row of a job without ringing: for commands that run it themselves."""
    if kind not in _handlers:
        raise ValueError(f"No handler for jobs of kind {kind!r}.")
    try:
        with transaction.atomic():
            return Job.objects.create(
                kind=kind,
                parameters=dict(parameters),
                requested_by=by,
                idempotency_key=idempotency_key,
            )
    except IntegrityError:
        return Job.objects.get(idempotency_key=idempotency_key)


def ring(job_row: Job) -> bool:
    """Tell the workers that a job waits. Returns False when the broker cannot be reached."""
    from mdm.tasks import run_job

    Job.objects.filter(pk=job_row.pk).update(rung_at=now())
    try:
        run_job.apply_async(args=(str(job_row.pk),), retry=False)
    except Exception as error:
        logger.warning("Broker unreachable for job=%s: %s", job_row.pk, type(error).__name__)
        return False
    return True


def request_cancel(job_row: Job) -> None:
    """Ask a job to stop: at once when it waits, at its next chunk when it runs."""
    waiting = Job.objects.filter(pk=job_row.pk, state=Job.State.QUEUED)
    if not waiting.update(state=Job.State.CANCELLED, finished_at=now(), idempotency_key=None):
        Job.objects.filter(pk=job_row.pk, state=Job.State.RUNNING).update(cancel_requested=True)


def retry(job_row: Job) -> Job:
    """Let a failed job wait for a worker again; it goes on where it stopped.

    It takes the name of its lane as idempotency key, so that whoever asks for the same work
    meanwhile gets this job instead of a second one.

    Raises:
        RetryRefused: when it did not fail, or a job of its lane is under way.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job_row.pk)
        if row.state != Job.State.FAILED:
            raise RetryRefused(_("Only a job that failed can be tried again."))
        lane = _lanes[row.kind]
        alike = [kind for kind, name in _lanes.items() if name == lane]
        if Job.objects.filter(kind__in=alike, state__in=Job.LIVE_STATES).exists():
            raise RetryRefused(_("A job of this kind is under way: try again when it has ended."))
        row.state, row.error, row.idempotency_key = Job.State.QUEUED, "", lane
        row.started_at = row.finished_at = row.rung_at = None
        row.cancel_requested = False
        row.save()
        transaction.on_commit(lambda: ring(row))
    return row


def execute(job_id: str) -> None:
    """Run a job if it still waits; a bell that rings twice changes nothing."""
    claimed = _claim(Q(pk=job_id, state=Job.State.QUEUED))
    if claimed:
        for follower in JobRun(claimed).run():
            ring(follower)


def run_now(job_row: Job, *, on_progress: OnProgress | None = None) -> Job:
    """Run a job in this process, and those that follow from it, for commands and tests.

    Raises:
        JobFailed: when it fails or is cancelled, with the reason in words.
    """
    claimed = _claim(Q(pk=job_row.pk, state__in=Job.LIVE_STATES))
    if not claimed:
        raise JobFailed(_("This job has already ended."))
    followers: list[Job] = []
    while claimed:
        followers = JobRun(claimed, on_progress=on_progress).run()
        # Put back by the database: nobody else was rung for, so the next attempt is ours.
        claimed = _claim(Q(pk=job_row.pk, state=Job.State.QUEUED))
    job_row.refresh_from_db()
    if job_row.state != Job.State.DONE:
        raise JobFailed(job_row.error or _("The job was stopped before its end."))
    for follower in followers:
        with suppress(JobFailed):  # Its own row says so; this job is done.
            run_now(follower)
    return job_row


def sweep() -> tuple[int, int]:
    """Put back jobs whose worker died and ring for jobs nobody heard: (put back, rung)."""
    moment = now()
    lost = Q(state=Job.State.RUNNING, lease_until__lt=moment)
    exhausted = lost & Q(attempt__gte=settings.JOB_MAX_ATTEMPTS)
    Job.objects.filter(exhausted).update(
        state=Job.State.FAILED,
        finished_at=moment,
        idempotency_key=None,
        error=reason_of(
            gettext_noop("The worker died several times during this job; it was given up.")
        ),
    )
    put_back = Job.objects.filter(lost).update(state=Job.State.QUEUED, lease_until=None)
    unheard = Q(rung_at=None, created_at__lt=moment - timedelta(seconds=settings.SWEEP_SECONDS))
    unheard |= Q(rung_at__lt=moment - timedelta(seconds=settings.SWEEP_SECONDS))
    rung = sum(map(ring, Job.objects.filter(unheard, state=Job.State.QUEUED)))
    return put_back, rung


def _claim(condition: Q) -> Job | None:
    """Take a job for this process, with a fresh lease and the next attempt number."""
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(condition).first()
        if not row:
            return None
        row.state = Job.State.RUNNING
        row.attempt += 1
        row.worker = f"{socket.gethostname()}:{os.getpid()}"[:100]
        row.lease_until = _lease_end()
        row.started_at = row.started_at or now()
        row.save(update_fields=["state", "attempt", "worker", "lease_until", "started_at"])
        return row


def _lease_end() -> Any:
    return now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)


class JobRun:
    """One attempt at a job, as its handler sees it."""

    def __init__(self, claimed: Job, *, on_progress: OnProgress | None = None) -> None:
        self.job = claimed
        self.parameters: dict[str, Any] = claimed.parameters
        self.cursor: Any = claimed.cursor
        self._on_progress = on_progress
        self._next_progress = 0.0
        self._phase = ""
        self._committed_at: float | None = None
        self._following: list[tuple[str, dict[str, Any]]] = []
        self._own = Job.objects.filter(
            pk=claimed.pk, attempt=claimed.attempt, state=Job.State.RUNNING
        )

    @contextmanager
    def chunk(
        self,
        *,
        cursor: Any,
        done: int | None = None,
        total: int | None = None,
        phase: str | None = None,
        beside_others: bool = False,
    ) -> Iterator[None]:
        """Run the effects inside the block and move the cursor, in one transaction.

        With `beside_others`, chunks of this attempt may run at the same time: the job's row, whose
        lock they would wait for, is taken when the effects are written. It is checked then, too.

        Raises:
            LostLease: when another attempt owns the job; nothing was written.
            Cancelled: when somebody asked to stop; nothing was written.
        """
        if self._committed_at is not None:
            pause_for_other_writers(since=self._committed_at)
        with transaction.atomic():
            self._check(lock=not beside_others)
            yield
            figures = _given(done_count=done, total_count=total, phase=phase)
            if self._begins(phase) and done is None:  # What the last one had done is not its own.
                figures |= {"done_count": 0, "total_count": None}
            if not self._own.update(cursor=cursor, lease_until=_lease_end(), **figures):
                raise LostLease
        self._committed_at = time.monotonic()
        self.cursor = cursor
        self._show(done, total, phase)

    def progress(self, done: int, total: int | None = None, phase: str = "") -> None:
        """Say how far the work is; cheap to call often. Also notices a cancel."""
        if not self._begins(phase) and time.monotonic() < self._next_progress:
            return
        self._next_progress = time.monotonic() + _PROGRESS_SECONDS
        self._check()
        self._own.update(lease_until=_lease_end(), done_count=done, total_count=total, phase=phase)
        self._show(done, total, phase)

    def _begins(self, phase: str | None) -> bool:
        former, self._phase = self._phase, phase or self._phase
        return self._phase != former

    def then(self, kind: str, parameters: Mapping[str, Any]) -> None:
        """Have another job made when this one is done, in one transaction with its end."""
        self._following.append((kind, dict(parameters)))

    def run(self) -> list[Job]:
        """Call the handler under a heartbeat and write how it ended.

        Returns the jobs that follow: nobody has rung for them yet.
        """
        logger.info(
            "Job=%s kind=%s attempt=%d starts", self.job.pk, self.job.kind, self.job.attempt
        )
        stop = threading.Event()
        pulse = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        pulse.start()
        try:
            result = _handlers[self.job.kind](self)
        except LostLease:
            logger.warning("Job=%s attempt=%d lost its lease", self.job.pk, self.job.attempt)
        except Cancelled:
            self._end(Job.State.CANCELLED)
        except JobRefused as refusal:
            self._end(Job.State.FAILED, error=refusal.stored)
        except OperationalError as error:
            self._put_back(error)
        except Exception as error:
            self._fail(error)
        else:
            return self._done(result)
        finally:
            stop.set()
            pulse.join(timeout=5)
        return []

    def _put_back(self, error: OperationalError) -> None:
        """Leave the job to the next attempt: two writers met, or the database restarts.

        Its last chunk was rolled back, so it goes on at its cursor. When even this cannot be
        written, the sweeper finds it once its lease has run out.
        """
        if self.job.attempt >= settings.JOB_MAX_ATTEMPTS:
            self._fail(error)
            return
        logger.warning("Job=%s is put back: %s", self.job.pk, described(error))
        if not connection.is_usable():
            connection.close()
        with suppress(OperationalError):
            self._own.update(state=Job.State.QUEUED, lease_until=None, rung_at=now())

    def _fail(self, error: Exception) -> None:
        # The text of an unexpected error may carry a customer's values: only its type and place
        # are logged.
        logger.error("Job=%s failed: %s", self.job.pk, described(error))
        message = _("Something went wrong (%(kind)s). The administrator finds it in the log.")
        refusal = JobRefused(message, kind=type(error).__name__)
        self._end(Job.State.FAILED, error=refusal.stored)

    def _done(self, result: Mapping[str, Any]) -> list[Job]:
        with transaction.atomic():
            if not self._end(Job.State.DONE, result=dict(result)):
                return []
            by = self.job.requested_by
            return [create(kind, parameters, by=by) for kind, parameters in self._following]

    def _check(self, *, lock: bool = False) -> None:
        rows = self._own.select_for_update() if lock else self._own
        row = rows.values_list("cancel_requested", flat=True).first()
        if row is None:
            raise LostLease
        if row:
            raise Cancelled

    def _end(self, state: Job.State, *, result: Any = None, error: str = "") -> int:
        """Write how it ended. Returns 0 when another attempt owns the job."""
        logger.info("Job=%s kind=%s ends: %s", self.job.pk, self.job.kind, state.value)
        return self._own.update(
            state=state,
            result=result,
            error=error,
            finished_at=now(),
            lease_until=None,
            idempotency_key=None,
        )

    def _show(self, done: int | None, total: int | None, phase: str | None) -> None:
        if self._on_progress and done is not None:
            self._on_progress(done, total, phase or "")

    def _beat(self, stop: threading.Event) -> None:
        """Renew the lease while a long computation reports nothing."""
        if getattr(connection, "is_in_memory_db", lambda: False)():
            return  # A second connection would see another database; tests hold the lease anyway.
        while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
            try:
                self._own.update(lease_until=_lease_end())
            except Exception as error:
                logger.warning("Heartbeat of job=%s: %s", self.job.pk, type(error).__name__)
            finally:
                db.close_old_connections()
        connection.close()


def _given(**figures: Any) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if value is not None}
