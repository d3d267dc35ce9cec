"""Jobs lose nothing, run once in effect, and say in words why they failed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils.timezone import now

from mdm import jobs
from mdm.models import Job
from tests.mdm.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Register the kind "test": five chunks, each of which makes a group; `at(n)` interferes."""
    script: dict[str, Any] = {"at": lambda run, step: None}

    def five_chunks(run: jobs.JobRun) -> dict[str, int]:
        for step in range(run.cursor or 0, 5):
            with run.chunk(cursor=step + 1, done=step + 1, total=5):
                Group.objects.create(name=f"step {step}")
                script["at"](run, step)
        return {"steps": 5}

    monkeypatch.setitem(jobs._handlers, "test", five_chunks)
    return script


def steps() -> QuerySet[Group]:
    return Group.objects.filter(name__startswith="step")


def test_a_job_runs_its_chunks_and_keeps_its_result(handler):
    shown = []

    job = jobs.run_now(JobFactory(), on_progress=lambda *figures: shown.append(figures[:2]))

    assert (job.state, job.result, job.done_count, job.percent) == ("done", {"steps": 5}, 5, 100)
    assert shown == [(n, 5) for n in range(1, 6)]


def test_a_killed_worker_loses_no_chunk_and_repeats_none(handler):
    def die(run: jobs.JobRun, step: int) -> None:
        if step == 3:
            raise KeyboardInterrupt

    handler["at"] = die
    job = JobFactory()
    with pytest.raises(KeyboardInterrupt):
        jobs.run_now(job)
    assert steps().count() == 3
    handler["at"] = lambda run, step: None
    Job.objects.update(lease_until=now() - timedelta(seconds=1))

    assert jobs.sweep()[0] == 1
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.attempt) == ("done", 2)
    assert steps().count() == 5


def test_a_worker_thought_dead_cannot_commit_late(handler):
    def taken_over(done: int, total: int | None, phase: str) -> None:
        if done == 3:
            Job.objects.update(attempt=99)

    job = JobFactory()

    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job, on_progress=taken_over)

    job.refresh_from_db()
    assert (job.attempt, job.state, job.done_count) == (99, "running", 3)
    assert steps().count() == 3


def test_a_phase_begins_without_the_figures_of_the_one_before(monkeypatch):
    told = []

    def two_phases(run: jobs.JobRun) -> dict[str, int]:
        for phase in ("compare", "links"):
            with run.chunk(cursor=phase, phase=phase):
                pass
            told.append(Job.objects.values_list("phase", "done_count", "total_count").get())
            run.progress(7, 9, phase)
        return {}

    monkeypatch.setitem(jobs._handlers, "test", two_phases)

    jobs.run_now(JobFactory())

    assert told == [("compare", 0, None), ("links", 0, None)]


def test_a_chunk_beside_others_is_checked_when_it_is_written(monkeypatch):
    def lose_it(run: jobs.JobRun) -> dict[str, int]:
        with run.chunk(cursor=1, beside_others=True):
            Group.objects.create(name="late")
            Job.objects.update(attempt=99)
        return {}

    monkeypatch.setitem(jobs._handlers, "test", lose_it)

    with pytest.raises(jobs.JobFailed):
        jobs.run_now(JobFactory())

    assert not Group.objects.filter(name="late").exists()


def test_a_bell_that_rings_twice_changes_nothing(handler):
    job = JobFactory()

    jobs.execute(str(job.pk))
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert (job.attempt, steps().count()) == (1, 5)


def test_a_running_job_stops_at_its_next_chunk_when_asked(handler):
    handler["at"] = lambda run, step: jobs.request_cancel(run.job) if step == 1 else None
    job = JobFactory()

    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job)

    job.refresh_from_db()
    assert (job.state, steps().count()) == ("cancelled", 2)


def test_a_waiting_job_is_cancelled_at_once(handler):
    job = JobFactory()

    jobs.request_cancel(job)
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.attempt) == ("cancelled", 0)


def test_a_refusal_is_the_error_and_leaves_the_chunk_unwritten(handler):
    def refuse(run: jobs.JobRun, step: int) -> None:
        if step == 1:
            raise jobs.JobRefused("There is nothing to match: load a file first.")

    handler["at"] = refuse

    with pytest.raises(jobs.JobFailed, match="load a file first"):
        jobs.run_now(JobFactory())

    assert steps().count() == 1


def test_an_unexpected_error_keeps_its_text_out_of_log_and_page(handler, caplog):
    def break_down(run: jobs.JobRun, step: int) -> None:
        raise ValueError("Zoé Martin, zoe@example.org")

    handler["at"] = break_down
    job = JobFactory()

    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job)

    job.refresh_from_db()
    assert "ValueError" in job.error
    assert "example.org" not in job.error + caplog.text


def test_a_job_that_kills_every_worker_is_given_up(handler, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    job = JobFactory(state="running", attempt=2, lease_until=now() - timedelta(seconds=1))

    jobs.sweep()

    job.refresh_from_db()
    assert job.state == "failed"
    assert job.error


def test_the_same_request_twice_is_one_job(handler):
    first = jobs.create("test", {}, by=None, idempotency_key="load:abc")

    assert jobs.create("test", {}, by=None, idempotency_key="load:abc") == first


def test_the_sweeper_rings_for_a_job_nobody_heard(handler, monkeypatch, settings):
    rung = []
    monkeypatch.setattr(jobs, "ring", lambda job: rung.append(job.pk) or True)
    job = JobFactory()
    JobFactory()
    Job.objects.filter(pk=job.pk).update(
        created_at=now() - timedelta(seconds=settings.SWEEP_SECONDS + 1)
    )

    assert jobs.sweep() == (0, 1)
    assert rung == [job.pk]


def test_a_job_that_the_database_turned_away_goes_on_at_its_cursor(handler):
    def deadlock(run: jobs.JobRun, step: int) -> None:
        if step == 2 and run.job.attempt < 3:
            raise OperationalError("deadlock detected")

    handler["at"] = deadlock

    job = jobs.run_now(JobFactory())

    assert (job.state, job.attempt, job.error) == ("done", 3, "")
    assert sorted(steps().values_list("name", flat=True)) == [f"step {n}" for n in range(5)]


def test_a_worker_leaves_a_job_that_was_turned_away_to_the_sweeper(handler, settings):
    def deadlock(run: jobs.JobRun, step: int) -> None:
        raise OperationalError("deadlock detected")

    handler["at"] = deadlock
    job = JobFactory()

    for _attempt in range(settings.JOB_MAX_ATTEMPTS):
        job.refresh_from_db()
        assert job.state == "queued"
        jobs.execute(str(job.pk))
    job.refresh_from_db()

    assert (job.state, job.attempt) == ("failed", settings.JOB_MAX_ATTEMPTS)
    assert "OperationalError" in job.error
    assert not steps().exists()
