"""What is not joined by a rule waits for a steward: one task, which names the rule."""

import pytest
from django.urls import reverse

from matching.decisions import Verdict, decide
from matching.models import ReviewTask
from mdm.birth_ids import display, public_id
from mdm.models import SourceSystem
from tests.matching.factories import make_evidence, make_steward, settled
from tests.mdm.factories import SourceSystemFactory, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def open_tasks() -> list[tuple[int, int, str, int | None]]:
    tasks = ReviewTask.objects.filter(state="open").order_by("pk")
    return list(tasks.values_list("left", "right", "reason", "rival"))


def test_two_records_of_a_source_declared_unique_wait_for_a_steward():
    SourceSystemFactory.create(code="erp", one_record_per_person=True)
    one, other = make_records([{"source": "erp"}, {"source": "erp"}])
    make_evidence(one, other)

    assert settled(one, other) == [one.pk, other.pk]
    assert open_tasks() == [(one.pk, other.pk, "same_source", None)]


def test_a_source_is_declared_unique_on_its_page():
    source = SourceSystemFactory.create(code="erp")
    client = client_of("steward")
    page = reverse("admin:mdm_sourcesystem_change", args=[source.pk])
    form = {"label": "ERP", "trust": 50, "region": "FR", "file_mode": "delta", "owner": ""}
    inline = {"mappings-TOTAL_FORMS": 0, "mappings-INITIAL_FORMS": 0}

    answer = client.post(page, {**form, **inline, "one_record_per_person": "on"})

    assert answer.status_code == 302
    assert SourceSystem.objects.get().one_record_per_person


def test_two_numbers_of_one_person_only_wait_for_a_steward():
    one, other = make_records([{"identifier": "1234567"}, {"identifier": "7654321"}])
    make_evidence(one, other)

    assert settled(one, other) == [one.pk, other.pk]
    assert open_tasks() == [(one.pk, other.pk, "exclusive_identifier", None)]


def test_two_confirmed_customers_are_joined_by_a_person_only():
    records = make_records([{} for _ in range(4)])
    steward = make_steward()
    for one, other in (records[:2], records[2:]):
        decide(one.pk, other.pk, Verdict.SAME, by=steward)
    make_evidence(records[0], records[2])
    make_evidence(records[1], records[3])

    assert settled(*records) == [records[0].pk] * 2 + [records[2].pk] * 2
    assert open_tasks() == [(records[0].pk, records[2].pk, "both_confirmed", None)]

    decide(records[0].pk, records[2].pk, Verdict.SAME, by=steward)
    assert settled(*records) == [records[0].pk] * 4
    assert open_tasks() == []


@pytest.fixture
def between_two():
    """A record that fits two customers whom a steward knows to be different."""
    one, other, middle = make_records([{"family_name": name} for name in ("Roux", "Petit", "X")])
    decide(one.pk, other.pk, Verdict.DIFFERENT, by=make_steward())
    make_evidence(one, middle, 5.0)
    make_evidence(other, middle, 9.0)
    return one, other, middle


def test_what_fits_two_joins_neither_and_is_one_task_that_names_both(between_two):
    one, other, middle = between_two

    assert settled(middle) == [middle.pk]
    assert open_tasks() == [(other.pk, middle.pk, "ambiguous", one.pk)]


def test_the_review_page_shows_the_other_customer_that_fits(between_two):
    one, _other, middle = between_two
    settled(middle)

    page = client_of("steward").get(reverse("matching:review")).text

    assert display(public_id(one.pk)) in page
    assert "It also fits:" in page


def test_one_answer_settles_what_fitted_two(between_two):
    one, other, middle = between_two
    settled(middle)

    decide(other.pk, middle.pk, Verdict.DIFFERENT, by=make_steward())

    assert settled(one, middle) == [one.pk, one.pk]
    assert open_tasks() == []
