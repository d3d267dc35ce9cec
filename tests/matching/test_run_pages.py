"""The pages of the search for duplicates by requests."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from matching.linkage.proposals import DEFAULT_RULES
from matching.models import MatchRun, PairEvidence, ReviewTask
from matching.run_charts import blocking
from matching.runs import start_run
from mdm import jobs
from mdm.models import Job
from tests.factories import UserFactory
from tests.matching.factories import make_company, open_task, run_match

pytestmark = pytest.mark.django_db

HOME = reverse("matching:home")
START = reverse("matching:start")


def client_of(role):
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(role=role))
    return client


@pytest.fixture
def page():
    return client_of("steward")


def test_without_records_the_page_asks_for_a_file(page):
    response = page.get(HOME)

    assert reverse("mdm:load-new") in response.content.decode()
    assert START not in response.content.decode()


def test_a_steward_starts_a_search_once_and_reads_what_it_found(page):
    make_company(30)

    assert page.post(START).url == HOME
    page.post(START)
    job = Job.objects.get(kind="match")
    waiting = page.get(HOME).content.decode()
    assert reverse("mdm:job-state", args=[job.pk]) in waiting
    jobs.run_now(job)
    run = MatchRun.objects.get()
    home = page.get(HOME).content.decode()
    shown = page.get(reverse("matching:run", args=[run.pk]))

    assert reverse("matching:run", args=[run.pk]) in home
    assert shown.status_code == 200
    assert shown.context["fields"]
    assert {stage.label for stage in shown.context["stages"]}.isdisjoint(run.timings)
    assert shown.context["histogram"].columns
    counted = shown.context["histogram"]
    assert counted.automatic_count + counted.review_count == run.counts["evidence"]


def test_a_simulation_changes_nothing_and_has_its_page(page):
    make_company(30)

    page.post(START, {"simulate": "yes"})
    jobs.run_now(Job.objects.get(kind="match"))

    run = MatchRun.objects.get()
    assert run.simulated
    shown = page.get(reverse("matching:run", args=[run.pk]))
    assert shown.status_code == 200
    assert shown.context["histogram"] is None


def forget_a_level(run):
    """Store the model as an engine whose phones had one level fewer would have."""
    rows = run.model["probabilities"]["phone"]
    run.model["probabilities"]["phone"] = [row[:-1] for row in rows]
    run.save()


def test_what_an_older_engine_learnt_is_told_as_gone_and_the_figures_stay(page):
    make_company(30)
    run_match()
    run = MatchRun.objects.get()
    forget_a_level(run)

    shown = page.get(reverse("matching:run", args=[run.pk]))

    assert "can no longer be shown" in shown.content.decode()
    assert shown.context["histogram"].columns


def test_a_pair_that_an_older_engine_scored_is_answered_and_the_next_search_learns_anew(page):
    make_company(30)
    run_match()
    forget_a_level(MatchRun.objects.get())
    ReviewTask.objects.all().delete()
    scored = PairEvidence.objects.latest("score")
    task = open_task(scored.left, scored.right)

    shown = page.get(reverse("matching:review", args=[task.pk]))
    jobs.run_now(start_run(by=None, scope="changed"))

    assert shown.context["desk"].weighing is None
    latest = MatchRun.objects.latest("pk")
    assert page.get(reverse("matching:run", args=[latest.pk])).context["fields"]


def test_a_failed_search_says_why(page):
    page.post(START)
    job = Job.objects.get(kind="match")
    with pytest.raises(jobs.JobFailed):
        jobs.run_now(job)

    response = page.get(HOME)

    job.refresh_from_db()
    assert job.error
    assert response.context["failed_job"] == job


def test_the_list_of_runs_costs_the_same_with_one_run_and_with_many(page):
    make_company(30)
    run_match()
    page.get(HOME)

    with CaptureQueriesContext(connection) as once:
        page.get(HOME)
    rule_set = MatchRun.objects.get().rule_set
    finished = MatchRun.objects.get().finished_at
    MatchRun.objects.bulk_create(
        [MatchRun(rule_set=rule_set, finished_at=finished) for _ in range(10)]
    )
    with CaptureQueriesContext(connection) as often:
        page.get(HOME)

    assert len(often) == len(once)


@pytest.mark.parametrize("role", ["marketer", "dpo", "administrator"])
def test_only_stewards_search_for_duplicates(role):
    make_company(30)
    run_match()
    client = client_of(role)
    run = MatchRun.objects.get()

    assert client.get(HOME).status_code == 403
    assert client.post(START).status_code == 403
    assert client.get(reverse("matching:run", args=[run.pk])).status_code == 403
    assert MatchRun.objects.count() == 1


def test_a_french_steward_reads_every_blocking_rule_in_french():
    rules = [{"rule": rule.name, "new_pairs": 1} for rule in DEFAULT_RULES]
    run = MatchRun(counts={"rules": rules})

    with override("fr"):
        words = [stage.label for stage in blocking(run)]

    english = {"family name", "given name", "street", "birth date", "town", "phone", "postcode"}
    assert [rule for rule in words if english & set(rule.split(" + ")) or "_" in rule] == []
