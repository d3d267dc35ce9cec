"""A search for duplicates links what is certain, asks about the rest, and survives a kill."""

import json
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils.timezone import now
from django.utils.translation import override

from matching import runs
from matching.decisions import Verdict, decide
from matching.models import MatchRun, PairEvidence, ReviewTask, RuleSet
from matching.rule_sets import Parameters
from matching.words import PHASES
from mdm import jobs
from mdm.models import Customer, Job, SourceRecord
from tests.matching.factories import (
    anne,
    customers_of,
    links,
    make_company,
    make_steward,
    run_match,
    use_a_rule_too_broad,
)
from tests.matching.interrupting import after, kill, outcome
from tests.matching.toolkit import calls_of_the_toolkit
from tests.mdm.factories import LoadBatchFactory, make_record, make_records
from tests.mdm.waiting_words import pages_of_words_that_wait

pytestmark = pytest.mark.django_db


def test_records_of_one_person_are_linked_and_the_oldest_names_the_customer():
    one, other, stranger = make_records(
        [
            anne(),
            anne("shop", given_name="Ane"),
            anne(
                "shop",
                given_name="Odile",
                family_name="Roux",
                birth_date="1950-02-01",
                email="",
                phone="",
                street="",
                city="Lyon",
                postcode="69001",
            ),
        ]
    )

    figures = run_match()

    assert customers_of(one, other, stranger) == [one.pk, one.pk, stranger.pk]
    other.refresh_from_db()
    assert other.link_rule == "auto"
    assert other.link_score == pytest.approx(PairEvidence.objects.get().score)
    assert figures["customers"] == 2


def test_a_couple_with_one_email_and_phone_is_left_to_a_steward_or_apart():
    one, other = make_records(
        [
            anne(email="famille@example.com"),
            anne("shop", given_name="Paul", birth_date="1982-01-20", email="famille@example.com"),
        ]
    )

    run_match()

    assert customers_of(one, other) == [one.pk, other.pk]
    assert not PairEvidence.objects.filter(automatic=True).exists()


def test_two_records_of_a_source_that_holds_a_person_once_become_a_conflict_to_review():
    one, other = make_records([anne(), anne()])
    source = one.source
    source.one_record_per_person = True
    source.save()

    run_match()

    assert customers_of(one, other) == [one.pk, other.pk]
    task = ReviewTask.objects.get()
    assert (task.kind, task.reason) == ("conflict", "same_source")


def test_a_second_run_changes_nothing():
    make_company()
    run_match()
    before = outcome()
    versions = list(Customer.objects.order_by("pk").values_list("version", flat=True))

    figures = run_match()

    assert outcome() == before
    assert figures["moved_records"] == 0
    assert list(Customer.objects.order_by("pk").values_list("version", flat=True)) == versions


def test_a_simulation_counts_and_writes_nothing():
    make_company()
    before = outcome()

    figures = run_match(simulate=True)

    assert outcome() == before
    assert figures["moved_records"] > 0
    assert MatchRun.objects.get().simulated
    assert run_match()["customers"] == figures["customers"]


def test_no_page_has_to_read_words_that_a_search_left_waiting():
    make_company(40)

    assert run_match()["moved_records"] > 0

    assert pages_of_words_that_wait() == 0


@pytest.mark.parametrize("chunks", [1, 2, 3, 5, 8])
def test_a_run_killed_between_chunks_ends_like_one_that_was_not(chunks, monkeypatch):
    monkeypatch.setattr("matching.evidence.PAIRS_PER_CHUNK", 10)
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 8)
    monkeypatch.setattr("matching.derivation.RECORDS_PER_CHUNK", 50)
    make_company(40)
    job = runs.start_run(by=None)

    kill(job, monkeypatch, at=after(chunks))
    jobs.execute(str(job.pk))

    job.refresh_from_db()
    resumed, figures = outcome(), job.result
    assert job.state == Job.State.DONE
    assert job.attempt == 2
    assert MatchRun.objects.count() == 1
    SourceRecord.objects.update(customer_id=F("pk"), link_rule="birth", link_score=None)
    Customer.objects.update(status="active", merged_into=None)
    PairEvidence.objects.all().delete()
    ReviewTask.objects.all().delete()
    uninterrupted = run_match()
    assert outcome() == resumed
    assert uninterrupted["evidence"] == (figures or {})["evidence"]


def test_the_partition_does_not_depend_on_the_size_of_a_chunk(monkeypatch):
    make_company(40)
    monkeypatch.setattr("matching.evidence.PAIRS_PER_CHUNK", 3)
    monkeypatch.setattr("matching.relinking.RECORDS_PER_CHUNK", 2)
    monkeypatch.setattr("matching.derivation.RECORDS_PER_CHUNK", 5)
    run_match()
    small = outcome()
    monkeypatch.undo()

    run_match()

    assert outcome() == small


def test_evidence_of_a_record_that_is_gone_disappears():
    one, other, _third = make_records([anne(), anne("shop"), anne("web", given_name="Odile")])
    run_match()
    SourceRecord.objects.filter(pk=other.pk).update(status="deleted")

    run_match()

    assert not PairEvidence.objects.filter(right=other).exists()
    assert customers_of(one, other) == [one.pk, other.pk]


