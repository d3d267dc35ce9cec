import pytest
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from campaigns.audience import people
from campaigns.waterfall import WORDS, from_counts, measure
from consent.rules import RULES, Kind
from tests.campaigns.factories import active_person, consenting, make_campaign
from tests.consent.factories import record_event
from tests.mdm.factories import make_record


def test_every_rule_of_the_gate_has_words_for_many_people():
    assert set(WORDS) >= set(RULES)


@given(st.dictionaries(st.sampled_from(list(RULES)), st.integers(1, 10**6)))
def test_the_steps_add_up_to_the_segment(counts):
    waterfall = from_counts(counts, now())

    assert waterfall.start == sum(counts.values())
    assert waterfall.allowed == sum(count for _rule, count in waterfall.allowed_by)
    remaining = [step.remaining for step in waterfall.exclusions]
    assert remaining == sorted(remaining, reverse=True)
    assert not remaining or remaining[-1] == waterfall.allowed
    assert all(RULES[step.rule].kind != Kind.ALLOW for step in waterfall.exclusions)


def test_everybody_is_counted_once_under_the_rule_that_decides(marketer):
    consenting("Allowed")
    record_event(consenting("Gone"), "withdrawn")
    record_event(consenting("Objected"), "objection")
    active_person("Silent")
    make_record(family_name="Without address")

    waterfall = measure(make_campaign(marketer))

    assert waterfall.start == 5
    assert {step.rule: step.count for step in waterfall.exclusions}.keys() >= {"G3", "G5", "G6"}
    assert waterfall.allowed == 1
    assert waterfall.allowed_by == (("E1", 1),)


def test_the_number_of_queries_does_not_grow(marketer, django_assert_max_num_queries):
    for _time in range(30):
        active_person("Silent")
    campaign = make_campaign(marketer)

    with django_assert_max_num_queries(22):
        measure(campaign)


@pytest.mark.parametrize("size", [0, 1, 5])
def test_chunks_reach_everybody_once(marketer, monkeypatch, size):
    monkeypatch.setattr("campaigns.audience.CHUNK", 2)
    for _time in range(size):
        consenting("Person")
    campaign = make_campaign(marketer)

    assert measure(campaign).start == people([], now()).count() == size
