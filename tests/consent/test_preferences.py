"""Unsubscription and the preference centre: by request, as mail programs and people send them."""

import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from consent.evaluation import may_contact, offer_for
from consent.models import (
    ConsentEvent,
    Evidence,
    NoticeVersion,
    Pause,
    PermissionState,
    Purpose,
    RightsRequest,
)
from mdm import identity
from mdm.identity import Link
from mdm.models import SourceRecord
from tests.consent.doors import (
    ONE_CLICK,
    act,
    collection_point,
    link_of,
    may_write_to,
    unsubscribe,
    visitor,
)
from tests.consent.factories import email_of, marketing, record_event
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db


# A-PUB-02: RFC 8058.
def test_a_bare_post_unsubscribes_at_once(ada):
    record_event(ada, "confirmed", evidence_level=3)
    assert may_write_to(ada)

    answer = unsubscribe(link_of(ada))

    assert answer.status_code == 200
    assert not answer.cookies
    assert not may_write_to(ada)
    event = ConsentEvent.objects.get(type="withdrawn")
    assert (event.channel, event.actor_type, event.contact_point) == (
        "email",
        "person",
        email_of(ada),
    )
    assert event.evidence.get().kind == "one_click"


def test_a_second_click_adds_nothing_until_she_consents_anew(ada):
    link = link_of(ada)
    record_event(ada, "confirmed", evidence_level=3)
    for _ in range(3):
        assert unsubscribe(link).status_code == 200
    assert ConsentEvent.objects.filter(type="withdrawn").count() == 1

    record_event(ada, "confirmed", evidence_level=3, occurred_at=now())
    assert may_write_to(ada)
    unsubscribe(link)

    assert ConsentEvent.objects.filter(type="withdrawn").count() == 2
    assert not may_write_to(ada)


@pytest.mark.parametrize("body", [ONE_CLICK, {}, {"anything": "else"}])
def test_any_post_to_the_link_counts(ada, body):
    unsubscribe(link_of(ada), body)

    assert ConsentEvent.objects.get().type == "withdrawn"


