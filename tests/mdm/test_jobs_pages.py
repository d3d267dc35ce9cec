"""The pages of background work."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from mdm import jobs
from mdm.job_words import speed
from mdm.models import Job, LoadBatch
from tests.factories import UserFactory
from tests.mdm.factories import JobFactory
from tests.mdm.loading.files import load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def running(**values) -> Job:
    return JobFactory(
        kind="load",
        state=Job.State.RUNNING,
        **{
            "started_at": now(),
            "phase": "loading",
            "done_count": 2500,
            "total_count": 10_000,
            **values,
        },
    )


def state_of(job: Job, client: Client) -> dict:
    return client.get(reverse("mdm:job-state", args=[job.pk])).json()


def test_a_running_job_tells_where_it_is():
    state = state_of(running(), client_of("steward"))

    assert state["percent"] == 25
    assert state["phase_label"] == "Loads the rows"
    assert state["figures"] == "2,500 / 10,000"


def test_the_time_left_follows_the_pace_of_the_present_phase():
    start = now()
    job = running(done_count=100, total_count=1000)
    assert speed(job, at=start) == (None, None)

    job.done_count = 400
    assert speed(job, at=start + timedelta(seconds=1)) == (None, None)
    assert speed(job, at=start + timedelta(seconds=10)) == (30.0, 20.0)

    job.phase, job.done_count = "deleting", 5
    assert speed(job, at=start + timedelta(seconds=11)) == (None, None)


def test_the_list_says_which_file_and_which_search_a_job_is_about():
    batch = load(row("C1"))
    LoadBatch.objects.update(new_count=12345)
    search = JobFactory(
        kind="match", state=Job.State.CANCELLED, parameters={"scope": "changed", "simulate": False}
    )
    steward = client_of("steward")

    listed = steward.get(reverse("mdm:jobs")).text

    assert "crm.csv · CRM" in listed
    assert "only what changed" in listed
    assert "Search again" in steward.get(reverse("mdm:job", args=[search.pk])).text
    done = steward.get(reverse("mdm:job", args=[batch.job.pk])).text
    assert "crm.csv · CRM" in done
    assert "Search again" not in done
    assert "12,345" in steward.get(reverse("admin:mdm_loadbatch_changelist")).text


def test_figures_follow_the_reader():
    state = state_of(running(), client_of("steward", language="fr"))

    assert state["figures"] == "2\xa0500 / 10\xa0000"


@pytest.mark.parametrize(("done", "total"), [(0, None), (0, 0), (0, 100), (7, None)])
def test_no_time_left_is_invented(done, total):
    state = state_of(running(done_count=done, total_count=total), client_of("steward"))

    assert state["seconds_left"] is None
    assert state["left_label"] == ""


def test_a_waiting_job_says_so():
    state = state_of(JobFactory(kind="load"), client_of("steward"))

    assert (state["state"], state["phase_label"]) == ("queued", "Waits for a worker")


def test_a_kind_nobody_described_has_a_page_all_the_same():
    job = JobFactory(kind="odd-work", state=Job.State.DONE, finished_at=now())

    assert "odd-work" in client_of("steward").get(reverse("mdm:job", args=[job.pk])).text


def test_a_failed_job_says_why():
    job = JobFactory(
        kind="load", state=Job.State.FAILED, error="The file is empty.", finished_at=now()
    )
    client = client_of("steward")

    assert "The file is empty." in client.get(reverse("mdm:job", args=[job.pk])).text
    assert "The file is empty." in client.get(reverse("mdm:jobs")).text


def test_a_done_load_shows_its_figures_and_leads_to_the_file():
    job = JobFactory(
        kind="load",
        state=Job.State.DONE,
        parameters={"batch": 12},
        result={"batch": 12, "new": 1200, "rejected": 3, "issues": {}},
        finished_at=now(),
    )

    page = client_of("steward").get(reverse("mdm:job", args=[job.pk])).text

    assert "New records" in page
    assert "1,200" in page
    assert reverse("mdm:batch", args=[12]) in page


def test_a_waiting_job_is_cancelled_at_once():
    job = JobFactory(kind="load")

    client_of("steward").post(reverse("mdm:job-cancel", args=[job.pk]))

    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_a_running_job_is_asked_to_stop():
    job = running()

    answer = client_of("administrator").post(reverse("mdm:job-cancel", args=[job.pk]), follow=True)

    job.refresh_from_db()
    assert job.cancel_requested
    assert "stops at its next step" in answer.text


def test_a_job_that_ended_cannot_be_cancelled():
    job = JobFactory(kind="load", state=Job.State.DONE, finished_at=now())

    answer = client_of("steward").post(reverse("mdm:job-cancel", args=[job.pk]), follow=True)

    assert "This job has already ended." in answer.text


def test_asking_to_stop_is_never_a_plain_link():
    job = running()

    assert client_of("steward").get(reverse("mdm:job-cancel", args=[job.pk])).status_code == 405


def test_the_dpo_reads_jobs_but_stops_none():
    job = running()
    client = client_of("dpo")

    assert client.get(reverse("mdm:job", args=[job.pk])).status_code == 200
    assert client.post(reverse("mdm:job-cancel", args=[job.pk])).status_code == 403


def test_the_marketer_sees_only_the_state_of_her_own_job():
    marketer = UserFactory(role="marketer")
    own, other = running(requested_by=marketer), running()
    client = Client()
    client.force_login(marketer)

    assert client.get(reverse("mdm:jobs")).status_code == 403
    assert client.get(reverse("mdm:job-state", args=[own.pk])).status_code == 200
    assert client.get(reverse("mdm:job-state", args=[other.pk])).status_code == 403


def test_the_list_costs_the_same_for_one_job_and_for_thirty(django_assert_num_queries):
    steward = UserFactory(role="steward")
    client = Client()
    client.force_login(steward)
    JobFactory(kind="load", state=Job.State.DONE, requested_by=steward, finished_at=now())
    client.get(reverse("mdm:jobs"))
    with django_assert_num_queries(7):
        client.get(reverse("mdm:jobs"))
    for _ in range(30):
        JobFactory(kind="load", state=Job.State.DONE, requested_by=steward, finished_at=now())

    with django_assert_num_queries(7):
        client.get(reverse("mdm:jobs"))


def test_endings_can_be_filtered():
    done = JobFactory(kind="load", state=Job.State.DONE, finished_at=now())
    failed = JobFactory(kind="load", state=Job.State.FAILED, finished_at=now())

    page = client_of("steward").get(reverse("mdm:jobs"), {"state": "failed"}).text

    assert reverse("mdm:job", args=[failed.pk]) in page
    assert reverse("mdm:job", args=[done.pk]) not in page


def failed(**values) -> Job:
    return JobFactory(
        kind="count_quality",
        state=Job.State.FAILED,
        error="The disk is full.",
        attempt=2,
        started_at=now(),
        finished_at=now(),
        **values,
    )


def test_a_failed_job_is_tried_again_from_its_page():
    job = failed()
    client = client_of("steward")
    retry = reverse("mdm:job-retry", args=[job.pk])
    assert retry in client.get(reverse("mdm:job", args=[job.pk])).text

    answer = client.post(retry, follow=True)

    job.refresh_from_db()
    assert (job.state, job.error, job.finished_at) == (Job.State.QUEUED, "", None)
    assert "goes on where it stopped" in answer.text
    jobs.execute(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.DONE, 3)


def test_only_one_job_of_a_kind_is_brought_back_at_a_time():
    first, second = failed(), failed()
    client = client_of("administrator")
    client.post(reverse("mdm:job-retry", args=[first.pk]))

    answer = client.post(reverse("mdm:job-retry", args=[second.pk]), follow=True)

    second.refresh_from_db()
    assert second.state == Job.State.FAILED
    assert "A job of this kind is under way" in answer.text
    again = jobs.submit("count_quality", {}, by=None, idempotency_key="count_quality")
    assert again == first


@pytest.mark.parametrize("state", [Job.State.DONE, Job.State.RUNNING, Job.State.CANCELLED])
def test_what_did_not_fail_is_not_tried_again(state):
    job = JobFactory(kind="count_quality", state=state)
    client = client_of("steward")
    retry = reverse("mdm:job-retry", args=[job.pk])

    answer = client.post(retry, follow=True)

    job.refresh_from_db()
    assert job.state == state
    assert "Only a job that failed can be tried again." in answer.text
    assert retry not in answer.text


def test_a_load_whose_file_was_refused_offers_no_second_try():
    load(*[row(f"C{n}") for n in range(40)])
    with pytest.raises(jobs.JobFailed):
        load(row("C1"), mode="full")
    job = Job.objects.get(kind="load", state=Job.State.FAILED)

    page = client_of("steward").get(reverse("mdm:job", args=[job.pk])).text

    assert reverse("mdm:job-retry", args=[job.pk]) not in page


@pytest.mark.parametrize("role", ["dpo", "marketer"])
def test_who_may_not_stop_jobs_may_not_start_them_again(role):
    job = failed()

    assert client_of(role).post(reverse("mdm:job-retry", args=[job.pk])).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_trying_again_is_never_a_plain_link():
    assert (
        client_of("steward").get(reverse("mdm:job-retry", args=[failed().pk])).status_code == 405
    )


def test_who_asked_stands_under_the_full_name_on_every_page_of_jobs():
    by = UserFactory(username="zq-login", first_name="Anne", last_name="Brun")
    job = JobFactory(kind="load", state=Job.State.DONE, finished_at=now(), requested_by=by)
    client = client_of("steward")

    for address in (reverse("mdm:jobs"), reverse("mdm:job", args=[job.pk])):
        page = client.get(address).text
        assert "Anne Brun" in page
        assert "zq-login" not in page
