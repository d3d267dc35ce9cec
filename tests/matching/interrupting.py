"""What a search leaves, to be compared, and `kill -9` in the middle of a job."""

from collections.abc import Callable
from typing import Any

import pytest

from matching.models import PairEvidence, ReviewTask
from mdm import jobs
from mdm.models import Customer, Job
from tests.matching.factories import links


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


def outcome(**tasks: Any) -> dict[str, Any]:
    """Return all that a run derives, without keys of its own; `tasks` narrows the review tasks."""
    evidence = PairEvidence.objects.order_by("left", "right")
    asked = ReviewTask.objects.filter(**tasks).order_by("left", "right")
    return {
        "links": links(),
        "evidence": list(evidence.values_list("left", "right", "score", "pattern", "automatic")),
        "tasks": list(asked.values_list("left", "right", "kind", "reason", "score", "state")),
        "customers": list(
            Customer.objects.order_by("pk").values_list("pk", "status", "merged_into")
        ),
    }


def kill(
    job: Job, monkeypatch: pytest.MonkeyPatch, *, at: Callable[[dict[str, Any]], bool]
) -> None:
    """Carry a job out until it is killed at a chunk, and put it back as the sweeper does.

    `at` is given what each chunk is told, and says whether this one is never begun.
    """
    chunk = jobs.JobRun.chunk

    def killed(run: jobs.JobRun, **told: Any) -> Any:
        if at(told):
            raise Killed
        return chunk(run, **told)

    with monkeypatch.context() as patched:
        patched.setattr(jobs.JobRun, "chunk", killed)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_until=None)


def after(chunks: int) -> Callable[[dict[str, Any]], bool]:
    """Return what tells the chunk that comes after so many."""
    left = iter([False] * chunks)
    return lambda _told: next(left, True)
