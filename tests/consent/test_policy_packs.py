"""A policy pack is drafted, simulated, signed by one and activated by another, for its days."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate, now
from hypothesis import given
from hypothesis import strategies as st

from consent.evaluation import may_contact, offer_for
from consent.models import PolicyVersion
from consent.policies import in_force, pack_at
from consent.policy_documents import PolicyRefused, digest_of, document_of, read_pack
from consent.policy_forms import PolicyForm
from consent.policy_packs import FR_2026_11, PARIS, ConsentValidity
from mdm import jobs
from mdm.models import Job, SourceRecord
from tests.consent.factories import enact, marketing, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

PAGE = "consent:policy"


@pytest.fixture
def ada(db: None) -> SourceRecord:
    """Agreed to e-mails four hundred days ago."""
    record = make_record(email="ada@example.com", given_name="Ada", source_created_at=now())
    record_event(record, "given", occurred_at=now() - timedelta(days=400))
    return record


def post(client: Client, name: str, **values: object):
    arguments = [values.pop("version")] if "version" in values else []
    return client.post(reverse(f"consent:{name}", args=arguments), values, follow=True)


def typed(**changes: object) -> dict[str, object]:
    """Return what a browser would send for the open draft, with some fields typed otherwise."""
    form = PolicyForm(draft=PolicyVersion.objects.get(status="draft"))
    shown = {name: form[name].value() for name in form.fields}
    sent = {**shown, **changes}
    empty = (None, "", False)
    return {n: v for n, v in sent.items() if not any(v is nothing for nothing in empty)}


def simulated(client: Client, **changes: object) -> str:
    """Open a draft if there is none, type into it, simulate it; return the page."""
    post(client, "policy-edit")
    post(client, "policy", simulate="yes", **typed(**changes))
    for job in Job.objects.filter(kind="policy_simulation", state="queued"):
        jobs.run_now(job)
    return client.get(reverse(PAGE)).content.decode()


def rule(record: SourceRecord, at: datetime | None = None) -> str:
    return may_contact(
        record.customer, channel="email", offer=offer_for(marketing()), at=at
    ).answer.rule


@pytest.fixture
def two() -> tuple[Client, Client]:
    """Two data protection officers."""
    return client_of("dpo"), client_of("dpo")


def test_the_first_pack_in_the_database_is_the_one_delivered(db):
    assert pack_at(now()) == FR_2026_11
    assert pack_at(datetime(2015, 1, 1, tzinfo=UTC)) == FR_2026_11
    first = PolicyVersion.objects.get()
    assert first.digest == digest_of(first.parameters, None)


def test_two_people_make_a_pack_the_law_of_its_days(ada, two):
    first, second = two
    tomorrow, before = now() + timedelta(days=2), now()
    page = simulated(first, **{"months_*_*": 12})
    assert "E1_expired" in page
    assert f"/consent/customers/{ada.customer.public_id}/" in page
    assert "12 months" in page
    assert rule(ada) == "E1"

    assert "You signed" in post(first, "policy-sign").content.decode()
    assert "somebody else has to activate" in post(first, "policy-activate").content.decode()
    assert PolicyVersion.objects.get(status="draft").activated_at is None
    assert "is activated" in post(second, "policy-activate").content.decode()

    begins = datetime.combine(localdate(timezone=PARIS) + timedelta(days=1), datetime.min.time())
    version = PolicyVersion.objects.get(version=2)
    assert version.begins_at == begins.replace(tzinfo=PARIS)
    assert (rule(ada, before), rule(ada), rule(ada, tomorrow)) == ("E1", "E1", "E1_expired")
    assert pack_at(tomorrow).code == version.code
    assert pack_at(now()) == replace(FR_2026_11, valid_until=version.begins_at)
    told = [(row.history_user_id, row.history_change_reason) for row in version.history.all()[:2]]
    assert [reason for _user, reason in told] == [
        f"Policy pack {version.code} activated",
        f"Policy pack {version.code} signed",
    ]
    assert told[0][0] == version.activated_by_id != version.signed_by_id == told[1][0]
    assert version.digest == digest_of(version.parameters, version.valid_from)


def test_a_pack_that_begins_today_begins_when_it_is_activated(ada, two):
    simulated(two[0], valid_from=localdate(timezone=PARIS).isoformat(), **{"months_email_*": 12})
    post(two[0], "policy-sign")
    earlier = now()
    post(two[1], "policy-activate")

    assert rule(ada, earlier) == "E1"
    assert rule(ada) == "E1_expired"
    answer = may_contact(ada.customer, channel="email", offer=offer_for(marketing())).answer
    assert answer.policy == PolicyVersion.objects.get(version=2).code


def test_what_was_activated_is_never_changed_by_anybody(ada, two):
    simulated(two[0])
    post(two[0], "policy-sign")
    post(two[1], "policy-activate")

    for changes in ({"parameters": {}}, {"begins_at": now()}, {"status": "draft"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyVersion.objects.filter(version=2).update(**changes)
    for version in PolicyVersion.objects.all():
        with pytest.raises(IntegrityError), transaction.atomic():
            version.delete()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE consent_policyversion SET status = 'retired' WHERE version = 1")


def test_a_pack_is_taken_back_before_it_begins_and_not_after(ada, two):
    simulated(two[0], **{"months_*_*": 12})
    post(two[0], "policy-sign")
    post(two[1], "policy-activate")

    assert "stays the law" in post(two[0], "policy-take-back", version=1).content.decode()
    assert "taken back" in post(two[0], "policy-take-back", version=2).content.decode()

    assert rule(ada, now() + timedelta(days=2)) == "E1"
    post(two[0], "policy-return", version=2)
    again = PolicyVersion.objects.get(status="draft")
    assert (again.version, again.parameters["consent_validity"][0]["months"]) == (3, 12)


def test_another_pack_that_begins_meanwhile_makes_a_simulation_void(ada, two):
    simulated(two[0])
    enact()
    assert "simulate this draft again" in post(two[0], "policy-sign").content.decode()

    simulated(two[0])
    post(two[0], "policy-sign")
    enact()
    assert "simulate this draft again" in post(two[1], "policy-activate").content.decode()


def test_a_changed_draft_needs_another_simulation_and_a_signed_one_is_not_changed(ada, two):
    client = two[0]
    post(client, "policy-edit")
    assert "Simulate this draft first" in post(client, "policy-sign").content.decode()
    simulated(client)
    post(client, "policy", **typed(call_attempts_maximum=3))
    assert "Simulate this draft first" in post(client, "policy-sign").content.decode()

    simulated(client)
    post(client, "policy-sign")
    assert "is signed" in post(client, "policy", **typed(adult_age=19)).content.decode()
    assert "is signed" in post(client, "policy-discard").content.decode()
    post(client, "policy-unsign")
    post(client, "policy", **typed(adult_age=19))
    draft = PolicyVersion.objects.get(status="draft")
    assert (draft.parameters["adult_age"], draft.digest, draft.simulated_by) == (19, "", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_from": "2026-01-01"},
        {"call_attempts_maximum": 31},
        {"joint_consent_below_age": 18, "adult_age": 16},
        {"call_end_1": "09:00"},
        {"call_start_2": "12:00"},
        {"call_end_2": ""},
        {"months_email_marketing": 0},
        {"evidence_email": 7},
        {"soft_opt_in_sale_kinds": ["gift"]},
    ],
)
def test_what_makes_no_sense_is_refused_on_the_form(db, changes):
    client = client_of("dpo")
    post(client, "policy-edit")
    before = PolicyVersion.objects.get(status="draft").parameters

    page = post(client, "policy", **{**typed(), **changes}).content.decode()

    assert "✖" in page or "today or later" in page
    draft = PolicyVersion.objects.get(status="draft")
    assert (draft.parameters, draft.valid_from > localdate()) == (before, True)


def test_the_form_stores_what_it_shows(db):
    client = client_of("dpo")
    post(client, "policy-edit")
    before = PolicyVersion.objects.get(status="draft")

    post(client, "policy", **typed())

    assert PolicyVersion.objects.get(status="draft").parameters == before.parameters


def test_a_pack_with_many_terms_costs_no_query_for_each(db):
    client, counts = client_of("dpo"), []
    for channels in (["email"], ["email", "sms", "phone"]):
        terms = [{"channel": one, "purpose": "news", "months": 13} for one in channels]
        enact(consent_validity=terms)
        client.get(reverse(PAGE))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(PAGE)).text.count("13 months") == len(channels)
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_a_pack_travels_as_a_file_into_a_draft_only(db):
    client = client_of("dpo")
    file = client.get(reverse("consent:policy-file", args=[1])).content
    told = json.loads(file)
    told["parameters"]["call_attempts_maximum"] = 2

    def upload(content: bytes) -> str:
        return post(
            client, "policy-load", file=SimpleUploadedFile("p.json", content)
        ).content.decode()

    for wrong, words in {
        b"no": "not JSON",
        b"[]": "no policy pack",
        file.replace(b"adult_age", b"adult_ages"): "Unknown parameter: adult_ages.",
    }.items():
        assert words in upload(wrong)
        assert PolicyVersion.objects.count() == 1
    upload(json.dumps(told).encode())
    draft = PolicyVersion.objects.get(status="draft")
    assert draft.parameters["call_attempts_maximum"] == 2
    assert draft.valid_from > localdate()
    assert "draft is open already" in upload(file)
    assert pack_at(now()).call_attempts_maximum == 4


@pytest.mark.parametrize("role", ["steward", "marketer", "caller"])
def test_other_roles_see_no_packs(db, role):
    client = client_of(role)
    assert client.get(reverse(PAGE)).status_code == 403
    assert client.post(reverse("consent:policy-sign")).status_code == 403
    assert client.post(reverse("consent:policy-activate")).status_code == 403


def test_an_administrator_activates_but_does_not_draft(ada):
    administrator = client_of("administrator")
    simulated(client_of("dpo"))
    assert administrator.post(reverse("consent:policy-sign")).status_code == 403
    assert administrator.post(reverse(PAGE), typed()).status_code == 403
    post(client_of("dpo"), "policy-sign")
    assert "is activated" in post(administrator, "policy-activate").content.decode()


def test_the_page_of_a_day_names_the_pack_that_answered(ada, two):
    today = localdate(timezone=PARIS)
    simulated(two[0], valid_from=today.isoformat())
    post(two[0], "policy-sign")
    post(two[1], "policy-activate")
    page = reverse("consent:customer", args=[ada.customer.public_id])

    assert f"Rule set FR-{today:%Y-%m}.2" in two[0].get(page).content.decode()
    past = two[0].get(page, {"at": "2026-08-10"}).content.decode()
    assert "Rule set FR-2026-11." in past
    assert f"Rule set FR-{today:%Y-%m}.2" not in past


FIRST = datetime(2020, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(2100, 1, 1, tzinfo=UTC)
instants = st.integers(0, 99).map(lambda days: FIRST + timedelta(days=days))


@given(st.lists(instants, max_size=4, unique=True), instants, instants)
def test_activating_a_pack_changes_no_answer_before_it_begins(begun, begins_at, at):
    def ruling(*starts: datetime | None) -> datetime | None:
        versions = [PolicyVersion(begins_at=start) for start in starts]
        return in_force(versions, at)[0].begins_at

    starts = sorted(begun)
    after = ruling(None, *sorted({*starts, begins_at}))

    if at < begins_at:
        assert after == ruling(None, *starts)
    elif begins_at <= at < min((s for s in starts if s > begins_at), default=AFTER_ALL):
        assert after == begins_at


def test_a_document_is_read_back_as_the_pack_it_was_written_from():
    pack = replace(
        FR_2026_11,
        consent_validity=(ConsentValidity("*", "news", 13), ConsentValidity("sms", "*", 6)),
        soft_opt_in_months=36,
    )
    assert read_pack(document_of(pack), code=pack.code) == pack


DOCUMENT = document_of(FR_2026_11)


@given(
    st.sampled_from(sorted(DOCUMENT)), st.none() | st.integers() | st.text() | st.lists(st.text())
)
def test_any_other_value_is_understood_or_refused_in_words(name, value):
    try:
        pack = read_pack({**DOCUMENT, name: value})
    except PolicyRefused:
        return
    assert read_pack(document_of(pack)) == pack
