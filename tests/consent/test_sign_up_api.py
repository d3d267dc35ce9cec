"""The sign-up form on other sites: as an embedded page, a plain form, and JSON."""

import json

import pytest
from django.urls import reverse

from consent.models import OptInRequest
from tests.consent.doors import collection_point, confirm, mailed_token, typed, visitor

pytestmark = pytest.mark.django_db

SITE = "https://www.shop.example"


@pytest.fixture
def point():
    return collection_point(allowed_origins=[SITE])


def address(point, name="sign-up-api") -> str:
    return reverse(f"public:{name}", args=[point.code])


def send(point, document: object, **headers: str):
    headers = {"origin": SITE, **headers}
    return visitor(**headers).post(
        address(point), json.dumps(document), content_type="application/json"
    )


def choices(point) -> list[dict[str, str]]:
    described = visitor(origin=SITE).get(address(point)).json()
    return [
        {name: choice[name] for name in ("purpose", "channel", "notice")}
        for choice in described["choices"]
        if choice["channel"] == "email"
    ]


def test_a_site_reads_the_form_and_signs_up_with_the_words_it_showed(point):
    answer = send(point, {"email": "ada@example.com", "choices": choices(point)})

    assert (answer.status_code, answer.json()) == (202, {"status": "check_mail"})
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert "Access-Control-Allow-Credentials" not in answer
    assert OptInRequest.objects.get().form_origin == SITE
    assert "Thank you" in confirm(mailed_token()).text


def test_another_site_may_neither_read_nor_send(point):
    stranger = {"origin": "https://evil.example"}

    answers = [
        visitor(**stranger).get(address(point)),
        visitor(**stranger).options(address(point)),
        send(point, {"email": "a@example.com", "choices": []}, **stranger),
        visitor(**stranger).post(address(point, "sign-up"), typed(point)),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)
    assert not OptInRequest.objects.exists()


def test_a_preflight_is_answered_for_an_allowed_site(point):
    answer = visitor(origin=SITE).options(address(point))

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Methods"] == "GET, POST"


def test_a_plain_form_of_the_site_works_without_a_script(point):
    answer = visitor(origin=SITE).post(address(point, "sign-up"), typed(point))

    assert answer.status_code == 200
    assert OptInRequest.objects.count() == 1


def test_the_page_may_be_framed_by_the_sites_it_names_and_no_other(point):
    other = collection_point("other")

    allowed = visitor().get(address(point, "sign-up"))
    refused = visitor().get(address(other, "sign-up"))

    assert f"frame-ancestors 'self' {SITE}" in allowed["Content-Security-Policy"]
    assert "X-Frame-Options" not in allowed.headers
    assert refused["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "document",
    [
        {"email": "ada@example.com"},
        {"email": "ada@example.com", "choices": "email"},
        {"email": "ada@example.com", "choices": [1, None, {"purpose": "x"}]},
        {"email": "ada@example.com", "choices": [{"purpose": "marketing", "channel": "email"}]},
        {"email": ["ada@example.com"], "choices": []},
        {"choices": []},
    ],
)
def test_what_is_missing_is_told_by_field(point, document):
    answer = send(point, document)

    assert answer.status_code == 422
    assert answer.json()["error"] == "form"
    assert not OptInRequest.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '"x"', "[" * 5000, "x" * 20_000])
def test_what_is_no_document_is_refused(point, body):
    answer = visitor(origin=SITE).post(address(point), body, content_type="application/json")

    assert answer.status_code == 400


def test_the_trap_works_here_too(point):
    document = {"email": "ada@example.com", "choices": choices(point), "website": "x"}

    assert send(point, document).status_code == 202
    assert not OptInRequest.objects.exists()


def test_a_form_that_is_off_or_of_another_kind_is_not_found(point):
    off = collection_point("off", is_active=False)
    centre = collection_point("centre", method="preferences")

    for form in (off, centre):
        assert visitor().get(address(form, "sign-up")).status_code == 404
        assert visitor().get(address(form)).status_code == 404
