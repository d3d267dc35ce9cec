"""The doors of undoing a search: its pages, and the command."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from matching import former, runs
from matching.decisions import Verdict, decide
from matching.models import MatchRun, PairEvidence
from matching.undoing import start_undo
from mdm import jobs
from mdm.birth_ids import public_id
from mdm.models import CustomerEvent, Job
from tests.factories import UserFactory
from tests.matching.factories import customers_of, make_steward, run_match
from tests.matching.undoing import latest, undo
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def page():
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(role="steward", username="m.roux"))
    return client


def test_a_steward_reads_what_an_undo_would_change_says_why_and_has_it_done(company, page):
    run_match()
    row = latest()
    pair = PairEvidence.objects.filter(automatic=True).order_by("pk").first()
    assert pair is not None
    decide(pair.left_id, pair.right_id, Verdict.SAME, by=make_steward("c.moreau"))
    address = reverse("matching:run", args=[row.pk])
    assert reverse("matching:run-undo-ask", args=[row.pk]) in page.get(address).content.decode()

    asked = page.post(reverse("matching:run-undo-ask", args=[row.pk]))
    jobs.run_now(Job.objects.get(kind="preview_undo_match"))
    shown = page.get(asked.url)
    text = shown.content.decode()
    assert "c.moreau" in text
    assert "Same person" in text
    assert reverse("mdm:customer", args=[public_id(pair.left_id)]) in text
    assert len(shown.context["parts"]) == min(20, shown.context["found"]["parted"])
    page.post(reverse("matching:run-undo-now", args=[row.pk]), {"reason": " "})
    assert not Job.objects.filter(kind="undo_match").exists()
    page.post(reverse("matching:run-undo-now", args=[row.pk]), {"reason": "the wrong file"})
    assert "data-job-state" in page.get(address).content.decode()
    refused = page.post(reverse("matching:start"), follow=True)
    assert "being undone" in refused.content.decode()
    jobs.run_now(Job.objects.get(kind="undo_match"))

    done = page.get(address).content.decode()
    assert "the wrong file" in done
    assert "m.roux" in done
    assert "the wrong file" in page.get(reverse("matching:home")).content.decode()
    assert customers_of(pair.left, pair.right) == [pair.left_id] * 2
    acts = CustomerEvent.objects.filter(correlation=Job.objects.get(kind="undo_match").pk)
    assert acts.exists()


def test_a_preview_that_was_stopped_says_so_and_is_asked_for_again(company, page):
    run_match()
    ask = reverse("matching:run-undo-ask", args=[latest().pk])
    asked = page.post(ask)
    jobs.request_cancel(Job.objects.get(kind="preview_undo_match"))

    text = page.get(asked.url).content.decode()

    assert "stopped before it ended" in text
    assert ask in text
    assert page.post(ask).url != asked.url


def test_an_undoing_that_stopped_is_shown_until_it_is_done_again(company, page):
    run_match()
    row = latest()
    jobs.request_cancel(start_undo(row, by=None, reason="wrong"))

    home, shown = reverse("matching:home"), reverse("matching:run", args=[row.pk])
    assert "undoing stopped" in page.get(home).content.decode()
    assert "stopped half-way" in page.get(shown).content.decode()
    undo(row)
    assert "undoing stopped" not in page.get(home).content.decode()


def test_an_undo_is_refused_with_its_reason(company, page):
    run_match()
    first = latest()
    run_match(simulate=True)
    simulated = latest()
    run_match()
    second = latest()

    def told(row: MatchRun) -> str:
        response = page.post(reverse("matching:run-undo-ask", args=[row.pk]), follow=True)
        return response.content.decode()

    assert f"Search {second.pk} came after this one" in told(first)
    assert "A simulation changes nothing" in told(simulated)
    runs.start_run(by=None)
    assert "under way" in told(second)
    Job.objects.all().update(state="cancelled", idempotency_key=None)
    undo(second)
    assert "undone already" in told(second)
    MatchRun.objects.update(keeps_former=False)
    assert "no longer kept" in told(first)
    assert not Job.objects.filter(kind="preview_undo_match").exists()


@pytest.mark.parametrize("role", ["marketer", "dpo", "administrator"])
def test_only_who_may_search_may_undo(company, role):
    run_match()
    client = client_of(role)

    for name in ("run-undo-ask", "run-undo-now"):
        address = reverse(f"matching:{name}", args=[latest().pk])
        assert client.post(address, {"reason": "because"}).status_code == 403
    assert not Job.objects.filter(kind__contains="undo").exists()


def test_the_command_shows_and_undoes(company, capsys):
    run_match()
    number = latest().pk

    call_command("match", "--undo", str(number))
    assert "--yes" in capsys.readouterr().out
    assert PairEvidence.objects.exists()
    with pytest.raises(CommandError):
        call_command("match", "--undo", str(number), "--yes")
    call_command("match", "--undo", str(number), "--yes", "--reason", "wrong file", "--json")

    assert json.loads(capsys.readouterr().out)["parted"] > 0
    assert not PairEvidence.objects.exists()
    with pytest.raises(CommandError):
        call_command("match", "--undo", str(number))
    assert former.evidence_now()[0].count() == 0
