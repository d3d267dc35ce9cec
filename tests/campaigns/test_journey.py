"""The marketer's way from a campaign to a file, by requests; and who may not go it."""

import csv
import hashlib
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.messages import get_messages
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import override

from campaigns import downloads
from campaigns.models import Campaign, ListDownload, TargetList
from mdm.erasure import erase
from mdm.jobs import JobFailed, run_now
from mdm.models import AccessLog, ContactPoint, Job, RecordContactPoint
from tests.campaigns.factories import (
    active_person,
    consenting,
    frozen_list,
    make_campaign,
)
from tests.consent.factories import marketing, record_event


def lines(response):
    text = response.file.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), delimiter=";"))


def take(client, target_list, *, format="csv", reason="Sending of 30 November"):
    address = reverse("campaigns:download", args=[target_list.pk])
    response = client.post(address, {"format": format, "reason": reason})
    if response.streaming:
        response.file = b"".join(response.streaming_content)
    return response


def refusal(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_marketer_walks_from_a_campaign_to_a_file(as_marketer):
    kept = consenting("Kept", city="Nantes", civility="mrs")
    consenting("Elsewhere", city="Brest")
    active_person("Silent", city="Nantes")

    new = as_marketer.post(
        reverse("campaigns:new"),
        {"purpose": marketing().pk, "channel": "email", "name": "Winter", "product_family": ""},
    )
    campaign = Campaign.objects.get()
    assert new.url == reverse("campaigns:campaign", args=[campaign.pk])

    segment = {"field": ["city", ""], "operator": ["is", "is"], "value": ["nantes", ""]}
    saved = as_marketer.post(new.url, segment, follow=True)
    assert saved.context["waterfall"].start == 2
    assert saved.context["waterfall"].allowed == 1
    assert "Kept" not in saved.content.decode()  # Counts only: no names on the page.

    frozen = as_marketer.post(reverse("campaigns:freeze", args=[campaign.pk]))
    target_list = TargetList.objects.get()
    assert frozen.url == reverse("campaigns:list", args=[target_list.pk])
    run_now(target_list.job)
    page = as_marketer.get(frozen.url)
    assert page.context["list"].member_count == 1
    assert page.context["can_download"]

    response = take(as_marketer, target_list)
    [entry] = ListDownload.objects.all()
    [line] = lines(response)
    assert list(line.values()) == [
        "Mme" if "Mme" in line.values() else "Mrs", "Anne", "Kept", kept.email,
        *list(line.values())[4:6], kept.customer.display_id, entry.watermark,
    ]  # fmt: skip
    assert response["Content-Disposition"].startswith("attachment")
    assert "no-store" in response["Cache-Control"]
    assert entry.sha256 == hashlib.sha256(response.file).hexdigest()
    assert (entry.row_count, entry.removed_count) == (1, 0)
    assert AccessLog.objects.filter(action="download_list", reference=entry.watermark).exists()
    assert entry.watermark in as_marketer.get(reverse("campaigns:downloads")).content.decode()


def test_every_line_of_an_email_file_has_its_own_way_out(as_marketer, marketer, client):
    gone, kept = consenting("Gone"), consenting("Kept")
    target_list = frozen_list(make_campaign(marketer))
    by_name = {
        list(line.values())[2]: list(line.values())
        for line in lines(take(as_marketer, target_list))
    }
    unsubscribe, preferences = by_name["Gone"][4:6]
    assert unsubscribe.startswith("http://")
    assert by_name["Kept"][4] != unsubscribe
    for value in (gone.email, gone.customer.public_id, "Gone"):
        assert value not in unsubscribe + preferences

    stranger = Client()
    answer = stranger.post("/" + unsubscribe.split("/", 3)[3], {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert stranger.get("/" + preferences.split("/", 3)[3]).status_code == 200
    names = [list(line.values())[2] for line in lines(take(as_marketer, target_list))]
    assert names == [kept.family_name]


def test_whoever_withdraws_after_the_freeze_is_not_in_the_file(as_marketer, marketer):
    consenting("Kept")
    gone = consenting("Gone")
    target_list = frozen_list(make_campaign(marketer))

    record_event(gone, "withdrawn", occurred_at=now())

    assert [line for line in lines(take(as_marketer, target_list)) if "Gone" in str(line)] == []
    entry = ListDownload.objects.get()
    assert (entry.row_count, entry.removed_count) == (1, 1)
    assert entry.removed_by_rule == {"G5": 1} or entry.removed_by_rule == {"G6": 1}


def test_whoever_withdraws_after_a_file_left_can_be_taken_out_of_it(as_marketer, marketer):
    consenting("Kept")
    gone, erased = consenting("Gone"), consenting("Erased")
    target_list = frozen_list(make_campaign(marketer))
    address = reverse("campaigns:withdrawn", args=[target_list.pk])
    page = reverse("campaigns:list", args=[target_list.pk])
    assert address not in as_marketer.get(page).text
    take(as_marketer, target_list)
    assert address in as_marketer.get(page).text
    assert as_marketer.post(address).status_code == 302

    record_event(gone, "withdrawn", occurred_at=now())
    erase(erased.customer, reason="x", by=None)
    TargetList.objects.update(expires_at=now() - timedelta(minutes=1))
    found = as_marketer.post(address)

    text = b"".join(found.streaming_content).decode("utf-8-sig")
    assert "no-store" in found["Cache-Control"]
    assert sorted(line.split(";")[0] for line in text.splitlines()[1:]) == sorted(
        record.customer.display_id for record in (gone, erased)
    )
    assert all(line.split(";")[1] for line in text.splitlines())
    assert "Gone" not in text
    assert "@" not in text
    assert AccessLog.objects.filter(action="list withdrawn").count() == 2


def test_a_contact_point_that_changed_hands_is_not_in_the_file(as_marketer, marketer):
    consenting("Kept")
    moved = consenting("Moved")
    target_list = frozen_list(make_campaign(marketer))

    RecordContactPoint.objects.filter(record=moved).delete()
    ContactPoint.objects.filter(value="kept.0@example.com").update(status="bounced")

    response = take(as_marketer, target_list)
    assert response.status_code == 302
    assert not ListDownload.objects.exists()
    assert len(refusal(response)) == 1


def test_an_expired_list_is_refused_in_words(as_marketer, marketer):
    consenting()
    target_list = frozen_list(make_campaign(marketer))
    assert target_list.expires_at - target_list.as_of == timedelta(hours=72)
    TargetList.objects.update(expires_at=now() - timedelta(minutes=1))

    response = take(as_marketer, target_list)

    assert response.status_code == 302
    assert not ListDownload.objects.exists()
    assert len(refusal(response)) == 1
    assert as_marketer.get(response.url).status_code == 200


@pytest.mark.parametrize("sent", [{"reason": " "}, {"format": "pdf"}])
def test_a_download_needs_a_reason_and_a_known_format(as_marketer, marketer, sent):
    consenting()
    target_list = frozen_list(make_campaign(marketer))

    assert take(as_marketer, target_list, **sent).status_code == 302
    assert not ListDownload.objects.exists()


def test_a_list_that_is_not_complete_is_refused(as_marketer, marketer):
    target_list = TargetList.objects.create(campaign=make_campaign(marketer), owner=marketer)

    assert take(as_marketer, target_list).status_code == 302
    assert as_marketer.get(reverse("campaigns:list", args=[target_list.pk])).status_code == 200


def test_too_many_downloads_within_the_hour_are_refused(as_marketer, marketer, monkeypatch):
    monkeypatch.setattr(downloads, "DOWNLOADS_PER_HOUR", 1)
    consenting()
    target_list = frozen_list(make_campaign(marketer))

    assert take(as_marketer, target_list).status_code == 200
    assert take(as_marketer, target_list).status_code == 302
    assert ListDownload.objects.count() == 1


def test_another_marketer_sees_neither_campaign_nor_list(client, marketer, make_user):
    consenting()
    campaign = make_campaign(marketer)
    target_list = frozen_list(campaign)
    client.force_login(make_user("other", "marketer"))

    for name, key in [("campaign", campaign.pk), ("list", target_list.pk)]:
        assert client.get(reverse(f"campaigns:{name}", args=[key])).status_code == 404
    for name, key in [
        ("freeze", campaign.pk), ("preview", campaign.pk), ("download", target_list.pk),
        ("campaign", campaign.pk),
    ]:  # fmt: skip
        assert client.post(reverse(f"campaigns:{name}", args=[key])).status_code in {403, 404}
    assert not ListDownload.objects.exists()
    assert "Winter" not in client.get(reverse("campaigns:home")).content.decode()


def test_the_dpo_sees_everything_and_takes_nothing(client, marketer, dpo):
    consenting()
    campaign = make_campaign(marketer)
    target_list = frozen_list(campaign)
    client.force_login(dpo)

    for name, args in [
        ("home", []), ("campaign", [campaign.pk]), ("list", [target_list.pk]), ("downloads", []),
    ]:  # fmt: skip
        assert client.get(reverse(f"campaigns:{name}", args=args)).status_code == 200
    for name, key in [
        ("freeze", campaign.pk), ("preview", campaign.pk), ("campaign", campaign.pk),
        ("download", target_list.pk), ("withdrawn", target_list.pk),
    ]:  # fmt: skip
        assert client.post(reverse(f"campaigns:{name}", args=[key])).status_code == 403
    assert client.get(reverse("campaigns:new")).status_code == 403


def test_steward_and_anonymous_are_kept_out(client, marketer, steward):
    consenting()
    campaign = make_campaign(marketer)
    target_list = frozen_list(campaign)
    pages = [
        ("home", []), ("new", []), ("campaign", [campaign.pk]), ("list", [target_list.pk]),
        ("downloads", []),
    ]  # fmt: skip
    deeds = [
        ("freeze", campaign.pk), ("preview", campaign.pk), ("download", target_list.pk),
        ("withdrawn", target_list.pk),
    ]  # fmt: skip

    for name, args in pages:
        assert client.get(reverse(f"campaigns:{name}", args=args)).status_code == 302
    for name, key in deeds:
        assert client.post(reverse(f"campaigns:{name}", args=[key])).status_code in {302, 403}
    client.force_login(steward)
    for name, args in pages:
        assert client.get(reverse(f"campaigns:{name}", args=args)).status_code == 403
    for name, key in deeds:
        assert client.post(reverse(f"campaigns:{name}", args=[key])).status_code == 403
    assert TargetList.objects.count() == 1
    assert not ListDownload.objects.exists()


def test_nothing_happens_by_get(as_marketer, marketer):
    campaign = make_campaign(marketer)

    for name in ("freeze", "preview", "download", "withdrawn"):
        address = reverse(f"campaigns:{name}", args=[campaign.pk])
        assert as_marketer.get(address).status_code == 405


def test_two_clicks_freeze_one_list(as_marketer, marketer):
    campaign = make_campaign(marketer)
    address = reverse("campaigns:freeze", args=[campaign.pk])

    assert as_marketer.post(address).url == as_marketer.post(address).url
    assert TargetList.objects.count() == 1


def test_the_owner_follows_the_freeze_without_seeing_other_jobs(as_marketer, marketer, make_user):
    as_marketer.post(reverse("campaigns:freeze", args=[make_campaign(marketer).pk]))
    job = TargetList.objects.get().job

    assert as_marketer.get(reverse("mdm:job-state", args=[job.pk])).json()["state"] == "queued"
    as_marketer.force_login(make_user("other", "marketer"))
    assert as_marketer.get(reverse("mdm:job-state", args=[job.pk])).status_code == 403


def test_a_segment_that_cannot_be_understood_is_shown_again_with_the_reason(as_marketer, marketer):
    campaign = make_campaign(marketer)
    address = reverse("campaigns:campaign", args=[campaign.pk])
    sent = {"field": "age", "operator": "at_least", "value": "<b>old</b>"}

    page = as_marketer.post(address, sent)
    preview = as_marketer.post(reverse("campaigns:preview", args=[campaign.pk]), sent)

    assert page.status_code == preview.status_code == 400
    for response in (page, preview):
        assert "&lt;b&gt;old&lt;/b&gt;" in response.content.decode()
        assert "<b>old" not in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.conditions == []


def test_the_preview_counts_without_saving(as_marketer, marketer):
    consenting("Here", city="Nantes")
    consenting("There", city="Brest")
    campaign = make_campaign(marketer)

    response = as_marketer.post(
        reverse("campaigns:preview", args=[campaign.pk]),
        {"field": "city", "operator": "is", "value": "Nantes"},
    )

    assert response.context["waterfall"].start == 1
    campaign.refresh_from_db()
    assert campaign.conditions == []


def test_a_large_segment_is_counted_by_a_worker(as_marketer, marketer, monkeypatch):
    monkeypatch.setattr("campaigns.views.LIVE_LIMIT", 0)
    consenting(sex="f")
    campaign = make_campaign(marketer)
    address = reverse("campaigns:campaign", args=[campaign.pk])
    assert "waterfall" not in as_marketer.get(address).context

    for _click in range(2):
        as_marketer.post(reverse("campaigns:count", args=[campaign.pk]))
    [job] = Job.objects.filter(kind="count_audience")
    assert "data-job-state" in as_marketer.get(address).content.decode()
    run_now(job)
    assert as_marketer.get(address).context["waterfall"].allowed == 1

    # Another segment is another question.
    as_marketer.post(address, {"field": "sex", "operator": "is", "value": "f"})
    assert "waterfall" not in as_marketer.get(address).context


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        (
            {"field": "sex", "operator": "is", "value": "x"},
            {
                "en": "Condition 1 (sex): “x” is not one of the choices: male, female.",
                "fr": "Condition 1 (sexe) : « x » n’est pas l’un des choix : homme, femme.",
            },
        ),
        (
            {"field": "gone", "operator": "is", "value": "x"},
            {
                "en": "Condition 1: there is no field “gone”.",
                "fr": "Condition 1 : le champ « gone » n’existe pas.",
            },
        ),
    ],
)
def test_a_segment_that_a_worker_refuses_is_told_in_the_readers_language(
    as_marketer, marketer, monkeypatch, segment, words
):
    monkeypatch.setattr("campaigns.views.LIVE_LIMIT", -1)
    campaign = make_campaign(marketer)
    as_marketer.post(reverse("campaigns:count", args=[campaign.pk]))
    job = Job.objects.get(kind="count_audience")
    job.parameters = {**job.parameters, "conditions": [segment]}  # Its field is gone since.
    job.save()
    with override("fr"), suppress(JobFailed):
        run_now(job)

    state = reverse("mdm:job-state", args=[job.pk])
    told = {
        language: as_marketer.get(state, headers={"accept-language": language}).json()["error"]
        for language in ("en", "fr")
    }

    assert {name: text.replace("\u00a0", " ") for name, text in told.items()} == words


def test_a_name_that_is_a_formula_is_text_in_the_file(as_marketer, marketer):
    consenting("=HYPERLINK", given_name="@SUM(1)", email="x@example.com")
    target_list = frozen_list(make_campaign(marketer))

    [line] = lines(take(as_marketer, target_list))
    assert {"'=HYPERLINK", "'@SUM(1)"} < set(line.values())
    xlsx = take(as_marketer, target_list, format="xlsx")
    assert xlsx.file.startswith(b"PK")
    assert ListDownload.objects.count() == 2


def test_an_international_domain_is_written_in_ascii_for_the_program_that_sends(
    as_marketer, marketer
):
    consenting("Petit", email="zoe@société.example.org")
    target_list = frozen_list(make_campaign(marketer))

    [line] = lines(take(as_marketer, target_list))

    assert "zoe@xn--socit-esab.example.org" in line.values()


def test_a_postal_file_has_labels_and_no_email(as_marketer, marketer):
    record = active_person(
        "Lefèvre", civility="mrs", street_number="12", street="rue du Pré",
        postcode="44000", city="Nantes", country="FR",
    )  # fmt: skip
    point = ContactPoint.objects.create(kind="post", value="12 rue du pre 44000 nantes")
    RecordContactPoint.objects.create(record=record, contact_point=point, attribute="address")
    target_list = frozen_list(make_campaign(marketer, channel="post"))

    [line] = lines(take(as_marketer, target_list))

    values = list(line.values())
    assert values[0].endswith("ANNE LEFEVRE")
    assert values[1:3] == ["12 RUE DU PRE", "44000 NANTES"]
    assert len(values) == 9  # Seven lines for abroad, customer and watermark.
    assert record.email not in values


def test_the_register_only_grows(as_marketer, marketer):
    consenting()
    take(as_marketer, frozen_list(make_campaign(marketer)))

    for deed in (
        lambda: ListDownload.objects.update(row_count=0),
        ListDownload.objects.all().delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()


def test_pages_cost_the_same_number_of_queries_with_many_rows(
    as_marketer, marketer, django_assert_max_num_queries
):
    for _time in range(12):
        consenting()
        target_list = frozen_list(make_campaign(marketer))
        take(as_marketer, target_list)

    for name, args, most in [
        ("home", [], 12),
        ("campaign", [target_list.campaign_id], 34),
        ("list", [target_list.pk], 16),
        ("downloads", [], 12),
    ]:
        with django_assert_max_num_queries(most):
            as_marketer.get(reverse(f"campaigns:{name}", args=args))
