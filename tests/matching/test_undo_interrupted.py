"""A search or its undoing that is killed in the middle ends like one that was not."""

from itertools import count

import pytest

from matching import runs
from matching.models import FormerEvidence
from matching.undoing import UndoRefused, start_undo
from mdm import jobs
from mdm.models import CustomerAct, Job, SourceRecord
from tests.matching.factories import make_steward, run_match
from tests.matching.interrupting import after, kill
from tests.matching.undoing import change, changes, everything_holds, latest, preview, state, undo

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("chunks", "scope"), [(1, "all"), (3, "changed"), (4, "all"), (6, "all")])
def test_an_undo_killed_between_chunks_ends_like_one_that_was_not(
    company, chunks, scope, monkeypatch
):
    monkeypatch.setattr("matching.former.PAIRS_PER_CHUNK", 5)
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 2)
    run_match()
    changes(company)
    before = state()
    run_match(scope=scope)
    foreseen = preview(latest())
    job = start_undo(latest(), by=make_steward(), reason="wrong")

    kill(job, monkeypatch, at=after(chunks))
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.DONE, 2)
    assert state() == before
    assert (job.result or {})["moved"] == foreseen["moved"]
    assert CustomerAct.objects.get(pk=job.pk).reason == f"Search {latest().pk} undone"
    everything_holds()


def test_a_run_killed_while_it_wrote_and_begun_anew_can_be_undone(company, monkeypatch):
    run_match()
    changes(company)
    before = state()
    monkeypatch.setattr("matching.evidence.PAIRS_PER_CHUNK", 3)
    job, written = runs.start_run(by=None), count()

    kill(job, monkeypatch, at=lambda told: "left" in (told["cursor"] or {}) and next(written) > 1)

    assert FormerEvidence.objects.exists()
    # What was read has changed meanwhile: evidence is written from its beginning again.
    change(SourceRecord.objects.get(pk=company[5].pk), given_name="Ursule")
    jobs.execute(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    undo(latest())

    assert state()["evidence"] == before["evidence"]


def test_a_search_that_broke_off_stands_in_the_way_until_it_is_undone(company, monkeypatch):
    run_match()
    first, before = latest(), state()
    changes(company)
    job = runs.start_run(by=None)
    monkeypatch.setattr("matching.derivation.Derivation.carry_out", lambda self: 1 / 0)
    jobs.execute(str(job.pk))
    monkeypatch.undo()
    broken = latest()
    assert broken.finished_at is None

    with pytest.raises(UndoRefused, match=str(broken.pk)):
        start_undo(first, by=None, reason="wrong")
    undo(broken)

    assert state()["evidence"] == before["evidence"]
    jobs.retry(Job.objects.get(pk=job.pk))
    jobs.execute(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert state()["evidence"] == before["evidence"]
