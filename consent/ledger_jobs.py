"""The nightly verification of the ledger as a job, and its words on the pages about jobs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.checkpoints import (
    CheckpointRefused,
    kept_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from consent.models import EventSeal, LedgerCheck
from consent.sealing import seal_events
from consent.verification import keep, verify
from mdm.job_words import JobWords, describe
from mdm.jobs import JobRefused, JobRun, job, submit
from mdm.models import Job

VERIFY_LEDGER = "verify_ledger"
_EVERY = timedelta(hours=24)


@job(VERIFY_LEDGER)
def verify_ledger(run: JobRun) -> Mapping[str, Any]:
    """Seal what waits, verify everything, and write the head down outside if it holds."""
    seal_events()
    try:
        checkpoints = [read_checkpoint(path) for path in kept_checkpoints()]
    except CheckpointRefused as refusal:
        raise JobRefused(refusal) from refusal
    found = verify(checkpoints=checkpoints, on_progress=lambda done: run.progress(done))
    check = keep(found, by_id=run.job.requested_by_id)
    if not check.fault:
        write_checkpoint()
    return {"events": check.event_count, "fault": str(check.get_fault_display())}


def check_soon(*, by: User | None) -> Job:
    """Ask for a verification; while one is under way, that one is returned."""
    return submit(VERIFY_LEDGER, {}, by=by, idempotency_key=VERIFY_LEDGER)


def check_when_due() -> bool:
    """Ask for a verification when the last is a day old and there is something to verify."""
    latest = LedgerCheck.objects.values_list("finished_at", flat=True).first()
    if (latest and latest > now() - _EVERY) or not EventSeal.objects.exists():
        return False
    asked = Job.objects.filter(kind=VERIFY_LEDGER, created_at__gt=now() - _EVERY)
    if asked.exists():  # It runs, or it failed and says so on its page.
        return False
    check_soon(by=None)
    return True


describe(
    VERIFY_LEDGER,
    JobWords(
        label=_("Verification of the consent ledger"),
        figures={"events": _("Events in the chain"), "fault": _("Fault")},
        icon="verified_user",
        result_url=lambda _job: reverse("consent:ledger"),
    ),
)
