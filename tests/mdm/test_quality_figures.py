"""What each source has and what is doubtful in it: counted, kept honest, and never guessed."""

from collections import Counter
from datetime import date

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from mdm import jobs
from mdm.identity import refresh
from mdm.models import ATTRIBUTES, LoadBatch, SourceQuality, SourceRecord, SourceSystem
from mdm.quality_figures import count, outdate, recount, sources_due
from mdm.standardise.issues import is_doubtful
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import load, row

pytestmark = pytest.mark.django_db


def quality(source: str = "crm") -> SourceQuality:
    return SourceQuality.objects.get(source__code=source)


def test_a_load_ends_with_the_figures_of_its_source():
    load(row("C1", email="a@example.org"), row("C2", email="a@example.org"), row("C3"))

    figures = quality()

    assert figures.is_current
    assert figures.record_count == 3
    assert figures.attributes["email"] == [2, 1, 0]
    assert figures.attributes["family_name"] == [3, 1, 0]
    assert "organisation" not in figures.attributes


def test_what_is_doubtful_is_counted_by_attribute_and_by_issue():
    load(
        row("C1", email="not an address", tel="06 00 00 00 00"),
        row("C2", email="not an address"),
        row("C3", email="ok@example.org", tel="12"),
    )

    figures = quality()

    doubtful = {name: doubts for name, (_, _, doubts) in figures.attributes.items() if doubts}
    assert doubtful == {"email": 2, "phone": 2}
    assert figures.doubtful_count == 3
    assert figures.issues[0] == ["email", "invalid", 2]
    assert sum(records for _, _, records in figures.issues) == 4


def test_what_was_mended_is_no_doubt():
    record = make_record(postcode="01000", issues=[["postcode", "restored_zero"]])

    figures = count(record.source_id)

    assert figures.doubtful_count == 0
    assert figures.attributes["postcode"] == [1, 1, 0]
    assert figures.issues == [["postcode", "restored_zero", 1]]


def test_deleted_records_count_no_more():
    records = make_records([{"email": f"p{n}@example.org"} for n in range(3)])
    SourceRecord.objects.filter(pk=records[0].pk).update(status="deleted")

    assert count(records[0].source_id).record_count == 2


def test_one_source_says_nothing_about_another():
    make_record("crm", issues=[["email", "invalid"]])
    web = make_record("web")

    assert count(web.source_id).doubtful_count == 0


def test_a_change_leaves_the_figures_out_of_date_until_they_are_counted():
    record = make_record(email="a@example.org")
    recount(record.source_id)
    assert quality().is_current

    with transaction.atomic():
        refresh([record.customer_id], record_ids=[record.pk])

    assert not quality().is_current
    assert sources_due() == [record.source_id]
    assert not recount(record.source_id)
    assert quality().is_current


def test_what_changes_while_counting_leaves_the_figures_out_of_date():
    record = make_record(email="a@example.org")

    recount(record.source_id, on_progress=lambda done, total: outdate([record.pk]))

    assert not quality().is_current


def test_only_what_is_due_is_counted_again():
    load(row("C1", email="a@example.org"))
    counted_at = quality().counted_at
    job = jobs.create("count_quality", {}, by=None)

    jobs.run_now(job)

    assert job.result == {"sources": 0}
    assert quality().counted_at == counted_at


def test_a_load_keeps_how_many_of_its_rows_had_an_issue():
    first = load(row("C1", tel="12"), row("C2"))
    second = load(row("C1", tel="06 39 98 12 34", maj="03/03/2024"), row("C2"))

    assert (first.doubtful_count, second.doubtful_count) == (1, 0)
    assert LoadBatch.objects.get(pk=first.pk).doubtful_count == 1


@pytest.mark.django_db(transaction=True)
def test_questions_asked_two_at_a_time_are_answered_as_one_after_the_other():
    records = make_records(
        [
            {"email": f"p{n % 2}@example.org", "city": "Nantes", "issues": [["email", "invalid"]]}
            for n in range(3)
        ]
    )
    source_id, steps = records[0].source_id, []

    two_at_a_time = count(source_id, on_progress=lambda *step: steps.append(step))
    with transaction.atomic():
        one_by_one = count(source_id)

    assert two_at_a_time == one_by_one
    assert two_at_a_time.attributes == {"email": [3, 2, 3], "city": [3, 1, 0]}
    assert steps[-1] == (3, 3)


ISSUES = st.lists(
    st.tuples(
        st.sampled_from(["email", "phone", "full_name"]),
        st.sampled_from(["fake", "cedex", "never_heard_of"]),
    ),
    unique=True,
    max_size=4,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["crm", "web"]),
            "city": st.sampled_from(["", "Nantes", "Brest"]),
            "birth_date": st.sampled_from([None, date(1980, 1, 2)]),
            "status": st.sampled_from(["active", "active", "deleted"]),
            "issues": ISSUES.map(lambda found: [list(issue) for issue in found]),
        }
    ),
    min_size=1,
    max_size=8,
)


def doubtful(record: SourceRecord) -> set[str]:
    return {attribute for attribute, code in record.issues if is_doubtful(code)}


class CountingTest(TestCase):
    """The set-based count against the same count written out in Python."""

    @given(ROWS)
    @settings(deadline=None, max_examples=40)
    def test_the_count_is_what_one_would_count_by_hand(self, rows):
        make_records(rows)

        for source in SourceSystem.objects.all():
            records = SourceRecord.objects.filter(source=source, status="active")
            figures = count(source.pk)
            issues = Counter(tuple(issue) for record in records for issue in record.issues)
            doubts = Counter(name for record in records for name in doubtful(record))
            filled = {n: [getattr(r, n) for r in records if getattr(r, n)] for n in ATTRIBUTES}
            names = {n for n in ATTRIBUTES if filled[n]} | set(doubts)
            assert figures.record_count == len(records)
            assert figures.doubtful_count == sum(bool(doubtful(record)) for record in records)
            assert {(a, c): n for a, c, n in figures.issues} == issues
            assert figures.attributes == {
                n: [len(filled.get(n, [])), len(set(filled.get(n, []))), doubts[n]] for n in names
            }


def test_an_index_leads_from_an_issue_to_its_records():
    """A migration that makes the table anew on SQLite would lose it."""
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, "mdm_sourcerecord")

    assert there["source_record_issues"]["index"]
