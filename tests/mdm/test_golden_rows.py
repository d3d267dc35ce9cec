"""Golden rows: what is written is what the pure rule says, letter by letter as it comes back."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from mdm import golden_records
from mdm.golden_facts import members_of
from mdm.golden_rows import lineage_text, outline_of
from mdm.key_sets import among
from mdm.models import ATTRIBUTES, GoldenRecord, SourceRecord
from mdm.quality import quality
from mdm.survivorship import GROUPS, Candidate, survive
from tests.mdm.factories import make_record, make_records

keys = st.none() | st.integers(1, 10**12)
lineages = st.dictionaries(
    st.sampled_from(sorted(GROUPS)),
    st.tuples(keys, keys, st.sampled_from(["only", "agreed", "pin", "trust"])).map(list),
)


@given(lineages)
def test_a_lineage_is_written_without_loss(lineage):
    assert json.loads(lineage_text(lineage)) == lineage


@given(
    st.tuples(*[st.sampled_from(["", "Ève  B", "b"])] * len(ATTRIBUTES)),
    st.sets(st.sampled_from(ATTRIBUTES)),
)
def test_a_lone_record_comes_to_what_the_general_rule_says(values, faulty):
    survivors = survive([Candidate(0, 0, 0, 0.0, frozenset(), values)])

    born = outline_of("Clé 7", faulty, values)

    assert (born.values, born.groups) == (survivors.row, tuple(survivors.lineage))
    assert born.quality == quality(survivors.values, faulty)
    assert born.words.endswith("cle 7")
    assert set(born.words.removesuffix("cle 7").split()) <= {"eve", "b"}


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_lineage_comes_back_letter_by_letter():
    text = lineage_text({group: [number, None, "only"] for number, group in enumerate(GROUPS)})

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [str(text)])
        assert cursor.fetchone() == (text,)


@pytest.mark.django_db
def test_a_lineage_written_in_another_way_is_no_difference(capsys):
    golden = GoldenRecord.objects.get(customer=make_record(given_name="Anne", city="Nantes").pk)
    golden.lineage = dict(reversed(golden.lineage.items()))
    golden.save()

    call_command("rebuild", "--check", "--json")

    assert json.loads(capsys.readouterr().out)["golden_records"] == 0


@pytest.mark.django_db
def test_what_is_stored_of_many_customers_is_what_the_pure_rule_says():
    rows = [
        {"source": source, "trust": trust, "given_name": name, "city": city, "issues": issues}
        for name, city in (("Anne", "Nantes"), ("Ève", ""), ("", "Brest"))
        for source, trust in (("crm", 90), ("web", 20))
        for issues in ([], [["given_name", "digits"]])
    ]
    records = make_records(rows)
    halves = [records[place : place + 4] for place in (0, 4, 8)]
    for first, *others in halves:
        SourceRecord.objects.filter(pk__in=[r.pk for r in others]).update(customer=first.pk)
    everybody = range(records[0].pk, records[-1].pk + 1)

    golden_records.consolidate(everybody)

    for first, *_others in halves:
        members = members_of(among("customer", [first.pk]))[first.pk]
        survivors = survive([member.candidate for member in members])
        golden = GoldenRecord.objects.get(pk=first.pk)
        assert tuple(getattr(golden, name) for name in ATTRIBUTES) == survivors.row
        assert golden.lineage == survivors.lineage
        assert golden.record_count == len(members) == 4
    assert golden_records.differences(everybody).count == 0