def test_changed_records_are_matched_with_what_the_last_run_learnt():
    make_company(40)
    run_match()
    before = outcome()
    MatchRun.objects.update(started_at=now() - timedelta(minutes=5))
    twin = SourceRecord.objects.get(pk=min(links()))
    new = make_record(
        "shop",
        given_name=twin.given_name,
        family_name=twin.family_name,
        birth_date=twin.birth_date,
        email=twin.email,
    )
    batch = LoadBatchFactory(source=new.source, finished_at=now())
    SourceRecord.objects.filter(pk=new.pk).update(batch=batch)
    SourceRecord.objects.exclude(pk=new.pk).update(
        batch=LoadBatchFactory(finished_at=now() - timedelta(days=1))
    )

    figures = run_match(scope="changed")

    assert customers_of(new) == customers_of(twin)
    assert set(before["evidence"]) <= set(outcome()["evidence"])
    assert figures["candidate_pairs"] < 200


def test_a_run_never_touches_a_decision():
    one, other = make_records([anne(), anne("shop")])
    decide(one.pk, other.pk, Verdict.DIFFERENT, by=make_steward())

    run_match()

    assert customers_of(one, other) == [one.pk, other.pk]
    assert not ReviewTask.objects.filter(state="open").exists()


def test_one_search_at_a_time_waits():
    make_records([anne(), anne("shop")])

    assert runs.start_run(by=None) == runs.start_run(by=None)


def test_a_match_with_no_records_says_so():
    with pytest.raises(CommandError, match=r"load a file|charge"):
        call_command("match")
    with pytest.raises(jobs.JobFailed):
        run_match()


def test_records_with_nothing_in_common_say_so():
    make_record(given_name="", family_name="", email="a@example.com")

    with pytest.raises(jobs.JobFailed):
        run_match()


def test_an_unknown_parameter_of_the_rule_set_is_named():
    make_records([anne(), anne("shop")])
    RuleSet.objects.create(version=7, status="active", parameters={"tolerance": 1})

    with pytest.raises(ValueError, match="tolerance"):
        Parameters.read({"tolerance": 1})
    with pytest.raises(jobs.JobFailed):
        run_match()


def test_match_prints_one_json_object(capsys):
    make_records([anne(), anne("shop")])

    call_command("match", "--json")

    printed = capsys.readouterr().out
    assert json.loads(printed)["records"] == 2
    assert printed.count("\n") == 1


@override("en")
def test_match_tells_where_the_time_went_and_which_rules_were_too_broad(capsys):
    make_company(30)
    use_a_rule_too_broad()

    call_command("match")

    printed = capsys.readouterr().out
    run = MatchRun.objects.get()
    assert "Left out, with more pairs than the budget allows: family name.\n" in printed
    assert {"evidence", "links", "tasks"} <= set(run.timings)
    told = re.search(r"Time: (.*)\.", printed)
    assert told
    shares = [int(share) for share in re.findall(r"(\d+) %", told[1])]
    assert 50 <= sum(shares) <= 100 + len(shares) / 2
    stages = [str(words) for words in PHASES.values() if str(words) in told[1]]
    assert re.findall(r"(?:^|, )(\D*?) \d+ %", told[1]) == stages


def test_match_can_be_left_to_a_worker(capsys, django_capture_on_commit_callbacks):
    make_records([anne(), anne("shop")])

    call_command("match", "--queue", "--json")

    assert json.loads(capsys.readouterr().out)["state"] == "queued"


def test_evaluate_compares_the_links_with_the_truth(tmp_path, capsys):
    one, other, third = make_records(
        [
            anne(),
            anne("shop"),
            anne(
                "shop",
                given_name="Odile",
                family_name="Roux",
                birth_date="1950-02-01",
                email="o@example.com",
                phone="",
                street="",
                city="Lyon",
                postcode="69001",
            ),
        ]
    )
    truth = tmp_path / "truth.csv"
    rows = [
        f"{r.source.code},{r.source_key},{entity}"
        for r, entity in ((one, 1), (other, 1), (third, 2))
    ]
    truth.write_text("source,source_key,entity\n" + "\n".join([*rows, "crm,nobody,3"]))
    run_match()

    call_command("evaluate", "--truth", str(truth), "--json")

    figures = json.loads(capsys.readouterr().out)
    assert figures["pairwise"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (figures["records"], figures["true_pairs"], figures["unknown_rows"]) == (3, 1, 1)
    assert figures["blocking_recall"] == 1.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"source,key\ncrm,1\n", "source_key"),
        (b"source,source_key,entity\ncrm,nobody,1\n", "record|fiche"),
        (b"\xff\xfe\x00", "UTF-8"),
        (None, "truth.csv"),
    ],
)
def test_a_truth_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, words):
    truth = tmp_path / "truth.csv"
    if content is not None:
        truth.write_bytes(content)

    with pytest.raises(CommandError, match=words) as refusal:
        call_command("evaluate", "--truth", str(truth))

    assert "\n" not in str(refusal.value)


def test_crossref_lists_the_customer_of_every_live_record(tmp_path, capsys):
    one, other, gone = make_records([anne(), anne("shop"), anne("shop", email="x@example.com")])
    SourceRecord.objects.filter(pk=gone.pk).update(status="deleted")
    run_match()

    call_command("crossref", "--out", str(tmp_path / "x.csv"), "--json")

    lines = (tmp_path / "x.csv").read_text().splitlines()
    customer = Customer.objects.get(pk=one.pk).public_id
    assert lines == [
        "source,source_key,customer_id",
        f"crm,{one.source_key},{customer}",
        f"shop,{other.source_key},{customer}",
    ]
    assert json.loads(capsys.readouterr().out)["rows"] == 2


def test_a_search_indexes_and_classifies_through_recordlinkage(monkeypatch):
    make_company(30)
    used = calls_of_the_toolkit(monkeypatch)

    run_match()

    assert used == [("KeyIndex", "index"), ("LatentClassClassifier", "fit")]
