"""What staff record for a person, and the DPO's list of requests: by request, for each role."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localdate, now

from consent.evaluation import may_contact, offer_for
from consent.models import ConsentEvent, Evidence, NoticeVersion, RightsRequest
from consent.rights import receive_request
from mdm.models import AccessLog, SourceRecord
from tests.consent.doors import collection_point, confirm, mailed_token, notice, sign_up
from tests.consent.factories import email_of, marketing, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 a scanned form"
ROLES = ["steward", "dpo", "marketer", "administrator"]


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ada() -> SourceRecord:
    return make_record(
        email="ada@example.com",
        phone="+33639981234",
        source_created_at=now() - timedelta(days=30),
    )


@pytest.fixture
def words() -> NoticeVersion:
    return notice("paper-form")


def told(record: SourceRecord, words: NoticeVersion, **values: object) -> dict[str, object]:
    return {
        "contact_point": record.contact_points.get(kind="phone").pk,
        "channel": "sms",
        "purpose": marketing().pk,
        "given_on": (localdate() - timedelta(days=2)).isoformat(),
        "notice": words.pk,
        "kind": "signed_paper",
        "reference": "Shelf 12, form 4711",
        **values,
    }


def record(client: Client, of: SourceRecord, values: dict[str, object]):
    return client.post(reverse("consent:offline", args=[of.customer.public_id]), values)


def may_text(of: SourceRecord) -> bool:
    answer = may_contact(of.customer, channel="sms", offer=offer_for(marketing()))
    return answer.answer.allowed


def test_a_steward_records_a_consent_with_its_reference(ada, words):
    answer = record(client_of("steward"), ada, told(ada, words))

    assert answer.status_code == 302
    event = ConsentEvent.objects.get()
    assert (event.type, event.actor_type, event.evidence_level) == ("given", "staff", 2)
    assert event.actor.groups.get().name == "steward"
    assert event.notice_version == words
    assert event.evidence.get().reference == "Shelf 12, form 4711"
    assert may_text(ada)


def test_a_signed_form_kept_as_a_file_is_the_best_proof(ada, words):
    scan = SimpleUploadedFile("Ada Lovelace.pdf", PDF, "application/pdf")
    record(client_of("steward"), ada, told(ada, words, reference="", file=scan))

    event = ConsentEvent.objects.get()
    proof = event.evidence.get()
    assert event.evidence_level == 4
    assert "Ada" not in proof.file.name
    dpo = client_of("dpo")
    page = dpo.get(reverse("consent:event", args=[event.uuid])).text
    assert proof.file_sha256 in page
    file = dpo.get(reverse("consent:evidence-file", args=[proof.uuid]))
    assert b"".join(file.streaming_content) == PDF
    assert "attachment" in file["Content-Disposition"]
    assert AccessLog.objects.filter(action="evidence file").count() == 1
    steward = client_of("steward")
    refused = steward.get(reverse("consent:evidence-file", args=[proof.uuid]))
    assert refused.status_code == 403


def test_a_letter_is_not_as_good_as_a_signature_kept(ada, words):
    scan = SimpleUploadedFile("letter.pdf", PDF)
    record(client_of("steward"), ada, told(ada, words, kind="letter", file=scan))

    assert ConsentEvent.objects.get().evidence_level == 2


@pytest.mark.parametrize(
    "values",
    [
        {"reference": ""},
        {"reference": "   "},
        {"notice": ""},
        {"given_on": ""},
        {"given_on": (localdate() + timedelta(days=1)).isoformat()},
        {"channel": "email"},
        {"kind": "double_opt_in"},
        {"contact_point": "999999"},
        {"file": SimpleUploadedFile("form.pdf", b"<script>alert(1)</script>")},
        {"file": SimpleUploadedFile("form.pdf", PDF + b"x" * 10 * 1024 * 1024)},
    ],
)
def test_nothing_is_recorded_without_a_sound_proof(ada, words, values):
    answer = record(client_of("steward"), ada, told(ada, words, **values))

    assert answer.status_code == 200
    assert "o-field__error" in answer.text
    assert not ConsentEvent.objects.exists()
    assert not Evidence.objects.exists()


def test_a_contact_point_of_somebody_else_is_refused(ada, words):
    bob = make_record(phone="+33639985678")
    point = bob.contact_points.get().pk

    record(client_of("steward"), ada, told(ada, words, contact_point=point))

    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("kind", ["refused", "withdrawn", "objection"])
def test_staff_cannot_lift_what_the_person_refused(ada, words, kind):
    phone = ada.contact_points.get(kind="phone")
    record_event(ada, kind, channel="sms", point=phone, evidence_level=0)
    scan = SimpleUploadedFile("form.pdf", PDF)

    answer = record(client_of("steward"), ada, told(ada, words, file=scan))

    assert "Staff cannot lift that" in answer.text
    assert ConsentEvent.objects.count() == 1
    assert not may_text(ada)


def test_the_same_form_typed_twice_is_one_consent(ada, words):
    client = client_of("steward")
    for _ in range(2):
        record(client, ada, told(ada, words))

    assert ConsentEvent.objects.count() == 1
    assert Evidence.objects.count() == 1


def test_an_objection_takes_one_click_and_counts_at_once(ada):
    record_event(ada, "confirmed", evidence_level=3)
    address = reverse("consent:objection", args=[ada.customer.public_id])
    client = client_of("steward")

    answers = [client.post(address).status_code for _ in range(2)]

    assert answers == [302, 302]
    event = ConsentEvent.objects.get(type="objection")
    assert (event.actor_type, event.channel) == ("staff", "*")
    for channel in ("email", "sms", "phone", "post"):
        outcome = may_contact(ada.customer, channel=channel, offer=offer_for(marketing()))
        assert not outcome.answer.allowed


def test_only_the_person_comes_back_after_it(ada):
    form = collection_point()
    address = reverse("consent:objection", args=[ada.customer.public_id])
    client_of("steward").post(address)

    sign_up(form)
    confirm(mailed_token())

    outcome = may_contact(ada.customer, channel="email", offer=offer_for(marketing()))
    assert outcome.answer.allowed


def test_pages_that_record_open_no_door_by_get(ada):
    client = client_of("steward")
    for name in ("objection", "receive-request"):
        address = reverse(f"consent:{name}", args=[ada.customer.public_id])
        assert client.get(address).status_code == 405
    assert client.get(reverse("consent:offline", args=[ada.customer.public_id])).status_code == 200
    assert not ConsentEvent.objects.exists()


def test_the_customer_page_leads_to_all_that_a_letter_may_ask(ada):
    page = client_of("dpo").get(reverse("mdm:customer", args=[ada.customer.public_id])).text

    offline = reverse("consent:offline", args=[ada.customer.public_id])
    permissions = reverse("consent:customer", args=[ada.customer.public_id])
    assert f'href="{offline}">Consent, objection, request…' in page
    assert f'href="{permissions}">On another day, proof pack…' in page


@pytest.mark.parametrize("role", ROLES)
def test_who_may_record(ada, role):
    address = reverse("consent:offline", args=[ada.customer.public_id])
    expected = 200 if role in {"steward", "dpo"} else 403

    assert client_of(role).get(address).status_code == expected


@pytest.mark.parametrize("role", ROLES)
def test_who_sees_the_requests(ada, role):
    request = receive_request(ada.customer, kind="access")
    addresses = [reverse("consent:requests"), reverse("consent:request", args=[request.uuid])]
    expected = 200 if role == "dpo" else 403

    assert [client_of(role).get(address).status_code for address in addresses] == [expected] * 2


def test_a_request_by_letter_reaches_the_dpo_and_is_answered(ada):
    client_of("steward").post(
        reverse("consent:receive-request", args=[ada.customer.public_id]),
        {"kind": "erasure", "message": "Forget me, please."},
    )
    dpo = client_of("dpo")
    request = RightsRequest.objects.get()
    listed = dpo.get(reverse("consent:requests")).text
    address = reverse("consent:request", args=[request.uuid])

    assert "Erasure" in listed
    assert "Forget me" not in listed
    assert "Forget me, please." in dpo.get(address).text
    assert dpo.post(address, {"note": ""}).status_code == 200
    dpo.post(address, {"note": "Erased, letter sent."})
    again = dpo.post(address, {"note": "Twice"}, follow=True)

    request.refresh_from_db()
    assert (request.state, request.answer_note) == ("answered", "Erased, letter sent.")
    assert request.answered_by.groups.get().name == "dpo"
    assert "already answered" in again.text
    assert "Erasure" not in dpo.get(reverse("consent:requests")).text
    assert "Erasure" in dpo.get(reverse("consent:requests") + "?state=answered").text


def test_a_deadline_that_has_passed_stands_out(ada):
    late = receive_request(ada.customer, kind="access")
    RightsRequest.objects.update(due_on=localdate() - timedelta(days=1))

    text = client_of("dpo").get(reverse("consent:requests")).text

    assert "overdue" in text
    assert str(late.uuid) in text


def test_the_list_costs_the_same_with_one_request_and_with_thirty(
    django_assert_num_queries, django_assert_max_num_queries
):
    dpo = client_of("dpo")
    address = reverse("consent:requests")
    receive_request(make_record(email="a@example.com").customer, kind="access")
    dpo.get(address)
    cache.clear()  # The figures of the menu are some seconds old, or asked for.
    with django_assert_max_num_queries(30) as few:
        dpo.get(address)
    for number in range(29):
        person = make_record(email=f"p{number}@example.com")
        receive_request(person.customer, kind="access")
    cache.clear()

    with django_assert_num_queries(len(few)):
        dpo.get(address)


def test_the_dpo_sets_up_a_form_with_its_boxes():
    dpo = client_of("dpo")
    notice("words")
    choices = {
        "choices-TOTAL_FORMS": 1,
        "choices-INITIAL_FORMS": 0,
        "choices-0-purpose": marketing().pk,
        "choices-0-channel": "email",
        "choices-0-notice_code": "words",
        "choices-0-position": 0,
    }
    point = {
        "code": "club",
        "method": "web",
        "is_active": "on",
        "title_fr": "Le club",
        "title_en": "The club",
        "allowed_origins": "https://www.example.org\n",
    }
    add = reverse("admin:consent_collectionpoint_add")

    refused = dpo.post(add, {**point, **choices, "allowed_origins": "https://x.org; script-src *"})
    saved = dpo.post(add, {**point, **choices})

    assert refused.status_code == 200
    assert saved.status_code == 302
    form = Client(headers={"accept-language": "en"}).get(reverse("public:sign-up", args=["club"]))
    assert "The club" in form.text
    assert "I agree to words" in form.text


def test_the_customer_page_leads_to_it(ada):
    address = reverse("consent:offline", args=[ada.customer.public_id])
    page = reverse("mdm:customer", args=[ada.customer.public_id])

    with translation.override("en"):
        assert address in client_of("steward").get(page).text
    assert email_of(ada).display in client_of("steward").get(address).text
