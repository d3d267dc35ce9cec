"""The quality of a golden record: a figure, six dimensions, and what to mend."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mdm.quality import DIMENSIONS, WEIGHTS, Evidence, Finding, assess, quality
from mdm.standardise.issues import ISSUES

TODAY = date(2026, 11, 24)
WHOLE = dict.fromkeys(WEIGHTS, "x")


def test_a_whole_record_without_doubt_has_full_marks_and_nothing_to_mend():
    found = assess(WHOLE, Evidence(last_change=TODAY), today=TODAY)

    assert quality(WHOLE) == 100
    assert found.dimensions == dict.fromkeys(DIMENSIONS, 100)
    assert found.findings == ()


def test_what_is_missing_costs_completeness_by_its_weight():
    found = assess({**WHOLE, "email": ""}, Evidence(), today=TODAY)

    assert found.dimensions["completeness"] == 80
    assert found.dimensions["validity"] == 100
    assert found.findings == (Finding("email", "missing", "completeness", "warning"),)


def test_an_issue_costs_the_dimension_it_touches_and_a_note_costs_nothing():
    evidence = Evidence(issues=[("email", "domain_typo"), ("postcode", "restored_zero")])

    found = assess(WHOLE, evidence, today=TODAY)

    assert (found.dimensions["plausibility"], found.dimensions["validity"]) == (80, 100)
    assert [(f.attribute, f.severity) for f in found.findings] == [
        ("email", "warning"),
        ("postcode", "note"),
    ]
    assert quality(WHOLE, {"email"}) == 90


def test_disputed_values_cost_consistency_and_shared_ones_uniqueness():
    evidence = Evidence(disputed=["birth_date"], shared={"phone": 7, "email": 1})

    found = assess(WHOLE, evidence, today=TODAY)

    assert found.dimensions["consistency"] == 85
    assert found.dimensions["uniqueness"] == 57
    assert {f.code for f in found.findings} == {"disputed", "shared"}


def test_freshness_falls_after_a_year_and_is_gone_after_five():
    ages = (0, 365, 3 * 365, 5 * 365, 20_000)

    marks = [
        assess(WHOLE, Evidence(last_change=TODAY - timedelta(age)), today=TODAY).dimensions[
            "freshness"
        ]
        for age in ages
    ]

    assert marks == [100, 100, 50, 0, 0]
    assert assess(WHOLE, Evidence(), today=TODAY).dimensions["freshness"] is None


@given(
    st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.sampled_from(["", "x"])),
    st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), st.sampled_from(sorted(ISSUES)))),
)
def test_another_doubt_never_makes_a_record_better(values, issues):
    before = assess(values, Evidence(issues=issues[1:]), today=TODAY).dimensions
    after = assess(values, Evidence(issues=issues), today=TODAY).dimensions

    assert all(
        figure is None or (0 <= figure <= (before[name] or 0)) for name, figure in after.items()
    )