# A-PUB-03: with worker, broker and mail server dead.
def test_it_works_when_worker_broker_and_mail_server_are_dead(ada, settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    from config.celery import app

    def dead(*args: object, **options: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(app, "send_task", dead)
    monkeypatch.setattr("celery.app.task.Task.apply_async", dead)

    assert unsubscribe(link_of(ada)).status_code == 200
    assert act(link_of(ada), "stop").status_code == 200
    kinds = ConsentEvent.objects.values_list("type", flat=True)
    assert sorted(kinds) == ["objection", "withdrawn"]


def test_a_link_of_one_purpose_leaves_the_others_alone(ada):
    for code in ("marketing", "news"):
        record_event(ada, "confirmed", purpose=Purpose.objects.get(code=code), evidence_level=3)

    unsubscribe(link_of(ada, purpose_id=marketing().pk))

    assert not may_write_to(ada)
    assert may_write_to(ada, code="news")


def test_unsubscribing_one_address_leaves_another_of_hers_alone(ada):
    second = make_record(email="ada@example.org")
    identity.apply_links(
        [Link(second.pk, ada.customer_id, "decision")], user=None, reason="the same"
    )
    record_event(ada, "confirmed", evidence_level=3)
    record_event(second, "confirmed", evidence_level=3)

    unsubscribe(link_of(ada))

    customer = identity.resolve(ada.customer.public_id)
    outcomes = {
        point.value: may_contact(
            customer, channel="email", offer=offer_for(marketing()), contact_point_id=point.pk
        ).answer.allowed
        for point in (email_of(ada), email_of(second))
    }
    assert outcomes == {"ada@example.com": False, "ada@example.org": True}


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_write_one_event(ada):
    link, start = link_of(ada), threading.Barrier(10)

    def click() -> None:
        start.wait()
        try:
            unsubscribe(link)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ConsentEvent.objects.count() == 1


# A-PUB-01 again, for these links.
@pytest.mark.parametrize("name", ["unsubscribe", "preferences", "consents", "consents-json"])
def test_opening_a_link_changes_nothing(ada, centre, name):
    record_event(ada, "confirmed", evidence_level=3)
    address = reverse(f"public:{name}", args=[link_of(ada)])
    models = (ConsentEvent, PermissionState, Evidence, Pause, RightsRequest)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    answers = [
        visitor(**headers).get(address)
        for headers in ({}, {"User-Agent": "SafeLinks"}, {"Sec-Purpose": "prefetch"})
    ]
    answers.append(visitor().head(address))
    answers.append(visitor().get(f"{address}?act=stop&done=stopped"))

    assert {answer.status_code for answer in answers} == {200}
    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def test_stopping_everything_follows_her_to_every_contact_point(ada):
    second = make_record(email="ada@example.org")
    identity.apply_links(
        [Link(second.pk, ada.customer_id, "decision")], user=None, reason="the same"
    )
    record_event(second, "confirmed", evidence_level=3)

    answer = act(link_of(ada), "stop")

    assert "you will receive nothing more" in answer.text
    assert not any(may_write_to(ada, channel=c) for c in ("email", "sms", "phone", "post"))


def test_she_may_come_back_by_herself(ada, centre):
    act(link_of(ada), "stop")
    choice = centre.choices.get(purpose__code="marketing")
    shown = NoticeVersion.objects.get(code=choice.notice_code)

    answer = act(link_of(ada), "accept", purpose="marketing", channel="email", notice=shown.pk)

    assert "Thank you" in answer.text
    assert may_write_to(ada)
    assert not may_write_to(ada, code="news")
    event = ConsentEvent.objects.get(type="given")
    assert (event.notice_version, event.evidence_level) == (shown, 2)
    assert event.evidence.get().collection_point == centre


# A-PUB-09: what a link shows and what it may change.
def test_the_page_shows_no_contact_point_in_clear(ada, centre):
    record_event(ada, "confirmed", evidence_level=3)
    link = link_of(ada)

    pages = [
        visitor().get(reverse(f"public:{name}", args=[link])).text
        for name in ("unsubscribe", "preferences", "consents", "consents-json")
    ]

    for text in pages:
        for value in ("ada@example.com", "+33639981234", "639981234", "Ada", "example.com"):
            assert value not in text
    assert "a•••@e•••.com" in pages[1]


def test_only_contact_points_of_the_person_can_be_changed(ada):
    bob = make_record(email="bob@example.com")
    record_event(bob, "confirmed", evidence_level=3)

    act(
        link_of(ada),
        "withdraw",
        purpose="marketing",
        channel="email",
        point=email_of(bob).pk,
        customer=bob.customer_id,
        email="bob@example.com",
    )

    assert may_write_to(bob)
    assert ConsentEvent.objects.count() == 1


def test_one_channel_is_stopped_and_the_others_stay(ada):
    phone = ada.contact_points.get(kind="phone")
    record_event(ada, "confirmed", evidence_level=3)
    record_event(ada, "given", channel="sms", point=phone)

    act(link_of(ada), "withdraw", purpose="marketing", channel="sms", point=phone.pk)

    assert not may_write_to(ada, channel="sms")
    assert may_write_to(ada)


@pytest.mark.parametrize(
    "values",
    [
        {"purpose": "marketing", "channel": "sms"},
        {"purpose": "service", "channel": "email"},
        {"purpose": "marketing", "channel": "email", "notice": "999999"},
        {"purpose": "marketing", "channel": "email", "notice": "x"},
        {},
    ],
)
def test_a_consent_can_be_given_only_where_the_link_was_sent_and_in_words_shown(
    ada, centre, values
):
    act(link_of(ada), "accept", **values)

    assert not ConsentEvent.objects.exists()


def test_only_the_address_of_the_link_can_be_agreed_for(ada, centre):
    second = make_record(email="ada@example.org")
    identity.apply_links(
        [Link(second.pk, ada.customer_id, "decision")], user=None, reason="the same"
    )

    page = visitor().get(reverse("public:preferences", args=[link_of(second)])).text
    choice = centre.choices.get(purpose__code="marketing")
    shown = NoticeVersion.objects.get(code=choice.notice_code)
    act(
        link_of(second),
        "accept",
        purpose="marketing",
        channel="email",
        notice=shown.pk,
        point=email_of(ada).pk,
    )

    assert page.count('value="accept"') == 2  # Marketing and news, at one of the two addresses.
    assert ConsentEvent.objects.get().contact_point == email_of(second)


# A-PUB-10: after a merge, after erasure.
def test_an_old_link_acts_on_the_surviving_customer(ada):
    older = make_record(email="ada@example.org")
    survivor, merged = sorted([ada, older], key=lambda record: record.pk)
    link = link_of(merged)
    identity.apply_links([Link(merged.pk, survivor.pk, "decision")], user=None, reason="the same")
    record_event(survivor, "confirmed", evidence_level=3)

    act(link, "stop")

    assert not may_write_to(survivor)


def test_the_link_of_an_erased_person_is_a_neutral_page_and_stores_nothing(ada):
    link = link_of(ada)
    SourceRecord.objects.update(status="erased")
    identity.refresh([ada.customer_id])

    answers = [unsubscribe(link), act(link, "stop")]
    answers.append(visitor().get(reverse("public:preferences", args=[link])))

    stranger = visitor().get(reverse("public:preferences", args=["x" * 43])).text
    assert {answer.text for answer in answers} == {stranger}
    assert not ConsentEvent.objects.exists()


# A-PUB-12: what every public page is.
def test_public_pages_refer_to_nobody_and_keep_nothing(ada, centre):
    form = collection_point()
    link = link_of(ada)
    addresses = [
        reverse("public:sign-up", args=[form.code]),
        reverse("public:confirm", args=["no-token"]),
        reverse("public:unsubscribe", args=[link]),
        reverse("public:preferences", args=[link]),
        reverse("public:consents", args=[link]),
    ]
    for address in addresses:
        answer = visitor().get(address)

        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in answer["Cache-Control"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert not answer.cookies
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert "onclick" not in answer.text
        assert 'src="http' not in answer.text


@pytest.mark.parametrize(("language", "lang"), [("en", "fr"), ("fr", "en")])
def test_the_language_is_the_browsers_or_the_one_chosen(ada, language, lang):
    address = reverse("public:preferences", args=[link_of(ada)])

    given = visitor(**{"accept-language": language}).get(address)
    chosen = visitor(**{"accept-language": language}).get(f"{address}?lang={lang}")

    assert f'<html lang="{language}">' in given.text
    assert f'<html lang="{lang}">' in chosen.text


# A-PUB-06: guessing.
def test_guessing_tokens_is_throttled_and_looks_like_any_bad_link(ada):
    answers = [
        visitor().post(reverse("public:confirm", args=[f"guess-{number}"])).text
        for number in range(30)
    ]

    assert len(set(answers)) == 1
    from consent.models import Throttle

    assert Throttle.objects.get().count == 20


# A-PUB-13: who the client is.
def test_a_client_cannot_hide_behind_a_header(settings):
    form = collection_point()
    address = reverse("public:sign-up", args=[form.code])

    def codes() -> list[int]:
        return [
            visitor(**{"X-Forwarded-For": f"203.0.113.{number}"}).post(address, {}).status_code
            for number in range(25)
        ]

    assert codes().count(429) == 5
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert codes().count(429) == 0  # Now the proxy says it, of 25 different clients.


def test_nothing_about_a_person_stands_in_a_log(ada, centre, caplog):
    caplog.set_level("DEBUG")
    link = link_of(ada)
    unsubscribe(link)
    act(link, "stop")
    act(link, "request", kind="erasure", message="Ada Lovelace wants to go")
    visitor().get(reverse("public:preferences", args=["forged"]))

    for value in ("ada@example.com", "Lovelace", "639981234", link):
        assert value not in caplog.text
