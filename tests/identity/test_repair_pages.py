"""Repairs from the customer page: a preview, a confirmation, an undo; by role, and without JS."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from matching.decisions import Verdict, decide
from matching.models import Decision, Repair
from matching.repairs import Wish, repair
from mdm.birth_ids import display, public_id
from mdm.models import SourceRecord
from tests.identity.snapshots import snapshot
from tests.matching.factories import customers_of, make_evidence, make_steward, settled
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """A customer of three records in a chain, and one that stands alone."""
    rows = [("crm", "Anne"), ("shop", "Anna"), ("web", "Annie"), ("web", "Luc")]
    records = make_records(
        [{"source": s, "key": f"{s}-{n}", "given_name": n, "family_name": "Roux"} for s, n in rows]
    )
    make_evidence(records[0], records[1], 9.0)
    make_evidence(records[1], records[2], 4.5)
    settled(records[0])
    return records


def page_of(record: SourceRecord, name: str = "customer") -> str:
    return reverse(f"mdm:{name}", args=[public_id(record.pk)])


def fields_of(html: str) -> dict[str, list[str]]:
    """Return what the form of a preview carries along: hidden fields, and chosen options."""
    carried: dict[str, list[str]] = {}
    form = html[html.index('<form class="o-stack"') :]
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        carried.setdefault(name, []).append(value)
    return carried


def confirm(client: Client, url: str, preview: str, **answers: str):
    return client.post(url, {**fields_of(preview), "confirm": "1", **answers}, follow=True)


def test_a_steward_takes_a_record_out_after_seeing_what_will_happen(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    before = snapshot()

    preview = client.post(url, {"kind": "unlink", "record": people[2].pk})
    assert preview.status_code == 200
    assert snapshot() == before
    assert display(public_id(people[2].pk)) in preview.text
    assert "comes back" in preview.text

    answer = confirm(client, url, preview.text, reason="household", note="her sister")
    assert customers_of(*people[:3]) == [people[0].pk, people[0].pk, people[2].pk]
    assert answer.redirect_chain == [(page_of(people[0]), 302)]
    decision = Decision.objects.first()
    assert (decision.reason, decision.note) == ("household", "her sister")
    assert "her sister" in answer.text


@pytest.mark.parametrize("name", ["customer-repair", "customer-undo", "customer-pin"])
def test_the_address_of_a_preview_alone_leads_to_the_customer(people, name):
    client = client_of("steward")
    address = page_of(people[0], name)

    answer = client.post(reverse("set_language"), {"language": "fr", "next": address}, follow=True)

    assert answer.status_code == 200
    assert answer.redirect_chain == [(address, 302), (page_of(people[0]), 302)]


def test_the_undo_stands_in_the_history_and_says_what_it_will_do(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    before = snapshot()
    confirm(client, url, client.post(url, {"kind": "unlink", "record": people[2].pk}).text)

    page = client.get(page_of(people[0])).text
    (key,) = re.findall(r'name="repair" value="(\d+)"', page)
    undo = page_of(people[0], "customer-undo")
    preview = client.post(undo, {"repair": key})
    assert Repair.objects.get().undone_at is None
    assert "joins" in preview.text

    confirm(client, undo, preview.text)
    assert snapshot() == before
    again = client.post(undo, {"repair": key}, follow=True)
    assert "already undone" in again.text


def test_an_undo_after_somebody_changed_the_customer_says_who_and_is_asked_again(people):
    done = repair(Wish("unlink", people[0].pk, (people[2].pk,)), by=make_steward())
    client, undo = client_of("steward"), page_of(people[0], "customer-undo")
    preview = client.post(undo, {"repair": done.pk})
    decide(people[0].pk, people[3].pk, Verdict.SAME, by=make_steward("b.roux"))

    refused = confirm(client, undo, preview.text)

    assert refused.status_code == 409
    assert "b.roux" in refused.text
    done.refresh_from_db()
    assert done.undone_at is None
    confirm(client, undo, refused.text)
    done.refresh_from_db()
    assert done.undone_at is not None


def test_a_decision_of_the_review_page_is_undone_from_the_history_too(people):
    decide(people[0].pk, people[3].pk, Verdict.SAME, by=make_steward("j.roux"))
    client, undo = client_of("steward"), page_of(people[0], "customer-undo")
    page = client.get(page_of(people[0])).text
    (key,) = re.findall(r'name="decision" value="(\d+)"', page)
    assert "j.roux said on" in page

    confirm(client, undo, client.post(undo, {"decision": key}).text)

    assert customers_of(people[3]) == [people[3].pk]


def test_records_are_moved_to_the_customer_named_by_any_of_her_ids(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    sent = {"kind": "move", "record": people[2].pk, "other": display(public_id(people[3].pk))}

    confirm(client, url, client.post(url, sent).text)

    assert customers_of(people[2], people[3]) == [people[2].pk, people[2].pk]


def test_two_customers_are_kept_apart_and_the_page_says_so(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    preview = client.post(url, {"kind": "apart", "other": public_id(people[3].pk)})
    assert "No record changes customer today" in preview.text

    answer = confirm(client, url, preview.text, reason="household")

    assert "Not the same person as" in answer.text
    assert Decision.objects.in_force().filter(verdict="different").count() == 3


def test_a_link_without_evidence_asks_for_a_reason(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    preview = client.post(url, {"kind": "link", "other": public_id(people[3].pk)})
    assert re.search(r'<select id="reason" name="reason" required>', preview.text)

    refused = confirm(client, url, preview.text)
    assert refused.status_code == 400
    assert "say why they are one person" in refused.text

    confirm(client, url, refused.text, reason="customer")
    assert customers_of(people[3]) == [people[0].pk]


def test_companions_are_asked_about_and_may_be_left(people):
    decide(people[2].pk, people[3].pk, Verdict.SAME, by=make_steward())
    client, url = client_of("steward"), page_of(people[0], "customer-repair")

    preview = client.post(url, {"kind": "unlink", "record": people[3].pk})
    assert "goes along" in preview.text
    left = client.post(url, {**fields_of(preview.text), "alone": "on"})
    assert "Decisions taken back with it" in left.text
    confirm(client, url, left.text, alone="on")

    assert customers_of(*people) == [people[0].pk] * 3 + [people[3].pk]


def test_a_contradiction_is_shown_as_sentences_and_forced_only_by_naming_decisions(people):
    steward = make_steward("j.roux")
    decide(people[0].pk, people[2].pk, Verdict.SAME, by=steward)
    apart = decide(people[2].pk, people[3].pk, Verdict.DIFFERENT, by=steward)
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    sent = {"kind": "link", "other": public_id(people[3].pk)}

    refused = client.post(url, sent)
    assert refused.status_code == 409
    assert "j.roux said on" in refused.text
    assert "WEB web-Annie and WEB web-Luc are two people" in refused.text
    still = confirm(client, url, refused.text, reason="customer")
    assert still.status_code == 409
    assert not Repair.objects.exists()

    preview = client.post(url, {**fields_of(refused.text), "retract": apart.pk})
    confirm(client, url, preview.text, reason="customer")
    assert customers_of(people[3]) == [people[0].pk]
    apart.refresh_from_db()
    assert apart.retracted_at is not None


def test_who_comes_second_sees_who_did_what_and_nothing_is_written(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    preview = client.post(url, {"kind": "unlink", "record": people[2].pk})
    repair(Wish("unlink", people[0].pk, (people[1].pk,)), by=make_steward("j.roux"))

    late = confirm(client, url, preview.text)

    assert late.status_code == 409
    assert "j.roux: Records taken out" in late.text
    assert Repair.objects.count() == 1


def test_who_comes_second_may_confirm_what_is_still_possible(people):
    make_evidence(people[0], people[2], 5.0)
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    preview = client.post(url, {"kind": "unlink", "record": people[2].pk})
    repair(Wish("unlink", people[0].pk, (people[1].pk,)), by=make_steward("j.roux"))

    late = confirm(client, url, preview.text)
    assert late.status_code == 409
    assert "j.roux: Records taken out" in late.text

    confirm(client, url, late.text)
    assert len(set(customers_of(*people[:3]))) == 3


def test_the_confirmation_sent_twice_has_one_effect(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    preview = client.post(url, {"kind": "unlink", "record": people[2].pk}).text

    confirm(client, url, preview)
    again = client.post(url, {**fields_of(preview), "confirm": "1"}, follow=True)

    assert again.status_code == 200
    assert Repair.objects.count() == 1


def test_a_weak_spot_is_shown_and_can_be_cut(people):
    client, url = client_of("steward"), page_of(people[0], "customer-repair")
    page = client.get(page_of(people[0])).text
    assert "One link of 4.5 bits, SHOP shop-Anna – WEB web-Annie" in page

    confirm(client, url, client.post(url, {"kind": "split", "record": people[2].pk}).text)

    assert customers_of(*people[:3]) == [people[0].pk, people[0].pk, people[2].pk]
    assert "4.5 bits, SHOP" not in client.get(page_of(people[0])).text


@pytest.mark.parametrize(
    "sent", [{"kind": "unlink"}, {"kind": "explode"}, {"kind": "move", "other": "nobody"}, {}]
)
def test_what_makes_no_sense_leads_back_with_words(people, sent):
    answer = client_of("steward").post(page_of(people[0], "customer-repair"), sent, follow=True)

    assert answer.redirect_chain == [(page_of(people[0]), 302)]
    assert [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize("role", ["dpo", "marketer", "administrator"])
@pytest.mark.parametrize("name", ["customer-repair", "customer-undo"])
def test_only_stewards_repair(people, role, name):
    answer = client_of(role).post(page_of(people[0], name), {"kind": "confirm", "confirm": "1"})

    assert answer.status_code == 403
    assert not Repair.objects.exists()


def test_who_may_not_repair_sees_no_buttons(people):
    page = client_of("dpo").get(page_of(people[0])).text

    assert "customer-repair" not in page
    assert 'name="record"' not in page
