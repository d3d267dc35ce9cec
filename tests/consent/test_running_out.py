"""A consent that has run out reads as expired, and what soon will is told in time."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils.timezone import now

from consent.models import ConsentEvent, NoticeVersion, Purpose
from consent.policies import pack_at
from consent.running_out import count_running_out
from mdm.models import SourceRecord
from tests.consent.doors import act, collection_point, link_of, may_write_to
from tests.consent.factories import enact, record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
A_YEAR = [{"channel": "email", "purpose": "*", "months": 12}]


def consenting(name: str, days: int, kind: str = "given", level: int = 2) -> SourceRecord:
    """Return somebody who agreed some days ago, on a form."""
    record = make_record(email=f"{name}@example.com", given_name=name, source_created_at=now())
    then = now() - timedelta(days=days)
    record_event(record, kind, occurred_at=then, evidence_level=level)
    return record


@pytest.mark.parametrize(
    ("days", "rule", "words"),
    [
        (400, "E1_expired", "the consent ran out on"),
        (330, "E1", "renewal due"),
        (100, "E1", "the consent runs out on"),
    ],
)
def test_the_matrix_tells_until_when_a_consent_is_good(days, rule, words):
    ada = consenting("ada", days)
    enact(consent_validity=A_YEAR)

    page = client_of("dpo").get(reverse("consent:customer", args=[ada.customer.public_id]))

    cell = page.context["matrix"].rows[0].cells[0]
    assert cell.answer.rule == rule
    assert words in page.content.decode()
    assert cell.validity.is_expired == (rule == "E1_expired")


def test_a_proof_pack_tells_that_a_consent_has_run_out():
    ada = consenting("ada", 400)
    address = reverse("consent:proof-pack", args=[ada.customer.public_id])
    dpo = client_of("dpo")
    assert b"dpv:ConsentExpired" not in dpo.post(address, {"format": "jsonld"}).content

    enact(consent_validity=A_YEAR)

    assert b"dpv:ConsentExpired" in dpo.post(address, {"format": "jsonld"}).content


def test_without_a_term_nothing_is_said_of_an_end():
    ada = consenting("ada", 4000)

    page = client_of("dpo").get(reverse("consent:customer", args=[ada.customer.public_id]))

    assert page.context["matrix"].rows[0].cells[0].validity is None
    assert (
        "No consent runs out"
        in client_of("dpo").get(reverse("consent:running-out")).content.decode()
    )


@pytest.mark.parametrize("role", ["dpo", "marketer"])
def test_the_page_counts_what_ran_out_and_what_will(role):
    for name, days in {"ada": 400, "ben": 330, "cy": 320, "dee": 100}.items():
        consenting(name, days)
    enact(consent_validity=A_YEAR, renewal_notice_days=40)

    page = client_of(role).get(reverse("consent:running-out"))

    told = page.context
    assert (told["standing"], told["due"], told["expired"]) == (3, 1, 1)
    assert sum(bar.value for bar in told["bars"]) == 3
    assert "E-mail · Commercial offers" in page.content.decode()


def test_the_count_agrees_with_the_gate():
    people = [consenting(f"p{days}", days) for days in (364, 365, 366, 367, 368)]
    enact(consent_validity=A_YEAR)

    (count,) = count_running_out(pack_at(now()), now())

    assert count.standing == sum(may_write_to(person) for person in people)
    assert (count.standing, count.expired) != (5, 0)


@pytest.mark.parametrize("role", ["steward", "administrator", "caller"])
def test_other_roles_do_not_see_it(role):
    assert client_of(role).get(reverse("consent:running-out")).status_code == 403


@pytest.mark.parametrize(("kind", "level"), [("given", 2), ("confirmed", 3)])
def test_whoever_agrees_again_may_be_written_to_again(kind, level):
    collection_point("preferences", method="preferences", choices=(("marketing", "email"),))
    ada = consenting("ada", 400, kind, level)
    enact(consent_validity=A_YEAR)
    link = link_of(ada)
    page = act(link, "nothing").content.decode()
    assert "You agreed, but that has run out" in page
    assert not may_write_to(ada)

    notice = NoticeVersion.objects.get()
    for _click in range(2):
        act(link, "accept", purpose="marketing", channel="email", notice=notice.pk)

    assert may_write_to(ada)
    assert ConsentEvent.objects.count() == 2
    (count,) = count_running_out(pack_at(now()), now())
    assert (count.standing, count.expired) == (1, 0)


def test_a_click_after_the_end_is_another_than_the_one_that_has_run_out(ada, monkeypatch):
    collection_point("preferences", method="preferences", choices=(("marketing", "email"),))
    words = {"purpose": "marketing", "channel": "email", "notice": NoticeVersion.objects.get().pk}
    with monkeypatch.context() as then:
        then.setattr("consent.preferences.now", lambda: now() - timedelta(days=400))
        act(link_of(ada), "accept", **words)
    enact(consent_validity=A_YEAR)
    record_event(ada, "given", purpose=Purpose.objects.get(code="news"))  # In contact since.
    assert not may_write_to(ada)

    act(link_of(ada), "accept", **words)

    assert may_write_to(ada)


def test_weak_consents_tell_how_many_of_them_have_run_out():
    for name, days in (("ada", 400), ("bea", 100)):
        consenting(name, days)
    enact(consent_validity=A_YEAR)
    cache.clear()

    page = client_of("dpo").get(reverse("consent:at-risk")).text

    assert "1 of them past its term" in page
