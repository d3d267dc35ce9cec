"""Consents at risk: each weakness finds its consents, and only these."""

from datetime import date, timedelta
from itertools import count

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from consent.at_risk import REASONS, at_risk, overview
from consent.cases import years_after
from consent.models import NoticePicture, NoticeVersion
from mdm.models import ContactPoint, Contract, SourceRecord
from tests.consent import factories
from tests.consent.factories import record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
IMPORTED = {"actor_type": "import", "notice_version_id": None}
_numbers = count()


@pytest.fixture
def notice() -> NoticeVersion:
    """A notice with its picture."""
    notice = make_notice("w")
    NoticePicture.objects.create(notice=notice, file="w.png", added_by=UserFactory())
    return notice


def make_notice(code: str) -> NoticeVersion:
    return NoticeVersion.objects.create(code=code, version=1, body="b", valid_from="2020-01-01")


def consent(notice: NoticeVersion, *, person: dict[str, object] | None = None, **traits) -> int:
    """Record a consent with everything that proves it, but for the traits given."""
    values = {"source_created_at": now(), **(person or {})}
    record = make_record(email=f"p{next(_numbers)}@example.com", **values)
    whole = {"evidence_level": 3, "notice_version_id": notice.pk}
    record_event(record, "confirmed", **{**whole, **traits})
    return record.pk


@pytest.fixture
def people(notice: NoticeVersion) -> dict[str, int]:
    """Two consents without a weakness; return who has which, one more for each."""
    today = now()
    almost = years_after(today, -3) + timedelta(days=30)
    silent = {"person": {"source_created_at": almost}, "occurred_at": almost}
    young = {"birth_date": years_after(today, -19).date()}
    consent(notice)
    consent(notice, person={"birth_date": years_after(today, -30).date()})
    found = {
        "claim": consent(notice, evidence_level=0, **IMPORTED),
        "origin": consent(notice, evidence_level=1, **IMPORTED),
        "words": consent(notice, evidence_level=2, notice_version_id=None),
        "picture": consent(make_notice("unseen")),
        "unconfirmed": consent(notice, evidence_level=1, claims_double_opt_in=True, **IMPORTED),
        "silent": consent(notice, **silent),
        "old": consent(notice, **silent),
        "came_of_age": consent(notice, person=young, occurred_at=today - timedelta(days=720)),
        "shared": consent(notice),
    }
    Contract.objects.create(  # Nobody who has one falls silent.
        record_id=found["old"], reference="c", starts_on=date(2022, 1, 1), product_family="tea"
    )
    ContactPoint.objects.filter(carriers__record=found["shared"]).update(shared_by=50)
    return found


def test_each_weakness_finds_its_consents_and_no_others(people):
    found = {
        reason.code: set(at_risk(reason).values_list("customer", flat=True)) for reason in REASONS
    }

    assert found == {
        **{code: {person} for code, person in people.items()},
        "old": {people["silent"], people["old"]},
        "origin": {people["origin"], people["unconfirmed"]},
        "undated": set(),
    }


def test_weaknesses_are_counted_with_what_the_gate_refuses_already(people):
    counted = overview()

    assert (counted.total, counted.at_risk) == (11, 9)
    by_code = {item.reason.code: (item.count, item.refused_count) for item in counted.found}
    assert by_code["claim"] == (1, 1)
    assert by_code["origin"] == (2, 0)
    assert by_code["silent"] == (1, 0)


def test_a_consent_of_unknown_date_is_found_and_what_was_refused_since_is_not(notice, monkeypatch):
    undated = next(reason for reason in REASONS if reason.code == "undated")
    real = factories.NewEvent
    monkeypatch.setattr(factories, "NewEvent", lambda **x: real(**{**x, "occurred_at": None}))
    person = consent(notice, evidence_level=0, actor_type="import")
    gone = consent(notice, evidence_level=0, actor_type="import")
    monkeypatch.undo()
    found = set(at_risk(undated).values_list("customer", flat=True))

    record_event(SourceRecord.objects.get(pk=gone), "refused")

    assert found == {person, gone}
    assert set(at_risk(undated).values_list("customer", flat=True)) == {person}


@pytest.fixture
def dpo() -> Client:
    return client_of("dpo")


def test_the_dpo_sees_counts_what_to_do_and_each_consent(dpo: Client, notice, monkeypatch):
    monkeypatch.setattr("consent.at_risk_pages._PAGE_SIZE", 2)
    for _person in range(3):
        consent(notice, evidence_level=0, actor_type="import")
    consent(notice)

    page = dpo.get(reverse("consent:at-risk")).text
    url = reverse("consent:at-risk-reason", args=["claim"])
    first = dpo.get(url)
    second = dpo.get(url, {"after": first.context["next_after"]})

    assert "A claim without any proof" in page
    assert "75%" in page
    assert "The gate refuses 3 of them already" in page
    assert url in page
    assert [len(answer.context["rows"]) for answer in (first, second)] == [2, 1]
    assert "By source" in first.text
    assert second.context["next_after"] is None
    assert dpo.get(reverse("consent:at-risk-reason", args=["nonsense"])).status_code == 404
    assert client_of("marketer").get(url).status_code == 403
    assert client_of("steward").get(reverse("consent:at-risk")).status_code == 403


def test_a_page_of_consents_costs_the_same_for_many_as_for_few(
    dpo: Client, notice, django_assert_max_num_queries
):
    for _person in range(6):
        consent(notice, evidence_level=0, actor_type="import")

    with django_assert_max_num_queries(20):
        dpo.get(reverse("consent:at-risk-reason", args=["claim"]))
