"""A large search is cut into parts for any number of workers: the result is one and the same."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation
from django.utils.timezone import now

from matching import fan_out, runs, searching
from matching.models import MatchPart, MatchRun, PairEvidence, RuleSet
from matching.rule_sets import Parameters
from matching.scoring import ScoreModel
from matching.words import PHASES
from mdm import jobs
from mdm.models import Job
from tests.matching.factories import anne, links, make_company, run_match
from tests.matching.interrupting import Killed
from tests.matching.toolkit import calls_of_the_toolkit
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def any_search_is_cut(settings):
    settings.MATCH_SPREAD_FROM_PAIRS = 1


def outcome() -> tuple[Any, ...]:
    rows = PairEvidence.objects.order_by("left", "right")
    found = list(rows.values_list("left", "right", "pattern", "score", "automatic"))
    run = MatchRun.objects.latest("pk")
    told = {name: run.counts[name] for name in ("candidate_pairs", "rules", "expected_precision")}
    return found, links(), run.model, told


def build(row: MatchRun) -> tuple[Any, Any]:
    """Return what a helper builds before it does a part."""
    built = fan_out._build(row)
    assert built is not None
    return built


@pytest.fixture
def company() -> None:
    make_company(40)


@pytest.fixture
def expected(company) -> tuple[Any, ...]:
    """What one process finds that cuts nothing."""
    with override_settings(MATCH_SPREAD_FROM_PAIRS=1 << 60):
        run_match()
    found = outcome()
    PairEvidence.objects.all().delete()
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_one_two_and_four_workers_find_the_same(expected, workers, monkeypatch):
    done = []
    original = fan_out.JobCrew._done

    def with_helpers(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        for _ in range(workers - 1):
            row = MatchRun.objects.get(pk=self.row.pk)
            done.append(fan_out._do_one(row, *build(row), phase))
        return original(self, work, parts, phase)

    monkeypatch.setattr(fan_out.JobCrew, "_done", with_helpers)

    run_match()

    assert outcome() == expected
    assert done == [True] * (workers - 1) * 2
    assert not MatchPart.objects.exists()


@pytest.fixture
def learnt(company) -> tuple[Any, ...]:
    """What one process finds that cuts nothing, by what an earlier search in two phases learnt."""
    RuleSet.objects.create(version=1, status="active", parameters={"learns_anew": False})
    run_match()
    pairs_of_two_phases = outcome()[0]
    PairEvidence.objects.all().delete()
    with override_settings(MATCH_SPREAD_FROM_PAIRS=1 << 60):
        run_match()
    found = outcome()
    assert found[0] == pairs_of_two_phases
    PairEvidence.objects.all().delete()
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_what_was_learnt_scores_in_one_phase_and_finds_the_same(learnt, workers, monkeypatch):
    done, given = [], []
    original, give = fan_out.JobCrew._done, fan_out._give

    def with_helpers(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        for _ in range(workers - 1):
            row = MatchRun.objects.get(pk=self.row.pk)
            done.append(fan_out._do_one(row, *build(row), phase))
        return original(self, work, parts, phase)

    def noted(row: MatchRun, work: Any, part: Any, phase: str) -> bytes:
        given.append((phase, str(part)))
        return give(row, work, part, phase)

    monkeypatch.setattr(fan_out.JobCrew, "_done", with_helpers)
    monkeypatch.setattr(fan_out, "_give", noted)

    run_match()

    assert outcome() == learnt
    assert done == [True] * (workers - 1)
    assert {phase for phase, _ in given} == {"pairs"}
    assert len(given) == len(set(given)) > 5


def test_a_search_by_what_was_learnt_that_is_killed_goes_on_with_the_parts_that_are_left(
    learnt, monkeypatch
):
    job = runs.start_run(by=None)
    original, given = fan_out._give, []

    def killed(row: MatchRun, work: Any, part: Any, phase: str) -> bytes:
        if len(given) == 2:
            raise Killed
        given.append(str(part))
        return original(row, work, part, phase)

    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "_give", killed)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_until=None)

    def noted(row: MatchRun, work: Any, part: Any, phase: str) -> bytes:
        given.append(str(part))
        return original(row, work, part, phase)

    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "_give", noted)
        jobs.execute(str(job.pk))

    assert outcome() == learnt
    assert len(given) == len(set(given))


def test_a_helper_scores_by_what_was_learnt_and_goes_when_no_part_is_left(learnt, monkeypatch):
    original = fan_out.JobCrew._done
    answers = []

    def helped(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        helper = Job.objects.filter(kind=fan_out.KIND, state=Job.State.QUEUED).first()
        assert helper is not None
        jobs.execute(str(helper.pk))
        helper.refresh_from_db()
        answers.append((helper.result, len(parts)))
        return original(self, work, parts, phase)

    monkeypatch.setattr(fan_out.JobCrew, "_done", helped)

    run_match()

    assert outcome() == learnt
    assert [(result["parts"], count) for result, count in answers] == [(answers[0][1],) * 2]


def test_parts_that_went_by_another_model_are_done_again(learnt, monkeypatch):
    row = begin(monkeypatch)
    fan_out._lay_out(row, "pairs", 1)
    MatchPart.objects.filter(run=row).update(state="done", content=b"by another model")
    fingerprint = row.plan["fingerprint"]
    state = row.model
    state["shares"] = list(reversed(state["shares"]))
    monkeypatch.setattr(runs, "_learnt_before", with_model(runs._learnt_before, state))

    again = begin(monkeypatch)

    assert again.plan["fingerprint"] != fingerprint
    assert not MatchPart.objects.filter(run=row, state="done").exists()


def with_model(original: Any, state: Any) -> Any:
    """Return what gives what was learnt, with another model."""
    model = ScoreModel.from_state(state)
    return lambda *arguments: replace(original(*arguments), model=model)


def test_a_search_never_goes_back_to_what_it_did_before(company, settings):
    settings.MATCH_PAIRS_PER_PART = 131_072
    told: list[str] = []

    def show(_done: int, _total: int | None, phase: str) -> None:
        if told[-1:] != [phase]:
            told.append(phase)

    jobs.run_now(runs.prepare_run(by=None), on_progress=show)

    assert told == sorted(set(told), key=list(PHASES).index)
    assert {"compare", "score", "links"} <= set(told)


@pytest.mark.parametrize("phase", ["count", "pairs"])
def test_a_search_killed_among_its_parts_goes_on_with_those_that_are_left(
    expected, phase, monkeypatch
):
    job = runs.start_run(by=None)
    original, given = fan_out._give, []

    def killed(row: MatchRun, work: Any, part: Any, present: str) -> bytes:
        if present == phase and [one for one, _ in given].count(phase) == 2:
            raise Killed
        given.append((present, part))
        return original(row, work, part, present)

    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "_give", killed)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED, lease_until=None)
    before = len(given)

    def noted(row: MatchRun, work: Any, part: Any, present: str) -> bytes:
        given.append((present, part))
        return original(row, work, part, present)

    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "_give", noted)
        jobs.execute(str(job.pk))

    assert outcome() == expected
    assert all(one not in given[:before] for one in given[before:])


def test_a_part_of_a_worker_that_died_is_done_by_another_and_a_late_one_is_refused(
    expected, monkeypatch
):
    original = fan_out.JobCrew._done
    late = []

    def after_a_death(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        claimed = fan_out._claim(self.row, phase)
        assert claimed is not None
        MatchPart.objects.filter(pk=claimed.pk).update(lease_until=now() - timedelta(seconds=1))
        late.append(claimed)
        yield from original(self, work, parts, phase)
        assert not fan_out._keep(claimed, b"late")

    monkeypatch.setattr(fan_out.JobCrew, "_done", after_a_death)

    run_match()

    assert len(late) == 2
    assert outcome() == expected


def test_a_helper_does_parts_and_one_that_comes_late_does_nothing(expected, monkeypatch):
    original = fan_out.JobCrew._done
    answers = []

    class Enough(Exception):
        """The helper found nothing more to do for now."""

    def nothing_left(_seconds: float) -> None:
        raise Enough

    def helped(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        helper = Job.objects.filter(kind=fan_out.KIND, state=Job.State.QUEUED).first()
        assert helper is not None
        with monkeypatch.context() as patched:
            patched.setattr(fan_out.time, "sleep", nothing_left)
            jobs.execute(str(helper.pk))
        answers.append(MatchPart.objects.filter(run=self.row, phase=phase, state="done").count())
        return original(self, work, parts, phase)

    monkeypatch.setattr(fan_out.JobCrew, "_done", helped)
    run_match()

    assert outcome() == expected
    assert min(answers) > 5
    helpers = Job.objects.filter(kind=fan_out.KIND)
    assert not helpers.filter(state__in=Job.LIVE_STATES).exists()
    row = MatchRun.objects.latest("pk")
    late = jobs.run_now(jobs.create(fan_out.KIND, {"run": row.pk}, by=None))
    assert late.result == {"parts": 0}


def test_a_search_that_is_cancelled_among_its_parts_stops(expected, monkeypatch):
    job = runs.start_run(by=None)
    original = fan_out._give

    def cancelled(*arguments: Any) -> bytes:
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        return original(*arguments)

    monkeypatch.setattr(fan_out, "_give", cancelled)
    monkeypatch.setattr(jobs, "_PROGRESS_SECONDS", 0)
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert not PairEvidence.objects.exists()
    assert not MatchPart.objects.exists()
    assert MatchRun.objects.get(job=job).plan == {}
    assert not Job.objects.filter(kind=fan_out.KIND, state=Job.State.QUEUED).exists()


def test_every_part_goes_through_recordlinkage(expected, monkeypatch):
    used = calls_of_the_toolkit(monkeypatch)

    run_match()

    assert used.count(("LatentClassClassifier", "fit")) == 1
    assert used.count(("KeyIndex", "index")) > 10


def begin(monkeypatch) -> MatchRun:
    """Start the search, or start it again, and kill it at its next part."""

    def killed(*_arguments: Any) -> bytes:
        raise Killed

    job = runs.start_run(by=None)
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    with monkeypatch.context() as patched:
        patched.setattr(fan_out, "_give", killed)
        with pytest.raises(Killed):
            jobs.execute(str(job.pk))
    return MatchRun.objects.get(job=job)


def test_a_helper_leaves_its_place_to_a_search_that_waits_for_a_worker(company, monkeypatch):
    row = begin(monkeypatch)
    Job.objects.filter(pk=row.job_id).update(state=Job.State.QUEUED)

    helper = jobs.run_now(Job.objects.filter(kind=fan_out.KIND).earliest("created_at"))

    assert helper.result == {"parts": 0}
    assert fan_out._open(row).exists()


def test_a_search_that_starts_again_asks_for_no_helper_twice(company, monkeypatch):
    begin(monkeypatch)
    helpers = Job.objects.filter(kind=fan_out.KIND).count()

    begin(monkeypatch)

    assert 0 < Job.objects.filter(kind=fan_out.KIND).count() == helpers


@pytest.mark.parametrize("changed", ["records", "parts"])
def test_a_helper_takes_no_part_of_a_plan_that_it_has_not_built(
    company, changed, monkeypatch, settings
):
    row = begin(monkeypatch)
    built = build(row)
    assert fan_out._is_under_way(row)

    if changed == "records":
        make_records([anne("shop"), anne("crm")])
    else:
        settings.MATCH_PAIRS_PER_PART *= 2
    begin(monkeypatch)

    assert fan_out._open(row).exists()
    assert not fan_out._is_under_way(row)
    assert not fan_out._do_one(row, *built, "count")


def test_a_helper_that_built_before_the_search_had_learnt_gives_the_wanted_pairs(
    expected, monkeypatch
):
    row = begin(monkeypatch)
    built: tuple[Any, Any] = build(row)
    original, done = fan_out.JobCrew._done, []

    def helped(self: fan_out.JobCrew, work: Any, parts: Any, phase: str) -> Any:
        done.append(fan_out._do_one(row, *built, phase))
        return original(self, work, parts, phase)

    monkeypatch.setattr(fan_out.JobCrew, "_done", helped)
    jobs.run_now(row.job)

    assert done == [True, True]
    assert outcome() == expected


def test_a_search_of_far_too_many_pairs_is_refused_before_anything_is_laid_out(
    company, monkeypatch
):
    allowed = replace(searching.settings_of(Parameters()), most_pairs=10)
    monkeypatch.setattr(searching, "settings_of", lambda _parameters: allowed)

    with translation.override("en"), pytest.raises(jobs.JobFailed, match="more than one run may"):
        run_match()

    assert MatchRun.objects.latest("pk").plan == {}
    assert not MatchPart.objects.exists()
    assert not Job.objects.filter(kind=fan_out.KIND).exists()
